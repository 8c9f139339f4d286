"""The engine `ray`: a batch on Ray Data, on this machine or on a cluster.

    inputs -> read, a task for each -> Predictor, an actor with a model -> the first process

A row of the dataset is a shard, on its way back the files of its part; the first process keeps
parts and joins them. Readers, writers, parts and joins are those of the local engine: so are the
outputs, to the byte, and a batch begun with one engine is resumed with the other. Ray holds back
the readers while actors are busy, and actors while parts are written.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import records
from nlpkit.batch.actors import Predictor, Row, read
from nlpkit.batch.cluster import check, cluster, quiet, silence
from nlpkit.batch.parts import Parts
from nlpkit.batch.plan import Item
from nlpkit.errors import InputError, NlpkitError, NoSpace, UsageError
from nlpkit.jobs import batch as local
from nlpkit.jobs.batch import Job
from nlpkit.runtime.device import cores

BLOCKS = 1000  # that inputs go to the readers in, at most
ERROR = re.compile(r"[\w.]*(Error|Exception): ")
LAST = ".json"  # of a part's files: its presence says that the others are there


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """Does a batch on the cluster at `address`; without one it starts a Ray of its own.

    A worker is an actor: one core and `num_gpus` of a GPU. Making one, before anything is written,
    raises MissingExtra where Ray is not installed, and UsageError where no cluster answers.
    """

    address: str | None = None
    num_gpus: float = 0.0

    def __post_init__(self) -> None:
        check(self.address)

    def __call__(self, items: list[Item], job: Job) -> Generator[tuple[Item, dict[str, Any]]]:
        """Yield what became of each item, in the order in which they are done.

        Raises:
            UsageError: the cluster cannot be joined, or has no GPU.
            ModelError, DeviceError: the model cannot be used where an actor is.
            GateError: there are more bad records than allowed.
        """
        if self.address is None and job.workers > local.CROWD * cores():
            raise UsageError(f"--workers {job.workers}: here are {cores()} cores; name a cluster")
        inputs: dict[str, Input] = {}
        for item in items:
            try:
                inputs[item.output] = Input.begun(item, job)
            except (InputError, NoSpace, OSError) as problem:
                yield item, local.failed(item, problem)
        if not inputs:
            return
        with cluster(self.address, job.workers, self.num_gpus):
            rows = _rows([(each.parts.item, each.done) for each in inputs.values()], job, self)
            with closing(rows):
                yield from _gathered(rows, inputs, job)


def _rows(todo: list[tuple[Item, set[int]]], job: Job, engine: RayEngine) -> Generator[Row]:
    """Run the dataset."""
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    quiet()
    ray.data.DataContext.get_current().target_max_block_size = 1  # byte: each shard goes at once
    data = ray.data.from_items(
        [{"row": pickle.dumps(each)} for each in todo], override_num_blocks=min(len(todo), BLOCKS)
    ).flat_map(
        read,
        fn_kwargs={"settings": job.settings, "folder": Path.cwd()},
        compute=TaskPoolStrategy(size=min(job.workers, len(todo))),
        num_cpus=0,  # or actors that have all the cores would wait for readers that have none
    )
    data = data.map(
        Predictor,
        fn_constructor_args=(job.settings, local.fingerprint(job.settings.model), Path.cwd()),
        compute=ActorPoolStrategy(size=job.workers),
        num_cpus=1,
        num_gpus=engine.num_gpus,
    )
    there = iter(data.iter_rows())
    try:
        for row in there:
            yield Row.unpacked(row)
    except ray.exceptions.RayError as problem:
        said = [line.strip() for line in str(problem).splitlines() if line.strip()]
        causes = [line for line in said if ERROR.match(line)]  # the rest is tracebacks and advice
        raise NlpkitError(f"Ray: {(causes or said)[-1]}; --resume goes on") from None
    finally:
        with silence():  # Ray tells of actors that it ends itself
            there.close()  # before Ray ends, or it would be started again


@dataclass
class Input:
    """An input whose parts are on their way."""

    parts: Parts
    told: dict[str, Any]
    done: set[int]  # shards whose parts are there
    count: int | None = None
    rejects: int = 0
    read: int = 0
    seconds: float = 0.0

    @classmethod
    def begun(cls, item: Item, job: Job) -> Input:
        parts = Parts.of(job.folder, item, job.key)
        return cls(parts, parts.told(), set(parts.done()))

    def take(self, row: Row) -> None:
        """Keep what came. Raises NoSpace where the disk is full."""
        for extension in sorted(row.part, key=LAST.__eq__):
            with records.write_output(self.parts.folder / f"{row.number:05}{extension}") as out:
                out.buffer.write(row.part[extension])
        if row.number is not None:
            self.done.add(row.number)
        self.count = self.count if row.count is None else row.count
        self.rejects += row.rejects
        self.read = max(self.read, row.read)
        self.seconds += row.seconds

    @property
    def whole(self) -> bool:
        return self.count is not None and self.done >= set(range(self.count))

    def ended(self, job: Job) -> dict[str, Any]:
        """Join the parts; return what the manifest keeps."""
        try:
            self.parts.check()
            told = self.told | self.parts.join(job.folder, self.count or 0)
        except (InputError, NoSpace, OSError) as problem:
            return local.failed(self.parts.item, problem)
        self.parts.remove()
        return told | {"seconds": round(self.seconds, 3)}


def _gathered(
    rows: Iterator[Row], inputs: dict[str, Input], job: Job
) -> Iterator[tuple[Item, dict[str, Any]]]:
    """Keep what comes, and yield each input that is whole, or failed."""
    most, ended = job.left(), 0
    for row in rows:
        name, item = row.item.output, row.item
        if name not in inputs:
            continue  # it failed; what of it was in work comes after
        if row.problem:
            if not isinstance(row.problem, InputError | NoSpace):
                raise row.problem
            del inputs[name]
            yield item, local.failed(item, row.problem)
            continue
        there = inputs[name]
        try:
            there.take(row)
        except NoSpace as problem:
            del inputs[name]
            yield item, local.failed(item, problem)
            continue
        rejects = ended + sum(each.rejects for each in inputs.values())
        if most is not None and rejects > most:
            raise local.too_many(item, job, row.reason)
        if row.number is not None:
            read = sum(each.read for each in inputs.values())
            job.listener({"event": "shard", "records": row.size, "bytes": read})
        if there.whole:
            ended += there.rejects
            del inputs[name]
            yield item, there.ended(job)
