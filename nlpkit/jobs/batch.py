"""Run a model over many files, with one complete or absent output for each, and resume.

A killed and resumed batch gives the same outputs as an uninterrupted one: records go to shards by
number, the part of a shard is written in full or not at all, and an output joins its parts.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from nlpkit import catalog, zoo
from nlpkit.batch.events import FileDone, Listener, Started
from nlpkit.batch.job import CROWD, Engine, Job, fingerprint
from nlpkit.batch.local_engine import local_engine
from nlpkit.batch.manifest import Manifest, Report, is_done, open_manifest
from nlpkit.batch.outcome import Outcome, state_of
from nlpkit.batch.plan import Item, Settings, expand
from nlpkit.errors import UsageError
from nlpkit.lock import held
from nlpkit.records.answered import check_confidence, check_format
from nlpkit.records.reading import check_sheet
from nlpkit.runtime.device import cores
from nlpkit.wording import plural

EVERY = 1.0  # seconds between two manifests; a resumed batch repeats files that the manifest lacks


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
    """Write the answers for each input to a file of the folder, and return the outcomes.

    A file that cannot be read, or changes meanwhile, is reported, and the others continue. Without
    an `engine`, `workers` processes of this machine run the model.

    Raises:
        InputError: an input does not exist.
        UsageError: the options contradict each other, or those of the batch that is resumed.
        ModelError, DeviceError: the model cannot be used.
        GateError: the inputs have more bad records than `max_rejects`.
    """
    items = expand(inputs, folder=folder, source=settings.source, to=settings.to)
    _check_format(settings.to)
    check_sheet(settings.sheet, {item.format for item in items})
    if settings.dialect and (other := next((item for item in items if item.to != "csv"), None)):
        raise UsageError(f"--dialect is of CSV, but {other.output} is not; add --to csv")
    if workers > CROWD * cores() and engine is None:
        here = plural(cores(), "core")
        raise UsageError(
            f"--workers {workers}: this machine has {here}; give at most {CROWD} per core"
        )
    with held(folder):
        kind = zoo.answers_of(settings.model)
        check_confidence(kind, settings.min_confidence, settings.model)
        for format in sorted({item.to for item in items}):
            check_format(format, kind, settings.into)
        settings = settings.for_answers(kind)
        manifest = open_manifest(folder, settings, fingerprint(settings.model), resume=resume)
        report = manifest.report
        listener(Started(len(items), sum(map(_size, items))))
        job = Job(folder, settings, workers, manifest.key, report, max_rejects, listener)
        waiting = []
        for item in items:
            outcome = report.files.get(item.output)
            if outcome is not None and is_done(outcome, item, folder):
                listener(_file_done(item, outcome))
            else:
                waiting.append(item)
        _run(engine or local_engine, waiting, job, manifest)
        # Engines finish in any order; the manifest has earlier files, then the inputs in order.
        order = {item.output: number for number, item in enumerate(items)}
        files = sorted(report.files.items(), key=lambda file: order.get(file[0], -1))
        report.files = dict(files)
        manifest.write()
    return report


def _run(engine: Engine, items: list[Item], job: Job, manifest: Manifest) -> None:
    """Run an engine over the items, and write the manifest every EVERY seconds."""
    with closing(engine(items, job)) as outcomes:
        written = time.monotonic()
        try:
            for item, outcome in outcomes:
                job.report.files[item.output] = outcome
                if time.monotonic() - written > EVERY:
                    manifest.write_if_possible()
                    written = time.monotonic()
                job.listener(_file_done(item, outcome))
        except BaseException:  # such as Ctrl-C; finished files stay
            manifest.write_if_possible()
            raise


def _check_format(format: str | None) -> None:
    formats = [name for name in catalog.names("formats") if name != "lines"]
    if format is not None and format not in formats:
        raise UsageError(f"--to {format}: not one of {', '.join(formats)}")


def _file_done(item: Item, outcome: Outcome) -> FileDone:
    return FileDone(str(item.path), _size(item), outcome)


def _size(item: Item) -> int:
    try:
        return int(state_of(item.path)["size"])
    except OSError:
        return 0
