"""Score and calibrate a model on dev, over all rows or with equal weight for each file.

Files differ in size a hundredfold, so scores over all rows mostly reflect the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nlpkit import metrics
from nlpkit.abilities import Balanced, Calibrated
from nlpkit.errors import InputError
from nlpkit.runtime import onepass
from nlpkit.runtime.model import Model
from nlpkit.tasks import Task
from nlpkit.training.data import Split

SHIFTS = [round(0.1 * step, 1) for step in range(-10, 11)]
LEAST = 5e-4  # the smallest gain of the score for which a shift is changed


class Judge:
    """Scores, temperature and shift of a model, from its answers on dev.

    Raises:
        InputError: the tokenizer finds no token in the dev texts.
    """

    def __init__(self, model: Model, dev: Split, choose_by: str) -> None:
        self.model, self.dev, self.choose_by = model, dev, choose_by
        self.task = model.task
        self.chosen = chosen_by(model.task, choose_by)
        # A calibrated task decodes its answers many times from the same outputs.
        self.outputs = self.offsets = None
        if self._is_calibrated:
            self.outputs, self.offsets = onepass.read(model, dev.documents)
        self.answers = model.predict(dev.documents) if self.outputs is None else self.outputs
        self.answered_rows = [row for row, answer in enumerate(self.answers) if answer is not None]
        if not self.answered_rows:
            raise InputError(
                "the tokenizer finds no token in the dev texts; check data.dev and the tokenizer"
            )
        self.golds = [dev.golds[row] for row in self.answered_rows]
        owner = np.repeat(np.arange(len(dev.files)), [file.rows for file in dev.files])
        self.owner = owner[self.answered_rows]

    @property
    def _is_calibrated(self) -> bool:
        return isinstance(self.task, Calibrated)

    @cached_property
    def predictions(self) -> list[Any]:
        """The outputs, or the answers, of the documents that have tokens."""
        return [self.answers[row] for row in self.answered_rows]

    @property
    def temperature(self) -> float:
        """The task's temperature, or 1 if it has none."""
        return self.task.temperature if isinstance(self.task, Calibrated) else 1.0

    def calibrate(self) -> None:
        """Fit the temperature of a calibrated task, with equal weights by row or by file."""
        if not isinstance(self.task, Calibrated):
            return
        weights = None
        if self.choose_by != "rows":
            weights = 1 / np.bincount(self.owner)[self.owner]
        offsets = self._offsets(range(len(self.answered_rows)))
        fitted = self.task.fit_temperature(self.golds, self.predictions, offsets, weights)
        self.task = self.task.at_temperature(fitted)

    def fit_shift(self) -> None:
        """Shift the task's logits, label by label, to maximise the score on dev.

        Weights and smoothing in the loss make the model predict some labels too often, which the
        shift corrects (thresholds by F1, Lipton et al. 2014). The steps are coarse. The score
        is over all rows, even if `choose_by` is "files": a score by file let the few dozen rows of
        a small file decide. Fitted by file on one half of dev, the shift scored 0.675 on the other
        half; fitted by rows 0.679; without a shift 0.678.
        """
        if not isinstance(self.task, Balanced):
            return
        task, shift = self.task, [0.0] * len(self.task.labels)
        best = self._score_of(task.shifted(shift))
        for label in [*range(len(shift))] * 2:
            best_shift = shift[label]
            for candidate in SHIFTS:
                shift[label] = candidate
                score = self._score_of(task.shifted(shift))
                if score > best + LEAST:
                    best, best_shift = score, candidate
            shift[label] = best_shift
        self.task = task.shifted(shift)

    def scores(self) -> dict[str, Any]:
        """Return the task's scores over all rows; if files choose the epoch, also their mean."""
        scores = self._measured(range(len(self.answered_rows)))
        if self.choose_by == "rows":
            return scores
        each = [file[self.task.score] for file in self.by_file()]
        return scores | {self.chosen: round(float(np.mean(each)), 6)}

    def by_file(self) -> list[dict[str, Any]]:
        """Return the name, number of rows and scores of each file, for the model card."""
        files = []
        for file in np.unique(self.owner).tolist():
            rows = np.flatnonzero(self.owner == file).tolist()
            scores = metrics.numbers(self._measured(rows))
            files.append({"file": self.dev.files[file].file, "rows": len(rows)} | scores)
        return files

    def _measured(self, rows: Sequence[int], task: Task | None = None) -> dict[str, Any]:
        golds, predictions = (
            [self.golds[row] for row in rows],
            [self.predictions[row] for row in rows],
        )
        task = task or self.task
        answers = predictions
        if self.outputs is not None:
            answers = self._decoded(task, rows, predictions)
        return metrics.measure(task.answers, golds, answers)

    def _decoded(self, task: Any, rows: Sequence[int], outputs: list[Any]) -> list[Any]:
        documents = [self.dev.documents[self.answered_rows[row]] for row in rows]
        answers: list[Any] = task.decode(documents, outputs, self._offsets(rows))
        return answers

    def _offsets(self, rows: Sequence[int]) -> list[Any] | None:
        """Return the offsets of the tokens of answered rows, for a task with OFFSETS."""
        if self.offsets is None:
            return None
        return [self.offsets[self.answered_rows[row]] for row in rows]

    def _score_of(self, task: Any) -> float:
        score: float = self._measured(range(len(self.answered_rows)), task)[task.score]
        return score


def chosen_by(task: Task, choose_by: str) -> str:
    """Return the name of the score that chooses the best epoch."""
    return task.score if choose_by == "rows" else f"{task.score}_by_file"
