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
) -> list[Column]:
    """Print a table and return the columns that it shows.

    Columns without any cell filled are left out; `elsewhere` names the option that shows those that
    have no room.
    """
    filled = [place for place in range(len(columns)) if not rows or any(r[place] for r in rows)]
    columns = [replace(columns[place], title=printable(columns[place].title)) for place in filled]
    rows = [[printable(row[place]) for place in filled] for row in rows]
    natural = [
        max(map(cell_len, (column.title, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    shown = _shown(columns, natural, console.width)
    widths = _widths([columns[place] for place in shown], [natural[p] for p in shown], console)
    if widths is None:
        _show_lists(console, columns, rows)
        return columns
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
    if left := [column.title.strip() for p, column in enumerate(columns) if p not in shown]:
        console.print(
            Text(f"no room for {', '.join(left)}: {elsewhere}, or a wider terminal", style="dim")
        )
    return [columns[place] for place in shown]


def cut(text: str, width: int) -> str:
    """Return a text of at most `width` characters: of a longer one its ends, with … between."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    end = set_cell_size(text[::-1], tail)[::-1]
    return f"{set_cell_size(text, width - 1 - tail)}…{end}"


def _cell(text: str, column: Column, width: int) -> str:
    return cut(text, width) if column.narrow == "cut" else text


def _shown(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Return the columns that fit, those that wrap at their narrowest."""
    shown = list(range(len(columns)))
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
    width = max(cell_len(column.title.strip()) for column in columns)
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            line = Text(set_cell_size(column.title.strip(), width) + " " * GAP, style="bold")
            console.print(line.append(cell.strip(), style="not bold"), soft_wrap=True)
