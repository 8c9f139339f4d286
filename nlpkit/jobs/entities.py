"""Find entities, and write them as lines of TSV or as a page of HTML."""

from __future__ import annotations

import dataclasses
import html
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, TextIO

from nlpkit.jobs.predict import answers
from nlpkit.language.names import check_types
from nlpkit.pages import frame
from nlpkit.records.escape import escape
from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.answers import Span
    from nlpkit.records.answered import Answered
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Answerer, Model

FREQUENT = 10  # most names of a type in a summary
LISTED = 100  # the same on a page
# Pale backgrounds, on which black text can be read, for the types in turn.
COLOURS = ("#ffd9a0", "#b9e3ff", "#c9f0c0", "#ffc9d4", "#e0d0ff", "#fff2a8", "#c8ebe4", "#e3e3e3")


def only(model: Model, types: Sequence[str], option: str = "--types") -> Model:
    """Return a model that gives only entities of some types; no types give all.

    `option` is the name of the setting in an error.

    Raises:
        ModelError: the model finds no entities.
        UsageError: it does not know a type.
    """
    check_types(model, types, option, model.name)
    return dataclasses.replace(model, task=model.task.only(types)) if types else model


def located(model: Answerer, reading: Reading, least: float) -> Iterator[tuple[str, int, Answered]]:
    """Yield the input's name, the record's number in it, from 1, and the answer."""
    for path in reading.inputs:
        single = dataclasses.replace(reading, inputs=[path])
        for number, item in enumerate(answers(model, single, min_confidence=least), 1):
            yield path, number, item


def write_spans(items: Iterable[tuple[str, int, Answered]], stream: TextIO) -> int:
    """Write FILE, RECORD, START, END, TYPE and TEXT of each entity; return the records' number."""
    count = 0
    for name, number, item in items:
        count += 1
        for span in item.answer.spans if item.answer else ():
            cells = (name, str(number), str(span.start), str(span.end), span.label, span.text)
            stream.write("\t".join(map(escape, cells)) + "\n")
    return count


def write_page(
    items: Iterable[tuple[str, int, Answered]], types: Sequence[str], stream: TextIO, title: str
) -> int:
    """Write a page that shows the texts with their entities; return the records' number.

    The page needs no other file, no script and no network.
    """
    colours = dict(zip(types, cycle(COLOURS), strict=False))
    names: dict[str, Counter[str]] = {kind: Counter() for kind in types}
    stream.write(frame.opening(title))
    count = 0
    for _, _, item in items:
        count += 1
        spans = item.answer.spans if item.answer else ()
        for span in spans:
            names[span.label][" ".join(span.text.split())] += 1
        stream.write(f'<p class="text">{_marked(item.text, spans, colours)}</p>\n')
    stream.write(f"<h2>{plural(count, 'document')}</h2>\n<table>\n")
    for kind, counts in names.items():
        if counts:
            listed = [f"{html.escape(text)} ({n})" for text, n in frequent(counts, LISTED)]
            listed += [f"and {len(counts) - LISTED:,} more"] if len(counts) > LISTED else []
            cells = _mark(kind, kind, colours), f"{counts.total():,}", ", ".join(listed)
            stream.write("".join(["<tr>", *(f"<td>{cell}</td>" for cell in cells), "</tr>\n"]))
    stream.write(f"</table>\n{frame.closing()}")
    return count


def frequent(counts: Counter[str], most: int = FREQUENT) -> list[tuple[str, int]]:
    """Return the most frequent names and their counts; those of equal counts by name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def _marked(text: str, spans: Iterable[Span], colours: dict[str, str]) -> str:
    parts, position = [], 0
    for span in spans:
        parts += [html.escape(text[position : span.start]), _mark(span.text, span.label, colours)]
        position = span.end
    return "".join([*parts, html.escape(text[position:])])


def _mark(text: str, kind: str, colours: dict[str, str]) -> str:
    label = "" if text == kind else f"<small>{html.escape(kind)}</small>"
    return f'<mark style="background:{colours[kind]}">{html.escape(text)}{label}</mark>'
