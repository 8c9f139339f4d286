"""An n-gram language model with modified interpolated Kneser-Ney smoothing, in sorted arrays.

The estimate is that of Chen & Goodman (1999): three discounts for each order, from the counts of
counts; lower orders count how many different pieces stand before an n-gram; the lowest order is
interpolated with the uniform distribution. A document begins with order - 1 marks, which are never
predicted, and ends with a mark, which is.

Memory: an n-gram is one 64-bit number, (the rank of its first n - 1 pieces) * base + its last
piece, in a sorted array, so there are no hashes, no strings and no collisions. 100 MB of text are
about 25 million pieces of four bytes; the largest sort of these and the finished model of order 5
take about 3 GB together.

Legend: T positions of all documents in a row, U distinct n-grams of an order, C their contexts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

FALLBACK = (0.5, 1.0, 1.5)  # discounts where a corpus is too small to estimate them, as in KenLM


class Order(NamedTuple):
    """The n-grams of one order.

    The probability of a piece in a context is the share of the n-gram plus the rest of the context
    times the probability in the context without its first piece.
    """

    key_U: np.ndarray  # sorted
    share_U: np.ndarray
    rest_C: np.ndarray


class KneserNey:
    """A model over the pieces 0 to `pieces` - 1 and the end of a document.

    Raises:
        ValueError: there are no documents to learn from.
    """

    def __init__(self, documents: Iterable[Sequence[int]], pieces: int, order: int = 5) -> None:
        self.end, self.start, self.base, self.order = pieces, pieces + 1, pieces + 2, order
        piece_T = self._row(documents)
        if not len(piece_T):
            raise ValueError("no documents to learn from")
        rank_T = np.zeros(len(piece_T), np.int32)  # of the empty context
        self.orders: list[Order] = []
        key_U, contexts = np.zeros(0, np.int64), 1
        for number in range(1, order + 1):
            shorter_T, shorter_U = rank_T, key_U
            key_U, first_U, rank_T = self._ranked(shorter_T, piece_T)
            if number > 1:
                # Every n-gram is one more piece before the n-gram without its first piece.
                predicted_U = first_U[key_U % self.base != self.start]
                count_U = np.bincount(shorter_T[predicted_U], minlength=len(shorter_U))
                self.orders.append(self._smoothed(shorter_U, count_U, contexts))
                contexts = len(shorter_U)
        count_U = np.bincount(rank_T, minlength=len(key_U))
        count_U[key_U % self.base == self.start] = 0
        self.orders.append(self._smoothed(key_U, count_U, contexts))

    def bits(self, documents: Iterable[Sequence[int]]) -> np.ndarray:
        """Return -log2 of the probability of each piece and each end, document after document."""
        piece_T = self._row(documents)
        p_T = np.full(len(piece_T), 1 / (self.end + 1))  # every piece or the end
        rank_T = np.zeros(len(piece_T), np.int64)
        for order in self.orders:
            context_T = _before(rank_T)
            p_T *= np.where(context_T < 0, 1.0, order.rest_C[context_T])
            key_T = context_T * self.base + piece_T
            rank_T = np.searchsorted(order.key_U, key_T)
            rank_T[rank_T == len(order.key_U)] = 0
            rank_T[(order.key_U[rank_T] != key_T) | (context_T < 0)] = -1
            p_T += np.where(rank_T < 0, 0.0, order.share_U[rank_T])
        return -np.log2(p_T[piece_T != self.start])

    def _row(self, documents: Iterable[Sequence[int]]) -> np.ndarray:
        """Return the pieces of all documents with their marks, piece_T."""
        before, after = [self.start] * (self.order - 1), [self.end]
        marked = [np.array([*before, *ids, *after], np.int32) for ids in documents]
        return np.concatenate(marked) if marked else np.zeros(0, np.int32)

    def _ranked(
        self, shorter_T: np.ndarray, piece_T: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the n-grams that end at the positions: key_U, a position of each, and rank_T."""
        key_T = _before(shorter_T).astype(np.int64) * self.base + piece_T
        key_U, first_U, rank_T = np.unique(key_T, return_index=True, return_inverse=True)
        return key_U, first_U, rank_T.astype(np.int32)

    def _smoothed(self, key_U: np.ndarray, count_U: np.ndarray, contexts: int) -> Order:
        """Return an order, given the count of each n-gram: 0 if it ends with a mark of a start."""
        removed_U = np.array([0.0, *discounts(count_U)])[np.minimum(count_U, 3)]
        context_U = key_U // self.base
        total_C = np.bincount(context_U, count_U, contexts)
        removed_C = np.bincount(context_U, removed_U, contexts)
        with np.errstate(invalid="ignore"):
            share_U = np.where(count_U > 0, (count_U - removed_U) / total_C[context_U], 0.0)
            rest_C = np.where(total_C > 0, removed_C / total_C, 1.0)
        return Order(key_U, share_U.astype(np.float32), rest_C.astype(np.float32))


def discounts(count_U: np.ndarray) -> tuple[float, float, float]:
    """Return what is taken from counts of 1, of 2, and of 3 and more."""
    one, two, three, four = (int((count_U == count).sum()) for count in (1, 2, 3, 4))
    if not (one and two and three and four):
        return FALLBACK
    y = one / (one + 2 * two)
    found = (1 - 2 * y * two / one, 2 - 3 * y * three / two, 3 - 4 * y * four / three)
    sound = all(0 < each <= count for count, each in enumerate(found, start=1))
    return found if sound else FALLBACK


def _before(rank_T: np.ndarray) -> np.ndarray:
    """Return the rank at the position before each; at the first one, which is a start, 0."""
    return np.concatenate([np.zeros(1, rank_T.dtype), rank_T[:-1]])[: len(rank_T)]
