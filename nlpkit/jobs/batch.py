"""Label many files: one output for each, whole or not there, gone on with after any end.

The outputs of a batch that was killed and resumed are those of one that was not: records go to
shards by their number, a shard's part is written whole, and an output is its parts joined.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from nlpkit import __version__, catalog, records, zoo
from nlpkit._lock import held
from nlpkit.errors import GateError, InputError, NlpkitError, UsageError
from nlpkit.jobs._batch_parts import Parts, Shard, shards, state_of
from nlpkit.jobs._batch_plan import Item, expand
from nlpkit.jobs._batch_url import opened
from nlpkit.jobs.predict import Answer, annotated, sure, write
from nlpkit.records import Record, Source, text_of
from nlpkit.runtime.device import cores

MANIFEST = "manifest.json"
AHEAD = 2  # shards in flight for each worker
DIED = "a worker process died, perhaps for want of memory; --resume goes on, with fewer --workers"

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an output depends on besides its input."""

    model: str = "sentiment"
    source: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    to: str | None = None
    into: str = "label"
    min_confidence: float = 0.0
    device: str = "auto"
    precision: str = "auto"
    shard_size: int = 10_000


@dataclass
class Report:
    """What became of a batch; `files` is what the manifest keeps of each."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def count(self, what: str) -> int:
        return sum(file.get(what, 0) for file in self.files.values())

    @property
    def failed(self) -> list[str]:
        return [name for name, file in self.files.items() if "problem" in file]


@dataclass(frozen=True)
class Job:
    """What an engine is to know besides the inputs; it does not change the report."""

    folder: Path
    settings: Settings
    workers: int
    key: str  # of the options and the model, which parts belong to
    report: Report
    max_rejects: int | None
    listener: Listener

    def left(self) -> int | None:
        """Return how many bad records the inputs that are not done may have."""
        done = self.report.count("rejects")
        return None if self.max_rejects is None else self.max_rejects - done


# Makes the outputs of inputs, in any order, and yields what the manifest keeps of each.
Engine = Callable[[list[Item], Job], Generator[tuple[Item, dict[str, Any]]]]


def batch(
    inputs: list[str],
    folder: Path,
    settings: Settings,
    *,
    workers: int = 1,
    engine: Engine | None = None,
    resume: bool = False,
    max_rejects: int | None = None,
    listener: Listener = lambda event: None,
) -> Report:
    """Label every record of every input into a file of the folder.

    A file that cannot be read, or changes meanwhile, is reported and the others go on. `engine` is
    who does the work: this machine's processes if left out.

    Raises:
        InputError: an input is not there.
        UsageError: the options contradict each other, or those of the batch that is resumed.
        ModelError, DeviceError: the model cannot be used.
        GateError: there were more bad records than `max_rejects`.
    """
    items = expand(inputs, folder=folder, source=settings.source, to=settings.to)
    if settings.to not in (None, *catalog.names("records")) or settings.to == "lines":
        formats = [name for name in catalog.names("records") if name != "lines"]
        raise UsageError(f"--to {settings.to}: not one of {', '.join(formats)}")
    with held(folder):
        told = {"settings": asdict(settings), "model": fingerprint(settings.model)}
        report = Report(_before(folder, told, resume))
        listener({"event": "start", "files": len(items), "bytes": sum(map(_size, items))})
        job = Job(folder, settings, workers, json.dumps(told), report, max_rejects, listener)
        lacking = []
        for item in items:
            if _is_done(report.files.get(item.output), item, folder):
                listener(_about(item, report))
            else:
                lacking.append(item)
        with closing((engine or _here)(lacking, job)) as ended:
            for item, file in ended:
                report.files[item.output] = file
                _keep(folder, told, report)
                listener(_about(item, report))
        place = {item.output: number for number, item in enumerate(items)}  # engines need no order
        report.files = dict(sorted(report.files.items(), key=lambda each: place.get(each[0], -1)))
        _keep(folder, told, report)
    return report


def fingerprint(model: str) -> str:
    """Return what tells a model from others of its name: the hash of its manifest."""
    if model in zoo.RULES:
        return model
    return hashlib.sha256((zoo.find_bundle(model) / "bundle.json").read_bytes()).hexdigest()


def _before(folder: Path, told: dict[str, Any], resume: bool) -> dict[str, dict[str, Any]]:
    """Return the files of the batch that is resumed."""
    try:
        before = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not resume and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise UsageError(
                f"{folder}: holds files that are not a batch's; name a new folder"
            ) from None
        _keep(folder, told, Report())
        return {}
    except (OSError, ValueError) as problem:
        raise UsageError(f"{folder / MANIFEST}: damaged ({problem}); name a new folder") from None
    if not resume:
        raise UsageError(f"{folder}: has a batch; --resume goes on with it, or name a new folder")
    for key, value in told["settings"].items():
        if before["settings"].get(key) != value:
            raise UsageError(
                f"{folder}: was begun with {key} = {before['settings'].get(key)!r}, not {value!r}; "
                "resume with the options it was begun with, or name a new folder"
            )
    if before["model"] != told["model"]:
        raise UsageError(f"{folder}: was begun with another {told['settings']['model']}")
    files: dict[str, dict[str, Any]] = before["files"]
    return {name: file for name, file in files.items() if "problem" not in file}


def _keep(folder: Path, told: dict[str, Any], report: Report) -> None:
    content = {"format": 1, "nlpkit": __version__, **told, "files": report.files}
    with records.write_output(folder / MANIFEST) as out:
        out.write(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _is_done(told: dict[str, Any] | None, item: Item, folder: Path) -> bool:
    """Tell whether the output of an input, as that is now, is there already."""
    if told is None or "problem" in told or not (folder / item.output).exists():
        return False
    return bool(told["input"] == {"path": str(item.path), **state_of(item.path)})


def _about(item: Item, report: Report) -> dict[str, Any]:
    told = report.files[item.output]
    return {"event": "file", "name": str(item.path), "bytes": _size(item), **told}


def _size(item: Item) -> int:
    try:
        return int(state_of(item.path)["size"])
    except OSError:
        return 0


def _here(items: list[Item], job: Job) -> Generator[tuple[Item, dict[str, Any]]]:
    """Do the work in processes of this machine, one input after another."""
    with Workers(job.settings, job.workers) as pool:
        for item in items:
            yield item, _file(item, job, pool)


def _file(item: Item, job: Job, pool: Workers) -> dict[str, Any]:
    """Make one output; return what the manifest keeps of it, or of the problem that it had."""
    start = time.monotonic()
    try:
        parts = Parts.of(job.folder, item, job.key)
        told = parts.told()
        count = _parts(parts, job, pool)
        parts.check()
        told |= parts.join(job.folder, count)
    except (InputError, OSError) as problem:
        return failed(item, problem)
    parts.remove()
    return told | {"seconds": round(time.monotonic() - start, 3)}


def failed(item: Item, problem: InputError | OSError) -> dict[str, Any]:
    """Return what the manifest keeps of an input that has no output."""
    return {"input": {"path": str(item.path)}, "problem": str(as_input_error(problem, item))}


def as_input_error(problem: InputError | OSError, item: Item) -> InputError:
    """Return a problem with a file as one that does not stop the other files."""
    if isinstance(problem, InputError):
        return problem
    return InputError(f"{problem.filename or item.path}: {problem.strerror or problem}")


def _parts(parts: Parts, job: Job, pool: Workers) -> int:
    """Make the parts that lack and return how many there are."""
    done, most, count, rejected = parts.done(), job.left(), 0, 0
    for shard, columns, read in cut(parts.item, job.settings):
        count += 1
        rejected += len(shard.rejects)
        if most is not None and rejected > most:
            raise too_many(parts.item, most, shard.rejects[-1]["reason"])
        if shard.number not in done:
            pool.give(parts, shard, columns)
        job.listener({"event": "shard", "records": len(shard), "bytes": read})
    pool.finish()
    return count


def too_many(item: Item, most: int, reason: str) -> GateError:
    """Return the error of an input that has more bad records than allowed."""
    return GateError(
        f"{item.path}: more than {most} bad records, such as {reason}; "
        "mend them, or raise --max-rejects"
    )


def cut(item: Item, settings: Settings) -> Iterator[tuple[Shard, list[str], int]]:
    """Yield an input's shards, each with the output's columns and how far the file is read.

    Raises:
        InputError, OSError: it cannot be read as said; what came before it has been yielded.
    """
    if not state_of(item.path)["size"]:
        return
    rejects: list[dict[str, Any]] = []
    with opened(item.path) as stream:
        source = Source(
            str(item.path),
            settings.encoding,
            column=settings.column,
            reject=lambda line, raw, why: rejects.append({"line": line, "reason": why, "raw": raw}),
        )
        read = records.read(stream, item.format, source)
        first = next(read, None)
        columns = _columns(first, settings) if first else []
        every = chain([first] if first else [], read)
        found = ((record, text_of(record, source)) for record in every)
        for shard in shards(found, rejects, settings.shard_size):
            yield shard, columns, _told(stream)


def _told(stream: Any) -> int:
    """Return how far into the file on disk a stream has read."""
    raw = getattr(stream, "fileobj", None) or getattr(stream, "_fp", None) or stream
    try:
        return int(raw.tell())
    except (OSError, ValueError, AttributeError):
        return 0


def _columns(record: Record, settings: Settings) -> list[str]:
    return list(annotated(Answer(record, "", None), settings.into, full=False))


class Workers:
    """Processes that answer shards; with one, this process does it itself."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self.pool: ProcessPoolExecutor | None = None
        self.waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Workers:
        if self.workers == 1:
            _start(self.settings, 0)
            return self
        context = multiprocessing.get_context("spawn")  # ONNX Runtime's threads do not fork
        threads = max(cores() // self.workers, 1)
        self.pool = ProcessPoolExecutor(self.workers, context, _start, (self.settings, threads))
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
            _answer(parts, shard, columns)
            return
        self.waiting.append(self.pool.submit(_answer, parts, shard, columns))
        while len(self.waiting) > self.workers * AHEAD:
            self._take()

    def finish(self) -> None:
        """Wait for all that was given."""
        while self.waiting:
            self._take()

    def _take(self) -> None:
        try:
            self.waiting.popleft().result()
        except BrokenProcessPool:
            raise NlpkitError(DIED) from None


_HERE: dict[str, Any] = {}  # of a worker process: the model and the settings


def _start(settings: Settings, threads: int) -> None:
    """Load the model, once for each process."""
    if threads:
        os.environ["NLPKIT_THREADS"] = str(threads)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process tells the others
        threading.Thread(target=_end_with_parent, daemon=True).start()
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


def _answer(parts: Parts, shard: Shard, columns: list[str]) -> None:
    """Write the part of a shard; its counts come last."""
    model, settings = _HERE["model"], _HERE["settings"]
    said = model.predict([text for _, text in shard.records])
    answers = (
        Answer(record, text, sure(answer, settings.min_confidence))
        for (record, text), answer in zip(shard.records, said, strict=True)
    )
    name, item = f"{shard.number:05}", parts.item
    module = catalog.load("records", item.to)
    with records.write_output(parts.folder / f"{name}.out") as out:
        if item.plain:
            write(answers, out, "tsv", plain=True, into=settings.into)
        else:
            full = getattr(module, "NESTED", False)
            rows = (annotated(answer, settings.into, full=full) for answer in answers)
            if getattr(module, "HEADER", False):
                module.write(rows, out, header=shard.number == 0, columns=columns)
            else:
                module.write(rows, out)
    if shard.rejects:
        with records.write_output(parts.folder / f"{name}.rej") as out:
            catalog.load("records", "jsonl").write(shard.rejects, out)
    counts = {"records": len(shard.records), "rejects": len(shard.rejects)}
    with records.write_output(parts.folder / f"{name}.json") as out:
        out.write(json.dumps(counts))
