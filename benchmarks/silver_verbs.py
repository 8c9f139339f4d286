"""Score lemmas of verbs in reviews and tweets, where the lexica leave no doubt.

    pip install mlconjug3
    PYTHONPATH=lexicon python benchmarks/silver_verbs.py tagger-pt [MODEL ...] --data ../shared/data

A word counts if the paradigms of mlconjug3 and MorphoBr have it as a form of one verb only, no
treebank has it as anything but a verb, no other word is written so without its accents, and
simplemma agrees on the lemma. "no_word" is the share of lemmas that are no verb of the lexica.
simplemma's own score is 1 by this choice of words, so it is no baseline here.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from portuguese import _morphobr, _simplemma, today, unaccented
from verbs import Verbs

import nlpkit
from nlpkit.language.words import Words

PER_SET = 100  # texts of each set
LONGEST = 600  # characters


def verb_of(data: Path) -> tuple[dict[str, str], set[str]]:
    """Return the verb of each form that can only be of that verb, and all verbs."""
    table = dict(_simplemma(data))
    analyses: dict[str, set[tuple[str, str]]] = defaultdict(set)
    verbs = Verbs()
    for form, lemma, tag in _morphobr(data):
        analyses[form].add((tag, lemma))
        if tag == "VERB":
            verbs.add([lemma])
    for each in verbs.forms():
        analyses[each.form].add(("VERB", today(each.verb)))
    others = set(_other_words(data))
    others |= {unaccented(word) for word in others}
    others |= {
        plain
        for form, pairs in analyses.items()
        if any(tag != "VERB" for tag, _ in pairs) and (plain := unaccented(form)) != form
    }
    known = {lemma for pairs in analyses.values() for tag, lemma in pairs if tag == "VERB"}
    sure = {
        form: lemma
        for form, pairs in analyses.items()
        if len(pairs) == 1
        for tag, lemma in pairs
        if tag == "VERB" and table.get(form) == lemma and form not in others
    }
    return sure, known


def _other_words(data: Path) -> Iterator[str]:
    """Yield the words of the treebanks that are no verbs."""
    for path in sorted(data.glob("ud/pt_*/train.conllu.xz")):
        for line in lzma.open(path, "rt", encoding="utf-8"):
            cells = line.split("\t")
            if len(cells) > 4 and cells[3] not in ("VERB", "AUX"):
                yield cells[1].lower()


def texts(data: Path, split: str) -> list[str]:
    """Return a sample of the short texts of each set."""
    rng = random.Random(2)
    sampled = []
    for path in sorted(data.glob(f"sentiment_pt/*/{split}.jsonl.xz")):
        rows = [json.loads(line)["text"] for line in lzma.open(path, "rt", encoding="utf-8")]
        rows = [row for row in rows if isinstance(row, str) and len(row) < LONGEST]
        rng.shuffle(rows)
        sampled += rows[:PER_SET]
    return sampled


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--errors", type=int, default=30, help="most frequent errors to print")
    args = parser.parse_args()
    sure, known = verb_of(args.data)
    documents = [words for _, words in Words("pt")(texts(args.data, args.split))]
    for name in args.models:
        n = right = no_word = 0
        errors: Counter[tuple[str, str, str]] = Counter()
        answers = nlpkit.load(name).predict(documents)
        for words, answer in zip(documents, answers, strict=True):
            for form, lemma in zip(words, answer.layers[0] if answer else (), strict=False):
                if (verb := sure.get(form.lower())) is None:
                    continue
                n += 1
                right += lemma == verb
                no_word += lemma not in known
                if lemma != verb:
                    errors[form.lower(), verb, lemma] += 1
        scores = {"verbs": n, "right": round(right / n, 4), "no_word": round(no_word / n, 4)}
        print(json.dumps({"model": name} | scores))
        print(errors.most_common(args.errors))


if __name__ == "__main__":
    main()
