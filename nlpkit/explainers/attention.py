"""Attention: the weight of a word is how much the network attends to it.

Networks that pool by attention (AtNet, attention pooling) weigh each token. In others, a token's
weight is the attention that it receives, averaged over the queries, the heads and the layers.

Legend: B batch, T time, H heads, U units of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.explaining.scores import Asked, Scorer
from nlpkit.explaining.tokens import attention, weights
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
    summed = weights(model, asked, lambda windows: lambda batch: _attention(model, batch))
    return [[weight / (sum(own) or 1.0) for weight in own] for own in summed]


def _attention(model: Model, batch: Batch) -> Any:
    """Return the attention to each token, [B, T]: that of pooling if the network pools by it."""
    import numpy as np

    arrays = attention(model, batch.feeds())
    pooled = [array.reshape(len(array), -1) for array in arrays if array.ndim < 4]
    return np.mean(pooled or [_received(array, batch.mask_BT) for array in arrays], axis=0)


def _received(weights_BHTT: np.ndarray, mask_BT: np.ndarray) -> np.ndarray:
    """Return received_BT, the mean over queries and heads of the attention to each token."""
    queries_B1T1 = mask_BT[:, None, :, None]
    received_BT: np.ndarray = (weights_BHTT * queries_B1T1).sum(axis=2).mean(axis=1)
    return received_BT / mask_BT.sum(axis=1, keepdims=True)
