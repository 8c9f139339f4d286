"""npy: one dense array [documents, columns], which numpy.load reads, also with mmap_mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from nlpkit.errors import UsageError
from nlpkit.vectorizing import Batch, Space

BINARY = True
WIDEST = 1 << 14  # columns, zeros and all: 128 KiB for every document
SLICE = 1 << 22  # values that are made dense at once


def write(batches: Iterable[Batch], stream: BinaryIO, space: Space) -> None:
    """Write rows as they come; the number of them goes into the header last.

    Raises:
        UsageError: there are too many columns for zeros to be written out.
    """
    if space.width > WIDEST:
        raise UsageError(
            f"npy would write out {space.width:,} columns, zeros too, and stops at {WIDEST:,}; "
            "use --to npz, or fewer with --max-features (count, tfidf) or --features (hash)"
        )
    documents = 0
    _header(stream, space, documents)
    for batch in batches:
        _dense(batch, stream, space)
        documents += len(batch.records)
    stream.seek(0)
    _header(stream, space, documents)  # as long as before: numpy leaves room for any number


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
