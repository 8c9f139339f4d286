"""A listener that draws a bar on stderr while a job runs; nothing where that is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from rich.progress import Progress, ProgressColumn

from nlpkit.cli.screen.console import Console

Handlers = Mapping[type, Callable[[Any], None]]


class Live:
    """A console and a bar; an event goes to the handler of its class, if there is one.

    Each column of the bar comes with the least width of a console that shows it.
    """

    def __init__(
        self, *columns: tuple[int, ProgressColumn], quiet: bool, handlers: Handlers
    ) -> None:
        self.handlers = handlers
        self.console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self.bar = Progress(
            *(column for least, column in columns if least <= self.console.width),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.bar.stop()
        if kind is KeyboardInterrupt:
            self.console.print("interrupted; the same command with --resume continues")

    def __call__(self, event: object) -> None:
        if handler := self.handlers.get(type(event)):
            handler(event)
