"""Decode entities from the scores of BIO tags, so that no sequence of tags is invalid.

Legend: W words, T padded words, B documents, C tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlpkit.runtime import viterbi
from nlpkit.runtime.tags import Run, begins, constraints, continues, runs

if TYPE_CHECKING:
    import numpy as np


TEMPERATURES = (0.5, 4.0, 29)  # the lowest, the highest and the number of those to try


class Lattice:
    """The best sequences of tags of documents, and the probabilities of their entities."""

    def __init__(
        self,
        scores: Sequence[np.ndarray],
        moves_CC: np.ndarray,
        outside: Sequence[Sequence[int]] = (),
    ) -> None:
        """Decode each document's scores_WC; `moves_CC` scores pairs of tags in sequence.

        `outside` has the words of each document that are outside of all entities.
        """
        self.scores = list(scores)
        for row, words in enumerate(outside):
            if words:
                self.scores[row] = scores[row].copy()
                self.scores[row][list(words), 1:] = viterbi.NEVER
        start_C, forbidden_CC = constraints(len(moves_CC))
        self.start_C, self.moves_CC = start_C, moves_CC + forbidden_CC
        self.runs: list[list[Run]] = [[] for _ in scores]
        for rows in viterbi.groups([len(each) for each in scores]):
            scores_BTC, lengths_B = viterbi.padded([self.scores[row] for row in rows])
            tags_BT = viterbi.best(scores_BTC, lengths_B, self.start_C, self.moves_CC)
            for row, tags, length in zip(rows, tags_BT.tolist(), lengths_B.tolist(), strict=True):
                self.runs[row] = list(runs(tags[:length]))

    def probabilities(self, temperature: float) -> list[list[float]]:
        """Return the probability of each entity, summed over all tags of the other words."""
        probabilities: list[list[float]] = [[] for _ in self.runs]
        start_C, moves_CC = self.start_C / temperature, self.moves_CC / temperature
        found = [row for row, runs in enumerate(self.runs) if runs]
        for group in viterbi.groups([len(self.scores[row]) for row in found]):
            rows = [found[place] for place in group]
            scores_BTC, lengths_B = viterbi.padded([self.scores[row] for row in rows])
            scores_BTC /= temperature
            sums = viterbi.sums(scores_BTC, lengths_B, start_C, moves_CC)
            for place, row in enumerate(rows):
                forward, backward, total = (array[place] for array in sums)
                summed = _Summed(scores_BTC[place], forward, backward, total, int(lengths_B[place]))
                probabilities[row] = [_probability(run, summed, moves_CC) for run in self.runs[row]]
        return probabilities


def calibrated(lattice: Lattice, right: Sequence[Sequence[bool | None]], weights: Any) -> float:
    """Return the temperature at which probabilities tell best which entities are right.

    It minimises their log loss (Guo et al. 2017). `right` tells for each document's entities
    whether they are; it is None where nobody knows. `weights` has one number a document, or is
    None.
    """
    import numpy as np

    right_S = np.array([bool(each) for row in right for each in row])
    weight_N = np.ones(len(right)) if weights is None else np.asarray(weights)
    weight_S = np.repeat(weight_N, [len(row) for row in right])
    weight_S *= [known is not None for row in right for known in row]
    if not weight_S.any():
        return 1.0

    def loss(temperature: float) -> float:
        rows = lattice.probabilities(temperature)
        score_S = np.clip([score for row in rows for score in row], 1e-6, 1 - 1e-6)
        return float(-np.average(np.log(np.where(right_S, score_S, 1 - score_S)), weights=weight_S))

    losses = {round(float(each), 4): loss(each) for each in np.geomspace(*TEMPERATURES)}
    return min(losses, key=losses.__getitem__)


class _Summed(NamedTuple):
    """The scores of a document's words, and their sums over tags (`viterbi.sums`)."""

    scores_TC: np.ndarray
    forward_TC: np.ndarray
    backward_TC: np.ndarray
    total: float
    length: int  # number of words, without padding


def _probability(run: Run, summed: _Summed, moves_CC: np.ndarray) -> float:
    """Return the probability that exactly these words are an entity of this type."""
    import numpy as np

    inside = continues(run.kind)
    tag = begins(run.kind)
    path = summed.forward_TC[run.first, tag]
    for word in range(run.first + 1, run.last + 1):
        path += moves_CC[tag, inside] + summed.scores_TC[word, inside]
        tag = inside
    after = run.last + 1
    if after < summed.length:
        after_C = moves_CC[tag] + summed.scores_TC[after] + summed.backward_TC[after]
        after_C[inside] = -np.inf
        path += np.logaddexp.reduce(after_C)
    return min(float(np.exp(path - summed.total)), 1.0)
