"""The events that a batch sends to its listener, in the order of sending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlpkit.batch.outcome import Outcome


@dataclass(frozen=True)
class Started:
    """The batch starts: the number of inputs, and their size in bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class ShardDone:
    """A shard was read: its records, and the bytes read so far of the open inputs."""

    records: int
    bytes: int


@dataclass(frozen=True)
class FileDone:
    """An input ended: its name, its size in bytes, and its outcome."""

    name: str
    bytes: int
    outcome: Outcome


Event = Started | ShardDone | FileDone
Listener = Callable[[Event], None]
