"""The surprise of texts to a language model: -log2 of the chance of each word.

Legend: B batch, T time, W windows, U tokens of a document.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.answers.surprise import Surprise, Word
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.generate import Decoding
from nlpkit.runtime.graphs import IDS, STEP, SURPRISE
from nlpkit.text.documents import whole_text
from nlpkit.text.unicode import visible

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.text.windows import Windows

_WORD = re.compile(r"\S+")


def answers(
    model: onepass.Reader, documents: Sequence[Any], windows: Windows
) -> list[Surprise | None]:
    """Return the surprise of each document, in order; None for one without tokens.

    A long document is read in windows, in which a token has the context of at least half of the
    overlap.
    """

    def call(batch: Batch) -> np.ndarray:
        states = Decoding(model.run, {}, len(batch.rows)).arrays
        nats: np.ndarray = model.run(STEP, {IDS: batch.ids_BT} | states, (SURPRISE,))[SURPRISE]
        return nats

    rows, nats = onepass.by_document(model, windows, call, onepass.joined)
    offsets = onepass.offsets_of(windows, rows) or []
    found = [
        _surprise(whole_text(documents[row]), nats_U / math.log(2), offsets_U2)
        for row, nats_U, offsets_U2 in zip(rows, nats, offsets, strict=True)
    ]
    return onepass.spread(rows, found, len(documents))


def _surprise(text: str, bits_U: np.ndarray, offsets_U2: np.ndarray) -> Surprise:
    """Return the surprise of a text by the bits of its tokens; the last one is its end."""
    import numpy as np

    spans = [match.span() for match in _WORD.finditer(text)]
    starts = np.array([start for start, _ in spans], dtype=np.int64)
    # A token belongs to the word in which its first letter is; blanks, to the word before them.
    word_U = np.searchsorted(starts, offsets_U2[:-1, 0], side="right") - 1
    sums = np.bincount(word_U.clip(min=0), weights=bits_U[:-1], minlength=len(spans))
    words = [
        Word(start, end, text[start:end], float(bits))
        for (start, end), bits in zip(spans, sums.tolist(), strict=False)
    ]
    size = len(visible(text).encode("utf-8", "replace")) + 1
    return Surprise(tuple(words), float(bits_U.sum()), size, len(bits_U) - 1)
