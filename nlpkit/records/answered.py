"""Records with a model's answers in them, and how they are written in each format."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TextIO

from nlpkit import catalog, records
from nlpkit.answers import Answer
from nlpkit.errors import UsageError
from nlpkit.records import Layout, Record
from nlpkit.records.escape import escape


class Answered(NamedTuple):
    """A record as it came, its text, and what the model says of it (None: nothing to read)."""

    record: Record
    text: str
    answer: Any  # of one kind of nlpkit.answers, or None


def annotated(
    item: Answered, kind: type[Answer], into: str | None, *, nested: bool, typed: bool = False
) -> Record:
    """Return the record with the answer in it: as cells of a table, or nested as JSON has it.

    `typed`: a number in a cell stays a number.
    """
    if nested:
        return item.record | kind.values(item.answer, into)
    cells = dict(zip(kind.fields(into), _cells(item.answer, kind), strict=True))
    if typed:
        values = kind.values(item.answer, into)
        cells |= {name: values[name] for name in cells if isinstance(values.get(name), float)}
    return item.record | cells


def holds_nested(format: str) -> bool:
    """Tell whether a format holds lists and tables in a field."""
    return bool(getattr(catalog.load("formats", format), "NESTED", False))


def holds_numbers(format: str) -> bool:
    """Tell whether a number in a cell of a format is another thing than its digits."""
    return bool(getattr(catalog.load("formats", format), "TYPED", False))


def check_into(into: str | None) -> None:
    """Raise UsageError where the field to write has an empty name, as an unset variable is."""
    if into is not None and not into.strip():
        raise UsageError("--into: the name is empty; name a field, or leave --into out")


def check_dialect(dialect: str | None, format: str) -> None:
    """Raise UsageError where a dialect is asked of a format that has none."""
    if dialect and not getattr(catalog.load("formats", format), "DIALECT", False):
        raise UsageError(f"--dialect {dialect} is of CSV, but the output is {format}; use --to csv")


def replaced(fields: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Return the fields of an answer that take the place of columns of the input."""
    there = set(columns)
    return [field for field in fields if field in there]


def check_format(format: str, kind: type[Answer], into: str | None) -> None:
    """Raise UsageError where a format has no place for answers of a kind, or no field is named."""
    check_into(into)
    held = getattr(catalog.load("formats", format), "HOLDS", None)
    fields = kind.fields(into)
    if held is not None and not set(fields) <= set(held):
        raise UsageError(
            f"{format} holds {', '.join(held)} and has no place for {', '.join(fields)}; "
            "use --to jsonl"
        )


def check_confidence(kind: type[Answer], least: float, model: str) -> None:
    """Raise UsageError where a confidence is asked of a model whose answers have no scores."""
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
    """Write answered records as `format` and return how many.

    `layout` is that of the input. `plain`: the input was lines, so TSV is the answer's cells, then
    the text, without a header.
    """
    counter = itertools.count()  # asked after each item, so it ends at their number
    items = (item for item, _ in zip(items, counter, strict=False))
    if plain and format == "tsv":
        for _, text, answer in items:
            cells = map(escape, (*_cells(answer, kind), text))
            stream.write("\t".join(cells) + "\n")
    else:
        nested, typed = holds_nested(format), holds_numbers(format)
        rows = (annotated(item, kind, into, nested=nested, typed=typed) for item in items)
        records.write(rows, stream, format, layout, kind.fields(into))
    return next(counter)


def _cells(answer: Answer | None, kind: type[Answer]) -> tuple[str, ...]:
    return ("",) * len(kind.fields()) if answer is None else answer.cells()
