"""Occlusion: the weight of a word is how much the log-odds of the score fall without it.

Zeiler & Fergus 2014 for images; Li et al. 2016, "Understanding neural networks through
representation erasure", for words. It needs nothing of a model but its scores.
"""

from __future__ import annotations

from collections.abc import Sequence

from nlpkit.explaining.scores import Asked, Scorer, log_odds
from nlpkit.runtime.model import Answerer

OPENS = "any"
SIGNED = True
CAUTION = ""


def weigh(model: Answerer, score: Scorer, asked: Sequence[Asked]) -> list[list[float]]:
    """Return how much the log-odds of the target fall without each unit, in nats."""
    scores = iter(score([(one, [unit]) for one in asked for unit in one.units]))
    return [
        [log_odds(one.target.score) - log_odds(next(scores)) for _ in one.units] for one in asked
    ]
