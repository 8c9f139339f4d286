"""Events of a search; a listener also receives the events of each training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlpkit.training import events
from nlpkit.tuning.trial import Trial


@dataclass(frozen=True, slots=True)
class Searching:
    """The search begins; `best` is the best trial so far of a search that is resumed."""

    metric: str
    best: Trial | None


@dataclass(frozen=True, slots=True)
class Trying:
    """A candidate is about to be measured and trained."""

    number: int
    architecture: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate has ended; `best` tells whether it is the best so far."""

    trial: Trial
    best: bool


Event = events.Event | Searching | Trying | Tried
Listener = Callable[[Event], None]
