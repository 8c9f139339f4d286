"""Events of a search, among which a listener also hears those of each training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlpkit.training import events
from nlpkit.tuning.trial import Trial


@dataclass(frozen=True, slots=True)
class Searching:
    """The search begins; `best` is there when it is resumed."""

    metric: str
    best: Trial | None


@dataclass(frozen=True, slots=True)
class Trying:
    """A candidate is about to be measured and trained."""

    number: int
    architecture: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate has ended; whether it is the best so far."""

    trial: Trial
    best: bool


Event = events.Event | Searching | Trying | Tried
Listener = Callable[[Event], None]
