"""Attention as a matrix: of a text's tokens among themselves, or of a translation to its source.

Legend: B batch, T time, H heads, S tokens of the source, U tokens that are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlpkit.errors import ModelError, UsageError
from nlpkit.explaining.tokens import attention, encoded
from nlpkit.runtime import onepass, writing
from nlpkit.runtime.batcher import Batch, batches
from nlpkit.runtime.exposing import ATTENTION
from nlpkit.runtime.generate import Decoding
from nlpkit.runtime.graphs import IDS, NEXT, STEP
from nlpkit.svg import shown

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model

LARGEST = 80  # tokens of a text that are drawn


class Matrix(NamedTuple):
    """weights[r][c], the attention of row r's token to column c's; each row sums to 1 or less."""

    rows: list[str]
    columns: list[str]
    weights: list[list[float]]


def of_text(model: Model, text: str, layer: int | None = None, head: int | None = None) -> Matrix:
    """Return the attention of a text's tokens to one another; of pooling, one row.

    `layer` and `head` count from 1; None is the last layer, and the mean of the heads.

    Raises:
        ModelError: the network has no attention, or does not read the text itself.
        UsageError: there is no such layer or head, or the text is empty.
    """
    windows = model.windows.cut(encoded(model, [text]))
    batch = _first(windows, model.budget)
    count = int(batch.mask_BT[0].sum())
    arrays = attention(model, batch.feeds())
    array = arrays[_index("layer", layer, len(arrays))]
    offsets = onepass.offsets_of(windows, [0]) or []
    tokens = [shown(text[start:end]) for start, end in offsets[0][:count].tolist()]
    if array.ndim < 4:
        return Matrix([model.name], tokens, array.reshape(len(array), -1)[:1, :count].tolist())
    return Matrix(tokens, tokens, _of_head(array, head)[:count, :count].tolist())


def of_translation(
    model: Model, text: str, layer: int | None = None, head: int | None = None
) -> Matrix:
    """Return the attention of what a model writes to its source, as `of_text`.

    The text is written first, and read again token by token.
    """
    import numpy as np

    batch = _first(model.encode([text]), model.budget)
    count = int(batch.mask_BT[0].sum())
    written = writing.from_sources(
        model, model.encode([text]), [0], writing.Manner(longest=LARGEST, beams=1)
    )[0]
    ids = model.tokenizer.encode([written.text if written else ""]).ids_S.tolist()
    rows = np.stack(_read(model, batch, ids, layer, head, count))
    pieces = [*writing.pieces_text(model.tokenizer, ids), "</s>"]
    source = writing.pieces_text(model.tokenizer, batch.ids_BT[0, :count].tolist())
    return Matrix(_plain(pieces), _plain(source), rows.tolist())


def _read(
    model: Model,
    batch: Batch,
    ids: Sequence[int],
    layer: int | None,
    head: int | None,
    count: int,
) -> list[np.ndarray]:
    """Return the attention to the source, [S], of the step after bos and after each token."""
    import numpy as np

    bos, _ = model.task.bounds(model.tokenizer)
    decoding = Decoding(model.run, batch.feeds(), 1)
    names = [name for name in model.run.signatures[STEP].outputs if name.startswith(ATTENTION)]
    states = [NEXT + name for name in decoding.states]
    rows: list[np.ndarray] = []
    for token in (bos, *ids):
        feeds: dict[str, Any] = {IDS: np.array([[token]], dtype=np.int64)} | decoding.arrays
        arrays = model.run(STEP, feeds, names, states)
        decoding.arrays |= {name: arrays[NEXT + name] for name in decoding.states}
        if not rows:  # nothing is written yet: only attention to the source has its length
            time = batch.mask_BT.shape[1]
            names = [name for name in names if arrays[name].shape[-1] == time]
            if not names:
                raise ModelError(f"{model.name} does not attend to its source")
            names = [names[_index("layer", layer, len(names))]]
        rows.append(_of_head(arrays[names[0]], head)[0, :count])
    return rows


def _first(windows: Any, budget: int) -> Batch:
    """Return a batch of the first window alone. Raises UsageError if there is none."""
    import numpy as np

    if not len(windows):
        raise UsageError("--matrix draws the first text, which is empty")
    return next(batches(windows.select(np.array([0])), budget))


def _of_head(weights_BHTS: np.ndarray, head: int | None) -> np.ndarray:
    """Return the weights of the batch's first row, [T, S]: those of a head, or their mean."""
    one_HTS = weights_BHTS[0]
    mean_TS: np.ndarray = one_HTS.mean(axis=0)
    return mean_TS if head is None else one_HTS[_index("head", head, len(one_HTS))]


def _index(name: str, number: int | None, count: int) -> int:
    if number is None:
        return count - 1
    if not 1 <= number <= count:
        raise UsageError(f"--{name} {number}: the network has {count}, counted from 1")
    return number - 1


def _plain(pieces: Sequence[str]) -> list[str]:
    return [shown(piece.strip()) or "␣" for piece in pieces]
