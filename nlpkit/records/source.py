"""What a record is, where it came from, and which of its fields holds the text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nlpkit.errors import InputError, NoColumn, UsageError
from nlpkit.records.layout import Layout

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
    layout: Layout = field(default_factory=Layout, compare=False)  # which the reader fills in

    def refuse(self, line: int, raw: str, problem: str) -> None:
        """Hand a bad record to `reject`, or raise InputError."""
        if self.reject is None:
            raise InputError(problem)
        self.reject(line, raw, problem)

    @property
    def wanted(self) -> str:
        """The text column asked for, or the usual one."""
        return TEXT if self.column is None else self.column

    def settle(self, columns: Collection[str], line: int | None = None) -> str:
        """Note and return the text column, which is that of every later record too.

        Raises:
            NoColumn: there is no such column.
        """
        self.layout.text = resolve_column(columns, self, line)
        return self.layout.text


def resolve_column(columns: Iterable[str], source: Source, line: int | None = None) -> str:
    """Return the text column: the one asked for, else `text`, else the only one there is.

    `columns` may be a record as it came from a reader. Names compare in NFC.

    Raises:
        UsageError: the column asked for has an empty name, as an unset variable of a script has.
        NoColumn: there is no such column; the message has the near match and the columns.
    """
    if source.column == "":
        raise UsageError("--column: the name is empty; name a field, or leave --column out")
    known = list(columns)
    if (named := column_named(source.wanted, known)) is not None:
        return named
    if source.column is None and len(known) == 1:
        return known[0]
    where = source.name if line is None else f"{source.name}:{line}"
    mend = "; say which one holds the text with --column" if source.column is None else ""
    names = [name for name in known if name.strip()]
    listed = ", ".join(islice(names, SHOWN)) + (", ..." if len(names) > SHOWN else "")
    raise NoColumn(
        f"{where}: no column {source.wanted!r}.{near_column(source.wanted, known)} "
        f"Columns: {listed or 'none'}{mend}"
    )


def column_named(name: str, columns: Collection[str]) -> str | None:
    """Return the column of that name as it stands in `columns`: NFC, whichever side is not."""
    if name in columns:
        return name
    if name.isascii() and all(map(str.isascii, columns)):
        return None
    composed = unicodedata.normalize("NFC", name)
    same = (known for known in columns if unicodedata.normalize("NFC", known) == composed)
    return next(same, None)


def near_column(name: str, columns: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` or nothing; case, accents and outer spaces count little."""
    import difflib

    folded: dict[str, str] = {}
    for column in columns:
        folded.setdefault(_folded(column), column)
    if (wanted := _folded(name)) in folded:
        return f" Did you mean {folded[wanted]!r}?"
    close = difflib.get_close_matches(wanted, list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[close[0]]!r}?" if close else ""


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def text_column(record: Record, source: Source, line: int | None = None) -> str:
    """Return the text column of a record: that of the records before it, if there were any.

    Raises:
        NoColumn: the record lacks it.
    """
    settled = source.layout.text
    if settled is None:
        return resolve_column(record, source, line)
    if settled in record:
        return settled
    return resolve_column(record, replace(source, column=settled), line)


def text_of(record: Record, source: Source) -> str:
    """Return the text of a record as it came from a reader; a null text is an empty one.

    Raises:
        InputError: the record has no text column; readers have checked, so theirs always do.
    """
    return document_of(record[text_column(record, source)])


def document_of(value: Any) -> str:
    """Return the text that a field holds; tokens, a list of strings, are joined by spaces."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
