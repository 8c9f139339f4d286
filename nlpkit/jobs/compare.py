"""Compare models on the same documents: quality with its noise, size, speed, cold start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from nlpkit import zoo
from nlpkit.errors import InputError, ModelError, UsageError
from nlpkit.jobs.evaluate import open_model, read_labelled
from nlpkit.runtime.model import Model

if TYPE_CHECKING:
    import numpy as np

Listener = Callable[[str], object]

TIMED = 1000  # documents at most that are timed
LINE = "O produto chegou no prazo e é muito bom.\n"  # what a cold start answers


def compare(
    names: Sequence[str],
    paths: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    device: str = "auto",
    precision: str = "auto",
    rounds: int = 5,
    listener: Listener = lambda doing: None,
) -> dict[str, Any]:
    """Return scores, sizes and times of each model, and how far it is from the best.

    Scores are means over the files, of the documents that every model finds tokens in.
    `listener` is told what is being done.

    Raises:
        UsageError: a model is named twice, or its task or labels are not those of the first.
        InputError: a file cannot be read, a label is unknown, or a file has no rows.
        ModelError, DeviceError: as `nlpkit.load`.
    """
    models = _open(names, device, precision, listener)
    task = models[names[0]].task
    read = partial(read_labelled, task, text=text, label=label, encoding=encoding)
    files = {path: read(path) for path in paths}
    scored = {}
    for path, (documents, golds) in files.items():
        scored[path] = _scored(models, path, documents, golds, listener)
    everything = [document for documents, _ in files.values() for document in documents]
    timed = everything[:: -(-len(everything) // TIMED)]
    rows = _rows(models, scored)
    speeds = _speeds(models, timed, rounds, listener)
    starts = _cold_starts(names, device, precision, rounds, listener)
    for row in rows:
        row["docs_per_second"] = speeds[row["model"]]
        row["cold_start_seconds"] = starts.get(row["model"])
    used = sum(file["n"] for file in rows[0]["files"])
    return {
        "data": list(files),
        "n": used,
        "left_out": len(everything) - used,
        "rounds": rounds,
        "timed": len(timed),
        "best": max(rows, key=lambda row: row["macro_f1"])["model"],
        "models": rows,
    }


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
        if task.command != "predict":
            raise UsageError(
                f"{name} does not label documents ('nlpkit {task.command}' asks it); leave it out"
            )
        if task.labels != first.labels:
            raise UsageError(
                f"{name} has the labels {', '.join(task.labels)} where {names[0]} has "
                f"{', '.join(first.labels)}; compare models of the same labels"
            )
    return models


def _scored(
    models: Mapping[str, Model],
    path: str,
    documents: Sequence[Any],
    golds: Sequence[Any],
    listener: Listener,
) -> tuple[dict[str, dict[str, Any]], np.ndarray]:
    """Return each model's metrics on a file, and its macro-F1 on resamples of it, f1_MR."""
    import numpy as np

    from nlpkit.metrics.classification import resampled

    outputs = {}
    for name, model in models.items():
        listener(f"scoring {name} on {path}")
        outputs[name] = model.outputs(documents)
    pairs = zip(golds, zip(*outputs.values(), strict=True), strict=True)
    kept = [(gold, row) for gold, row in pairs if all(output is not None for output in row)]
    if not kept:
        raise InputError(f"{path}: no rows with a text to score")
    gold_N = [gold for gold, _ in kept]
    answers = dict(zip(models, zip(*(row for _, row in kept), strict=True), strict=True))
    metrics = {
        name: model.task.metrics(gold_N, answers[name], model.temperature)
        for name, model in models.items()
    }
    graded: list[tuple[str, Model, Any]] = [
        (name, model, model.task) for name, model in models.items()
    ]
    guess_MN = [
        np.argmax(task.soften(answers[name], model.temperature), axis=1)
        for name, model, task in graded
    ]
    return metrics, resampled(np.array(gold_N), np.stack(guess_MN))


def _rows(
    models: Mapping[str, Model], scored: Mapping[str, tuple[dict[str, Any], np.ndarray]]
) -> list[dict[str, Any]]:
    import numpy as np

    from nlpkit.metrics.classification import quantiles

    draws_MR = np.mean([f1_MR for _, f1_MR in scored.values()], axis=0)
    rows: list[dict[str, Any]] = []
    for (name, model), draws_R in zip(models.items(), draws_MR, strict=True):
        files = [metrics[name] | {"data": path} for path, (metrics, _) in scored.items()]
        keys = ("accuracy", "macro_f1", "ece")
        means = {key: round(fmean(file[key] for file in files), 6) for key in keys}
        # Of one file this is the very interval that `nlpkit evaluate` gives.
        interval = quantiles(draws_R) if len(files) > 1 else files[0]["macro_f1_interval"]
        about = {"model": name, "provider": model.provider, "bytes": model.file_bytes}
        rows.append(about | means | {"macro_f1_interval": interval, "files": files})
    best = max(range(len(rows)), key=lambda place: rows[place]["macro_f1"])
    for row, draws_R in zip(rows, draws_MR, strict=True):
        row["difference"] = round(row["macro_f1"] - rows[best]["macro_f1"], 6)
        row["difference_interval"] = quantiles(draws_R - draws_MR[best])
    return rows


def _speeds(
    models: Mapping[str, Model], documents: Sequence[Any], rounds: int, listener: Listener
) -> dict[str, float]:
    calls = {name: partial(model.predict, documents) for name, model in models.items()}
    seconds = _medians(calls, rounds, "timing", listener)
    return {name: round(len(documents) / taken, 1) for name, taken in seconds.items()}


def _cold_starts(
    names: Sequence[str], device: str, precision: str, rounds: int, listener: Listener
) -> dict[str, float]:
    """Time whole processes that answer one line. A training run has none: predict refuses it."""
    options = ["--device", device, "--precision", precision]
    command = [sys.executable, "-m", "nlpkit", "predict", *options, "--model"]
    calls = {name: partial(_ask, [*command, name]) for name in names if not zoo.is_run(name)}
    seconds = _medians(calls, rounds, "starting", listener)
    return {name: round(taken, 3) for name, taken in seconds.items()}


def _ask(command: list[str]) -> None:
    done = subprocess.run(command, input=LINE.encode(), capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ModelError(f"{command[-1]} does not start in a process of its own ({said})")


def _medians(
    calls: Mapping[str, Callable[[], object]], rounds: int, doing: str, listener: Listener
) -> dict[str, float]:
    """Return the median seconds of each call. Rounds are interleaved: noise falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(1, rounds + 1):
        for name, call in calls.items():
            listener(f"{doing} {name}, round {number} of {rounds}")
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: median(taken) for name, taken in seconds.items()}
