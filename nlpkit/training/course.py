"""The contract of a course: the loss to minimise in one run of the training loop, and its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from nlpkit.training.descent import Descent
from nlpkit.training.events import EpochEnded, Evaluated

Forward = Callable[..., Any]  # the network, called in the precision of the run
B = TypeVar("B")  # a batch, as the course makes and reads it


@dataclass(frozen=True, slots=True)
class Look:
    """Scores on dev after some steps, with the mean loss and the speed since the look before."""

    epoch: int  # from 1
    step: int
    loss: float
    scores: Mapping[str, Any]
    best: bool
    speed: float
    seconds: float


class Course(Protocol[B]):
    """All that is random in it follows from the seed, the epoch and the step."""

    section: str  # of the recipe, as messages name it
    unit: str  # counted in a batch: docs, tokens
    steps: int  # in all
    look_every: int  # steps between two looks at dev
    patience: int  # steps without a better score that end the run; 0 never ends it
    checkpoint_steps: int  # steps between two checkpoints
    decides: str  # the score by which the best weights are kept
    larger_is_better: bool

    def descent(self, device: torch.device) -> Descent:
        """Return the optimizer of the network."""

    def digest(self) -> str:
        """Return a hash of the data with which alone a run may be resumed; "" for any."""

    def batches(self, epoch: int, first: int) -> Iterator[B]:
        """Yield this process's batches of an epoch (from 0), without the `first` ones."""

    def count(self, batch: B) -> int:
        """Return how many units a batch holds."""

    def loss(self, forward: Forward, batch: B, step: int) -> Tensor:
        """Return the loss of a batch, a scalar; `step` counts from 0."""

    def look(self, forward: Forward) -> Mapping[str, Any]:
        """Return the scores on dev; the network is left in its training mode."""

    def keep(self, folder: Path, look: Look) -> None:
        """Write the weights into a run's folder as its best."""

    def event(self, look: Look) -> EpochEnded | Evaluated:
        """Return what a listener hears of a look; its line goes to metrics.jsonl."""

    def progress(self, step: int) -> tuple[int, int]:
        """Return how much of what is done after `step` steps, as a bar shows it."""
