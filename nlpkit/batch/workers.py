"""The processes of this machine that answer shards, each with a model of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nlpkit.batch import shards
from nlpkit.batch.parts import Parts, Shard
from nlpkit.batch.plan import Settings
from nlpkit.errors import NlpkitError, UsageError
from nlpkit.runtime.device import cores

AHEAD = 2  # shards in flight for each worker
DIED = "a worker process died, perhaps for want of memory; --resume goes on, with fewer --workers"


class Workers:
    """Processes that answer shards; with one, this process does it itself."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self.pool: ProcessPoolExecutor | None = None
        self.waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Workers:
        if self.workers == 1:
            start(self.settings, 0)
            return self
        context = multiprocessing.get_context("spawn")  # ONNX Runtime's threads do not fork
        threads = max(cores() // self.workers, 1)
        self.pool = ProcessPoolExecutor(self.workers, context, start, (self.settings, threads))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self.pool is None:
            return
        if kind is not None:
            for child in multiprocessing.active_children():
                child.terminate()  # what it is at is done again
        self.pool.shutdown(cancel_futures=True)

    def give(self, parts: Parts, shard: Shard, columns: list[str]) -> None:
        """Have a shard answered; waits while there is enough to do."""
        if self.pool is None:
            answer(parts, shard, columns)
            return
        self.waiting.append(self.pool.submit(answer, parts, shard, columns))
        while len(self.waiting) > self.workers * AHEAD:
            self._take()

    def forget(self) -> None:
        """Wait for what was given to an input that failed, whatever becomes of it."""
        while self.waiting:
            future = self.waiting.popleft()
            if not future.cancel():
                future.exception()

    def finish(self) -> None:
        """Wait for all that was given."""
        while self.waiting:
            self._take()

    def _take(self) -> None:
        try:
            self.waiting.popleft().result()
        except BrokenProcessPool:
            raise NlpkitError(DIED) from None


_HERE: dict[str, Any] = {}  # of a worker process: the model and the settings, or a problem


def start(settings: Settings, threads: int) -> None:
    """Load the model, once for each process; with `threads`, a process of a pool."""
    if threads:
        os.environ["NLPKIT_THREADS"] = str(threads)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process tells the others
        threading.Thread(target=_end_with_parent, daemon=True).start()
        try:
            _load(settings)
        except NlpkitError as problem:  # here a pool would break of it, and not say why
            _HERE["problem"] = problem
    else:
        _load(settings)


def _load(settings: Settings) -> None:
    from nlpkit.runtime.model import load

    model = load(settings.model, device=settings.device, precision=settings.precision)
    if model.task.command != "predict":
        raise UsageError(f"{model.name} gives no labels: 'nlpkit {model.task.command}' asks it")
    _HERE.update(model=model, settings=settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def answer(parts: Parts, shard: Shard, columns: list[str]) -> None:
    """Write the part of a shard, by this process's model.

    Raises as `shards.answer`, and what kept the model from loading.
    """
    if "problem" in _HERE:
        raise _HERE["problem"]
    shards.answer(_HERE["model"], _HERE["settings"], parts, shard, columns)
