"""A candidate of a search and its result: one line of trials.jsonl."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nlpkit.metrics import minimised

State = Literal["complete", "pruned", "infeasible", "invalid", "failed", "stopped"]


@dataclass(kw_only=True, slots=True)
class Trial:
    """A candidate and its measurements; those not made yet have their defaults."""

    number: int
    state: State = "complete"
    score: float | None = None
    epochs: int = 0
    size: int | None = None  # bytes
    speed: float | None = None  # documents a second on one core
    seconds: float = 0.0  # wall time of the whole trial
    reason: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the record of trials.jsonl and of the study's journal."""
        values = dataclasses.asdict(self)
        return {"trial": values.pop("number")} | values

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Trial:
        """Return the trial of a record.

        Raises:
            KeyError, TypeError: the record is not of a trial.
        """
        return cls(number=record["trial"], **{k: v for k, v in record.items() if k != "trial"})


class Ended(Exception):
    """Raised to end a trial without a score, with its state and the reason."""

    def __init__(self, state: State, reason: str) -> None:
        self.state: State = state
        super().__init__(reason)


@dataclass(frozen=True)
class Outcome:
    """The result of a search; `best` is the trial whose run is in best/, or None."""

    metric: str
    trials: list[Trial]
    best: Trial | None
    interrupted: bool

    def ranking(self) -> list[Trial]:
        """Return the complete trials, best first."""
        return ranked(self.trials, self.metric)


def ranked(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the complete trials, best first; among equals the earlier, whose run was kept."""
    sign = 1 if minimised(metric) else -1
    scored = [
        (sign * trial.score, trial)
        for trial in trials
        if trial.state == "complete" and trial.score is not None
    ]
    return [trial for _, trial in sorted(scored, key=lambda pair: pair[0])]
