"""A rich console for whom a reader that leaves (| head) is not an error."""

from __future__ import annotations

import os
from typing import Any

import rich.console
import typer


class Console(rich.console.Console):
    """rich.console.Console that ends quietly with 0 where rich would end with 1.

    In a pipe without COLUMNS it is wide: nothing is cut or wrapped where nobody sees a screen.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 200

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0)
