"""Events of a batch, in the order in which a listener hears them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlpkit.batch.outcome import Outcome


@dataclass(frozen=True)
class Started:
    """The inputs are known: how many, and their bytes in all."""

    files: int
    bytes: int


@dataclass(frozen=True)
class ShardDone:
    """A shard was handed on: its records, and how many bytes of the open inputs are read."""

    records: int
    bytes: int


@dataclass(frozen=True)
class FileDone:
    """An input has ended: its name, its bytes, and its outcome."""

    name: str
    bytes: int
    outcome: Outcome


Event = Started | ShardDone | FileDone
Listener = Callable[[Event], None]
