"""Compute the loss of a batch from its golds and its teachers' probabilities.

Legend: B rows of a batch, N rows of the split, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlpkit.abilities import Balanced, Distillable, Partial
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.sections import Distill, Train
from nlpkit.tasks import Reads, Task
from nlpkit.text import Tokenizer
from nlpkit.training.course import Forward
from nlpkit.training.data import Split


@dataclass(frozen=True)
class Reading:
    """A batch, and the span of tokens that is read of each of its documents."""

    batch: Batch
    reads: Reads


class TaskLoss:
    """The task's loss, mixed with the distillation loss where there are teachers."""

    def __init__(
        self,
        task: Task,
        tokenizer: Tokenizer,
        split: Split,
        train: Train,
        distill: Distill,
        device: torch.device,
        teacher_NC: Tensor | None = None,
    ) -> None:
        """Create the loss; `teacher_NC` are the teachers' probabilities, 0 without an answer."""
        self.task, self.tokenizer, self.split, self.device = task, tokenizer, split, device
        self.train, self.distill, self.teacher_NC = train, distill, teacher_NC
        self.class_weights = self._class_weights()

    def __call__(self, forward: Forward, reading: Reading) -> Tensor:
        """Call the network on a batch; return the mean loss of its outputs, a scalar."""
        rows = reading.batch.rows
        targets = self.targets(rows, reading.reads)
        outputs = forward(**self._tensors(reading.batch.feeds()), targets=targets)
        loss = self._of_golds(outputs, targets, rows)
        if self.teacher_NC is None or not isinstance(self.task, Distillable):
            return loss
        mixing, temperature = self.distill.mixing, self.distill.temperature
        teacher_BC = self.teacher_NC[rows].to(self.device)
        has_teacher_B = teacher_BC.any(dim=1)
        teacher_loss_B = self.task.distillation(outputs, teacher_BC, temperature) * has_teacher_B
        return (1 - mixing) * loss + mixing * teacher_loss_B.sum() / has_teacher_B.sum().clamp_min(
            1
        )

    def targets(self, rows: list[int], reads: Reads) -> dict[str, Tensor]:
        """Return the arrays of the golds of rows that are read, for the network and the loss."""
        golds = [self.split.golds[row] for row in rows]
        targets = self.task.targets(golds, reads, self.tokenizer)
        if isinstance(self.task, Partial):
            targets |= self.task.prior_targets([self.split.priors[row] for row in rows])
        return self._tensors(targets)

    def _of_golds(self, outputs: Any, targets: Mapping[str, Tensor], rows: list[int]) -> Tensor:
        """Return the weighted mean loss of the rows that have a gold."""
        loss_B: Tensor = self.task.loss(outputs, targets, self.train.label_smoothing)
        golds = [self.split.golds[row] for row in rows]
        if self.class_weights is not None and isinstance(self.task, Balanced):
            indices = [0 if gold is None else self.task.label_index(gold) for gold in golds]
            loss_B = loss_B * self.class_weights[torch.tensor(indices, device=self.device)]
        known = sum(gold is not None for gold in golds)
        weights_B = torch.tensor([self.split.weights[row] for row in rows], device=self.device)
        return (loss_B * (weights_B * (len(rows) / max(known, 1)))).mean()

    def _tensors(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}

    def _class_weights(self) -> Tensor | None:
        if self.train.class_weights == "none" or not isinstance(self.task, Balanced):
            return None
        golds = [gold for gold in self.split.golds if gold is not None]
        weights = self.task.class_weights(golds, self.train.class_weights)
        return torch.tensor(weights, device=self.device)
