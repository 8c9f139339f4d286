"""Read and write CSV (RFC 4180): a header, quotes, and `,` `;` TAB or `|` as delimiter."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import DAMAGED, codec_name, damage, text_lines
from nlpkit.records.layout import Dialect
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.records.table import header_of, misfit, rows

__all__ = ["TEXT", "read", "write"]

HEADER = True  # the first line names the columns; later parts omit it

DIALECT = True  # `write` takes a dialect

DELIMITERS = ",;\t|"
_DECLARATION = re.compile(r'"?sep=([,;\t|])"?\r?', re.IGNORECASE)  # first line, for Excel
LONGEST = 1 << 28  # most characters in a cell; stops an unclosed quote
_QUOTED = re.compile(r'"[^"]*"?')
_HEADER_NEEDS_QUOTES = re.compile(r'[,;\t|"\r\n]')  # or the reader may detect another delimiter
_ADVICE = "quote values that hold the delimiter or a newline"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row.

    A first line such as `sep=;` names the delimiter; else it is the one most used in the header.

    A blank line is a record only if there is a single column.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, or the header, the quoting or the width of a row is wrong;
            the message has the line on which the row begins.
    """
    lines = text_lines(stream, source)
    first = next(lines, None)
    declared = _DECLARATION.fullmatch(first or "")
    header = next(lines, None) if declared else first
    if header is None:
        return
    delimiter = declared[1] if declared else _delimiter(header)
    end = "\r\n" if header.endswith("\r") else "\n"
    # Excel reads UTF-8 without a byte order mark in its own encoding.
    mark = source.layout.bom or codec_name(source.encoding) not in ("utf-8", "utf-8-sig", "ascii")
    source.layout.dialect = Dialect(delimiter, end, mark, bool(declared))
    table = _rows(chain([header], lines), delimiter, source, 2 if declared else 1)
    start, names, _ = next(table)
    columns = header_of(names, source, start)
    for line, values, raw in table:
        if not values and len(columns) == 1:
            values = [""]
        problem = misfit(columns, values, f"{source.name}:{line}", _ADVICE) if values else ""
        if source.reject and any(map(DAMAGED.search, raw)):
            problem = damage(line, source)
        if problem:
            source.refuse(line, "".join(raw), problem)
        elif values:
            yield dict(zip(columns, values, strict=True))


def write(
    records: Iterable[Record],
    stream: TextIO,
    header: bool = True,
    columns: Iterable[str] | None = None,
    dialect: Dialect | None = None,
) -> None:
    """Write a header (`columns`, else the keys of the first record) and the records.

    Only values that need quotes are quoted.

    Without `header`, the byte order mark and the `sep=` line are omitted too.

    Raises:
        InputError: a later record has a field that the header lacks.
    """
    dialect = dialect or Dialect()
    delimiter, end = dialect.delimiter, dialect.end
    needs_quotes = re.compile(f'[{re.escape(delimiter)}"\r\n]')
    table = rows(records, columns, dialect.decimal)
    if (names := next(table, None)) and header:
        mark = "\ufeff" if dialect.bom else ""
        declaration = f"sep={delimiter}{end}" if dialect.declared else ""
        stream.write(mark + declaration + _row(names, _HEADER_NEEDS_QUOTES, delimiter) + end)
    stream.writelines(_row(values, needs_quotes, delimiter) + end for values in table)


def _delimiter(header: str) -> str:
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)  # a comma if the header has no delimiter


def _rows(
    lines: Iterable[str], delimiter: str, source: Source, first: int
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the line number of each row, its values and its lines; `first` is the header's line."""
    csv.field_size_limit(LONGEST)
    raw: list[str] = []
    reader = csv.reader(_recorded(lines, raw), delimiter=delimiter, strict=True)
    while True:
        raw.clear()
        start = reader.line_num + first
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            problem = f"{source.name}:{start}: {_complaint(err)}"
            if start == first or _swallows(err):
                raise InputError(problem) from err
            source.refuse(start, "".join(raw), problem)
        else:
            yield start, values, raw


def _recorded(lines: Iterable[str], raw: list[str]) -> Iterator[str]:
    for line in lines:
        raw.append(line + "\n")
        yield raw[-1]


def _swallows(err: csv.Error) -> bool:
    """Return whether an unclosed quote took the rest of the file."""
    return "unexpected end" in str(err) or "field limit" in str(err)


def _complaint(err: csv.Error) -> str:
    reason = str(err)
    if _swallows(err):
        return "a quote opened in this row is never closed; close it, or double it"
    if "new-line character" in reason:
        return "a bare carriage return outside quotes; use line ends of LF or CRLF"
    return f"bad quoting in the row that begins here ({reason}); double each quote inside a value"


def _row(values: list[str], needs_quotes: re.Pattern[str], delimiter: str) -> str:
    # Not csv.writer: before Python 3.13 it leaves a lone carriage return unquoted.
    if values == [""]:
        return '""'  # most readers skip a blank line
    return delimiter.join(
        '"' + value.replace('"', '""') + '"' if needs_quotes.search(value) else value
        for value in values
    )
