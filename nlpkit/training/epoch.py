"""The order and the batches of one training epoch.

Legend: B batch, T time, N documents, W parts that are read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nlpkit.runtime.batcher import Batch, pad, padded_length
from nlpkit.text.windows import Slide

POOL = 64  # batches whose documents are sorted by length together


class Epoch:
    """The batches of one epoch, determined by the seed, the epoch and the data.

    The parts that are read of documents (`crops` of the task's windows) are shuffled, sorted by
    length inside pools of batches, and the batches are shuffled again.
    """

    def __init__(
        self,
        ids: list[np.ndarray],
        *,
        batch_size: int,
        windows: Slide,
        seed: int,
        epoch: int,
        batch_tokens: int = 0,
    ) -> None:
        """Draw the batches: of `batch_size` parts, or of at most `batch_tokens` tokens, if given.

        Padding counts among the tokens; a batch has one part at least.
        """
        rng = np.random.default_rng([seed, epoch])
        self.ids = ids
        self.crops = windows.crops(np.array([len(piece) for piece in ids]), rng)
        lengths_W = self.crops.end_W - self.crops.start_W
        pool = POOL * (max(batch_tokens // windows.size, 1) if batch_tokens else batch_size)
        order = rng.permutation(len(lengths_W))
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        order = np.concatenate([part[np.argsort(lengths_W[part], kind="stable")] for part in pools])
        if batch_tokens:
            self.parts = cut_by_tokens(order, lengths_W, batch_tokens)
        else:
            self.parts = [
                order[start : start + batch_size] for start in range(0, len(order), batch_size)
            ]
        rng.shuffle(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def batches(
        self, first: int, rank: int, world: int
    ) -> Iterator[tuple[Batch, list[tuple[int, int]]]]:
        """Yield the batches of process `rank` of `world` from step `first` on.

        Each comes with the span of tokens, (first, one past the last), that it holds of each of its
        documents, `rows`. All processes get the same number of batches.
        """
        for step in range(first, len(self.parts) // world):
            part = self.parts[step * world + rank]
            rows, starts, ends = (array[part].tolist() for array in self.crops)
            spans = list(zip(starts, ends, strict=True))
            pieces = [self.ids[row][slice(*span)] for row, span in zip(rows, spans, strict=True)]
            yield pad(pieces, rows, padded_length(max(len(piece) for piece in pieces))), spans


def cut_by_tokens(order: np.ndarray, lengths_W: np.ndarray, tokens: int) -> list[np.ndarray]:
    """Cut parts, sorted by length, into batches of at most `tokens` tokens with padding."""
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        longest = padded_length(int(lengths_W[order[min(end, len(order) - 1)]]))
        if end == len(order) or longest * (end + 1 - start) > tokens:
            batches.append(order[start:end])
            start = end
    return batches
