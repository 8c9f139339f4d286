"""Show the curve of a cascade: its score and speed by the share that the better model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.cli.screen.table import Column, show_table


def show_curve(console: Any, curve: Sequence[Any], chosen: float) -> None:
    """Print a line for each point, with a mark at the chosen share."""
    columns = [
        *(Column("share asked", right=True), Column("threshold", right=True)),
        *(Column("dev score", right=True), Column("docs/s", right=True), Column("")),
    ]
    rows = [
        [
            *(f"{point.share:.2f}", f"{point.threshold:.4f}", f"{point.score:.4f}"),
            *(f"{point.docs_per_second:,.0f}", "chosen" if point.share == chosen else ""),
        ]
        for point in curve
    ]
    show_table(console, columns, rows)
