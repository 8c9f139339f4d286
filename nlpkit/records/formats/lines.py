"""Plain text: one document per line, and nothing but a newline ends a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import sound_lines
from nlpkit.records.escape import escape
from nlpkit.records.source import TEXT, Record, Source


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    r"""Yield `{"text": line}` for every line, blank ones too; the "\r" of a CRLF is dropped.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: the bytes do not decode, or a column other than `text` is asked for.
    """
    if source.column not in (None, TEXT):
        raise InputError(
            f"{source.name}: no column {source.column!r} in plain lines; "
            "say what the input is with --from csv, tsv, jsonl or json"
        )
    source.layout.text = TEXT
    for _, line in sound_lines(stream, source):
        yield {TEXT: line.removesuffix("\r")}


def write(records: Iterable[Record], stream: TextIO, column: str = TEXT) -> None:
    r"""Write one field of each record on a line of its own.

    A text that fits on a line is written as it is, so lines pass through unchanged; one with
    a newline in it is escaped as in TSV, because breaking it would make two records of one.

    Raises:
        InputError: a record has no such field.
    """
    for number, record in enumerate(records, 1):
        if column not in record:
            raise InputError(f"record {number} has no field {column!r} to write; use --to jsonl")
        text = "" if record[column] is None else str(record[column])
        stream.write((escape(text) if "\n" in text else text) + "\n")
