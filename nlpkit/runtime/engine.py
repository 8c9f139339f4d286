"""Answer a stream in three stages: read, encode, then score and give answers in order.

Each stage but the last has a thread of its own, and one chunk waits between two of them at most. A
full chunk is scored at once, an unfinished one soon after its first document came, so
`tail -f log | nlpkit sentiment` answers line by line.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from nlpkit.runtime.model import Model

Item = TypeVar("Item")

CHUNK_DOCUMENTS = 1024
CHUNK_CHARACTERS = 1 << 20  # bounds memory when documents are long
PAUSE = 0.05  # seconds that a chunk may wait to be filled


def answer(
    model: Model, items: Iterable[tuple[Item, str]], settled: Callable[[], object]
) -> Iterator[tuple[Item, str, Any]]:
    """Yield (item, text, prediction) for each (item, text), in order.

    `settled` is called whenever all that was read has been yielded: the time to flush.
    An error of the reader is raised after everything that was read before it is answered.
    """

    def encoded(chunk: list[tuple[Item, str]]) -> tuple[Any, ...]:
        texts = list(dict.fromkeys(text for _, text in chunk))  # copies are scored once
        return chunk, texts, model.encode(texts)

    for chunk, texts, windows in ahead(chunks(items), encoded):
        said = dict(zip(texts, model.decode(texts, windows), strict=True))
        for item, text in chunk:
            yield item, text, said[text]
        settled()


def ahead(source: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield what `work` makes of each thing, the next one being made meanwhile on a thread.

    An error of either is raised after all that came before it.
    """
    made: queue.Queue[tuple[bool, Any]] = queue.Queue(1)
    closed = threading.Event()

    def give(ended: bool, thing: Any) -> None:
        while not closed.is_set():
            with contextlib.suppress(queue.Full):
                return made.put((ended, thing), timeout=1.0)

    def run() -> None:
        try:
            for thing in source:
                give(False, work(thing))
                if closed.is_set():
                    return
            give(True, None)
        except BaseException as problem:  # handed to the consumer, which raises it in its turn
            give(True, problem)

    # A daemon: a read that blocks for ever must not keep the program from ending.
    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            ended, thing = made.get()
            if not ended:
                yield thing
            elif thing is None:
                return
            else:
                raise thing
    finally:
        closed.set()


def chunks(items: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
    """Yield lists of items, cut by size or by the time since their first item."""
    shelf: Shelf[tuple[Item, str]] = Shelf()
    # A daemon: a read that blocks for ever must not keep the program from ending.
    threading.Thread(target=_read, args=(items, shelf), daemon=True).start()
    try:
        while chunk := shelf.take():
            yield chunk
        if shelf.error is not None:
            raise shelf.error
    finally:
        shelf.close()


class Shelf(Generic[Item]):
    """What was read and not yet taken: one chunk at most.

    Whole lists change hands, for a queue of single items costs more than many a step does.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.items: list[Item] = []
        self.characters = 0
        self.deadline = 0.0
        self.ended = False
        self.closed = False
        self.error: BaseException | None = None

    def put(self, item: Item, characters: int) -> bool:
        """Add an item, waiting while there is a full chunk; False once nobody takes any more."""
        with self.changed:
            while self._full() and not self.closed:
                self.changed.wait()
            if self.closed:
                return False
            self.items.append(item)
            self.characters += characters
            if len(self.items) == 1:
                self.deadline = time.monotonic() + PAUSE
                self.changed.notify_all()
            elif self._full():
                self.changed.notify_all()
            return True

    def end(self, error: BaseException | None) -> None:
        """Say that nothing more comes, and the error that ended it, if one did."""
        with self.changed:
            self.ended, self.error = True, error
            self.changed.notify_all()

    def close(self) -> None:
        """Say that nobody takes any more."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def take(self) -> list[Item]:
        """Return a chunk: a full one, or what came in PAUSE; nothing at the end."""
        with self.changed:
            while not self.items and not self.ended:
                self.changed.wait()
            while not self._full() and not self.ended:
                left = self.deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            chunk, self.items, self.characters = self.items, [], 0
            self.changed.notify_all()
            return chunk

    def _full(self) -> bool:
        return len(self.items) >= CHUNK_DOCUMENTS or self.characters >= CHUNK_CHARACTERS


def _read(items: Iterable[tuple[Item, str]], shelf: Shelf[tuple[Item, str]]) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not shelf.put(item, len(item[1])):
                return
    except BaseException as problem:  # handed to the consumer, which raises it in its turn
        error = problem
    shelf.end(error)
