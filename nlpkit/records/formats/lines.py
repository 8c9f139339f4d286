"""Read and write plain text: one document per line; only a newline ends a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import sound_lines
from nlpkit.records.escape import escape
from nlpkit.records.source import TEXT, Record, Source


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    r"""Yield `{"text": line}` for each line, also a blank one, without the "\r" of a CRLF.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, or the column requested is not `text`.
    """
    if source.column not in (None, TEXT):
        raise InputError(
            f"{source.name}: no column {source.column!r} in plain lines; "
            "name the input format with --from csv, tsv, jsonl or json"
        )
    source.layout.text = TEXT
    for _, line in sound_lines(stream, source):
        yield {TEXT: line.removesuffix("\r")}


def write(records: Iterable[Record], stream: TextIO, column: str = TEXT) -> None:
    r"""Write one field of each record, one per line.

    A text with a newline is escaped as in TSV, so that it stays one record; others are unchanged.

    Raises:
        InputError: a record has no such field.
    """
    for number, record in enumerate(records, 1):
        if column not in record:
            raise InputError(f"record {number} has no field {column!r} to write; use --to jsonl")
        text = "" if record[column] is None else str(record[column])
        stream.write((escape(text) if "\n" in text else text) + "\n")
