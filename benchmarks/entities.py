"""Strict F1 of entities: nlpkit's models, and a CRF over features, on the same sets.

    pip install sklearn-crfsuite
    python benchmarks/entities.py MODEL [MODEL ...] --data ../shared/data [--split test] [--crf]
        [--spacy] [--lower]

Both baselines learn from the training file of each set alone. The CRF (Lafferty et al. 2001) has
the usual features of words, affixes, shapes and neighbours. spaCy's is what `spacy train` makes
without vectors: a blank pipeline with its own tok2vec and transition-based parser, the best of
PASSES passes by the dev file. Models are scored on the types that they know; speed is of one run,
in documents a second.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nlpkit
from nlpkit import metrics
from nlpkit.answers import Span
from nlpkit.answers.entities import Entities
from nlpkit.language.bio import mentions, tags_of
from nlpkit.records.rows import Row, read_rows
from nlpkit.tasks import golds_of
from nlpkit.tasks.entities import Config, Task
from nlpkit.text.simple import spans
from nlpkit.text.tokenizers.words import shape

NAMES = {"PESSOA": "PER", "LOCAL": "LOC", "ORGANIZACAO": "ORG", "TEMPO": "TIME", "VALOR": "VALUE"}
NAMES |= {"LEGISLACAO": "LAW", "JURISPRUDENCIA": "CASE"}
PASSES = 8  # of spaCy, over a training file
HIDDEN = ("PER", "LOC", "ORG")  # types that the table of masking counts
SETS = {
    "pt": ("ner_pt/uner_bosque", "ner_pt/lener_br", "ner_pt/paramopama", "ner_pt/harem_selective"),
    "en": ("ner_en/conll2003_en",),
}

Answers = tuple[list[Entities], float]  # and documents a second


def rows_of(path: Path) -> list[Row]:
    return read_rows(str(path), text="tokens", label="tags", names=NAMES)


def texts_of(rows: Sequence[Row]) -> list[str]:
    return [" ".join(row.text) for row in rows]


def scores(task: Task, rows: Sequence[Row], answers: Sequence[Any]) -> dict[str, Any]:
    """Return the metrics of answers; None counts as no entity."""
    given = [answer or Entities(()) for answer in answers]
    return metrics.measure(Entities, golds_of(task, rows), given)


def hidden(task: Task, rows: Sequence[Row], answers: Sequence[Any]) -> dict[str, float]:
    """Return the share of the names of each type that masking would hide as a whole.

    A name is hidden if all of its letters and digits lie in entities of the types in HIDDEN.
    """
    found, count = Counter[str](), Counter[str]()
    for gold, answer in zip(golds_of(task, rows), answers, strict=True):
        given = [span for span in (answer.spans if answer else ()) if span.label in HIDDEN]
        covered = {place for span in given for place in range(span.start, span.end)}
        for span in gold.spans:
            places = (place for place in range(span.start, span.end))
            shown = [at for at in places if gold.document[at].isalnum() and at not in covered]
            count[span.label] += 1
            found[span.label] += not shown
    return {label: round(found[label] / count[label], 3) for label in HIDDEN if count[label]}


def features(words: Sequence[str]) -> list[dict[str, Any]]:
    """Return the features of each word: its own, and those of two neighbours on each side."""
    own = [_own(word) for word in words]
    rows = []
    for place in range(len(words)):
        row: dict[str, Any] = {"bias": 1.0}
        for offset in (-2, -1, 0, 1, 2):
            inside = 0 <= place + offset < len(words)
            row |= (
                {f"{offset}:{key}": value for key, value in own[place + offset].items()}
                if inside
                else {f"{offset}:edge": True}
            )
        rows.append(row)
    return rows


def _own(word: str) -> Mapping[str, Any]:
    low = word.lower()
    return {
        "word": low,
        "shape": shape(word),
        "title": word.istitle(),
        "upper": word.isupper(),
        "digit": word.isdigit(),
        **{f"s{n}": low[-n:] for n in (1, 2, 3, 4)},
        **{f"p{n}": low[:n] for n in (1, 2, 3)},
    }


def crf(train: Sequence[Row], test: Sequence[Row]) -> Answers:
    """Return a CRF's answers and its speed."""
    import sklearn_crfsuite

    def words_of(text: str) -> list[str]:
        return [text[start:end] for start, end in spans(text)]

    golds = zip(_golds(train), texts_of(train), strict=True)
    tags = [tags_of(gold, spans(text)) for gold, text in golds]
    model = sklearn_crfsuite.CRF(
        algorithm="lbfgs", c1=0.1, c2=0.05, max_iterations=80, all_possible_transitions=True
    )
    model.fit([features(words_of(text)) for text in texts_of(train)], tags)
    texts = texts_of(test)
    started = time.perf_counter()
    predicted = model.predict([features(words_of(text)) for text in texts])
    speed = len(test) / (time.perf_counter() - started)
    given = [_entities(text, list(tags)) for text, tags in zip(texts, predicted, strict=True)]
    return given, speed


def pipeline(
    train: Sequence[Row], dev: Sequence[Row], test: Sequence[Row], language: str
) -> Answers:
    """Return the answers of a spaCy pipeline and its speed."""
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example
    from spacy.util import minibatch

    spacy.util.fix_random_seed(1)
    nlp = spacy.blank(language)
    nlp.add_pipe("ner")

    def examples(rows: Sequence[Row]) -> list[Example]:
        return [
            Example(
                Doc(nlp.vocab, words=words),
                Doc(nlp.vocab, words=words, ents=tags_of(gold, bounds)),
            )
            for text, gold in zip(texts_of(rows), _golds(rows), strict=True)
            for bounds in [spans(text)]
            for words in [[text[start:end] for start, end in bounds]]
        ]

    learned, chosen, rng = examples(train), examples(dev), random.Random(1)
    optimizer = nlp.initialize(lambda: learned)
    best, kept = -1.0, b""
    for _ in range(PASSES):
        rng.shuffle(learned)
        for batch in minibatch(learned, 64):
            nlp.update(batch, sgd=optimizer, drop=0.1)
        if (score := nlp.evaluate(chosen)["ents_f"] or 0.0) > best:
            best, kept = score, nlp.to_bytes()
    nlp.from_bytes(kept)
    started, given = time.perf_counter(), []
    for text, example in zip(texts_of(test), examples(test), strict=True):
        bounds = spans(text)
        found = nlp(example.predicted).ents
        at = [(bounds[e.start][0], bounds[e.end - 1][1], e.label_) for e in found]
        given.append(Entities(tuple(Span(a, b, label, text[a:b]) for a, b, label in at)))
    return given, len(test) / (time.perf_counter() - started)


def _golds(rows: Sequence[Row]) -> list[Any]:
    return [mentions(row.fields["label"], row.text, NAMES) for row in rows]


def _entities(text: str, tags: list[str]) -> Entities:
    """Return the entities of the tags of a text's words."""
    bounds = spans(text)
    found = []
    for each in mentions(tags, ["x"] * len(tags)):  # each word takes two characters, "x "
        start, end = bounds[each.start // 2][0], bounds[(each.end - 1) // 2][1]
        found.append(Span(start, end, each.type, text[start:end]))
    return Entities(tuple(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--language", choices=SETS, default="pt")
    parser.add_argument("--lower", action="store_true", help="give models small letters")
    parser.add_argument("--crf", action="store_true")
    parser.add_argument("--spacy", action="store_true")
    args = parser.parse_args()
    for name in SETS[args.language]:
        path = args.data / name / f"{args.split}.jsonl.xz"
        if not path.exists():
            continue
        rows = rows_of(path)
        texts = [text.lower() if args.lower else text for text in texts_of(rows)]
        for model_name in args.models:
            model = nlpkit.load(model_name, device="cpu")
            started = time.perf_counter()
            answers = model.predict(texts)
            speed = len(rows) / (time.perf_counter() - started)
            task = Task(Config(), model.task.types)
            scored = scores(task, rows, answers) | {"hidden": hidden(task, rows, answers)}
            _print(name, model_name, scored, speed)
        baselines: list[tuple[str, Answers]] = []
        train, dev = (rows_of(args.data / name / f"{each}.jsonl.xz") for each in ("train", "dev"))
        if args.crf:
            baselines.append(("crf", crf(train, rows)))
        if args.spacy:
            baselines.append(("spacy", pipeline(train, dev, rows, args.language)))
        for baseline, (given, speed) in baselines:
            kinds = {span.label for answer in given for span in answer.spans}
            _print(name, baseline, scores(Task(Config(), sorted(kinds)), rows, given), speed)


def _print(name: str, model: str, scored: Mapping[str, Any], speed: float) -> None:
    kept = {key: scored[key] for key in ("span_precision", "span_recall", "span_f1", "partial_f1")}
    low, high = scored["span_f1_interval"]
    by_type = {label: round(row["f1"], 3) for label, row in scored["per_class"].items()}
    entry = {"set": name, "model": model} | kept | {"interval": [round(low, 3), round(high, 3)]}
    entry |= {"docs_per_second": round(speed), "types": by_type}
    print(json.dumps(entry | {"hidden": scored.get("hidden", {})}), flush=True)


if __name__ == "__main__":
    main()
