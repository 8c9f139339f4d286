"""The course of a training run: epochs over labelled rows, with teachers and augmentation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit import augmentations
from nlpkit.abilities import Balanced
from nlpkit.errors import InputError
from nlpkit.metrics import minimised, numbers
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Reads
from nlpkit.text import encode
from nlpkit.training import checkpoint
from nlpkit.training.course import Forward, Look
from nlpkit.training.data import Split
from nlpkit.training.descent import Descent
from nlpkit.training.distributed import Team
from nlpkit.training.epoch import Epoch
from nlpkit.training.events import EpochEnded
from nlpkit.training.judge import Judge, chosen_by
from nlpkit.training.loss import Reading, TaskLoss
from nlpkit.training.network import learned
from nlpkit.wording import plural

Variants = Callable[[int], list[np.ndarray]]
EPOCHS = 5  # passes over the training data if the recipe sets none
STEPS = 700  # least steps of these passes; fewer leave a network untrained


@dataclass(frozen=True)
class Rows:
    """The training rows, their ids and, for a task with OFFSETS, the offsets of their tokens."""

    split: Split
    ids: list[np.ndarray]
    offsets: list[np.ndarray] | None = None


class Supervised:
    """A `nlpkit.training.course.Course` over a recipe's rows; evaluates after each epoch."""

    section, unit = "train", "docs"

    def __init__(
        self,
        *,
        recipe: Recipe,
        network: nn.Module,
        model: Model,
        train: Rows,
        dev: Split,
        team: Team,
        teacher_NC: Tensor | None = None,
        variants: Variants | None = None,
    ) -> None:
        """Create the course.

        `teacher_NC` has the teachers' probabilities for N documents and C labels, 0 without an
        answer. `variants` maps an epoch to the ids of its augmented texts.

        Raises:
            InputError: there are too few rows for the team.
        """
        self.recipe, self.settings = recipe, recipe.train
        self.network, self.model, self.team = network, model, team
        self.split, self.ids, self.offsets = train.split, train.ids, train.offsets
        self.dev, self.teacher_NC, self.variants = dev, teacher_NC, variants
        self.decides = chosen_by(model.task, recipe.data.choose_by)
        self.larger_is_better = not minimised(model.task.score)
        self.task_loss = TaskLoss(
            model.task,
            model.tokenizer,
            self.split,
            recipe.train,
            recipe.distill,
            team.device,
            teacher_NC,
        )
        epoch_steps = len(self._drawn(0, self.ids)) // team.world
        if not epoch_steps:
            raise InputError(
                f"training data: {plural(len(self.ids), 'document')}, too few for a batch in "
                f"each of {plural(team.world, 'process', 'processes')}; "
                "lower train.batch_size or start fewer processes"
            )
        epochs = self.settings.epochs or max(EPOCHS, -(-STEPS // epoch_steps))
        self.steps = self.settings.steps or epoch_steps * epochs
        self.look_every = self.settings.eval_steps or epoch_steps
        self.patience = self.settings.patience
        self.checkpoint_steps = self.settings.checkpoint_steps
        self.trace: Callable[[int], None] = untraced  # called before each step

    def descent(self, device: torch.device) -> Descent:
        """Return the optimizer of the network."""
        lowest = self.network.encoder or self.network.head
        return Descent(self.network, lowest, self.settings, device, start=self.recipe.init)

    def digest(self) -> str:
        """Return a hash of the examples; a run resumes only on the same data."""
        golds, dev_golds = (self._plain(split.golds) for split in (self.split, self.dev))
        parts = [golds, self.split.weights, self.split.priors, dev_golds]
        digest = hashlib.sha256(repr([*parts, self.dev.documents]).encode("utf-8", "replace"))
        if self.teacher_NC is not None:
            digest.update(self.teacher_NC.numpy().tobytes())
        for ids in self.ids:
            digest.update(ids.tobytes())
        return digest.hexdigest()

    def _plain(self, golds: list[Any]) -> list[Any]:
        """Return golds as plain values; labels become indices, as in older checkpoints."""
        task = self.model.task
        if not isinstance(task, Balanced):
            return [None if gold is None else gold.plain() for gold in golds]
        return [None if gold is None else task.label_index(gold) for gold in golds]

    def batches(self, epoch: int, first: int) -> Iterator[Reading]:
        """Yield this process's batches of an epoch from step `first` on."""
        drawn = self._drawn(epoch, self.variants(epoch) if self.variants else self.ids)
        for batch, spans in drawn.batches(first, self.team.rank, self.team.world):
            yield Reading(batch, self._reads(batch.rows, spans))

    def _drawn(self, epoch: int, ids: list[np.ndarray]) -> Epoch:
        return Epoch(
            ids,
            batch_size=self.settings.batch_size,
            batch_tokens=self.settings.batch_tokens,
            windows=self.model.windows,
            seed=self.settings.seed,
            epoch=epoch,
        )

    def _reads(self, rows: list[int], spans: list[tuple[int, int]]) -> Reads:
        """Return the spans of the tokens that are read, and their offsets in the texts."""
        if self.offsets is None:
            return Reads(spans)
        parts = zip(rows, spans, strict=True)
        return Reads(spans, [self.offsets[row][start:end] for row, (start, end) in parts])

    def count(self, batch: Reading) -> int:
        """Return the number of documents."""
        return len(batch.batch.rows)

    def loss(self, forward: Forward, batch: Reading, step: int) -> Tensor:
        """Return the loss of a batch."""
        self.trace(step)
        return self.task_loss(forward, batch)

    def look(self, forward: Forward) -> Mapping[str, Any]:
        """Return the task's scores on dev."""
        learned(self.model.task, self.network)
        return Judge(self.model, self.dev, self.recipe.data.choose_by).scores()

    def keep(self, folder: Path, look: Look) -> None:
        """Write the network's weights."""
        path = folder / "model.safetensors"
        checkpoint.save_tensors(path, self.network.state_dict(), {"epoch": look.epoch})

    def event(self, look: Look) -> EpochEnded:
        """Return the event of an epoch's end."""
        return EpochEnded(
            epoch=look.epoch,
            loss=round(look.loss, 6),
            score=self.decides,
            best=look.best,
            docs_per_second=round(look.speed, 1),
            seconds=round(look.seconds, 1),
            scores=numbers(look.scores),
        )

    def progress(self, step: int) -> tuple[int, int]:
        """Return (steps done, steps) of the epoch."""
        return (step - 1) % self.look_every + 1, self.look_every


def untraced(step: int) -> None:
    """Trace nothing before a step."""


def augmented(
    recipe: Recipe, documents: list[Any], ids: list[np.ndarray], model: Model
) -> Variants | None:
    """Return a function from an epoch to the ids of its augmented texts, or None without [augment].

    A text that has no tokens after augmentation is used unchanged.
    """
    if not recipe.augment:
        return None
    augment = augmentations.build(recipe.augment, recipe.folder)

    def variants(epoch: int) -> list[np.ndarray]:
        seed = recipe.train.seed
        texts = [
            augment(text, Random(f"{seed} {epoch} {row}")) for row, text in enumerate(documents)
        ]
        prepared = texts if model.steps is None else model.steps.texts(texts)
        fresh = encode(model.tokenizer, prepared).each()
        return [new if len(new) else old for new, old in zip(fresh, ids, strict=True)]

    return variants
