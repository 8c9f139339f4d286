"""Describe an input and find the text column of its records."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nlpkit.errors import InputError, NoColumn, UsageError
from nlpkit.records.layout import Layout

Record = dict[str, Any]

TEXT = "text"  # the default text column
SHOWN = 20  # columns listed in an error; a wide table has thousands


# Called with a bad record: its first line number, its raw text and the problem. Bytes that do not
# decode are surrogates, as by Python's "surrogateescape".
Reject = Callable[[int, str, str], None]


class Position:
    """The number of the line that a reader read last, from 1."""

    line = 0

    def follow(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines and count them."""
        for self.line, line in enumerate(lines, 1):
            yield line


@dataclass(frozen=True)
class Source:
    """The name of a stream, for error messages, and the options for reading it.

    With `reject`, call it for each record that cannot be read, and go on with the next record.
    """

    name: str
    encoding: str = "utf-8"
    errors: str = "strict"
    column: str | None = None
    position: Position | None = None
    reject: Reject | None = None
    layout: Layout = field(default_factory=Layout, compare=False)  # filled in by the reader
    sheet: str | None = None  # of a workbook; None: the first visible one
    sheet_option: bool = True  # the command has --sheet, so that a note may name it

    def refuse(self, line: int, raw: str, problem: str) -> None:
        """Call `reject` with a bad record; without it, raise InputError."""
        if self.reject is None:
            raise InputError(problem)
        self.reject(line, raw, problem)

    def refuse_object(self, line: int, raw: str, problem: InputError) -> None:
        """Refuse an object that is no record, as `refuse`.

        Raises:
            NoColumn: no earlier object had the text column, so its name is wrong for all of them.
        """
        if self.layout.text is None and isinstance(problem, NoColumn):
            raise problem
        self.refuse(line, raw, str(problem))

    @property
    def wanted(self) -> str:
        """The text column requested, else the default."""
        return TEXT if self.column is None else self.column

    def settle(self, columns: Collection[str], line: int | None = None) -> str:
        """Find the text column, set it for all later records, and return it.

        Raises:
            NoColumn: there is no such column.
        """
        self.layout.text = resolve_column(columns, self, line)
        return self.layout.text


def resolve_column(columns: Iterable[str], source: Source, line: int | None = None) -> str:
    """Return the text column: the one requested, else `text`, else the only column.

    `columns` may be a record. Names are compared in NFC.

    Raises:
        UsageError: the requested name is empty, as for an unset shell variable.
        NoColumn: there is no such column; the message has the closest match and the columns.
    """
    if source.column == "":
        raise UsageError("--column: the name is empty; name a field, or leave --column out")
    known = list(columns)
    if (named := column_named(source.wanted, known)) is not None:
        return named
    if source.column is None and len(known) == 1:
        return known[0]
    where = source.name if line is None else f"{source.name}:{line}"
    advice = "; name the text column with --column" if source.column is None else ""
    names = [name for name in known if name.strip()]
    listed = ", ".join(islice(names, SHOWN)) + (", ..." if len(names) > SHOWN else "")
    raise NoColumn(
        f"{where}: no column {source.wanted!r}.{near_column(source.wanted, known)} "
        f"Columns: {listed or 'none'}{advice}"
    )


def column_named(name: str, columns: Collection[str]) -> str | None:
    """Return the column with this name in NFC, as spelt in `columns`; None if there is none."""
    if name in columns:
        return name
    if name.isascii() and all(map(str.isascii, columns)):
        return None
    composed = unicodedata.normalize("NFC", name)
    same = (known for known in columns if unicodedata.normalize("NFC", known) == composed)
    return next(same, None)


def near_column(name: str, columns: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` or ""; ignore case, accents and outer spaces."""
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
    """Return the text column of a record: that of earlier records, if there are any.

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
    """Return the text of a record; "" for null.

    Raises:
        NoColumn: the record has no text column. Records from a reader have one.
    """
    return document_of(record[text_column(record, source)])


def document_of(value: Any) -> str:
    """Return the text of a field; join tokens, a list of strings, by spaces."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
