"""The tokens of a document for methods that weigh tokens, and their sums by word.

Legend: B batch, T time, H heads, U tokens of a document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError
from nlpkit.explaining.scores import Asked
from nlpkit.explaining.words import Span
from nlpkit.runtime import onepass
from nlpkit.runtime.exposing import ATTENTION
from nlpkit.runtime.graphs import MAIN
from nlpkit.runtime.model import framing_of
from nlpkit.text import encode

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text.windows import Windows


def encoded(model: Model, texts: Sequence[str]) -> Any:
    """Return the tokens of texts with their offsets in the texts.

    Raises:
        ModelError: the model's steps change the texts before the network reads them.
    """
    if list(model.prepared(texts)) != list(texts):
        raise ModelError(
            f"{model.name} changes texts before its network reads them, so that weights cannot "
            "be given to their words; use --method occlusion"
        )
    bounds = framing_of(model.task, model.tokenizer)
    return encode(model.tokenizer, texts, offsets=True, bounds=bounds)


def attention(model: Model, feeds: dict[str, Any]) -> list[np.ndarray]:
    """Return the attention weights of a batch, [B, H, T, T] of each layer, or [B, T] of pooling.

    A network that puts bos and eos around the tokens itself gives T + 2 columns; they are cut.

    Raises:
        ModelError: the network has no attention.
    """
    signature = model.run.signatures.get(MAIN)
    names = [name for name in signature.outputs if name.startswith(ATTENTION)] if signature else []
    if not names:
        raise ModelError(
            f"{model.name} has no attention; use --method occlusion, which explains any model"
        )
    arrays = model.run(MAIN, feeds, names)
    time = feeds["mask"].shape[1]
    return [_framed(arrays[name], time) for name in names]


def _framed(array: np.ndarray, time: int) -> np.ndarray:
    if array.ndim == 4 and array.shape[-1] == time + 2:
        return array[:, :, 1:-1, 1:-1]
    return array


def weights(
    model: Model, asked: Sequence[Asked], call: Callable[[Windows], onepass.Call]
) -> list[list[float]]:
    """Return the weight of each unit of each document: the sum of those of its tokens.

    `call` maps the windows of the documents to a function from a batch to the weights of its
    tokens, values_BT.

    Raises:
        ModelError: as `encoded`.
    """
    windows = model.windows.cut(encoded(model, [one.text for one in asked]))
    rows, values = onepass.by_document(model, windows, call(windows), onepass.joined)
    summed = [[0.0] * len(one.units) for one in asked]
    for row, values_U, offsets_U2 in zip(
        rows, values, onepass.offsets_of(windows, rows) or [], strict=True
    ):
        summed[row] = _by_unit(asked[row].units, values_U, offsets_U2)
    return summed


def _by_unit(units: Sequence[Span], values_U: np.ndarray, offsets_U2: np.ndarray) -> list[float]:
    """Return the sum of the tokens' values in each unit, of whose words they are parts.

    A token belongs to the last unit that begins before its middle.
    """
    import numpy as np

    starts = np.array([start for start, _ in units], dtype=np.int64)
    middles = (offsets_U2[:, 0] + offsets_U2[:, 1]) // 2
    owner = (np.searchsorted(starts, middles, side="right") - 1).clip(min=0)
    sums: list[float] = np.bincount(owner, weights=values_U, minlength=len(starts)).tolist()
    return sums
