"""Cut documents into windows of the length that a network reads at once.

A task chooses the policy: `Slide` reads a long document in overlapping windows; `Truncate` reads
its first window only and counts the documents that it cuts.

Legend: N documents, W windows, S tokens of all documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from nlpkit.text import Encoded

if TYPE_CHECKING:
    import numpy as np


class Windows:
    """The windows of a list of documents, in order.

    Window w holds the tokens [first_W[w], last_W[w]) of document owner_W[w]; they start at
    encoded.ids_S[start_W[w]]. `truncated` is the number of documents that were cut.
    """

    def __init__(
        self,
        encoded: Encoded,
        owner_W: np.ndarray,
        start_W: np.ndarray,
        first_W: np.ndarray,
        last_W: np.ndarray,
        truncated: int = 0,
    ) -> None:
        self.encoded, self.owner_W, self.start_W = encoded, owner_W, start_W
        self.first_W, self.last_W, self.truncated = first_W, last_W, truncated

    def __len__(self) -> int:
        return len(self.owner_W)

    def select(self, rows: np.ndarray) -> Windows:
        """Return the windows with these indices."""
        parts = (self.owner_W, self.start_W, self.first_W, self.last_W)
        return Windows(self.encoded, *(array[rows] for array in parts))

    def spans(self, places: slice) -> list[tuple[int, int]]:
        """Return (first token, one past the last) of a slice of the windows."""
        pairs = zip(self.first_W[places].tolist(), self.last_W[places].tolist(), strict=True)
        return list(pairs)


class Crops(NamedTuple):
    """Parts that a training epoch reads: the tokens [start_W, end_W) of the documents owner_W."""

    owner_W: np.ndarray
    start_W: np.ndarray
    end_W: np.ndarray


class Slide:
    """Read a long document in windows of `size` tokens; neighbours share at least `overlap`.

    Raises:
        ValueError: `overlap` is negative, or not less than `size`.
    """

    WHOLE: ClassVar[bool] = True  # every token is read, so training may crop any part

    def __init__(self, size: int, overlap: int) -> None:
        if not 0 <= overlap < size:
            raise ValueError(f"overlap = {overlap} must be at least 0 and below window = {size}")
        self.size, self.overlap = size, overlap

    def cut(self, encoded: Encoded) -> Windows:
        """Cut each document into windows; a document without tokens has none.

        The last of several windows is moved back rather than cut short, so that a few remaining
        tokens are never read without context.
        """
        import numpy as np

        lengths_N = encoded.lengths_N
        stride = self.size - self.overlap
        counts_N = np.maximum(-(-(lengths_N - self.size) // stride), 0) + (lengths_N > 0)
        owner_W = np.repeat(np.arange(len(lengths_N)), counts_N)
        index_W = np.arange(len(owner_W)) - (np.cumsum(counts_N) - counts_N)[owner_W]
        first_W = np.minimum(index_W * stride, np.maximum(lengths_N - self.size, 0)[owner_W])
        last_W = np.minimum(first_W + self.size, lengths_N[owner_W])
        start_W = (np.cumsum(lengths_N) - lengths_N)[owner_W] + first_W
        return Windows(encoded, owner_W, start_W, first_W, last_W)

    def crops(self, lengths_N: np.ndarray, rng: np.random.Generator) -> Crops:
        """Return what an epoch reads of documents: one random window of each."""
        import numpy as np

        parts_N = np.maximum(lengths_N - self.size + 1, 1)
        start_W = (rng.random(len(lengths_N)) * parts_N).astype(int)
        return Crops(np.arange(len(lengths_N)), start_W, np.minimum(start_W + self.size, lengths_N))


class Consecutive(Slide):
    """Read as `Slide`; an epoch reads every token, as a language model learns from all of them.

    Windows share two tokens at least, since the first token of a window is not predicted.

    Raises:
        ValueError: `size` is below LEAST.
    """

    LEAST: ClassVar[int] = 3

    def __init__(self, size: int, overlap: int) -> None:
        if size < self.LEAST:
            raise ValueError(f"window = {size} must be at least {self.LEAST} for a language model")
        super().__init__(size, max(overlap, 2))

    def crops(self, lengths_N: np.ndarray, rng: np.random.Generator) -> Crops:
        """Return windows that share one token, which the first predicts and the next reads.

        The first window of a long document has a random length, so that the cuts differ by epoch.
        """
        import numpy as np

        stride = self.size - 1
        first_N = np.where(
            lengths_N > self.size, (rng.random(len(lengths_N)) * stride).astype(int) + 1, stride
        )
        counts_N = 1 + np.maximum(-(-(lengths_N - 1 - first_N) // stride), 0)
        owner_W = np.repeat(np.arange(len(lengths_N)), counts_N)
        index_W = np.arange(len(owner_W)) - (np.cumsum(counts_N) - counts_N)[owner_W]
        start_W = np.where(index_W > 0, first_N[owner_W] + (index_W - 1) * stride, 0)
        length_W = np.where(index_W > 0, self.size, first_N[owner_W] + 1)
        return Crops(owner_W, start_W, np.minimum(start_W + length_W, lengths_N[owner_W]))


class Truncate(Slide):
    """Read the first `size` tokens of a document; `overlap` is ignored."""

    WHOLE: ClassVar[bool] = False

    def cut(self, encoded: Encoded) -> Windows:
        """Return the first window of each document, and count the documents that are longer."""
        import numpy as np

        lengths_N = encoded.lengths_N
        owner_W = np.flatnonzero(lengths_N)
        start_W = (np.cumsum(lengths_N) - lengths_N)[owner_W]
        last_W = np.minimum(lengths_N[owner_W], self.size)
        truncated = int((lengths_N > self.size).sum())
        return Windows(encoded, owner_W, start_W, np.zeros_like(start_W), last_W, truncated)

    def crops(self, lengths_N: np.ndarray, rng: np.random.Generator) -> Crops:
        """Return what an epoch reads of documents: the first window of each."""
        import numpy as np

        rng.random(len(lengths_N))  # as Slide draws, so that the batches have the same order
        start_W = np.zeros(len(lengths_N), dtype=int)
        return Crops(np.arange(len(lengths_N)), start_W, np.minimum(self.size, lengths_N))
