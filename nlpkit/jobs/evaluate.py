"""Score a model on labelled data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import metrics, zoo
from nlpkit.errors import InputError, UsageError
from nlpkit.records.answered import check_confidence
from nlpkit.records.rows import gold_of, read_rows
from nlpkit.runtime.device import cores
from nlpkit.runtime.model import Model
from nlpkit.tasks import Task


def open_model(name: str, *, device: str, precision: str) -> Model:
    """Return a bundle, or a training run answered by torch, as a model.

    Raises:
        ModelError, DeviceError, UsageError: as `zoo.load`.
    """
    if zoo.is_run(name):
        if precision != "auto":
            raise UsageError(f"{name} is a run, which has no precisions; export it to choose one")
        from nlpkit.training.opened import open_run

        return open_run(Path(name), device, threads=cores())[0]
    return zoo.load(name, device=device, precision=precision)


@dataclass(frozen=True)
class Labelled:
    """Documents with the right answer of each."""

    documents: list[Any]
    golds: list[Any]


def read_labelled(
    task: Task, path: str, *, text: str | None, label: str | None, encoding: str
) -> Labelled:
    """Return a file's documents and their golds, from the task's columns unless others are named.

    Raises:
        InputError: the file cannot be read, or a label is unknown.
    """
    columns = (text or task.columns.text, label or task.columns.target)
    rows = read_rows(path, text=columns[0], label=columns[1], encoding=encoding)
    return Labelled([row.text for row in rows], [gold_of(task.gold, row) for row in rows])


@dataclass(frozen=True)
class Evaluation:
    """What a model's answers are worth: the scores of `nlpkit.metrics`, and how fast they came."""

    scores: Mapping[str, Any]
    model: str
    provider: str
    data: tuple[str, ...]
    docs_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.scores,
            "model": self.model,
            "provider": self.provider,
            "data": list(self.data),
            "docs_per_second": self.docs_per_second,
        }


def evaluate(
    model: Model,
    paths: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    min_confidence: float = 0.0,
) -> Evaluation:
    """Score a model over all rows of the files.

    With `min_confidence` only the rows count that are answered with that score or more, and
    "coverage" is their share.

    Raises:
        InputError: a file cannot be read, a label is unknown, or there are no rows.
        UsageError: the model gives no scores to be confident by.
    """
    check_confidence(model.task.answers, min_confidence, model.name)
    documents: list[Any] = []
    golds: list[Any] = []
    for path in paths:
        read = read_labelled(model.task, path, text=text, label=label, encoding=encoding)
        documents += read.documents
        golds += read.golds
    started = time.perf_counter()
    said = model.predict(documents)
    seconds = time.perf_counter() - started
    pairs = [(gold, answer) for gold, answer in zip(golds, said, strict=True) if answer is not None]
    if not pairs:
        raise InputError(f"{', '.join(paths)}: no rows with a text to score")
    sure = [pair for pair in pairs if not min_confidence or (pair[1].score or 0) >= min_confidence]
    if not sure:
        raise InputError(f"--min-confidence {min_confidence}: no row is answered so surely")
    scores = metrics.measure(model.task.answers, *map(list, zip(*sure, strict=True)))
    if min_confidence:
        scores["coverage"] = round(len(sure) / len(pairs), 6)
    return Evaluation(
        scores=scores,
        model=model.name,
        provider=model.provider,
        data=tuple(paths),
        docs_per_second=round(len(documents) / seconds, 1),
    )
