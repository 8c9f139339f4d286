"""What a record is, where it came from, and which of its fields holds the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nlpkit.errors import InputError, NoColumn, near_match

Record = dict[str, Any]

TEXT = "text"  # the column that holds the text where nobody says otherwise
SHOWN = 20  # columns named in an error: a wide table must not make a page of it


# Takes a bad record: the line where it begins, as it stands there, and what is wrong with it. Bytes
# that do not decode stand as Python's "surrogateescape" keeps them.
Reject = Callable[[int, str, str], None]


class Position:
    """The line that a reader took last, for who must say where a record stands."""

    line = 0

    def follow(self, lines: Iterable[str]) -> Iterator[str]:
        for self.line, line in enumerate(lines, 1):
            yield line


@dataclass(frozen=True)
class Source:
    """Where a stream comes from, for error messages, and how to read it.

    With `reject`, a record that cannot be read is handed to it and the next one is tried.
    """

    name: str
    encoding: str = "utf-8"
    errors: str = "strict"
    column: str | None = None
    position: Position | None = None
    reject: Reject | None = None

    def refuse(self, line: int, raw: str, problem: str) -> None:
        """Hand a bad record to `reject`, or raise InputError."""
        if self.reject is None:
            raise InputError(problem)
        self.reject(line, raw, problem)

    @property
    def wanted(self) -> str:
        """The text column asked for, or the usual one."""
        return TEXT if self.column is None else self.column


def resolve_column(columns: Iterable[str], source: Source, line: int | None = None) -> str:
    """Return the text column: the one asked for, else `text`, else the only one there is.

    `columns` may be a record as it came from a reader.

    Raises:
        InputError: there is no such column; the message has the near match and the columns.
    """
    known = list(columns)
    if source.wanted in known:
        return source.wanted
    if source.column is None and len(known) == 1:
        return known[0]
    where = source.name if line is None else f"{source.name}:{line}"
    mend = "; say which one holds the text with --column" if source.column is None else ""
    listed = ", ".join(islice(known, SHOWN)) + (", ..." if len(known) > SHOWN else "")
    raise NoColumn(
        f"{where}: no column {source.wanted!r}.{near_match(source.wanted, known)} "
        f"Columns: {listed or 'none'}{mend}"
    )


def text_of(record: Record, source: Source) -> str:
    """Return the text of a record as it came from a reader; a null text is an empty one.

    Tokens, a list of strings, are joined by spaces.

    Raises:
        InputError: the record has no text column; readers have checked, so theirs always do.
    """
    wanted = TEXT if source.column is None else source.column
    value = record[wanted if wanted in record else resolve_column(record, source)]
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
