"""Answer a stream of documents in three stages: read, encode, predict.

Reading and encoding have a thread each, and at most one chunk waits between two stages. A full
chunk is answered at once, an incomplete one PAUSE seconds after its first document, so that
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

from nlpkit.runtime.model import Answerer

Item = TypeVar("Item")

CHUNK_DOCUMENTS = 1024
CHUNK_CHARACTERS = 1 << 20  # bounds the memory for long documents
FEWEST, MOST = 128, 4096  # documents in a chunk whose size follows the speed of the model
SHORTEST = 4  # tokens: a chunk of documents of this length should fill a GPU's batch
SHORT, LONG = 0.05, 0.2  # seconds for a chunk: below SHORT it grows, above LONG it shrinks
PAUSE = 0.05  # seconds that an incomplete chunk waits for more documents
TEXT = "text"  # the column of tasks that read texts


def answer(
    model: Answerer,
    items: Iterable[tuple[Item, str]],
    settled: Callable[[], object],
    limit: int = FEWEST,
    pause: float = PAUSE,
) -> Iterator[tuple[Item, str, Any]]:
    """Yield (item, text, answer) for each (item, text), in order.

    An error of `items` is raised after all items before it have been answered.

    Args:
        model: the model.
        items: pairs of any item and its text.
        settled: called when every item read so far has been yielded, so that output is flushed.
        limit: documents in a chunk at first.
        pause: seconds that a chunk may wait to be filled.
    """
    shelf: Shelf[Item] = Shelf(limit, pause)
    most = max(MOST, model.budget // SHORTEST)
    column = model.task.columns.text

    def encoded(chunk: list[tuple[Item, str]]) -> tuple[Any, ...]:
        read = [text if column == TEXT else words_or(text, item, column) for item, text in chunk]
        documents = list(dict.fromkeys(read))  # equal documents are answered once
        return chunk, read, documents, model.encode(documents)

    for chunk, read, documents, windows in ahead(shelf.chunks(items), encoded):
        start = time.monotonic()
        answers = dict(zip(documents, model.answer(documents, windows), strict=True))
        shelf.pace(len(chunk), time.monotonic() - start, most)
        for (item, text), document in zip(chunk, read, strict=True):
            yield item, text, answers[document]
        settled()


def words_or(text: str, record: Any, column: str) -> str | tuple[str, ...]:
    """Return the list of words in a record's field as a tuple; the text if there is none.

    The words are not joined and split again, because the word "10 000" would become two.
    """
    words = record.get(column) if isinstance(record, dict) else None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple(words)
    return text


def ahead(source: Iterable[Any], work: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield the result of `work` for each item; a thread computes the next one meanwhile.

    An error of `source` or `work` is raised after the results before it.
    """
    results: queue.Queue[tuple[bool, Any]] = queue.Queue(1)
    closed = threading.Event()

    def give(ended: bool, result: Any) -> None:
        while not closed.is_set():
            with contextlib.suppress(queue.Full):
                return results.put((ended, result), timeout=1.0)

    def run() -> None:
        try:
            for item in source:
                give(False, work(item))
                if closed.is_set():
                    return
            give(True, None)
        except BaseException as problem:  # the consumer raises it after the results before it
            give(True, problem)

    # A daemon thread, because a read that blocks for ever must not keep the program alive.
    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            ended, result = results.get()
            if not ended:
                yield result
            elif result is None:
                return
            else:
                raise result
    finally:
        closed.set()


def chunks(items: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
    """Yield lists of items; a list ends when it is full, or PAUSE seconds after its first item."""
    return Shelf[Item](CHUNK_DOCUMENTS).chunks(items)


class Shelf(Generic[Item]):
    """A buffer of items between a reading thread and a consumer; it holds at most one chunk.

    Items are added without a lock, which would cost more than some steps: a deque is thread-safe
    with one thread at each end. The threads wake each other only for the first and last item of a
    chunk.
    """

    def __init__(self, limit: int, pause: float = PAUSE) -> None:
        self.limit = limit  # documents in a full chunk
        self.pause = pause  # seconds that a chunk may wait to be filled
        self.changed = threading.Condition()
        self.items: deque[tuple[Item, str]] = deque()
        self.put_characters = self.taken_characters = 0
        self.since = 0.0  # time.monotonic() of the first item in the buffer
        self.ended = False
        self.closed = False
        self.error: BaseException | None = None

    def chunks(self, items: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
        """Yield lists of items; a list ends when it is full, or `pause` after its first item."""
        # A daemon thread, because a read that blocks for ever must not keep the program alive.
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
        """Adjust the chunk size to the model's speed, so that a chunk takes SHORT to LONG."""
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
        except BaseException as problem:  # the consumer raises it after the items before it
            error = problem
        with self.changed:
            self.ended, self.error = True, error
            self.changed.notify_all()

    def _put(self, item: tuple[Item, str]) -> None:
        """Add an item, and wait while the buffer holds a full chunk."""
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
        """Return a full chunk, or the items of the last `pause` seconds; [] at the end."""
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
