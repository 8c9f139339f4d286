"""Attention: the weight of a word is how much the network attends to it.

Networks that pool by attention (AtNet, attention pooling) weigh each token. In others, a token's
weight is the attention that it receives, averaged over the queries, the heads and the layers.

Legend: B batch, T time, H heads, U units of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.explaining.scores import Asked, Scorer
from nlpkit.explaining.tokens import attention, by_unit, encoded
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import Batch

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model

OPENS = "bundle"
SIGNED = False
CAUTION = (
    "attention shows where the network looked, not why it answered (Jain & Wallace 2019); "
    "compare its comprehensiveness with that of occlusion"
)


def weigh(model: Model, score: Scorer, asked: Sequence[Asked]) -> list[list[float]]:
    """Return the attention to each unit; the weights of a document's units sum to 1.

    Raises:
        ModelError: the network has no attention, or does not read the text itself.
    """
    read = tokens(model, [one.text for one in asked])
    pairs = zip(asked, read, strict=True)
    summed = [by_unit(one.units, received_U, offsets_U2) for one, (received_U, offsets_U2) in pairs]
    return [[weight / (sum(weights) or 1.0) for weight in weights] for weights in summed]


def tokens(model: Model, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the attention to each token of each text, and the tokens' offsets.

    Raises as `weigh`.
    """
    import numpy as np

    windows = model.windows.cut(encoded(model, texts))

    def call(batch: Batch) -> Any:
        arrays = attention(model, batch.feeds())
        pooled = [array.reshape(len(array), -1) for array in arrays if array.ndim < 4]
        if pooled:
            return np.mean(pooled, axis=0)
        return np.mean([_received(array, batch.mask_BT) for array in arrays], axis=0)

    rows, received = onepass.by_document(model, windows, call, onepass.joined)
    offsets = onepass.offsets_of(windows, rows) or []
    found = list(zip(received, offsets, strict=True))
    nothing = np.zeros(0), np.zeros((0, 2), dtype=np.int64)
    return [each or nothing for each in onepass.spread(rows, found, len(texts))]


def _received(weights_BHTT: np.ndarray, mask_BT: np.ndarray) -> np.ndarray:
    """Return received_BT, the mean over queries and heads of the attention to each token."""
    queries_B1T1 = mask_BT[:, None, :, None]
    received_BT: np.ndarray = (weights_BHTT * queries_B1T1).sum(axis=2).mean(axis=1)
    return received_BT / mask_BT.sum(axis=1, keepdims=True)
