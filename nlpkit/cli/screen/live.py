"""The base of progress displays: a listener that draws a bar on stderr, if it is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from rich.progress import Progress, ProgressColumn

from nlpkit.cli.screen.console import Console

Handlers = Mapping[type, Callable[[Any], None]]


class Live:
    """A console and a progress bar that dispatch events to a handler by the event's class.

    Args:
        columns: pairs of the least console width that shows a column, and the column.
        quiet: draw and print nothing.
        handlers: a function for each class of events; other events are ignored.
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
