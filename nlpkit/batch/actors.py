"""The remote half of a batch on Ray: tasks that read inputs, and actors that run the model.

Errors are returned as rows, which the driver raises: an exception in a task would make Ray retry it
or print a traceback.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nlpkit.batch.answering import answer, load
from nlpkit.batch.job import as_input_error, fingerprint
from nlpkit.batch.parts import Parts
from nlpkit.batch.plan import Item, Settings
from nlpkit.batch.shards import Shard, shards
from nlpkit.errors import ModelError, NlpkitError
from nlpkit.runtime.model import Model


@dataclass(frozen=True)
class Row:
    """A row of the Ray dataset: a shard, the part of an answered shard, or the end of an input."""

    item: Item
    shard: Shard | None = None
    number: int | None = None  # of the shard
    part: dict[str, bytes] = field(default_factory=dict)  # extension -> content
    size: int = 0  # records of the shard, rejected ones included
    rejects: int = 0
    reason: str = ""  # of the last rejected record
    read: int = 0  # bytes of the input that have been read
    seconds: float = 0.0  # time of the actor
    count: int | None = None  # shards of the input, only in its last row
    problem: NlpkitError | None = None

    def packed(self) -> dict[str, bytes]:
        """Serialise the row for Ray."""
        return {"row": pickle.dumps(self)}

    @staticmethod
    def unpacked(row: dict[str, Any]) -> Row:
        """Deserialise a row from Ray."""
        unpacked: Row = pickle.loads(row["row"])
        return unpacked


def read(
    row: dict[str, Any], settings: Settings, folder: Path, imports: Sequence[str] = ()
) -> Iterator[dict[str, bytes]]:
    """Yield the shards of an input; a shard whose part is already written has no records.

    `folder` and `imports` are the driver's working folder and sys.path.
    """
    _enter(folder, imports)
    item, done = pickle.loads(row["row"])
    count = 0
    try:
        for shard, position in shards(item, settings):
            count += 1
            yield Row(
                item,
                None if shard.number in done else shard,
                number=shard.number,
                size=len(shard),
                rejects=len(shard.rejects),
                reason=shard.rejects[-1]["reason"] if shard.rejects else "",
                read=position,
            ).packed()
        yield Row(item, count=count).packed()
    except (NlpkitError, OSError) as problem:
        yield Row(item, problem=_portable(problem, item)).packed()


class Predictor:
    """An actor that loads the model once and answers shards on one core."""

    def __init__(
        self, settings: Settings, model: str, folder: Path, imports: Sequence[str] = ()
    ) -> None:
        """Load the model and compare its fingerprint with `model`, the driver's.

        An error is kept in `self.model`; the first shard reports it.
        """
        _enter(folder, imports)
        self.settings = settings
        self.model: Model | NlpkitError  # or the error of loading it
        try:
            if fingerprint(settings.model) != model:
                raise ModelError(
                    f"{settings.model}: the model on {os.uname().nodename} is a different one; "
                    "install the same bundle on every machine"
                )
            self.model = load(settings, threads=1)
        except NlpkitError as problem:  # raised here, it would make Ray restart the actor for ever
            self.model = problem

    def __call__(self, row: dict[str, Any]) -> dict[str, bytes]:
        """Answer a shard and return its part; return any other row unchanged."""
        asked = Row.unpacked(row)
        if asked.shard is None:
            return row
        start = time.monotonic()
        try:
            part = self._part(asked.item, asked.shard)
        except (NlpkitError, OSError) as problem:
            return Row(asked.item, problem=_portable(problem, asked.item)).packed()
        return replace(asked, shard=None, part=part, seconds=time.monotonic() - start).packed()

    def _part(self, item: Item, shard: Shard) -> dict[str, bytes]:
        """Answer a shard; return the files of its part by extension."""
        if isinstance(self.model, NlpkitError):
            raise self.model
        with TemporaryDirectory() as folder:
            answer(self.model, self.settings, Parts(Path(folder), item), shard)
            return {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}


def _portable(problem: NlpkitError | OSError, item: Item) -> NlpkitError:
    return as_input_error(problem, item) if isinstance(problem, OSError) else problem


def _enter(folder: Path, imports: Sequence[str]) -> None:
    """Change to the driver's working folder and add its import paths, if this machine has them.

    This makes relative inputs and the driver's plugins available.
    """
    with suppress(OSError):
        os.chdir(folder)
    sys.path += [path for path in imports if path not in sys.path and Path(path).exists()]
