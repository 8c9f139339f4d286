"""Print texts on a terminal while a model writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from rich.text import Text

from nlpkit.cli.screen.console import Console
from nlpkit.runtime.writing import Listener, prompt_of
from nlpkit.wording import plural

BROKEN = "\ufffd"  # the beginning of a character whose other bytes are to come


def stream(
    jobs: Iterable[tuple[str, Callable[[Listener | None], Any]]],
    *,
    name: str,
    continues: bool,
    quiet: bool,
) -> None:
    """Print each text as it is written; `jobs` are those of `nlpkit.jobs.generate.one_by_one`.

    If the texts continue prompts, a prompt is printed before its continuation, else a source is
    printed on a line of its own.
    """
    console = Console(highlight=False)
    total, started = 0, time.perf_counter()
    for text, write in jobs:
        if total:
            console.print()
        total += 1
        before = prompt_of(text) if continues else ""
        console.print(Text(before or text, style="bold" if continues else "dim"), end="")
        if not continues:
            console.print()
        _follow(console, write, before)
        console.print()
    if not quiet:
        seconds = max(time.perf_counter() - started, 1e-9)
        summary = f"{plural(total, 'text')} in {seconds:.2f} s ({name})"
        console.print(Text(f"\n{summary}", style="dim"))


def _follow(console: Console, write: Callable[[Listener | None], Any], before: str) -> None:
    """Print what is written, token by token; `before` is printed already."""
    shown = 0

    def hear(index: int, text: str) -> None:
        nonlocal shown
        ready = text.rstrip(BROKEN)
        if len(ready) > shown:
            console.out(ready[shown:], end="", highlight=False)
            shown = len(ready)

    answer = write(hear)
    if answer is not None:
        hear(0, answer.text[len(before) :])
