"""Where a run stands, as JSON in its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class State:
    """Steps taken, the losses since the last look at dev, and the lines of metrics.jsonl."""

    step: int = 0
    epoch: int = 0
    place: int = 0  # of the next batch in the epoch
    loss_sum: float = 0.0
    losses: int = 0
    seconds: float = 0.0  # of earlier attempts
    best: float | None = None
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    data: str = ""
    world: int = 1

    @property
    def looks(self) -> int:
        """The number of looks at dev."""
        return len(self.history)

    @property
    def best_look(self) -> int:
        """The look whose weights were kept, from 1; 0 before the first."""
        return max((place for place, line in enumerate(self.history, 1) if line["best"]), default=0)

    @property
    def loss(self) -> float:
        """The mean loss since the last look."""
        return self.loss_sum / max(self.losses, 1)

    @classmethod
    def restored(cls, stored: Mapping[str, Any], epoch_steps: int) -> State:
        """Return a stored state.

        Trainings once counted their steps within the epoch; `epoch_steps` converts those.
        """
        values = dict(stored)
        if "best_epoch" in values:
            place = values["step"]
            values |= {"place": place, "losses": place}
            values["step"] = values["epoch"] * epoch_steps + place
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
