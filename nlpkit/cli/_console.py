"""A rich console for whom a reader that leaves (| head) is not an error."""

from __future__ import annotations

import os

import rich.console
import typer


class Console(rich.console.Console):
    """rich.console.Console that ends quietly with 0 where rich would end with 1."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(0)
