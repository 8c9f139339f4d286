"""How an input is laid out: its columns, its text column and its dialect of CSV.

A reader fills a `Layout` in before its first record; a table that is written follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dialect:
    """What stands between values of CSV, what ends a row, and whether a mark begins the file."""

    delimiter: str = ","
    end: str = "\n"
    bom: bool = False  # a byte order mark, by which Excel knows UTF-8
    declared: bool = False  # a first line such as `sep=;` names the delimiter to Excel


DIALECTS = {
    "unix": Dialect(),
    "excel": Dialect(",", "\r\n", True),
    "excel-br": Dialect(";", "\r\n", True),  # and wherever else the decimal sign is a comma
}


@dataclass
class Layout:
    """The layout of one input: what a reader knows of it, besides its records."""

    text: str | None = None  # the column that holds the text; None until it is known
    columns: list[str] = field(default_factory=list)  # of a table, also of one without rows
    dialect: Dialect = Dialect()
    bom: bool = False
    asked: str | None = None  # a name of DIALECTS, for CSV that is written

    @property
    def written(self) -> Dialect:
        """The dialect of CSV that is written: the one asked for, else that of the input."""
        return DIALECTS[self.asked] if self.asked else self.dialect
