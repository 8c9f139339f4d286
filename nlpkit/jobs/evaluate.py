"""Score a model on labelled data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlpkit import zoo
from nlpkit.errors import InputError, UsageError
from nlpkit.records.rows import gold_of, read_rows
from nlpkit.runtime.model import Model
from nlpkit.tasks import Task


def open_model(name: str, *, device: str, precision: str) -> Model:
    """Return a bundle, or a training run answered by torch, as a model.

    Raises:
        ModelError, DeviceError, UsageError: as `nlpkit.load`.
    """
    if zoo.is_run(name):
        if precision != "auto":
            raise UsageError(f"{name} is a run, which has no precisions; export it to choose one")
        from nlpkit.training.opened import open_run

        return open_run(Path(name), device)[0]
    import nlpkit

    return nlpkit.load(name, device=device, precision=precision)


def read_labelled(
    task: Task, path: str, *, text: str | None, label: str | None, encoding: str
) -> tuple[list[Any], list[Any]]:
    """Return a file's documents and their golds, from the task's columns unless others are named.

    Raises:
        InputError: the file cannot be read, or a label is unknown.
    """
    columns = (text or task.columns[0], label or task.columns[1])
    rows = read_rows(path, text=columns[0], label=columns[1], encoding=encoding)
    return [row.text for row in rows], [gold_of(task, row) for row in rows]


def evaluate(
    model: Model,
    paths: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    min_confidence: float = 0.0,
) -> dict[str, Any]:
    """Return the task's metrics over all rows of the files, with speed and what was scored.

    With `min_confidence` they are over the rows that are answered with that score or more, and
    "coverage" is their share.

    Raises:
        InputError: a file cannot be read, a label is unknown, or there are no rows.
        UsageError: the model gives no scores to be confident by.
    """
    if min_confidence and model.task.command != "predict":
        raise UsageError(f"--min-confidence: {model.name} gives no scores")
    documents: list[Any] = []
    golds: list[Any] = []
    for path in paths:
        read = read_labelled(model.task, path, text=text, label=label, encoding=encoding)
        documents += read[0]
        golds += read[1]
    started = time.perf_counter()
    golds, outputs = model.scored(documents, golds)
    seconds = time.perf_counter() - started
    if not golds:
        raise InputError(f"{', '.join(paths)}: no rows with a text to score")
    scored = len(golds)
    if min_confidence:
        golds, outputs = _confident(model, golds, outputs, min_confidence)
        if not golds:
            raise InputError(f"--min-confidence {min_confidence}: no row is answered so surely")
    scores = model.task.metrics(golds, outputs, model.temperature)
    if min_confidence:
        scores["coverage"] = round(len(golds) / scored, 6)
    return scores | {
        "model": model.name,
        "provider": model.provider,
        "data": list(paths),
        "docs_per_second": round(len(documents) / seconds, 1),
    }


def _confident(
    model: Model, golds: list[Any], outputs: list[Any], least: float
) -> tuple[list[Any], list[Any]]:
    """Return what is answered with a score of `least` or more."""
    answers = model.task.decode(outputs, outputs, model.temperature)
    kept = [row for row, answer in enumerate(answers) if answer.score >= least]
    return [golds[row] for row in kept], [outputs[row] for row in kept]
