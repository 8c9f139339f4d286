"""Documents to windows of token ids, by the tokenizer that was trained with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlpkit.runtime.pieces import Pieces

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

    from nlpkit.runtime.words import WordEncoder


@dataclass(frozen=True)
class Windows:
    """The windows of some documents, in order.

    `ids[i]` are tokens of document `owner[i]`: those from `spans[i][0]` to before `spans[i][1]`.
    """

    ids: list[np.ndarray]
    owner: list[int]
    spans: list[tuple[int, int]]


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

    def ids(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return each document's ids, whole (int64)."""
        import numpy as np

        return [np.array(ids, dtype=np.int64) for ids in self.pieces(texts)]

    def windows(self, texts: Sequence[str]) -> Windows:
        """Encode and cut. A document without tokens has no window."""
        return cut(self.ids(texts), self.window, self.overlap)

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        return str(self.tokenizer.to_str())

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids such as these, for the export and its gate."""
        return rng.integers(1, self.vocab_size, (batch, time))


def read_encoder(text: str, *, window: int, overlap: int) -> Encoder | WordEncoder:
    """Return the encoder that tokenizer.json describes."""
    if text.startswith('{"kind": "words"'):
        from nlpkit.runtime.words import WordEncoder

        return WordEncoder.from_json(text, window=window, overlap=overlap)
    return Encoder.from_json(text, window=window, overlap=overlap)


def cut(documents: Sequence[np.ndarray], window: int, overlap: int) -> Windows:
    """Cut each document's ids into windows."""
    windows = Windows([], [], [])
    for document, ids in enumerate(documents):
        for start, end in spans(len(ids), window, overlap):
            windows.ids.append(ids[start:end])
            windows.owner.append(document)
            windows.spans.append((start, end))
    return windows


def spans(length: int, window: int, overlap: int) -> list[tuple[int, int]]:
    """Return the (start, end) of windows that cover `length` tokens.

    Every window but a lone one is full, so the last is moved back rather than cut short: a
    few stray tokens are never read without context.
    """
    if length <= window:
        return [(0, length)] if length else []
    starts = [*range(0, length - window, window - overlap), length - window]
    return [(start, start + window) for start in starts]
