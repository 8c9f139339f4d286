"""Read many texts, let models answer them, and make the report of them."""

from __future__ import annotations

import random
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from nlpkit import zoo
from nlpkit.answers import Label
from nlpkit.errors import InputError, ModelError, Note, UsageError
from nlpkit.explaining.explainer import Explainer
from nlpkit.jobs import explain
from nlpkit.records import Record
from nlpkit.records.reading import Reading, documents
from nlpkit.records.source import Source, column_named, resolve_column
from nlpkit.reporting import aspects, dates, quotes, report
from nlpkit.reporting.report import Row

if TYPE_CHECKING:
    from nlpkit.reporting.aspects import Mention
    from nlpkit.runtime.model import Model

ASPECTS, EMBEDDER = "aspects-pt", "base"
CHUNK = 1024  # texts that a model answers between two calls of the listener
HIDDEN = ("PER", "ORG", "LOC")  # types of names that --mask hides
Listener = Callable[[str, int, int], object]  # told the stage, the texts done and all texts


@dataclass(frozen=True)
class Asked:
    """What a report is asked for.

    Attributes:
        date: the column of dates, or None.
        by: the columns to compare.
        sample: the most rows to read, drawn at random; 0 reads all.
        mask: whether personal data and names are hidden in quotes.
        lang: the language of the texts, whose stop words are left out.
        aspects: whether aspects are looked for.
    """

    date: str | None = None
    by: Sequence[str] = ()
    sample: int = 0
    mask: bool = False
    lang: str = "pt"
    aspects: bool = True


def make(
    name: str,
    reading: Reading,
    asked: Asked,
    *,
    device: str = "auto",
    precision: str = "auto",
    listener: Listener = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Return the report of all records as plain values (`nlpkit.reporting.report.build`).

    Raises:
        InputError: an input cannot be read, or holds no text.
        ModelError: the model's answers are not labels.
        UsageError: there is no such column.
    """
    model = zoo.load(name, device=device, precision=precision)
    if not issubclass(model.task.answers, Label):
        raise ModelError(f"{name}: a report needs a model of labels, such as sentiment")
    scores = _scores(name)
    records, total = _drawn(_read(reading, asked, listener), asked.sample)
    if not any(text.strip() for text, _, _ in records):
        raise InputError(f"{', '.join(reading.inputs)}: no text to report on")
    counts = Counter(text for text, _, _ in records)
    texts = list(counts)
    answers = dict(zip(texts, _answered(model, texts, "sentiment", listener), strict=True))
    rows = [Row(text, answers[text], day, values) for text, day, values in records]
    mentions, names = _aspects(rows, texts, device, listener) if asked.aspects else (None, {})
    words = _stop_words(asked.lang)
    parts = report.Parts(
        rows=rows,
        labels=model.task.labels,
        errors=_errors(scores),
        columns=list(asked.by),
        mentions=mentions,
        names=names,
        stop_words=words,
    )
    listener("words", 0, 0)
    values = report.build(parts)
    values |= {
        "files": list(reading.inputs),
        "read": total,
        "sampled": len(records) if len(records) < total else 0,
        "duplicates": sum(count - 1 for text, count in counts.items() if text.strip()),
        "foreign": _foreign(counts, asked.lang),
        "model": _about(model, scores),
        "date": asked.date,
        "by": list(asked.by),
    }
    listener("quotes", 0, 0)
    quoted = quotes.choose(rows, model.task.labels, mentions or (), words)
    return _with_quotes(values, quoted, rows, model, asked)


def _read(
    reading: Reading, asked: Asked, listener: Listener
) -> Iterator[tuple[str, date | None, tuple[str, ...]]]:
    """Yield the text, the date and the values of each record."""
    lacking, first = {*asked.by, *([asked.date] if asked.date else [])}, None
    undated = seen = 0
    for seen, (record, text) in enumerate(documents(reading), 1):
        first = first or record
        # A record of JSON may leave a field out, but some record must have it.
        lacking = {column for column in lacking if column_named(column, record) is None}
        day = dates.read(_cell(record, asked.date)) if asked.date else None
        undated += asked.date is not None and day is None
        values = tuple(_value(_cell(record, column)) for column in asked.by)
        if seen % CHUNK == 0:
            listener("read", seen, 0)
        yield text, day, values
    if first is not None and lacking:
        resolve_column(first, Source(", ".join(reading.inputs), column=min(lacking)))
    if asked.date and seen and undated == seen:
        raise UsageError(f"--date {asked.date}: no cell of this column is a date")
    if undated:
        note = f"{undated:,} of {seen:,} records have no date in {asked.date!r}"
        warnings.warn(Note(note), stacklevel=2)


def _cell(record: Record, column: str) -> Any:
    return record.get(column_named(column, record) or column)


def _value(value: Any) -> str:
    """Return the value of a group as text."""
    return "" if value is None else normalize("NFC", str(value).strip())


def _drawn(rows: Iterator[Any], sample: int) -> tuple[list[Any], int]:
    """Return `sample` rows, drawn with a seed and in their order, and how many there are.

    Algorithm R of Vitter 1985 holds no more rows than it returns.
    """
    rng, total = random.Random(0), 0
    kept: list[tuple[int, Any]] = []
    for total, row in enumerate(rows, 1):
        if not sample or len(kept) < sample:
            kept.append((total, row))
        elif (place := rng.randrange(total)) < sample:
            kept[place] = (total, row)
    return [row for _, row in sorted(kept, key=lambda pair: pair[0])], total


def _answered(model: Model, texts: Sequence[str], stage: str, listener: Listener) -> list[Any]:
    answers: list[Any] = []
    for start in range(0, len(texts), CHUNK):
        listener(stage, start, len(texts))
        answers += model.predict(texts[start : start + CHUNK])
    return answers


def _aspects(
    rows: Sequence[Row], texts: Sequence[str], device: str, listener: Listener
) -> tuple[list[Mention], dict[str, str]]:
    """Return the mentions of aspects in the rows, and the aspect of each term."""
    model = zoo.load(ASPECTS, device=device)
    answers = dict(zip(texts, _answered(model, texts, "aspects", listener), strict=True))
    found = aspects.mentions(answers[row.text] for row in rows)
    listener("terms", 0, 0)
    embed = zoo.load(EMBEDDER, device=device).embed
    return found, aspects.names(Counter(mention.term for mention in found), embed)


def _stop_words(lang: str) -> frozenset[str]:
    from nlpkit.language.spacy_rules import stop_words

    return frozenset(word.lower() for word in stop_words(lang))


def _foreign(counts: Counter[str], lang: str) -> dict[str, int]:
    """Return the number of rows in each other language; `counts` has the rows of each text."""
    from nlpkit.language.detect import foreign

    found = Counter[str]()
    for text, rows in counts.items():
        found[foreign(text, lang)] += rows
    return {lang: rows for lang, rows in found.most_common() if lang}


def _scores(name: str) -> dict[str, Any]:
    """Return the scores that a bundle states, {} for a model without a bundle."""
    from nlpkit.runtime.bundle import read_bundle

    return {} if name in zoo.RULES else read_bundle(zoo.find_bundle(name)).manifest.tree["scores"]


def _errors(scores: Mapping[str, Any]) -> float | None:
    """Return a model's rate of errors, the mean over its dev files if the bundle states them."""
    files = [one["accuracy"] for one in scores.get("dev_files", ()) if "accuracy" in one]
    if files:
        return 1 - fmean(files)
    accuracy = (scores.get("dev") or {}).get("accuracy")
    return None if accuracy is None else 1 - accuracy


def _about(model: Model, scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name of a model and its scores on dev data."""
    dev = scores.get("dev") or {}
    told = {key: dev[key] for key in ("n", "accuracy", "macro_f1", "per_class") if key in dev}
    return {"name": model.name, "dev": told}


def _with_quotes(
    values: dict[str, Any],
    chosen: dict[str, Any],
    rows: Sequence[Row],
    model: Model,
    asked: Asked,
) -> dict[str, Any]:
    """Return the report with its quotes as texts, with the words that decided."""
    indices = [i for kind in ("surest", "typical") for own in chosen[kind].values() for i in own]
    indices += chosen["mixed"]
    hidden = _hiding(asked.mask)
    explainer = Explainer(model, explain.method_of(explain.DEFAULT), faithful=False)
    plain = hidden([rows[index].text for index in indices])
    explained = dict(zip(indices, zip(plain, explainer.answer(plain), strict=True), strict=True))

    def quote(index: int) -> dict[str, Any]:
        text, answer = explained[index]
        one = answer.each[0] if answer and answer.each else None
        words = [w._asdict() | {"weight": round(w.weight, 4)} for w in one.words] if one else []
        label, score = (one.label, round(one.score, 4)) if one else ("", 0.0)
        return {"text": text, "label": label, "score": score, "words": words}

    values["quotes"] = {
        kind: {label: [quote(i) for i in own] for label, own in chosen[kind].items()}
        for kind in ("surest", "typical")
    } | {"mixed": [quote(i) for i in chosen["mixed"]]}
    for aspect in values["aspects"] or ():
        aspect["quotes"] = {
            polarity: [_aspect_quote(mention, rows, hidden) for mention in own]
            for polarity, own in aspect["quotes"].items()
        }
    return values


def _aspect_quote(mention: Mention, rows: Sequence[Row], hidden: Any) -> dict[str, Any]:
    """Return the sentence of a mention; the place of its term, if masking left it there."""
    text = rows[mention.text].text
    start, end = aspects.sentence_around(text, mention.start, mention.end)
    sentence, term = text[start:end], text[mention.start : mention.end]
    (shown,) = hidden([sentence])
    place = mention.start - start
    if shown != sentence:  # what is hidden before the term moves it
        earlier = len(re.findall(rf"\b{re.escape(term)}\b", sentence[:place]))
        places = [match.start() for match in re.finditer(rf"\b{re.escape(term)}\b", shown)]
        place = places[earlier] if earlier < len(places) else -1
    return {"text": shown, "start": place, "end": place + len(term)}


def _hiding(mask: bool) -> Callable[[Sequence[str]], list[str]]:
    """Return a function that hides personal data and names in texts, or one that does not."""
    if not mask:
        return list
    steps = zoo.pipeline(f"clean --mask --entities {','.join(HIDDEN)}")
    return lambda texts: list(steps.texts(list(texts)))


def title_of(reading: Reading) -> str:
    """Return the title of a report: the names of its files."""
    names = [Path(path).name for path in reading.inputs if path != "-"]
    return ", ".join(names[:3]) + (f" + {len(names) - 3}" if len(names) > 3 else "")
