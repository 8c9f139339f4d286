"""The worker processes of the local engine; each loads the model and answers shards."""

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

AHEAD = 2  # most waiting shards per worker
DIED = "a worker process died, perhaps out of memory; continue with --resume and fewer --workers"


class Workers:
    """A pool of processes that answer shards; a single worker runs in this process."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self.model: Model | None = None  # loaded here for a single worker
        self.pool: ProcessPoolExecutor | None = None
        self.waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Workers:
        if self.workers == 1:
            self.model = load(self.settings)
            return self
        # Spawn, because ONNX Runtime's threads do not survive a fork. sys.path is inherited.
        context = multiprocessing.get_context("spawn")
        threads = max(cores() // self.workers, 1)
        self.pool = ProcessPoolExecutor(self.workers, context, _start, (self.settings, threads))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self.pool is None:
            return
        if kind is not None:
            for child in multiprocessing.active_children():
                child.terminate()  # a resumed batch answers its shards again
        self.pool.shutdown(cancel_futures=True)

    def give(self, parts: Parts, shard: Shard) -> None:
        """Answer a shard, or hand it to the pool; wait while AHEAD shards per worker are waiting.

        Raises:
            NlpkitError: a worker process died, or answering an earlier shard failed.
        """
        if self.model is not None:
            answer(self.model, self.settings, parts, shard)
        elif self.pool is not None:
            self.waiting.append(self.pool.submit(_answer, parts, shard))
            while len(self.waiting) > self.workers * AHEAD:
                self._wait()

    def drop(self) -> None:
        """Cancel the shards of a failed input, or wait for those that run; ignore their errors."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.cancel():
                future.exception()

    def finish(self) -> None:
        """Wait until all shards are answered. Raises as `give`."""
        while self.waiting:
            self._wait()

    def _wait(self) -> None:
        try:
            self.waiting.popleft().result()
        except BrokenProcessPool:
            raise NlpkitError(DIED) from None


class _Process:
    """The state of a worker process, which `_start` sets."""

    settings: Settings
    model: Model | NlpkitError  # or the error of loading it


_PROCESS = _Process()


def _start(settings: Settings, threads: int) -> None:
    """Load the model when a worker process starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _PROCESS.settings = settings
    try:
        _PROCESS.model = load(settings, threads)
    except NlpkitError as problem:  # raised here, it would break the pool and be lost
        _PROCESS.model = problem


def _end_with_parent() -> None:
    """Exit when the parent process ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(parts: Parts, shard: Shard) -> None:
    """Write the part of a shard in a worker process.

    Raises:
        NlpkitError: as `answer`, or the error of loading the model.
    """
    if isinstance(_PROCESS.model, NlpkitError):
        raise _PROCESS.model
    answer(_PROCESS.model, _PROCESS.settings, parts, shard)
