"""Strict F1 of entities: nlpkit's models, and a CRF over features, on the same sets.

    pip install sklearn-crfsuite
    python benchmarks/entities.py MODEL [MODEL ...] --data ../shared/data [--split test] [--crf]

The CRF (Lafferty et al. 2001) has the usual features of words, affixes, shapes and neighbours, and
learns from the training files of the same sets, one CRF for each set. Models are scored on the
types that they know; speed is of one run, in documents a second.
"""

from __future__ import annotations

import argparse
import json
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
HIDDEN = ("PER", "LOC", "ORG")  # types that the table of masking counts
SETS = {
    "pt": ("ner_pt/uner_bosque", "ner_pt/lener_br", "ner_pt/paramopama", "ner_pt/harem_selective"),
    "en": ("ner_en/conll2003_en",),
}


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


def crf(train: Sequence[Row], test: Sequence[Row]) -> list[Entities]:
    """Return a CRF's answers."""
    import sklearn_crfsuite

    def words_of(text: str) -> list[str]:
        return [text[start:end] for start, end in spans(text)]

    golds = [mentions(row.fields["label"], row.text, NAMES) for row in train]
    tags = [tags_of(gold, spans(text)) for gold, text in zip(golds, texts_of(train), strict=True)]
    model = sklearn_crfsuite.CRF(
        algorithm="lbfgs", c1=0.1, c2=0.05, max_iterations=80, all_possible_transitions=True
    )
    model.fit([features(words_of(text)) for text in texts_of(train)], tags)
    texts = texts_of(test)
    predicted = model.predict([features(words_of(text)) for text in texts])
    return [_entities(text, list(tags)) for text, tags in zip(texts, predicted, strict=True)]


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
    parser.add_argument("--crf", action="store_true")
    args = parser.parse_args()
    for name in SETS[args.language]:
        path = args.data / name / f"{args.split}.jsonl.xz"
        if not path.exists():
            continue
        rows = rows_of(path)
        for model_name in args.models:
            model = nlpkit.load(model_name, device="cpu")
            started = time.perf_counter()
            answers = model.predict(texts_of(rows))
            speed = len(rows) / (time.perf_counter() - started)
            task = Task(Config(), model.task.types)
            scored = scores(task, rows, answers) | {"hidden": hidden(task, rows, answers)}
            _print(name, model_name, scored, speed)
        if args.crf:
            train = rows_of(args.data / name / "train.jsonl.xz")
            given = crf(train, rows)
            kinds = {span.label for answer in given for span in answer.spans}
            _print(name, "crf", scores(Task(Config(), sorted(kinds)), rows, given), 0.0)


def _print(name: str, model: str, scored: Mapping[str, Any], speed: float) -> None:
    kept = {key: scored[key] for key in ("span_precision", "span_recall", "span_f1", "partial_f1")}
    low, high = scored["span_f1_interval"]
    by_type = {label: round(row["f1"], 3) for label, row in scored["per_class"].items()}
    entry = {"set": name, "model": model} | kept | {"interval": [round(low, 3), round(high, 3)]}
    entry |= {"docs_per_second": round(speed), "types": by_type}
    print(json.dumps(entry | {"hidden": scored.get("hidden", {})}), flush=True)


if __name__ == "__main__":
    main()
