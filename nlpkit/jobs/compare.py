"""Compare models on the same documents: scores with intervals, size, speed and cold start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from nlpkit import metrics, zoo
from nlpkit.errors import InputError, ModelError, UsageError, quoted
from nlpkit.jobs.evaluate import Labelled, open_model, read_labelled
from nlpkit.runtime.model import Model

if TYPE_CHECKING:
    import numpy as np

Listener = Callable[[str], object]

TIMED = 1000  # most documents that the speed is measured on
LINE = "O produto chegou no prazo e é muito bom.\n"  # the input of a cold start


@dataclass(frozen=True)
class Row:
    """The results of one model: scores (means over the files), size, speed, distance to the best.

    Intervals are bootstrap intervals, as `nlpkit.metrics.interval` gives them.
    """

    model: str
    provider: str
    bytes: int
    means: Mapping[str, float]
    score: float
    interval: Sequence[float]
    difference: float  # distance of the score from the best model's
    difference_interval: Sequence[float]
    files: Sequence[Mapping[str, Any]]
    docs_per_second: float
    cold_start_seconds: float | None

    def to_dict(self, score: str) -> dict[str, Any]:
        """Return the row as plain values; the interval is named after the score."""
        own = {"model": self.model, "provider": self.provider, "bytes": self.bytes}
        return {
            **own,
            **self.means,
            f"{score}_interval": list(self.interval),
            "files": [dict(file) for file in self.files],
            "difference": self.difference,
            "difference_interval": list(self.difference_interval),
            "docs_per_second": self.docs_per_second,
            "cold_start_seconds": self.cold_start_seconds,
        }


@dataclass(frozen=True)
class Report:
    """The results of all models; `score` names the metric that they are compared by."""

    data: Sequence[str]
    score: str
    n: int  # scored documents
    left_out: int  # documents that some model gave no answer
    rounds: int  # rounds of timing
    timed: int  # timed documents
    best: str
    models: Sequence[Row]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        values = {key: value for key, value in asdict(self).items() if key != "models"}
        return values | {"models": [row.to_dict(self.score) for row in self.models]}


@dataclass(frozen=True)
class Scored:
    """The metrics of every model on one file, and their scores on resamples of it.

    Legend: M models, R resamples.
    """

    path: str
    metrics: Mapping[str, Mapping[str, Any]]
    draws_MR: np.ndarray
    n: int


def compare(
    names: Sequence[str],
    paths: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    renamed: Mapping[str, str] | None = None,
    device: str = "auto",
    precision: str = "auto",
    rounds: int = 5,
    listener: Listener = lambda doing: None,
) -> Report:
    """Score and time models on the same files.

    Scores are means over the files, of the documents that every model answers. Models are compared
    by the score of their task. `renamed` are new names of labels in the files. `listener` receives
    a line at the start of each stage.

    Raises:
        UsageError: a model is named twice, or has another task or other labels than the first.
        InputError: a file cannot be read, a label is unknown, or a file has no rows.
        ModelError, DeviceError: as `nlpkit.load`.
    """
    models = _open(names, device, precision, listener)
    task = models[names[0]].task
    read = partial(read_labelled, task, text=text, label=label, encoding=encoding, names=renamed)
    files = {path: read(path) for path in paths}
    scored = [_scored(models, path, labelled, listener) for path, labelled in files.items()]
    documents = [document for labelled in files.values() for document in labelled.documents]
    timed = documents[:: -(-len(documents) // TIMED)]
    speeds = _speeds(models, timed, rounds, listener)
    starts = _cold_starts(names, device, precision, rounds, listener)
    rows = _rows(models, scored, task.score, speeds, starts)
    used = sum(file.n for file in scored)
    return Report(
        data=list(files),
        score=task.score,
        n=used,
        left_out=len(documents) - used,
        rounds=rounds,
        timed=len(timed),
        best=_best(rows, task.score).model,
        models=rows,
    )


def _open(
    names: Sequence[str], device: str, precision: str, listener: Listener
) -> dict[str, Model]:
    models: dict[str, Model] = {}
    for name in names:
        if name in models:
            raise UsageError(f"{name} is named twice; name each model once")
        listener(f"opening {name}")
        models[name] = open_model(name, device=device, precision=precision)
        task, first = models[name].task, models[names[0]].task
        if task.answers is not first.answers or task.score != first.score:
            raise UsageError(
                f"{name} gives {task.answers.__name__} scored by {task.score}, but {names[0]} "
                f"gives {first.answers.__name__} scored by {first.score}; compare models of one "
                "task"
            )
        if tuple(task.shown) != tuple(first.shown):
            raise UsageError(
                f"{name} has the labels {', '.join(task.shown)}, but {names[0]} has "
                f"{', '.join(first.shown)}; compare models with the same labels"
            )
    return models


def _scored(
    models: Mapping[str, Model], path: str, labelled: Labelled, listener: Listener
) -> Scored:
    answers = {}
    for name, model in models.items():
        listener(f"scoring {name} on {path}")
        answers[name] = model.predict(labelled.documents)
    pairs = zip(labelled.golds, zip(*answers.values(), strict=True), strict=True)
    answered = [(gold, row) for gold, row in pairs if all(answer is not None for answer in row)]
    if not answered:
        raise InputError(f"{quoted(path)}: no rows with a text to score")
    golds = [gold for gold, _ in answered]
    by_model = dict(
        zip(models, map(list, zip(*(row for _, row in answered), strict=True)), strict=True)
    )
    first = next(iter(models.values())).task
    kind = first.answers
    return Scored(
        path=path,
        metrics={name: metrics.measure(kind, golds, each) for name, each in by_model.items()},
        draws_MR=metrics.draws(kind, golds, list(by_model.values()), first.score),
        n=len(golds),
    )


def _rows(
    models: Mapping[str, Model],
    scored: Sequence[Scored],
    score: str,
    speeds: Mapping[str, float],
    starts: Mapping[str, float],
) -> list[Row]:
    import numpy as np

    draws_MR = np.mean([file.draws_MR for file in scored], axis=0)
    means = {name: _means([file.metrics[name] for file in scored]) for name in models}
    names = list(models)
    sign = -1 if metrics.minimised(score) else 1
    best = max(range(len(names)), key=lambda index: sign * means[names[index]][score])
    rows = []
    for (name, model), draws_R in zip(models.items(), draws_MR, strict=True):
        files = [{**file.metrics[name], "data": file.path} for file in scored]
        # For one file, give the same interval as `nlpkit evaluate`, which some metrics lack.
        own = files[0].get(f"{score}_interval") if len(files) == 1 else None
        rows.append(
            Row(
                model=name,
                provider=model.provider,
                bytes=model.file_bytes,
                means=means[name],
                score=means[name][score],
                interval=own or metrics.interval(draws_R),
                difference=round(means[name][score] - means[names[best]][score], 6),
                difference_interval=metrics.interval(draws_R - draws_MR[best]),
                files=files,
                docs_per_second=speeds[name],
                cold_start_seconds=starts.get(name),
            )
        )
    return rows


def _means(files: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the means over the files of the scores that every file has."""
    keys = [key for key in metrics.numbers(files[0]) if all(key in file for file in files)]
    return {key: round(fmean(file[key] for file in files), 6) for key in keys}


def _best(rows: Sequence[Row], score: str) -> Row:
    return (min if metrics.minimised(score) else max)(rows, key=lambda row: row.score)


def _speeds(
    models: Mapping[str, Model], documents: Sequence[Any], rounds: int, listener: Listener
) -> dict[str, float]:
    calls = {name: partial(model.predict, documents) for name, model in models.items()}
    seconds = _medians(calls, rounds, "timing", listener)
    return {name: round(len(documents) / taken, 1) for name, taken in seconds.items()}


def _cold_starts(
    names: Sequence[str], device: str, precision: str, rounds: int, listener: Listener
) -> dict[str, float]:
    """Return the seconds in which a new process answers one line, for each bundle.

    Training runs are left out because `nlpkit predict` does not load them.
    """
    options = ["--device", device, "--precision", precision]
    command = [sys.executable, "-m", "nlpkit", "predict", *options, "--model"]
    calls = {name: partial(_ask, [*command, name]) for name in names if not zoo.is_run(name)}
    seconds = _medians(calls, rounds, "starting", listener)
    return {name: round(taken, 3) for name, taken in seconds.items()}


def _ask(command: list[str]) -> None:
    process = subprocess.run(command, input=LINE.encode(), capture_output=True, check=False)
    if process.returncode:
        reason = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ModelError(f"{command[-1]} does not start in a new process ({reason})")


def _medians(
    calls: Mapping[str, Callable[[], object]], rounds: int, doing: str, listener: Listener
) -> dict[str, float]:
    """Return the median seconds of each call; rounds are interleaved to share the noise."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(1, rounds + 1):
        for name, call in calls.items():
            listener(f"{doing} {name}, round {number} of {rounds}")
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: median(taken) for name, taken in seconds.items()}
