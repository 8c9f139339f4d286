"""The engine `ray`: answer inputs with Ray Data, on this machine or on a cluster.

    inputs -> read (one task per input) -> Predictor (actors with a model) -> driver

A row of the dataset holds a shard, and on the way back the files of its part; the driver writes
the parts and joins them. Reading, answering and joining are the code of the local engine, so the
outputs are the same bytes, and either engine can resume a batch of the other. Ray's back-pressure
makes readers wait for busy actors, and actors for the driver.
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

BLOCKS = 1000  # most blocks in which the inputs are handed to the readers
ERROR = re.compile(r"[\w.]*(Error|Exception): ")


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """Run a batch on the Ray cluster at `address`; without one, on a Ray of this machine.

    A worker is an actor with one core and `num_gpus` GPUs, which may be a fraction.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: no cluster answers at the address.
    """

    address: str | None = None
    num_gpus: float = 0.0

    def __post_init__(self) -> None:
        check(self.address)

    def __call__(self, items: list[Item], job: Job) -> Generator[tuple[Item, Outcome]]:
        """Write the output of each item, and yield the items with their outcomes as they end.

        Raises:
            UsageError: the cluster cannot be joined, or has too few GPUs or cores.
            ModelError, DeviceError: the model cannot be loaded on an actor's machine.
            GateError: the inputs have more bad records than --max-rejects.
            NlpkitError: Ray failed.
        """
        if self.address is None and job.workers > CROWD * cores():
            here = plural(cores(), "core")
            raise UsageError(
                f"--workers {job.workers}: this machine has {here}; give fewer, or --address"
            )
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
    """Run the dataset over items, each with the shards already done, and yield its rows."""
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    quiet()
    # A block of at most 1 byte holds one row, so each shard is sent on as soon as it is read.
    ray.data.DataContext.get_current().target_max_block_size = 1
    here, imports = Path.cwd(), [path or str(Path.cwd()) for path in sys.path]
    data = ray.data.from_items(
        [{"row": pickle.dumps(each)} for each in todo], override_num_blocks=min(len(todo), BLOCKS)
    ).flat_map(
        read,
        fn_kwargs={"settings": job.settings, "folder": here, "imports": imports},
        compute=TaskPoolStrategy(size=min(job.workers, len(todo))),
        num_cpus=0,  # otherwise readers would get no core while the actors hold all of them
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
        causes = [line for line in lines if ERROR.match(line)]  # without tracebacks and advice
        raise NlpkitError(f"Ray: {(causes or lines)[-1]}; continue with --resume") from None
    finally:
        with silence():  # Ray reports the actors that it stops
            rows.close()  # before the shutdown, since afterwards it would start Ray again


@dataclass
class Input:
    """An input whose parts are not complete yet."""

    parts: Parts
    source: State  # the state of the file when it was opened
    done: set[int]  # numbers of the shards whose parts are complete
    count: int | None = None  # of shards; None until the input is read to the end
    rejects: int = 0
    read: int = 0
    seconds: float = 0.0

    @classmethod
    def begun(cls, item: Item, job: Job) -> Input:
        """Open the parts of an item.

        Raises:
            OSError, NoSpace: as `Parts.of`.
        """
        parts = Parts.of(job.folder, item, job.key)
        return cls(parts, input_of(item), set(parts.done()))

    def take(self, row: Row) -> None:
        """Write the part in a row, if it has one, and update the counts.

        Raises:
            NoSpace: the disk is full.
        """
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
        """Whether all parts are complete."""
        return self.count is not None and self.done >= set(range(self.count))

    def join(self, job: Job) -> Outcome:
        """Join the parts into the output and return the outcome."""
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
    """Write the parts in rows, and yield each input with its outcome when it is complete."""
    limit, ended = job.rejects_left(), 0
    for row in rows:
        name, item = row.item.output, row.item
        if name not in inputs:
            continue  # a shard of an input that has failed meanwhile
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
