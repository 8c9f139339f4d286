"""Read and write Linear TSV: a header, no quoting, escapes for tabs and line ends."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, TextIO

from nlpkit.errors import Note
from nlpkit.records.decode import sound_lines
from nlpkit.records.escape import Verbatim, escape, unescape
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.records.table import header_of, misfit, rows

__all__ = ["TEXT", "Verbatim", "escape", "read", "row", "unescape", "write"]

HEADER = True  # the first line names the columns; later parts omit it

_QUOTED = re.compile(r'(?:^|\t)"[^"\t]*""[^\t]*"(?:\t|$)')  # a field as CSV quotes it
_ADVICE = r"write a tab inside a value as \t, or use --from csv if values are quoted"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per line after the header, with unescaped values.

    Fields with escapes are `Verbatim`: unless changed, they are written byte for byte. A blank line
    is a record only if there is a single column.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, or the header or the width of a row is wrong.
    """
    columns: list[str] | None = None
    checked = bool(source.layout.columns)  # a second reading does not repeat the note
    for number, line in sound_lines(stream, source):
        line = line.removesuffix("\r")
        if not checked and '""' in line and _QUOTED.search(line):
            checked = True
            _note_quotes(source.name, number)
        values = [unescape(field) for field in line.split("\t")]
        if columns is None:
            columns = header_of(values, source)
        elif line or len(columns) == 1:
            if problem := misfit(columns, values, f"{source.name}:{number}", _ADVICE):
                source.refuse(number, line, problem)
            else:
                yield dict(zip(columns, values, strict=True))


def write(
    records: Iterable[Record],
    stream: TextIO,
    header: bool = True,
    columns: Iterable[str] | None = None,
) -> None:
    """Write a header (`columns`, else the keys of the first record) and the records.

    Raises:
        InputError: a later record has a field that the header lacks.
    """
    table = islice(rows(records, columns), 0 if header else 1, None)
    stream.writelines(row(values) + "\n" for values in table)


def _note_quotes(name: str, number: int) -> None:
    note = f"{name}:{number}: values are quoted, which TSV keeps as text; --from csv unquotes them"
    warnings.warn(Note(note), stacklevel=3)


def row(values: Iterable[str]) -> str:
    """Return values as one TSV line, escaped, without its line end."""
    return "\t".join(map(escape, values))
