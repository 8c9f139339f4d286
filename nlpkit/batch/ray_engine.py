"""The engine `ray`: a batch on Ray Data, on this machine or on a cluster.

    inputs -> read, a task for each -> Predictor, an actor with a model -> the first process

A row of the dataset is a shard, on its way back the files of its part; the first process writes
parts and joins them. Readers, writers, parts and joins are those of the local engine, so the
outputs are the same bytes, and a batch begun with one engine can be resumed with the other. Ray
holds back the readers while actors are busy, and actors while parts are written.
"""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nlpkit import records
from nlpkit.batch.actors import Predictor, Row, read
from nlpkit.batch.cluster import check, cluster, quiet, silence
from nlpkit.batch.events import ShardDone
from nlpkit.batch.job import CROWD, Job, failed, fingerprint, too_many
from nlpkit.batch.outcome import Outcome, State, input_of
from nlpkit.batch.parts import COUNTS, Parts
from nlpkit.batch.plan import Item
from nlpkit.errors import InputError, NlpkitError, NoSpace, UsageError
from nlpkit.runtime.device import cores
from nlpkit.wording import plural

BLOCKS = 1000  # most blocks in which inputs go to the readers
ERROR = re.compile(r"[\w.]*(Error|Exception): ")


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """Run a batch on the cluster at `address`, or on a Ray of its own.

    A worker is an actor: one core and `num_gpus` of a GPU. The constructor, called before anything
    is written, raises MissingExtra where Ray is not installed, and UsageError where no cluster
    answers.
    """

    address: str | None = None
    num_gpus: float = 0.0

    def __post_init__(self) -> None:
        check(self.address)

    def __call__(self, items: list[Item], job: Job) -> Generator[tuple[Item, Outcome]]:
        """Yield the outcome of each item, in the order in which they end.

        Raises:
            UsageError: the cluster cannot be joined, or has no GPU.
            ModelError, DeviceError: the model cannot be used where an actor is.
            GateError: there are more bad records than allowed.
        """
        if self.address is None and job.workers > CROWD * cores():
            here = plural(cores(), "core")
            raise UsageError(f"--workers {job.workers}: this machine has {here}; name a cluster")
        inputs: dict[str, Input] = {}
        for item in items:
            try:
                inputs[item.output] = Input.begun(item, job)
            except (InputError, NoSpace, OSError) as problem:
                yield item, failed(item, problem)
        if not inputs:
            return
        with cluster(self.address, job.workers, self.num_gpus):
            todo = [(each.parts.item, each.done) for each in inputs.values()]
            with closing(_rows(todo, job, self)) as rows:
                yield from _gathered(rows, inputs, job)


def _rows(todo: list[tuple[Item, set[int]]], job: Job, engine: RayEngine) -> Generator[Row]:
    """Run the dataset and yield its rows: of each item, the shards that are not done."""
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    quiet()
    ray.data.DataContext.get_current().target_max_block_size = 1  # byte: each shard goes at once
    here, imports = Path.cwd(), [path or str(Path.cwd()) for path in sys.path]
    data = ray.data.from_items(
        [{"row": pickle.dumps(each)} for each in todo], override_num_blocks=min(len(todo), BLOCKS)
    ).flat_map(
        read,
        fn_kwargs={"settings": job.settings, "folder": here, "imports": imports},
        compute=TaskPoolStrategy(size=min(job.workers, len(todo))),
        num_cpus=0,  # else actors with all the cores would wait for readers without one
    )
    data = data.map(
        Predictor,
        fn_constructor_args=(job.settings, fingerprint(job.settings.model), here, imports),
        compute=ActorPoolStrategy(size=job.workers),
        num_cpus=1,
        num_gpus=engine.num_gpus,
    )
    rows = iter(data.iter_rows())
    try:
        for row in rows:
            yield Row.unpacked(row)
    except ray.exceptions.RayError as problem:
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        causes = [line for line in lines if ERROR.match(line)]  # the rest is tracebacks and advice
        raise NlpkitError(f"Ray: {(causes or lines)[-1]}; --resume goes on") from None
    finally:
        with silence():  # Ray reports actors that it ends itself
            rows.close()  # before Ray ends, or it would be started again


@dataclass
class Input:
    """An input whose parts are still coming in."""

    parts: Parts
    source: State  # of the file when its reading began
    done: set[int]  # shards whose parts are there
    count: int | None = None  # of shards, once the input is read to its end
    rejects: int = 0
    read: int = 0
    seconds: float = 0.0

    @classmethod
    def begun(cls, item: Item, job: Job) -> Input:
        """Open the parts of an item. Raises OSError, NoSpace."""
        parts = Parts.of(job.folder, item, job.key)
        return cls(parts, input_of(item), set(parts.done()))

    def take(self, row: Row) -> None:
        """Write the part that a row brings, and count. Raises NoSpace where the disk is full."""
        if row.number is not None:
            for extension in sorted(row.part, key=COUNTS.__eq__):  # the counts last
                with records.write_output(self.parts.path(row.number, extension)) as out:
                    out.buffer.write(row.part[extension])
            self.done.add(row.number)
        self.count = self.count if row.count is None else row.count
        self.rejects += row.rejects
        self.read = max(self.read, row.read)
        self.seconds += row.seconds

    @property
    def is_whole(self) -> bool:
        """Whether all parts are there."""
        return self.count is not None and self.done >= set(range(self.count))

    def join(self, job: Job) -> Outcome:
        """Join the parts into the output."""
        try:
            self.parts.check()
            outcome = self.parts.join(job.folder, self.count or 0, self.source)
        except (InputError, NoSpace, OSError) as problem:
            return failed(self.parts.item, problem)
        self.parts.remove()
        return replace(outcome, seconds=round(self.seconds, 3))


def _gathered(
    rows: Iterator[Row], inputs: dict[str, Input], job: Job
) -> Iterator[tuple[Item, Outcome]]:
    """Write the parts that rows bring, and yield each input that is whole, or failed."""
    limit, ended = job.rejects_left(), 0
    for row in rows:
        name, item = row.item.output, row.item
        if name not in inputs:
            continue  # of an input that failed: shards that were being answered then
        if row.problem:
            if not isinstance(row.problem, InputError | NoSpace):
                raise row.problem
            del inputs[name]
            yield item, failed(item, row.problem)
            continue
        current = inputs[name]
        try:
            current.take(row)
        except NoSpace as problem:
            del inputs[name]
            yield item, failed(item, problem)
            continue
        rejects = ended + sum(each.rejects for each in inputs.values())
        if limit is not None and rejects > limit:
            raise too_many(item, job, row.reason)
        if row.number is not None:
            read = sum(each.read for each in inputs.values())
            job.listener(ShardDone(row.size, read))
        if current.is_whole:
            ended += current.rejects
            del inputs[name]
            yield item, current.join(job)
