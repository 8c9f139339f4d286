"""Print tables that fit the console, by dropping the least important columns with a note.

Numbers and labels are never cut. If even the most important columns are too wide, each row is
printed as a list of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlpkit.svg import shown as printable

GAP = 2  # spaces between two columns
LEAST = 16  # least width of a column that may be narrower than its cells, in characters


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: the heading.
        drop: order of dropping; columns with the highest number go first, together, 0 never.
        right: align to the right.
        narrow: "wrap" may wrap its cells before others are dropped, "cut" may cut them in the
            middle after that.
        style: a rich style.
    """

    title: str
    drop: int = 0
    right: bool = False
    narrow: Literal["", "wrap", "cut"] = ""
    style: str = ""


def show_table(
    console: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    elsewhere: str = "--to json",
) -> list[Column]:
    """Print a table and return the columns that it shows.

    Empty columns are left out; `elsewhere` names the option that shows the dropped columns.
    """
    filled = [index for index in range(len(columns)) if not rows or any(r[index] for r in rows)]
    columns = [replace(columns[index], title=printable(columns[index].title)) for index in filled]
    rows = [[printable(row[index]) for index in filled] for row in rows]
    natural = [
        max(map(cell_len, (column.title, *(row[index] for row in rows))))
        for index, column in enumerate(columns)
    ]
    shown = _shown(columns, natural, console.width)
    widths = _widths([columns[index] for index in shown], [natural[i] for i in shown], console)
    if widths is None:
        _show_lists(console, columns, rows)
        return columns
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for index, width in zip(shown, widths, strict=True):
        column = columns[index]
        side: Literal["left", "right"] = "right" if column.right else "left"
        title = Text(cut(column.title, width))
        table.add_column(title, justify=side, width=width, style=column.style, overflow="fold")
    for row in rows:
        cells = zip(shown, widths, strict=True)
        table.add_row(*(Text(_cell(row[p], columns[p], width)) for p, width in cells))
    console.print(table)
    if dropped := [column.title.strip() for i, column in enumerate(columns) if i not in shown]:
        console.print(
            Text(f"no room for {', '.join(dropped)}: {elsewhere}, or a wider terminal", style="dim")
        )
    return [columns[index] for index in shown]


def cut(text: str, width: int) -> str:
    """Return a text of at most `width` cells; a longer one becomes its two ends with … between."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    end = set_cell_size(text[::-1], tail)[::-1]
    return f"{set_cell_size(text, width - 1 - tail)}…{end}"


def _cell(text: str, column: Column, width: int) -> str:
    return cut(text, width) if column.narrow == "cut" else text


def _shown(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Return the indices of the columns that fit, if those that wrap are at their narrowest."""
    shown = list(range(len(columns)))
    while True:
        widths = [
            min(natural[index], LEAST) if columns[index].narrow == "wrap" else natural[index]
            for index in shown
        ]
        first = max(columns[index].drop for index in shown)
        if not first or sum(widths) + GAP * (len(shown) - 1) <= width:
            return shown
        shown = [index for index in shown if columns[index].drop != first]


def _widths(
    columns: Sequence[Column], natural: Sequence[int], console: Console
) -> list[int] | None:
    """Return the width of each column, or None if they do not fit at their narrowest."""
    over = sum(natural) + GAP * (len(columns) - 1) - console.width
    widths = list(natural)
    for kind in ("wrap", "cut"):
        for index, column in enumerate(columns):
            if column.narrow == kind and over > 0:
                less = min(over, max(widths[index] - LEAST, 0))
                widths[index] -= less
                over -= less
    return None if over > 0 else widths


def _show_lists(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    width = max(cell_len(column.title.strip()) for column in columns)
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            line = Text(set_cell_size(column.title.strip(), width) + " " * GAP, style="bold")
            console.print(line.append(cell.strip(), style="not bold"), soft_wrap=True)
