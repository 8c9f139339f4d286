"""Tables that fit the console: the least important columns go first, and a note says which.

No number and no label is ever cut. Where even the columns that stay are too wide, each row becomes
a list of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlpkit.cli.screen.plot import shown as printable

GAP = 2  # spaces between two columns
LEAST = 16  # characters that are left of a column that may be narrower than its cells


@dataclass(frozen=True)
class Column:
    """A column: where it stands in the order of dropping, and how it may become narrower.

    The highest `drop` goes first, all columns that share it together; 0 always stays. A column
    that wraps does so before others are dropped; one that is cut in the middle, after that.
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
) -> None:
    """Print a table; `elsewhere` names the option that shows what had no room."""
    columns = [replace(column, title=printable(column.title)) for column in columns]
    rows = [[printable(cell) for cell in row] for row in rows]
    natural = [
        max(map(cell_len, (column.title, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    filled = [place for place in range(len(columns)) if not rows or any(r[place] for r in rows)]
    shown = _shown(columns, filled, natural, console.width)
    widths = _widths([columns[place] for place in shown], [natural[p] for p in shown], console)
    if widths is None:
        _show_lists(console, columns, rows)
        return
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for place, width in zip(shown, widths, strict=True):
        column = columns[place]
        side: Literal["left", "right"] = "right" if column.right else "left"
        title = Text(cut(column.title, width))
        table.add_column(title, justify=side, width=width, style=column.style, overflow="fold")
    for row in rows:
        cells = zip(shown, widths, strict=True)
        table.add_row(*(Text(_cell(row[p], columns[p], width)) for p, width in cells))
    console.print(table)
    if left := [
        column.title for place, column in enumerate(columns) if place in {*filled} - {*shown}
    ]:
        console.print(
            Text(f"no room for {', '.join(left)}: {elsewhere}, or a wider terminal", style="dim")
        )


def cut(text: str, width: int) -> str:
    """Return a text of at most `width` characters: of a longer one its ends, with … between."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    end = set_cell_size(text[::-1], tail)[::-1]
    return f"{set_cell_size(text, width - 1 - tail)}…{end}"


def _cell(text: str, column: Column, width: int) -> str:
    return cut(text, width) if column.narrow == "cut" else text


def _shown(
    columns: Sequence[Column], filled: Sequence[int], natural: Sequence[int], width: int
) -> list[int]:
    """Return the columns that fit, of those with something in them; wrapped ones at their least."""
    shown = list(filled)
    while True:
        widths = [
            min(natural[place], LEAST) if columns[place].narrow == "wrap" else natural[place]
            for place in shown
        ]
        first = max(columns[place].drop for place in shown)
        if not first or sum(widths) + GAP * (len(shown) - 1) <= width:
            return shown
        shown = [place for place in shown if columns[place].drop != first]


def _widths(
    columns: Sequence[Column], natural: Sequence[int], console: Console
) -> list[int] | None:
    """Return the width of each column; None where they do not fit at their narrowest."""
    over = sum(natural) + GAP * (len(columns) - 1) - console.width
    widths = list(natural)
    for kind in ("wrap", "cut"):
        for place, column in enumerate(columns):
            if column.narrow == kind and over > 0:
                less = min(over, max(widths[place] - LEAST, 0))
                widths[place] -= less
                over -= less
    return None if over > 0 else widths


def _show_lists(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    width = max(cell_len(column.title) for column in columns)
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            line = Text(set_cell_size(column.title, width) + " " * GAP, style="bold")
            console.print(line.append(cell, style="not bold"), soft_wrap=True)
