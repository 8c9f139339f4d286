"""CSV as RFC 4180 and spreadsheets write it: a header, quotes, and `,` `;` TAB or `|` between."""

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

HEADER = True  # columns stand on the first line, which a later part leaves out

DIALECT = True  # `write` takes a dialect

DELIMITERS = ",;\t|"
_DECLARATION = re.compile(r'"?sep=([,;\t|])"?\r?', re.IGNORECASE)  # first line, for Excel
LONGEST = 1 << 28  # characters in a cell: holds any document, yet an unclosed quote must stop
_QUOTED = re.compile(r'"[^"]*"?')
_HEADER_NEEDS_QUOTES = re.compile(r'[,;\t|"\r\n]')  # or the reader may take it for a delimiter
_MEND = "quote values that hold the delimiter or a newline"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row.

    A first line such as `sep=;` names the delimiter; else it is the one most used in the header.

    A blank line is a record only where there is a single column.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes that do not decode, a bad header, bad quoting, or a ragged row;
            with the line on which the row begins.
    """
    lines = text_lines(stream, source)
    first = next(lines, None)
    declared = _DECLARATION.fullmatch(first or "")
    header = next(lines, None) if declared else first
    if header is None:
        return
    delimiter = declared[1] if declared else _delimiter(header)
    end = "\r\n" if header.endswith("\r") else "\n"
    # Without a mark Excel would take UTF-8 for the encoding that it wrote.
    mark = source.layout.bom or codec_name(source.encoding) not in ("utf-8", "utf-8-sig", "ascii")
    source.layout.dialect = Dialect(delimiter, end, mark, bool(declared))
    table = _rows(chain([header], lines), delimiter, source, 2 if declared else 1)
    start, names, _ = next(table)
    columns = header_of(names, source, start)
    for line, values, taken in table:
        if not values and len(columns) == 1:
            values = [""]
        problem = misfit(columns, values, f"{source.name}:{line}", _MEND) if values else ""
        if source.reject and any(map(DAMAGED.search, taken)):
            problem = damage(line, "".join(taken), source)
        if problem:
            source.refuse(line, "".join(taken), problem)
        elif values:
            yield dict(zip(columns, values, strict=True))


def write(
    records: Iterable[Record],
    stream: TextIO,
    header: bool = True,
    columns: Iterable[str] | None = None,
    dialect: Dialect | None = None,
) -> None:
    """Write records under `columns`, else the keys of the first one, quoting only what needs it.

    Without the header, the byte order mark and the `sep=` line of the dialect are left out too.

    Raises:
        InputError: a later record has a field that the header lacks.
    """
    dialect = dialect or Dialect()
    delimiter, end = dialect.delimiter, dialect.end
    needs_quotes = re.compile(f'[{re.escape(delimiter)}"\r\n]')
    table = rows(records, columns)
    if (names := next(table, None)) and header:
        mark = "\ufeff" if dialect.bom else ""
        declaration = f"sep={delimiter}{end}" if dialect.declared else ""
        stream.write(mark + declaration + _row(names, _HEADER_NEEDS_QUOTES, delimiter) + end)
    stream.writelines(_row(values, needs_quotes, delimiter) + end for values in table)


def _delimiter(header: str) -> str:
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)  # the first of equals, so a comma if there is none


def _rows(
    lines: Iterable[str], delimiter: str, source: Source, first: int
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the line number of each row, its values and its lines; `first` is the header's line."""
    csv.field_size_limit(LONGEST)
    taken: list[str] = []
    reader = csv.reader(_noted(lines, taken), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        start = reader.line_num + first
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            problem = f"{source.name}:{start}: {_complaint(err)}"
            if start == first or _swallows(err):
                raise InputError(problem) from err
            source.refuse(start, "".join(taken), problem)
        else:
            yield start, values, taken


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line + "\n")
        yield taken[-1]


def _swallows(err: csv.Error) -> bool:
    """Tell whether a quote that nothing closes has taken the rest of the file with it."""
    return "unexpected end" in str(err) or "field limit" in str(err)


def _complaint(err: csv.Error) -> str:
    said = str(err)
    if _swallows(err):
        return "a quote opened in this row is never closed; close it, or write it twice"
    if "new-line character" in said:
        return "a bare carriage return outside quotes; use line ends of LF or CRLF"
    return f"bad quoting in the row that begins here ({said}); write a quote in a value twice"


def _row(values: list[str], needs_quotes: re.Pattern[str], delimiter: str) -> str:
    # Not csv.writer: before Python 3.13 it leaves a lone carriage return unquoted.
    if values == [""]:
        return '""'  # a blank line is no row to most readers
    return delimiter.join(
        '"' + value.replace('"', '""') + '"' if needs_quotes.search(value) else value
        for value in values
    )
