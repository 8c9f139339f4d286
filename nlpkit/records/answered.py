"""Add a model's answers to records and write them in any format."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TextIO

from nlpkit import catalog, records
from nlpkit.answers import Answer
from nlpkit.errors import UsageError
from nlpkit.records import Layout, Record
from nlpkit.records.escape import escape
from nlpkit.records.layout import Dialect
from nlpkit.records.table import Cell


class Answered(NamedTuple):
    """An input record, its text and the model's answer (None if the text is empty)."""

    record: Record
    text: str
    answer: Any  # of one kind of nlpkit.answers, or None


def annotated(
    item: Answered, kind: type[Answer], into: str | None, *, nested: bool, typed: bool = False
) -> Record:
    """Return the record with the fields of the answer added.

    Args:
        nested: add values that JSON can nest, instead of the cells of a table.
        typed: keep the numbers in cells beside their texts, as `Cell`.
    """
    if nested:
        return item.record | kind.values(item.answer, into)
    cells = dict(zip(kind.fields(into), _cells(item.answer, kind), strict=True))
    if typed:
        values = kind.values(item.answer, into)
        numbers = {name: values[name] for name in cells if isinstance(values.get(name), float)}
        cells |= {name: Cell(cells[name], number) for name, number in numbers.items()}
    return item.record | cells


def holds_nested(format: str) -> bool:
    """Return whether a field of the format can hold a list or an object."""
    return bool(getattr(catalog.load("formats", format), "NESTED", False))


def holds_numbers(format: str, dialect: Dialect) -> bool:
    """Return whether a number is written otherwise than a text of its digits."""
    return dialect.decimal != "." or bool(getattr(catalog.load("formats", format), "TYPED", False))


def check_into(into: str | None) -> None:
    """Raise UsageError if the name of the output field is empty, as for an unset shell variable."""
    if into is not None and not into.strip():
        raise UsageError("--into: the name is empty; name a field, or leave --into out")


def check_dialect(dialect: str | None, format: str) -> None:
    """Raise UsageError if a dialect is given for a format other than CSV."""
    if dialect and not getattr(catalog.load("formats", format), "DIALECT", False):
        raise UsageError(
            f"--dialect {dialect} needs CSV output, but the output is {format}; use --to csv"
        )


def replaced(fields: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Return the fields of an answer that replace columns of the input."""
    names = set(columns)
    return [field for field in fields if field in names]


def check_format(format: str, kind: type[Answer], into: str | None) -> None:
    """Raise UsageError if the format cannot hold answers of this kind, or `into` is empty."""
    check_into(into)
    held = getattr(catalog.load("formats", format), "HOLDS", None)
    fields = kind.fields(into)
    if held is not None and not set(fields) <= set(held):
        raise UsageError(
            f"{format} holds {', '.join(held)}, but not {', '.join(fields)}; use --to jsonl"
        )


def check_held(format: str, into: str | None) -> None:
    """Raise UsageError if the format cannot hold the result of a step."""
    held = getattr(catalog.load("formats", format), "HOLDS", None)
    if held is not None and (into or format != "spacy"):
        raise UsageError(
            f"{format} holds {', '.join(held)}, but not {into or 'texts alone'}; use --to jsonl"
        )


def check_confidence(kind: type[Answer], least: float, model: str) -> None:
    """Raise UsageError if a least confidence is no share, or the model's answers have no scores."""
    if not 0 <= least <= 1:
        raise UsageError(f"--min-confidence {least}: give a number from 0 to 1")
    if least and not kind.SCORED:
        raise UsageError(f"--min-confidence: the answers of {model} have no scores")


def write(
    items: Iterator[Answered],
    stream: TextIO,
    format: str,
    *,
    kind: type[Answer],
    into: str | None,
    plain: bool,
    layout: Layout | None = None,
) -> int:
    """Write answered records in a format and return their number.

    Args:
        kind: the type of the answers.
        into: the field for the answer; None keeps its default name.
        plain: the input is plain lines: write TSV without a header, the answer before the text, or
            lines of the first field of each answer alone.
        layout: the layout of the input.

    Raises:
        UsageError: there is no such format.
        InputError: a record does not fit the format; the message names one that it fits.
    """
    counter = itertools.count()  # advances after each item: its next value is their number
    items = (item for item, _ in zip(items, counter, strict=False))
    if plain and format == "lines":
        texts = ({records.TEXT: _cells(answer, kind)[0]} for _, _, answer in items)
        records.write(texts, stream, format)
    elif plain and format == "tsv":
        for _, text, answer in items:
            cells = map(escape, (*_cells(answer, kind), text))
            stream.write("\t".join(cells) + "\n")
    else:
        dialect = layout.written if layout else Dialect()
        nested, typed = holds_nested(format), holds_numbers(format, dialect)
        rows = (annotated(item, kind, into, nested=nested, typed=typed) for item in items)
        records.write(rows, stream, format, layout, kind.fields(into))
    return next(counter)


def write_whole(items: Iterable[Answered], stream: TextIO) -> int:
    """Write the text of each answer with its line breaks, and return their number."""
    count = 0
    for _, _, answer in items:
        count += 1
        text = "" if answer is None else answer.cells()[0]
        stream.write(text if text.endswith("\n") else text + "\n")
    return count


def _cells(answer: Answer | None, kind: type[Answer]) -> tuple[str, ...]:
    return ("",) * len(kind.fields()) if answer is None else answer.cells()
