"""A rich console that exits quietly when the pipe closes (| head)."""

from __future__ import annotations

import os
from typing import Any

import rich.console
import typer


class Console(rich.console.Console):
    """A console that exits with 0 when the pipe closes, where rich exits with 1.

    In a pipe it is 200 columns wide unless COLUMNS is set, so that lines are not cut or wrapped.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 200

    def on_broken_pipe(self) -> None:
        """Discard the rest of stdout and exit with 0."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0)


def printable(text: str, columns: int) -> str:
    """Return the first 2 * `columns` characters, with control characters replaced by spaces."""
    return "".join(char if char.isprintable() else " " for char in text[: columns * 2])
