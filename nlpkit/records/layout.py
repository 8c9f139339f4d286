"""The layout of an input: its columns, its text column and its dialect of CSV.

A reader fills in a `Layout` before its first record; a writer of tables follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Dialect(NamedTuple):  # a start builds it, and a named tuple takes less time than a dataclass
    """The delimiter, line end and first bytes of a CSV file."""

    delimiter: str = ","
    end: str = "\n"
    bom: bool = False  # a byte order mark, which tells Excel that the file is UTF-8
    declared: bool = False  # a first line such as `sep=;` names the delimiter to Excel
    decimal: str = "."  # the decimal mark of numbers; texts are never changed


DIALECTS = {
    "unix": Dialect(),
    "excel": Dialect(",", "\r\n", True),
    # Also for Excel of other countries with a decimal comma.
    "excel-br": Dialect(";", "\r\n", True, decimal=","),
}


@dataclass
class Layout:
    """The layout of one input, as its reader fills it in."""

    text: str | None = None  # the column that holds the text; None until it is known
    columns: list[str] = field(default_factory=list)  # of a table, even one without rows
    sheet: str | None = None  # the name of the sheet, if the input is a workbook
    dialect: Dialect = DIALECTS["unix"]
    bom: bool = False
    asked: str | None = None  # the output dialect, a name of DIALECTS; None: that of the input

    @property
    def written(self) -> Dialect:
        """The dialect of CSV output: the one requested, else that of the input."""
        return DIALECTS[self.asked] if self.asked else self.dialect
