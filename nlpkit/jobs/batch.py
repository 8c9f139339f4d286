"""Label many files: one output for each, whole or not there, gone on with after any end.

The outputs of a batch that was killed and resumed are those of one that was not: records go to
shards by their number, a shard's part is written whole, and an output is its parts joined.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nlpkit import __version__, catalog, records, zoo
from nlpkit.batch.parts import COUNTS, Parts, state_of
from nlpkit.batch.plan import MANIFEST, Item, Settings, expand
from nlpkit.batch.shards import cut
from nlpkit.batch.workers import Workers
from nlpkit.errors import GateError, InputError, NoSpace, UsageError
from nlpkit.lock import held
from nlpkit.runtime.device import cores

EVERY = 1.0  # seconds between two manifests: of a kill, files that are not in it are done again
CROWD = 8  # workers for each core at most: more is a slip of the finger

Listener = Callable[[dict[str, Any]], None]


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
    if settings.to not in (None, *catalog.names("formats")) or settings.to == "lines":
        formats = [name for name in catalog.names("formats") if name != "lines"]
        raise UsageError(f"--to {settings.to}: not one of {', '.join(formats)}")
    if workers > CROWD * cores() and engine is None:
        raise UsageError(
            f"--workers {workers}: here are {cores()} cores; {CROWD} times that at most"
        )
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
            kept = time.monotonic()
            try:
                for item, file in ended:
                    report.files[item.output] = file
                    if time.monotonic() - kept > EVERY:
                        _keep_if_possible(folder, told, report)
                        kept = time.monotonic()
                    listener(_about(item, report))
            except BaseException:  # Ctrl-C, too many bad records: what is done is done
                _keep_if_possible(folder, told, report)
                raise
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
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise UsageError(
                f"{folder}: holds files that are not a batch's; name a new folder"
            ) from None
        _keep(folder, told, Report())
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        raise UsageError(f"{folder / MANIFEST}: damaged ({problem}); name a new folder") from None
    if not _is_sound(before):
        raise UsageError(f"{folder / MANIFEST}: damaged; name a new folder")
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


def _is_sound(manifest: Any) -> bool:
    """Tell whether a manifest has the parts and types that are relied on."""
    if not isinstance(manifest, dict):
        return False
    files = manifest.get("files")
    return (
        isinstance(manifest.get("settings"), dict)
        and "model" in manifest
        and isinstance(files, dict)
        and all(
            isinstance(file, dict)
            and isinstance(file.get("input"), dict)
            and all(isinstance(file.get(name, 0), int) for name in (*COUNTS, "bytes"))
            for file in files.values()
        )
    )


def _keep(folder: Path, told: dict[str, Any], report: Report) -> None:
    content = {"format": 1, "nlpkit": __version__, **told, "files": report.files}
    with records.write_output(folder / MANIFEST) as out:
        out.write(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _keep_if_possible(folder: Path, told: dict[str, Any], report: Report) -> None:
    with suppress(NoSpace):  # there may be some later, or --resume does the files again
        _keep(folder, told, report)


def _is_done(told: dict[str, Any] | None, item: Item, folder: Path) -> bool:
    """Tell whether the output of an input, as that is now, is there already."""
    if told is None or "problem" in told:
        return False
    output = folder / item.output
    if not output.exists() or output.stat().st_size != told.get("bytes"):
        return False
    return bool(told["input"] == {"path": str(item.path), **state_of(item.path)})


def _about(item: Item, report: Report) -> dict[str, Any]:
    # The bytes of the input, which the bar is of; what the manifest keeps are the output's.
    about = {"event": "file", "name": str(item.path), "bytes": _size(item)}
    return report.files[item.output] | about


def _size(item: Item) -> int:
    try:
        return int(state_of(item.path)["size"])
    except OSError:
        return 0


def _here(items: list[Item], job: Job) -> Generator[tuple[Item, dict[str, Any]]]:
    """Do the work in processes of this machine, one input after another."""
    if not items:
        return
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
    except (InputError, NoSpace, OSError) as problem:
        pool.forget()
        return failed(item, problem)
    parts.remove()
    return told | {"seconds": round(time.monotonic() - start, 3)}


def failed(item: Item, problem: InputError | NoSpace | OSError) -> dict[str, Any]:
    """Return what the manifest keeps of an input that has no output."""
    said = str(as_input_error(problem, item) if isinstance(problem, OSError) else problem)
    if isinstance(problem, NoSpace):  # which names what could not be written
        said = f"{item.path}: {said}"
    return {"input": {"path": str(item.path)}, "problem": said}


def as_input_error(problem: OSError, item: Item) -> InputError:
    """Return a problem with a file as one that does not stop the other files."""
    return InputError(f"{problem.filename or item.path}: {problem.strerror or problem}")


def _parts(parts: Parts, job: Job, pool: Workers) -> int:
    """Make the parts that lack and return how many there are."""
    done, most, count, rejected = parts.done(), job.left(), 0, 0
    for shard, columns, read in cut(parts.item, job.settings):
        count += 1
        rejected += len(shard.rejects)
        if most is not None and rejected > most:
            raise too_many(parts.item, job, shard.rejects[-1]["reason"])
        if shard.number not in done:
            pool.give(parts, shard, columns)
        job.listener({"event": "shard", "records": len(shard), "bytes": read})
    pool.finish()
    return count


def too_many(item: Item, job: Job, reason: str) -> GateError:
    """Return the error of an input with which there are more bad records than allowed."""
    return GateError(
        f"{item.path}: with it there are more than {job.max_rejects} bad records, such as "
        f"{reason}; mend them, or raise --max-rejects and go on with --resume"
    )
