"""Read and write records: one module per format; a record is a plain dict that keeps all fields.

    with open_input(path) as stream:
        source = Source(path, column="text")
        for record in read(stream, format_of(path), source):
            text = text_of(record, source)

A format has the name of its module in `formats`: to add one, add a module with
`read(stream, source)` and `write(records, stream)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, TextIO

from nlpkit import catalog
from nlpkit.records.input import check_inputs, format_of, is_empty, open_input
from nlpkit.records.layout import Layout
from nlpkit.records.output import write_output
from nlpkit.records.source import TEXT, Position, Record, Source, resolve_column, text_of

__all__ = [
    "TEXT",
    "Layout",
    "Position",
    "Record",
    "Source",
    "check_inputs",
    "format_of",
    "is_empty",
    "open_input",
    "read",
    "resolve_column",
    "text_of",
    "write",
    "write_output",
]


def read(stream: BinaryIO, format: str, source: Source) -> Iterator[Record]:
    """Yield the records of a stream as they arrive, without reading ahead.

    Raises:
        UsageError: there is no such format, encoding or error handler.
        InputError: while iterating, with the line number; earlier records have been yielded.
    """
    records: Iterator[Record] = catalog.load("formats", format).read(stream, source)
    return records


def write(
    records: Iterable[Record],
    stream: TextIO,
    format: str,
    layout: Layout | None = None,
    added: Sequence[str] = (),
) -> None:
    """Write each record as soon as it arrives.

    The layout of the input gives CSV its dialect and a sheet its name. It also gives a table
    without records its header: the columns of the input, then those in `added`.

    Raises:
        UsageError: there is no such format.
        InputError: a record does not fit the format; the message names one that it fits.
    """
    writer = catalog.load("formats", format)
    if layout is None:
        writer.write(records, stream)
        return
    records = iter(records)
    first = next(records, None)  # the layout is filled in with the first record
    options: dict[str, object] = {}
    if first is None and layout.columns and getattr(writer, "HEADER", False):
        options["columns"] = dict.fromkeys([*layout.columns, *added])
    if getattr(writer, "DIALECT", False):
        options["dialect"] = layout.written
    if getattr(writer, "SHEET", False):
        options["sheet"] = layout.sheet
    if getattr(writer, "WANTS_TEXT", False):
        options["text"] = layout.text or TEXT
    writer.write(records if first is None else chain([first], records), stream, **options)
