"""npz: one scipy CSR matrix [documents, columns] for scipy.sparse.load_npz."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from nlpkit.errors import UsageError
from nlpkit.vectorizing import Batch, Space

BINARY = True


def write(batches: Iterable[Batch], stream: BinaryIO, space: Space) -> None:
    """Write all rows at the end; until then their nonzero values are held in memory.

    Raises:
        UsageError: the vectors are dense.
    """
    if space.dense:
        raise UsageError("npz holds sparse vectors, and those of embed are dense; use --to npy")
    from scipy import sparse

    parts = [batch.rows for batch in batches]
    whole = sparse.vstack(parts, "csr") if parts else _empty(space)
    sparse.save_npz(stream, whole)


def _empty(space: Space) -> object:
    from scipy import sparse

    return sparse.csr_matrix((0, space.width), dtype=space.dtype)
