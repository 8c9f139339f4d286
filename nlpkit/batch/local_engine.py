"""The engine `local`: answer inputs one after another, in processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace

from nlpkit.batch.events import ShardDone
from nlpkit.batch.job import Job, failed, too_many
from nlpkit.batch.outcome import Outcome, input_of
from nlpkit.batch.parts import Parts
from nlpkit.batch.plan import Item
from nlpkit.batch.shards import shards
from nlpkit.batch.workers import Workers
from nlpkit.errors import InputError, NoSpace


def local_engine(items: list[Item], job: Job) -> Generator[tuple[Item, Outcome]]:
    """Write the output of each item, and yield the items with their outcomes, in their order.

    Raises:
        ModelError, DeviceError, UsageError: the model cannot be loaded.
        GateError: the inputs have more bad records than --max-rejects.
    """
    if not items:
        return
    with Workers(job.settings, job.workers) as workers:
        for item in items:
            yield item, _outcome(item, job, workers)


def _outcome(item: Item, job: Job, workers: Workers) -> Outcome:
    """Write the output of an item and return its outcome."""
    start = time.monotonic()
    try:
        parts = Parts.of(job.folder, item, job.key)
        source = input_of(item)
        count = _answer(parts, job, workers)
        parts.check()
        outcome = parts.join(job.folder, count, source)
    except (InputError, NoSpace, OSError) as problem:
        workers.drop()
        return failed(item, problem)
    parts.remove()
    return replace(outcome, seconds=round(time.monotonic() - start, 3))


def _answer(parts: Parts, job: Job, workers: Workers) -> int:
    """Answer the shards that have no part yet, and return the number of all shards."""
    done, limit, count, rejects = parts.done(), job.rejects_left(), 0, 0
    for shard, read in shards(parts.item, job.settings):
        count += 1
        rejects += len(shard.rejects)
        if limit is not None and rejects > limit:
            raise too_many(parts.item, job, shard.rejects[-1]["reason"])
        if shard.number not in done:
            workers.give(parts, shard)
        job.listener(ShardDone(len(shard), read))
    workers.finish()
    return count
