"""The loss of a batch of rows: all that the training loop asks of a task.

Legend: N rows of the split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.onepass import Span
from nlpkit.settings.sections import Distill, Train
from nlpkit.tasks import Task
from nlpkit.training.course import Forward
from nlpkit.training.data import Split


@dataclass(frozen=True)
class Reading:
    """A batch and, of each of its documents, the tokens that were read."""

    batch: Batch
    spans: Sequence[Span]


class TaskLoss:
    """The loss by the labels and, where there are teachers, the distance from what they say."""

    def __init__(
        self,
        task: Task,
        split: Split,
        train: Train,
        distill: Distill,
        device: torch.device,
        taught_NC: Tensor | None = None,
    ) -> None:
        """`taught_NC[i]`: what teachers say of document i, or 0."""
        self.task, self.split, self.device = task, split, device
        self.train, self.distill, self.taught_NC = train, distill, taught_NC
        self.class_weights = self._class_weights()

    def __call__(self, forward: Forward, reading: Reading) -> Tensor:
        """Call the network on a batch and return the loss of its outputs."""
        rows = reading.batch.rows
        feeds = [
            torch.from_numpy(array).to(self.device) for array in reading.batch.feeds().values()
        ]
        outputs = forward(*feeds)
        loss = self.of_labels(outputs, reading.spans, rows)
        if self.taught_NC is None:
            return loss
        task: Any = self.task
        mixing, temperature = self.distill.mixing, self.distill.temperature
        taught = self.taught_NC[rows].to(self.device)
        has = taught.any(dim=1)
        far = task.distillation(outputs, taught, temperature) * has
        return (1 - mixing) * loss + mixing * far.sum() / has.sum().clamp_min(1)

    def of_labels(self, outputs: Any, spans: Sequence[Span], rows: list[int]) -> Tensor:
        """Return the mean loss of the labelled rows; others weigh 0 and stand for label 0."""
        golds = [self.split.golds[row] for row in rows]
        known = [0 if gold is None else gold for gold in golds]
        priors = [self.split.priors[row] for row in rows]
        targets = {
            name: torch.from_numpy(array).to(self.device)
            for name, array in self.task.targets(known, priors, spans).items()
        }
        labelled = sum(gold is not None for gold in golds)
        weights = torch.tensor([self.split.weights[row] for row in rows], device=self.device)
        loss: Tensor = self.task.loss(
            outputs,
            targets,
            smoothing=self.train.label_smoothing,
            weights=self.class_weights,
            rows=weights * (len(rows) / max(labelled, 1)),
        )
        return loss

    def _class_weights(self) -> Tensor | None:
        if self.train.class_weights == "none":
            return None
        golds = [gold for gold in self.split.golds if gold is not None]
        weights = self.task.class_weights(golds, self.train.class_weights)
        return torch.tensor(weights, device=self.device)
