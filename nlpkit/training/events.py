"""Events of a training or pretraining run, in the order in which a listener receives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Stop(Exception):
    """Raised by a listener to end the training; the run keeps the best weights so far."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A teacher has answered `done` of `of` texts."""

    teacher: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning about the data; training continues."""

    message: str


@dataclass(frozen=True, slots=True)
class Started:
    """The data is read and the network is built.

    `tokens` is for pretraining only; `from_scratch` tells that a task with labels starts without
    pretrained weights. `labels` counts those of the training files.
    """

    documents: int
    dev: int
    parameters: int
    vocab_size: int
    tokens: int | None = None
    from_scratch: bool = False
    labels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps were done: `done` of `of` for the progress bar, at `speed` units a second."""

    epoch: int
    done: int
    of: int
    loss: float
    speed: float
    unit: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """An epoch has ended and dev was scored; `score` names the metric that chooses the best."""

    epoch: int
    loss: float
    score: str
    best: bool
    docs_per_second: float
    seconds: float
    scores: Mapping[str, float]

    def line(self) -> dict[str, Any]:
        """Return the line of metrics.jsonl."""
        return {
            "event": "epoch",
            "epoch": self.epoch,
            "loss": self.loss,
            "score": self.score,
            "best": self.best,
            "docs_per_second": self.docs_per_second,
            "seconds": self.seconds,
        } | _dev(self.scores)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A pretraining run was scored on its dev texts."""

    step: int
    loss: float
    best: bool
    seconds: float
    scores: Mapping[str, float]

    def line(self) -> dict[str, Any]:
        """Return the line of metrics.jsonl."""
        return {
            "event": "evaluation",
            "step": self.step,
            "loss": self.loss,
            "best": self.best,
            "seconds": self.seconds,
        } | _dev(self.scores)


Event = Asked | Warned | Started | Progress | EpochEnded | Evaluated
Listener = Callable[[Event], None]


def _dev(scores: Mapping[str, float]) -> dict[str, float]:
    return {f"dev_{name}": value for name, value in scores.items()}
