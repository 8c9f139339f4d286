"""Decode entities from the scores of BIO tags, so that no sequence of tags is invalid.

Tag 0 is O; B and I of the type k are the tags 1 + 2k and 2 + 2k.

Legend: W words, T padded words, B documents, C tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nlpkit.runtime import viterbi

if TYPE_CHECKING:
    import numpy as np


TEMPERATURES = (0.5, 4.0, 29)  # the lowest, the highest and the number of those to try


class Run(NamedTuple):
    """The first and the last word of an entity, and the index of its type."""

    first: int
    last: int
    kind: int


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
        for each, words in zip(scores, outside, strict=False):
            each[list(words), 1:] = viterbi.NEVER
        self.scores = scores
        start_C, forbidden_CC = constraints(len(moves_CC))
        self.start_C, self.moves_CC = start_C, moves_CC + forbidden_CC
        self.runs: list[list[Run]] = [[] for _ in scores]
        for rows in viterbi.groups([len(each) for each in scores]):
            scores_BTC, lengths_B = viterbi.padded([scores[row] for row in rows])
            tags_BT = viterbi.best(scores_BTC, lengths_B, self.start_C, self.moves_CC)
            for row, tags, length in zip(rows, tags_BT.tolist(), lengths_B.tolist(), strict=True):
                self.runs[row] = list(_runs(tags[:length]))

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
                ahead, behind, total = (array[place] for array in sums)
                summed = _Summed(scores_BTC[place], ahead, behind, total, int(lengths_B[place]))
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
    each = np.ones(len(right)) if weights is None else np.asarray(weights)
    weight_S = np.repeat(each, [len(row) for row in right])
    weight_S *= [known is not None for row in right for known in row]
    if not weight_S.any():
        return 1.0

    def loss(temperature: float) -> float:
        rows = lattice.probabilities(temperature)
        score_S = np.clip([score for row in rows for score in row], 1e-6, 1 - 1e-6)
        return float(-np.average(np.log(np.where(right_S, score_S, 1 - score_S)), weights=weight_S))

    losses = {round(float(each), 4): loss(each) for each in np.geomspace(*TEMPERATURES)}
    return min(losses, key=losses.__getitem__)


def constraints(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return start_C and forbidden_CC: 0, or NEVER where a tag I has no entity to continue."""
    import numpy as np

    start_C, forbidden_CC = np.zeros(width), np.zeros((width, width))
    for continues in range(2, width, 2):
        start_C[continues] = viterbi.NEVER
        others = [tag for tag in range(width) if tag not in (continues - 1, continues)]
        forbidden_CC[others, continues] = viterbi.NEVER
    return start_C, forbidden_CC


class _Summed(NamedTuple):
    """The scores of a document's words, and their sums over tags (`viterbi.sums`)."""

    scores_TC: np.ndarray
    ahead_TC: np.ndarray
    behind_TC: np.ndarray
    total: float
    length: int  # number of words, without padding


def _probability(run: Run, summed: _Summed, moves_CC: np.ndarray) -> float:
    """Return the probability that exactly these words are an entity of this type."""
    import numpy as np

    begins, continues = 1 + 2 * run.kind, 2 + 2 * run.kind
    path, tag = summed.ahead_TC[run.first, begins], begins
    for word in range(run.first + 1, run.last + 1):
        path += moves_CC[tag, continues] + summed.scores_TC[word, continues]
        tag = continues
    after = run.last + 1
    if after < summed.length:
        after_C = moves_CC[tag] + summed.scores_TC[after] + summed.behind_TC[after]
        after_C[continues] = -np.inf
        path += np.logaddexp.reduce(after_C)
    return min(float(np.exp(path - summed.total)), 1.0)


def _runs(tags: Sequence[int]) -> Iterator[Run]:
    """Yield the entities in valid tags."""
    first = kind = -1
    for word, tag in enumerate([*tags, 0]):
        if kind >= 0 and tag != 2 + 2 * kind:
            yield Run(first, word - 1, kind)
            kind = -1
        if tag % 2:
            first, kind = word, tag // 2
