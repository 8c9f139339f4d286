"""svmlight (libsvm): lines of `label column:value ...`, columns from 0, as scikit-learn's."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TextIO

from nlpkit.errors import MissingExtra
from nlpkit.vectorizing import Batch, Space

BINARY = False


def write(batches: Iterable[Batch], stream: TextIO, space: Space) -> None:
    """Write one line for each document, batch by batch; without labels every label is 0.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import dump_svmlight_file
    except ModuleNotFoundError:
        raise MissingExtra("vectors", "scikit-learn") from None

    for batch in batches:
        lines = io.BytesIO()
        labels = batch.labels or [0.0] * len(batch.records)
        dump_svmlight_file(batch.rows, labels, lines, zero_based=True)
        stream.write(lines.getvalue().decode("ascii"))
