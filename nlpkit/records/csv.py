"""CSV as RFC 4180 and spreadsheets write it: a header, quotes, and `,` `;` TAB or `|` between."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records._decode import text_lines
from nlpkit.records._source import TEXT, Record, Source
from nlpkit.records._table import check_header, rows, to_record

__all__ = ["TEXT", "read", "write"]

DELIMITERS = ",;\t|"
LONGEST = 1 << 28  # characters in a cell: holds any document, yet an unclosed quote must stop
_QUOTED = re.compile(r'"[^"]*"?')
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')
_HEADER_NEEDS_QUOTES = re.compile(r'[,;\t|"\r\n]')  # or the reader may take it for a delimiter
_MEND = "quote values that hold the delimiter or a newline"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row; the delimiter is the one most used in the header.

    A blank line is a record only where there is a single column.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes that do not decode, a bad header, bad quoting, or a ragged row;
            with the line on which the row begins.
    """
    lines = text_lines(stream, source)
    first = next(lines, None)
    if first is None:
        return
    table = _rows(chain([first], lines), _delimiter(first), source)
    _, columns = next(table)
    check_header(columns, source)
    for line, values in table:
        if not values and len(columns) == 1:
            values = [""]
        if values:
            yield to_record(columns, values, f"{source.name}:{line}", _MEND)


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write records under the keys of the first one, quoting only what needs it.

    Raises:
        InputError: a later record has a field that the header lacks.
    """
    needs_quotes = _HEADER_NEEDS_QUOTES
    for values in rows(records):
        stream.write(_row(values, needs_quotes) + "\n")
        needs_quotes = _NEEDS_QUOTES


def _delimiter(header: str) -> str:
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)  # the first of equals, so a comma if there is none


def _rows(lines: Iterable[str], delimiter: str, source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield each row and the line on which it begins."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            raise InputError(f"{source.name}:{start}: {_complaint(err)}") from err
        yield start, values


def _complaint(err: csv.Error) -> str:
    said = str(err)
    if "unexpected end" in said or "field limit" in said:
        return "a quote opened in this row is never closed; close it, or write it twice"
    if "new-line character" in said:
        return "a bare carriage return outside quotes; use line ends of LF or CRLF"
    return f"bad quoting in the row that begins here ({said}); write a quote in a value twice"


def _row(values: list[str], needs_quotes: re.Pattern[str]) -> str:
    # Not csv.writer: before Python 3.13 it leaves a lone carriage return unquoted.
    if values == [""]:
        return '""'  # a blank line is no row to most readers
    return ",".join(
        '"' + value.replace('"', '""') + '"' if needs_quotes.search(value) else value
        for value in values
    )
