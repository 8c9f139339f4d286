"""Measure lemma and UPOS accuracy on treebanks: identity, lookup tables and nlpkit's tagger.

    NLPKIT_DATA=../shared/data python benchmarks/tagging.py [--model tagger-pt] [--split test]

Accuracy is over the syntactic words of the treebank whose lemma is known: of all words, with case,
and of words other than punctuation, ignoring case. Speed is words a second over a whole treebank,
after loading. spaCy's lookup table is that of spacy-lookups-data (the package, or its copy under
$NLPKIT_DATA for Portuguese).
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nlpkit import chain
from nlpkit.records.rows import read_records

TREEBANKS = {
    "pt": ["pt_bosque", "pt_dantestocks", "pt_gsd", "pt_porttinari"],
    "en": ["en_ewt"],
}
Lemmas = Callable[[list[list[str]]], list[list[str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lang", choices=TREEBANKS, default="pt")
    parser.add_argument("--model", help="bundle or run; default: the bundled tagger")
    parser.add_argument("--split", default="test")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    print("| treebank | lemmatizer | n | all words | words | UPOS | words/s |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for treebank in TREEBANKS[given.lang]:
        folder = Path(os.environ["NLPKIT_DATA"]) / "ud" / treebank
        split = given.split if (folder / f"{given.split}.conllu.xz").exists() else "dev"
        sentences = list(read_records(str(folder / f"{split}.conllu.xz"), "words"))
        treebank = f"{treebank} {split}"
        for name, lemmatize in lemmatizers(given.lang, given.model):
            rows.append({"treebank": treebank, "lemmatizer": name} | score(sentences, lemmatize))
            print_row(rows[-1])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def lemmatizers(lang: str, model: str | None) -> Iterator[tuple[str, Any]]:
    """Yield names and functions from sentences to lemmas, or to tagged answers."""
    yield "identity", lambda sentences: sentences
    table = spacy_table(lang)
    if table:
        yield "spaCy lookup", lambda sentences: [[table.get(w, w) for w in s] for s in sentences]
    lookup = chain.pipeline(f"lemmatize --engine lookup --pretokenized --lang {lang}")
    yield "simplemma", lambda sentences: lookup([" ".join(s) for s in sentences])
    neural = opened(model or f"tagger-{lang}")
    yield "nlpkit", neural.predict


def opened(name: str) -> Any:
    from nlpkit.jobs.evaluate import open_model

    return open_model(name, device="cpu", precision="auto")


def spacy_table(lang: str) -> dict[str, str]:
    """Return spaCy's table from words to lemmas, or {} if it is not installed or copied."""
    spec = find_spec("spacy_lookups_data")
    if spec and spec.origin:
        file = Path(spec.origin).parent / "data" / f"{lang}_lemma_lookup.json.gz"
        return json.loads(gzip.open(file, "rt", encoding="utf-8").read())
    root = Path(os.environ["NLPKIT_DATA"])
    copy = root / "lemma" / "spacy_lookups" / f"{lang}_lemma_lookup.tsv.xz"
    if not copy.exists():
        return {}
    with lzma.open(copy, "rt", encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split("\t")[:2] for line in lines)


def score(sentences: list[dict[str, Any]], lemmatize: Any) -> dict[str, Any]:
    """Return the accuracies over all words and the words a second."""
    words = [sentence["words"] for sentence in sentences]
    lemmatize(words[:20])
    started = time.perf_counter()
    answers = lemmatize(words)
    seconds = time.perf_counter() - started
    correct = scored = tagged = tags = plain = plain_correct = 0
    for sentence, answer in zip(sentences, answers, strict=True):
        lemmas, upos = getattr(answer, "layers", (answer, ()))
        for predicted, gold, tag in zip(lemmas, sentence["lemmas"], sentence["upos"], strict=True):
            if gold == "_":
                continue
            scored += 1
            correct += predicted == gold
            plain += tag != "PUNCT"
            plain_correct += tag != "PUNCT" and predicted.lower() == gold.lower()
        for predicted, gold in zip(upos, sentence["upos"], strict=False):
            tags += gold != "_"
            tagged += predicted == gold
    return {
        "words": scored,
        "lemma": round(correct / scored, 4),
        "lemma_words": round(plain_correct / plain, 4),
        "upos": round(tagged / tags, 4) if tags else None,
        "words_per_second": round(sum(map(len, words)) / seconds),
    }


def print_row(row: dict[str, Any]) -> None:
    upos = f"{row['upos']:.4f}" if row["upos"] is not None else ""
    shares = f"{row['lemma']:.4f} | {row['lemma_words']:.4f} | {upos}"
    head = f"{row['treebank']} | {row['lemmatizer']} | {row['words']:,}"
    print(f"| {head} | {shares} | {row['words_per_second']:,} |", flush=True)


if __name__ == "__main__":
    main()
