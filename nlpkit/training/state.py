"""The progress of a run, stored as JSON in its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class State:
    """Steps done, losses since the last evaluation on dev, and the lines of metrics.jsonl."""

    step: int = 0
    epoch: int = 0
    place: int = 0  # index of the next batch in the epoch
    loss_sum: float = 0.0
    losses: int = 0  # number of terms in loss_sum
    seconds: float = 0.0  # time spent before the last resume
    best: float | None = None  # the best dev score
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    data: str = ""
    world: int = 1

    @property
    def looks(self) -> int:
        """The number of evaluations on dev."""
        return len(self.history)

    @property
    def best_look(self) -> int:
        """The number, from 1, of the evaluation with the best weights; 0 before the first."""
        return max(
            (number for number, line in enumerate(self.history, 1) if line["best"]), default=0
        )

    @property
    def loss(self) -> float:
        """The mean loss since the last evaluation."""
        return self.loss_sum / max(self.losses, 1)

    @classmethod
    def restored(cls, stored: Mapping[str, Any], epoch_steps: int) -> State:
        """Return a stored state.

        Older checkpoints count steps within the epoch; `epoch_steps` converts them.
        """
        values = dict(stored)
        if "best_epoch" in values:
            place = values["step"]
            values |= {"place": place, "losses": place}
            values["step"] = values["epoch"] * epoch_steps + place
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
