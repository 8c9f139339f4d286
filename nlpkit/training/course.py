"""The protocol of a course, which gives the training loop its data, loss and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from nlpkit.training.descent import Descent
from nlpkit.training.events import EpochEnded, Evaluated

Forward = Callable[..., Any]  # the network, called in the run's precision
B = TypeVar("B")  # the course's type of a batch


@dataclass(frozen=True, slots=True)
class Look:
    """An evaluation on dev: its scores, and the mean training loss since the previous one.

    `speed` is in the course's units per second since then, `seconds` the time of the run so far.
    """

    epoch: int  # from 1
    step: int
    loss: float
    scores: Mapping[str, Any]
    best: bool
    speed: float
    seconds: float


class Course(Protocol[B]):
    """The protocol of a course; its randomness depends only on the seed, epoch and step."""

    section: str  # the recipe's section, for messages
    unit: str  # the unit of `count`: docs, tokens
    steps: int  # the steps of the whole run
    look_every: int  # steps between two evaluations on dev
    patience: int  # steps without a better score after which the run ends; 0 for no limit
    checkpoint_steps: int  # steps between two checkpoints
    decides: str  # the name of the score that chooses the best weights
    larger_is_better: bool

    def descent(self, device: torch.device) -> Descent:
        """Return the optimizer of the network."""

    def digest(self) -> str:
        """Return a hash of the data that a resumed run must match; "" for no check."""

    def batches(self, epoch: int, first: int) -> Iterator[B]:
        """Yield this process's batches of an epoch (from 0) from step `first` on."""

    def count(self, batch: B) -> int:
        """Return the number of units in a batch."""

    def loss(self, forward: Forward, batch: B, step: int) -> Tensor:
        """Return the loss of a batch, a scalar; `step` counts from 0."""

    def look(self, forward: Forward) -> Mapping[str, Any]:
        """Return the scores on dev, and leave the network in training mode."""

    def keep(self, folder: Path, look: Look) -> None:
        """Write the weights to a run's folder as the best so far."""

    def event(self, look: Look) -> EpochEnded | Evaluated:
        """Return the event of an evaluation; its line goes to metrics.jsonl."""

    def progress(self, step: int) -> tuple[int, int]:
        """Return (done, of) after `step` steps, for the progress bar."""
