"""Documents to windows of token ids, by the tokenizer that was trained with the model.

The ids of many documents lie in one array, one document after another: arrays of a few dozen ids
would cost more than the ids themselves.

Legend: N documents, W windows, S tokens of all documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlpkit.text.pieces import Pieces

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

    from nlpkit.text.words import WordEncoder


@dataclass(frozen=True)
class Windows:
    """The windows of some documents, in order.

    Window w belongs to document `owner_W[w]` and holds its tokens from `first_W[w]` to before
    `last_W[w]`; they begin at `ids_S[start_W[w]]`. Where a token is several ids (words), ids are
    [S, F].
    """

    ids_S: np.ndarray
    owner_W: np.ndarray
    start_W: np.ndarray
    first_W: np.ndarray
    last_W: np.ndarray

    def __len__(self) -> int:
        return len(self.owner_W)

    def spans(self, places: slice) -> list[tuple[int, int]]:
        """Return the (first, last) of some windows."""
        pairs = zip(self.first_W[places].tolist(), self.last_W[places].tolist(), strict=True)
        return list(pairs)


class Encoder:
    """Encode texts; one longer than `window` becomes windows that share `overlap` tokens."""

    def __init__(self, tokenizer: Tokenizer, *, window: int, overlap: int) -> None:
        if not 0 <= overlap < window:
            raise ValueError(f"overlap = {overlap} must be at least 0 and below window = {window}")
        self.tokenizer = tokenizer
        self.pieces = Pieces(tokenizer)
        self.window = window
        self.overlap = overlap
        self.vocab_size = int(tokenizer.get_vocab_size())

    @classmethod
    def from_json(cls, text: str, *, window: int, overlap: int) -> Encoder:
        """Build from the contents of tokenizer.json."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_str(text), window=window, overlap=overlap)

    def flat(self, texts: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all texts, ids_S, and how many each has, lengths_N (int64)."""
        return self.pieces(texts)

    def ids(self, texts: Sequence[Any]) -> list[np.ndarray]:
        """Return each document's ids, whole."""
        import numpy as np

        ids_S, lengths_N = self.flat(texts)
        return np.split(ids_S, np.cumsum(lengths_N)[:-1]) if len(texts) else []

    def windows(self, texts: Sequence[Any]) -> Windows:
        """Encode and cut. A document without tokens has no window."""
        return cut(*self.flat(texts), self.window, self.overlap)

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        return str(self.tokenizer.to_str())

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids such as these, for the export and its gate."""
        return rng.integers(1, self.vocab_size, (batch, time))


def read_encoder(text: str, *, window: int, overlap: int) -> Encoder | WordEncoder:
    """Return the encoder that tokenizer.json describes."""
    if text.startswith('{"kind": "words"'):
        from nlpkit.text.words import WordEncoder

        return WordEncoder.from_json(text, window=window, overlap=overlap)
    return Encoder.from_json(text, window=window, overlap=overlap)


def cut(ids_S: np.ndarray, lengths_N: np.ndarray, window: int, overlap: int) -> Windows:
    """Cut each document's ids into windows.

    Every window but a lone one is full, so the last is moved back rather than cut short: a
    few stray tokens are never read without context.
    """
    import numpy as np

    stride = window - overlap
    counts_N = np.maximum(-(-(lengths_N - window) // stride), 0) + (lengths_N > 0)
    owner_W = np.repeat(np.arange(len(lengths_N)), counts_N)
    place_W = np.arange(len(owner_W)) - (np.cumsum(counts_N) - counts_N)[owner_W]
    first_W = np.minimum(place_W * stride, np.maximum(lengths_N - window, 0)[owner_W])
    last_W = np.minimum(first_W + window, lengths_N[owner_W])
    start_W = (np.cumsum(lengths_N) - lengths_N)[owner_W] + first_W
    return Windows(ids_S, owner_W, start_W, first_W, last_W)
