"""npz: one scipy sparse matrix [documents, columns], which scipy.sparse.load_npz reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from nlpkit.errors import UsageError
from nlpkit.vectorizing import Batch, Space

BINARY = True


def write(batches: Iterable[Batch], stream: BinaryIO, space: Space) -> None:
    """Write all rows; what is not zero in them is held in memory until the last has come.

    Raises:
        UsageError: the vectors are dense.
    """
    if space.dense:
        raise UsageError("npz holds sparse vectors, and embed makes dense ones; use --to npy")
    from scipy import sparse

    parts = [batch.rows for batch in batches]
    whole = sparse.vstack(parts, "csr") if parts else _nothing(space)
    sparse.save_npz(stream, whole)


def _nothing(space: Space) -> object:
    from scipy import sparse

    return sparse.csr_matrix((0, space.width), dtype=space.dtype)
