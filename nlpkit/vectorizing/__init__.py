"""Document vectors: counting, weighting, hashing and embedding texts, and the output formats.

An output format is a file of `formats/`, which has

    BINARY = True             # whether the format is binary, which a terminal never gets
    def write(batches: Iterable[Batch], stream, space: Space) -> None: ...

`stream` is a text stream, or for a binary format a seekable byte stream at position 0. A format
that cannot hold the vectors of `space` raises UsageError before it takes the first batch.

Legend: N documents in a batch, D columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nlpkit.records import Record

__all__ = ["Batch", "Space"]


@dataclass(frozen=True, kw_only=True)
class Space:
    """The columns of vectors: their number D, numpy dtype and, where they are terms, names.

    Rows are numpy arrays [N, D] if `dense`, else scipy CSR matrices [N, D].
    """

    width: int
    dtype: str
    names: Sequence[str] | None = None
    dense: bool = False


@dataclass(frozen=True, kw_only=True)
class Batch:
    """N consecutive documents: their records as read, rows [N, D] and N labels, or no labels.

    `first` is the number of the first document, counted from 1.
    """

    first: int
    records: Sequence[Record]
    rows: Any
    labels: Sequence[float] = field(default=())
