"""Decode sequences of tags by Viterbi and forward-backward, many sequences at a time (numpy).

Legend: B sequences, T time, C tags, N sequences of all lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NEVER = -1e4  # the score of a transition that cannot be
TOGETHER = 64  # sequences of like lengths that are decoded together


def groups(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of sequences of like lengths; those of length 0 are left out."""
    order = sorted((row for row, n in enumerate(lengths) if n), key=lambda row: lengths[row])
    for start in range(0, len(order), TOGETHER):
        yield order[start : start + TOGETHER]


def padded(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays of scores as scores_BTC, zeros after each, and their lengths_B."""
    import numpy as np

    lengths_B = np.array([len(row) for row in rows])
    scores_BTC = np.zeros((len(rows), int(lengths_B.max()), rows[0].shape[1]), dtype=np.float64)
    for row, scores in enumerate(rows):
        scores_BTC[row, : len(scores)] = scores
    return scores_BTC, lengths_B


def best(
    scores_BTC: np.ndarray, lengths_B: np.ndarray, start_C: np.ndarray, moves_CC: np.ndarray
) -> np.ndarray:
    """Return the tags_BT of the sequences with the highest scores (Viterbi 1967).

    `start_C` and `moves_CC` are the scores of the first tag and of a pair of tags in sequence.
    """
    import numpy as np

    B, T, C = scores_BTC.shape
    back_BTC = np.zeros((B, T, C), dtype=np.int64)
    state_BC = start_C + scores_BTC[:, 0]
    for t in range(1, T):
        paths_BCC = state_BC[:, :, None] + moves_CC
        back_BTC[:, t] = paths_BCC.argmax(axis=1)
        moved_BC = paths_BCC.max(axis=1) + scores_BTC[:, t]
        state_BC = np.where((t < lengths_B)[:, None], moved_BC, state_BC)
    tags_BT = np.zeros((B, T), dtype=np.int64)
    rows = np.arange(B)
    tag_B = state_BC.argmax(axis=1)
    for t in range(T - 1, -1, -1):
        tags_BT[:, t] = tag_B
        tag_B = np.where(t < lengths_B, back_BTC[rows, t, tag_B], tag_B)
    return tags_BT


def sums(
    scores_BTC: np.ndarray, lengths_B: np.ndarray, start_C: np.ndarray, moves_CC: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return forward_BTC, backward_BTC and total_B, logarithms of summed scores (Rabiner 1989).

    `forward` sums over the tags up to and at a time, `backward` over those after it, and `total`
    over all sequences.
    """
    import numpy as np

    B, T, C = scores_BTC.shape
    forward_BTC = np.zeros((B, T, C))
    backward_BTC = np.zeros((B, T, C))
    forward_BTC[:, 0] = start_C + scores_BTC[:, 0]
    for t in range(1, T):
        moved = _logsumexp(forward_BTC[:, t - 1, :, None] + moves_CC, axis=1) + scores_BTC[:, t]
        forward_BTC[:, t] = np.where((t < lengths_B)[:, None], moved, forward_BTC[:, t - 1])
    for t in range(T - 2, -1, -1):
        after_BC = scores_BTC[:, t + 1] + backward_BTC[:, t + 1]
        moved = _logsumexp(moves_CC + after_BC[:, None, :], axis=2)
        backward_BTC[:, t] = np.where((t + 1 < lengths_B)[:, None], moved, 0.0)
    return forward_BTC, backward_BTC, _logsumexp(forward_BTC[:, -1], axis=1)


def _logsumexp(array: np.ndarray, axis: int) -> np.ndarray:
    import numpy as np

    top = array.max(axis=axis, keepdims=True)
    total: np.ndarray = np.log(np.exp(array - top).sum(axis=axis)) + top.squeeze(axis)
    return total
