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
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from nlpkit.runtime.model import Model

Item = TypeVar("Item")

CHUNK_DOCUMENTS = 1024
CHUNK_CHARACTERS = 1 << 20  # bounds memory when documents are long
FEWEST, MOST = 128, 4096  # documents in a chunk that is paced
SHORTEST = 4  # tokens: with such documents a chunk is to fill a batch of its own, on a GPU too
SHORT, LONG = 0.05, 0.2  # seconds that such a chunk is to take
PAUSE = 0.05  # seconds
TEXT = "text"  # the column of tasks that read texts


def answer(
    model: Model,
    items: Iterable[tuple[Item, str]],
    settled: Callable[[], object],
    limit: int = FEWEST,
    pause: float = PAUSE,
) -> Iterator[tuple[Item, str, Any]]:
    """Yield (item, text, prediction) for each (item, text), in order.

    `settled` is called whenever all that was read has been yielded: the time to flush. `limit` is
    how many documents a chunk has at first, `pause` how long it may wait to be filled.
    An error of the reader is raised after everything that was read before it is answered.
    """
    shelf: Shelf[Item] = Shelf(limit, pause)
    most = max(MOST, model.budget // SHORTEST)
    column = model.task.columns.text

    def encoded(chunk: list[tuple[Item, str]]) -> tuple[Any, ...]:
        read = [text if column == TEXT else words_or(text, item, column) for item, text in chunk]
        documents = list(dict.fromkeys(read))  # copies are scored once
        return chunk, read, documents, model.encode(documents)

    for chunk, read, documents, windows in ahead(shelf.chunks(items), encoded):
        start = time.monotonic()
        said = dict(zip(documents, model.answer(documents, windows), strict=True))
        shelf.pace(len(chunk), time.monotonic() - start, most)
        for (item, text), document in zip(chunk, read, strict=True):
            yield item, text, said[document]
        settled()


def words_or(text: str, record: Any, column: str) -> str | tuple[str, ...]:
    """Return the list of words that a record has in a field, else the text.

    Words as they come keep their number: joined and split again, "10 000" would be two.
    """
    words = record.get(column) if isinstance(record, dict) else None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple(words)
    return text


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
    return Shelf[Item](CHUNK_DOCUMENTS).chunks(items)


class Shelf(Generic[Item]):
    """What was read and not yet taken: one chunk at most.

    One thread puts and one takes. An item is put without a lock, which would cost more than many a
    step does: deques are safe for that, and the two wake each other only for a first or last item.
    """

    def __init__(self, limit: int, pause: float = PAUSE) -> None:
        self.limit = limit  # documents in a full chunk
        self.pause = pause  # seconds that one may wait to be filled
        self.changed = threading.Condition()
        self.items: deque[tuple[Item, str]] = deque()
        self.put_characters = self.taken_characters = 0
        self.since = 0.0  # when the first of the items came
        self.ended = False
        self.closed = False
        self.error: BaseException | None = None

    def chunks(self, items: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
        """Yield lists of items, cut by size or by the time since their first item."""
        # A daemon: a read that blocks for ever must not keep the program from ending.
        threading.Thread(target=self._read, args=(items,), daemon=True).start()
        try:
            while chunk := self._take():
                yield chunk
            if self.error is not None:
                raise self.error
        finally:
            with self.changed:
                self.closed = True
                self.changed.notify_all()

    def pace(self, documents: int, seconds: float, most: int) -> None:
        """Have chunks so large that none takes long, whatever the model's speed."""
        if seconds < SHORT and documents >= self.limit:
            self.limit = min(self.limit * 2, most)
        elif seconds > LONG:
            self.limit = max(self.limit // 2, FEWEST)

    def _read(self, items: Iterable[tuple[Item, str]]) -> None:
        error: BaseException | None = None
        try:
            for item in items:
                self._put(item)
                if self.closed:
                    return
        except BaseException as problem:  # handed to the consumer, which raises it in its turn
            error = problem
        with self.changed:
            self.ended, self.error = True, error
            self.changed.notify_all()

    def _put(self, item: tuple[Item, str]) -> None:
        """Add an item, and wait while there is a full chunk."""
        self.items.append(item)
        self.put_characters += len(item[1])
        if len(self.items) == 1:
            self.since = time.monotonic()
            with self.changed:
                self.changed.notify_all()
        if self._full():
            with self.changed:
                self.changed.notify_all()
                while self._full() and not self.closed:
                    self.changed.wait()

    def _take(self) -> list[tuple[Item, str]]:
        """Return a chunk: a full one, or what came in PAUSE; nothing at the end."""
        with self.changed:
            while not self.items and not self.ended:
                self.changed.wait()
            while not self._full() and not self.ended:
                left = self.since + self.pause - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(left)
            chunk = [self.items.popleft() for _ in range(len(self.items))]
            self.taken_characters += sum(len(text) for _, text in chunk)
            self.changed.notify_all()
            return chunk

    def _full(self) -> bool:
        waiting = self.put_characters - self.taken_characters
        return len(self.items) >= self.limit or waiting >= CHUNK_CHARACTERS
