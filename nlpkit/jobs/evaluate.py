"""Score a model on labelled data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlpkit import zoo
from nlpkit.errors import InputError, UsageError
from nlpkit.rows import gold_of, read_rows
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
        from nlpkit.training.run import open_run

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
) -> dict[str, Any]:
    """Return the task's metrics over all rows of the files, with speed and what was scored.

    Raises:
        InputError: a file cannot be read, a label is unknown, or there are no rows.
    """
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
    scores = model.task.metrics(golds, outputs, model.temperature)
    return scores | {
        "model": model.name,
        "provider": model.provider,
        "data": list(paths),
        "docs_per_second": round(len(documents) / seconds, 1),
    }
