"""Documents as vectors: one file is one output format, and its name is the format's name.

A format's file has

    BINARY = True             # never written to a terminal
    def write(batches: Iterable[Batch], stream, space: Space) -> None: ...

`stream` is a text stream, or for a binary format a seekable one of bytes that starts at 0. A
format that cannot hold the vectors of `space` says so before it asks for the first batch.

Shapes: N documents in a batch, D columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nlpkit.records import Record

__all__ = ["Batch", "Space"]


@dataclass(frozen=True, kw_only=True)
class Space:
    """What the columns are: how many, their names (terms) where they have any, and the values.

    `dense` vectors are numpy arrays [N, D]; the others are scipy CSR [N, D].
    """

    width: int
    dtype: str
    names: Sequence[str] | None = None
    dense: bool = False


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some documents in order, `first` the number of the first one, counted from 1.

    Records are as they came, rows [N, D]; labels are N, or none.
    """

    first: int
    records: Sequence[Record]
    rows: Any
    labels: Sequence[float] = field(default=())
