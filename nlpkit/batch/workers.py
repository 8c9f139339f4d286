"""The processes of this machine that answer shards, each with a model of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from nlpkit.batch.answering import answer, load
from nlpkit.batch.parts import Parts
from nlpkit.batch.plan import Settings
from nlpkit.batch.shards import Shard
from nlpkit.errors import NlpkitError
from nlpkit.runtime.device import cores
from nlpkit.runtime.model import Model

AHEAD = 2  # shards in flight for each worker
DIED = "a worker process died, perhaps for want of memory; --resume goes on, with fewer --workers"


class Workers:
    """Processes that answer shards; a single worker is this process itself."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self.model: Model | None = None  # of a single worker
        self.pool: ProcessPoolExecutor | None = None
        self.waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Workers:
        if self.workers == 1:
            self.model = load(self.settings)
            return self
        # Spawn: ONNX Runtime's threads do not fork. The processes have this one's sys.path.
        context = multiprocessing.get_context("spawn")
        threads = max(cores() // self.workers, 1)
        self.pool = ProcessPoolExecutor(self.workers, context, _start, (self.settings, threads))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self.pool is None:
            return
        if kind is not None:
            for child in multiprocessing.active_children():
                child.terminate()  # its shards are answered again
        self.pool.shutdown(cancel_futures=True)

    def give(self, parts: Parts, shard: Shard) -> None:
        """Have a shard answered; wait while there is enough to do."""
        if self.model is not None:
            answer(self.model, self.settings, parts, shard)
        elif self.pool is not None:
            self.waiting.append(self.pool.submit(_answer, parts, shard))
            while len(self.waiting) > self.workers * AHEAD:
                self._wait()

    def drop(self) -> None:
        """Wait for the shards of an input that failed, and ignore their errors."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.cancel():
                future.exception()

    def finish(self) -> None:
        """Wait until all shards are answered."""
        while self.waiting:
            self._wait()

    def _wait(self) -> None:
        try:
            self.waiting.popleft().result()
        except BrokenProcessPool:
            raise NlpkitError(DIED) from None


class _Process:
    """The state of a process of the pool, which `_start` alone sets."""

    settings: Settings
    model: Model | NlpkitError  # or why it cannot be loaded


_PROCESS = _Process()


def _start(settings: Settings, threads: int) -> None:
    """Load the model, once in each process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _PROCESS.settings = settings
    try:
        _PROCESS.model = load(settings, threads)
    except NlpkitError as problem:  # raised here, it would break the pool and not be shown
        _PROCESS.model = problem


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(parts: Parts, shard: Shard) -> None:
    """Write the part of a shard in a process of the pool.

    Raises as `answer`, and the error that kept the model from loading.
    """
    if isinstance(_PROCESS.model, NlpkitError):
        raise _PROCESS.model
    answer(_PROCESS.model, _PROCESS.settings, parts, shard)
