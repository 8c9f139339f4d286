"""What of a batch runs elsewhere, called by Ray: readers of inputs, and actors with a model.

Nothing that a person can mend is raised here, where Ray would try again or tell it in a page: it
travels as a row, and the first process raises it.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nlpkit.batch.parts import Parts, Shard
from nlpkit.batch.plan import Item, Settings
from nlpkit.batch.shards import cut
from nlpkit.batch.workers import answer, start
from nlpkit.errors import ModelError, NlpkitError
from nlpkit.jobs import batch as local


@dataclass(frozen=True)
class Row:
    """What travels: a shard or, once answered, its part; or how an input ended."""

    item: Item
    shard: Shard | None = None
    columns: list[str] = field(default_factory=list)
    number: int | None = None  # of the shard
    part: dict[str, bytes] = field(default_factory=dict)  # extension -> content
    size: int = 0  # records, bad ones counted
    rejects: int = 0
    reason: str = ""  # of the last reject
    read: int = 0  # bytes of the input
    seconds: float = 0.0  # of the actor
    count: int | None = None  # of shards: the input is read to its end
    problem: NlpkitError | None = None

    def packed(self) -> dict[str, bytes]:
        return {"row": pickle.dumps(self)}

    @staticmethod
    def unpacked(row: dict[str, Any]) -> Row:
        made: Row = pickle.loads(row["row"])
        return made


def read(row: dict[str, Any], settings: Settings, folder: Path) -> Iterator[dict[str, bytes]]:
    """Yield the shards of an input, those that were answered before without their records."""
    _go(folder)
    item, done = pickle.loads(row["row"])
    count = 0
    try:
        for shard, columns, read in cut(item, settings):
            count += 1
            yield Row(
                item,
                None if shard.number in done else shard,
                columns,
                number=shard.number,
                size=len(shard),
                rejects=len(shard.rejects),
                reason=shard.rejects[-1]["reason"] if shard.rejects else "",
                read=read,
            ).packed()
        yield Row(item, count=count).packed()
    except (NlpkitError, OSError) as problem:
        yield Row(item, problem=_told(problem, item)).packed()


class Predictor:
    """An actor: the model, loaded once."""

    def __init__(self, settings: Settings, fingerprint: str, folder: Path) -> None:
        _go(folder)
        os.environ["NLPKIT_THREADS"] = "1"  # the core that Ray counts for it
        self.problem: NlpkitError | None = None
        try:
            if local.fingerprint(settings.model) != fingerprint:
                raise ModelError(f"{settings.model}: is another model on {os.uname().nodename}")
            start(settings, 0)
        except NlpkitError as problem:  # raised here, Ray would try for ever
            self.problem = problem

    def __call__(self, row: dict[str, Any]) -> dict[str, bytes]:
        """Answer a shard; what is none goes by."""
        asked = Row.unpacked(row)
        if asked.shard is None:
            return row
        start = time.monotonic()
        try:
            if self.problem:
                raise self.problem
            part = _part(asked.item, asked.shard, asked.columns)
        except (NlpkitError, OSError) as problem:
            return Row(asked.item, problem=_told(problem, asked.item)).packed()
        seconds = time.monotonic() - start
        return replace(asked, shard=None, columns=[], part=part, seconds=seconds).packed()


def _part(item: Item, shard: Shard, columns: list[str]) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        answer(Parts(Path(folder), item), shard, columns)
        return {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}


def _told(problem: NlpkitError | OSError, item: Item) -> NlpkitError:
    return local.as_input_error(problem, item) if isinstance(problem, OSError) else problem


def _go(folder: Path) -> None:
    """Be where relative names are those of the person, if that is on this machine."""
    with suppress(OSError):
        os.chdir(folder)
