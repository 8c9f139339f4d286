"""Answer a stream: read ahead on a thread, score what is there, give answers in order.

A full chunk is scored at once, an unfinished one soon after its first document came, so
`tail -f log | nlpkit sentiment` answers line by line.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from nlpkit.runtime.model import Model
from nlpkit.tasks import Prediction

Item = TypeVar("Item")

CHUNK_DOCUMENTS = 1024
CHUNK_CHARACTERS = 1 << 20  # bounds memory when documents are long
PAUSE = 0.05  # seconds that a chunk may wait to be filled


class _End:
    """The end of the input: with the error that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def answer(
    model: Model, items: Iterable[tuple[Item, str]], settled: Callable[[], object]
) -> Iterator[tuple[Item, str, Prediction | None]]:
    """Yield (item, text, prediction) for each (item, text), in order.

    `settled` is called whenever all that was read has been yielded: the time to flush.
    An error of the reader is raised after everything that was read before it is answered.
    """
    for chunk in chunks(items):
        texts = [text for _, text in chunk]
        for (item, text), prediction in zip(chunk, model.predict(texts), strict=True):
            yield item, text, prediction
        settled()


def chunks(items: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
    """Yield lists of items, cut by size or by the time since their first item."""
    waiting: queue.Queue[tuple[Item, str] | _End] = queue.Queue(2 * CHUNK_DOCUMENTS)
    closed = threading.Event()
    # A daemon: a read that blocks for ever must not keep the program from ending.
    threading.Thread(target=_read, args=(items, waiting, closed), daemon=True).start()
    try:
        end: _End | None = None
        while end is None:
            chunk, end = _gather(waiting)
            if chunk:
                yield chunk
        if end.error is not None:
            raise end.error
    finally:
        closed.set()


def _gather(
    waiting: queue.Queue[tuple[Item, str] | _End],
) -> tuple[list[tuple[Item, str]], _End | None]:
    chunk: list[tuple[Item, str]] = []
    characters = 0
    deadline = None
    while len(chunk) < CHUNK_DOCUMENTS and characters < CHUNK_CHARACTERS:
        try:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            item = waiting.get(timeout=left) if chunk else waiting.get()
        except queue.Empty:
            break
        if isinstance(item, _End):
            return chunk, item
        if not chunk:
            deadline = time.monotonic() + PAUSE
        chunk.append(item)
        characters += len(item[1])
    return chunk, None


def _read(
    items: Iterable[tuple[Item, str]],
    waiting: queue.Queue[tuple[Item, str] | _End],
    closed: threading.Event,
) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            while not closed.is_set():
                with contextlib.suppress(queue.Full):
                    waiting.put(item, timeout=1)
                    break
            else:
                return
    except BaseException as problem:  # handed to the consumer, which raises it in its turn
        error = problem
    waiting.put(_End(error))
