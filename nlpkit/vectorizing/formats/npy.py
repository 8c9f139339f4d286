"""npy: one dense array [documents, columns] for numpy.load, which can map it by mmap_mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from nlpkit.errors import UsageError
from nlpkit.vectorizing import Batch, Space

BINARY = True
WIDEST = 1 << 14  # most columns: with zeros, 128 KiB a document in float64
SLICE = 1 << 22  # most values of sparse rows to make dense at once


def write(batches: Iterable[Batch], stream: BinaryIO, space: Space) -> None:
    """Write the rows batch by batch, then the header with their number.

    Raises:
        UsageError: there are more than WIDEST columns.
    """
    if space.width > WIDEST:
        raise UsageError(
            f"npy stores zeros too: {space.width:,} columns are too many, the limit is {WIDEST:,}; "
            "use --to npz, or fewer columns by --max-features (count, tfidf) or --features (hash)"
        )
    documents = 0
    _header(stream, space, documents)
    for batch in batches:
        _dense(batch, stream, space)
        documents += len(batch.records)
    stream.seek(0)
    _header(stream, space, documents)  # of the same length: numpy pads it for any number of rows


def _header(stream: BinaryIO, space: Space, documents: int) -> None:
    import numpy as np

    shape = (documents, space.width)
    descr = np.lib.format.dtype_to_descr(np.dtype(space.dtype))
    about = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, about)


def _dense(batch: Batch, stream: BinaryIO, space: Space) -> None:
    if space.dense:
        stream.write(batch.rows.tobytes())
        return
    step = max(SLICE // space.width, 1)
    for start in range(0, len(batch.records), step):
        stream.write(batch.rows[start : start + step].toarray().tobytes())
