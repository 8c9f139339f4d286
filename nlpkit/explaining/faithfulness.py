"""Comprehensiveness and sufficiency of weights (DeYoung et al. 2020, ERASER, section 4.2).

For a share of the words, the rationale is that many words with the largest weights. An explanation
is faithful if the score falls a lot without its rationale, and little with the rationale alone.
Both are means over SHARES, beside those of random rationales of the same size.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from nlpkit.answers.explanation import Faithfulness
from nlpkit.explaining.scores import Asked, Question, Scorer
from nlpkit.explaining.words import complement

SHARES = tuple(step / 20 for step in range(1, 11))  # 5% to 50%
DRAWS = 3  # random orders of the words
BOTH = 2 * len(SHARES)


def measure(
    score: Scorer, asked: Sequence[Asked], weights: Sequence[Sequence[float]]
) -> list[Faithfulness]:
    """Return the faithfulness of the weights of each document's units."""
    questions: list[Question] = []
    for one, ranks in zip(asked, weights, strict=True):
        order = sorted(range(len(one.units)), key=lambda unit: -ranks[unit])
        for each in (order, *_random(one, len(order))):
            questions += _questions(one, each)
    scores = iter(score(questions))
    return [_faithfulness(one.target.score, scores) for one in asked]


def _random(asked: Asked, count: int) -> Iterator[list[int]]:
    """Yield random orders, which are the same for the same text."""
    rng = random.Random(asked.text)
    for _ in range(DRAWS):
        yield rng.sample(range(count), count)


def _questions(asked: Asked, order: Sequence[int]) -> Iterator[Question]:
    """Yield the document without, then with only, the first units of an order, for each share."""
    for share in SHARES:
        first = order[: math.ceil(share * len(order))]
        yield asked, [asked.units[unit] for unit in sorted(first)]
        yield asked, complement(asked.units, first)


def _faithfulness(whole: float, scores: Iterator[float]) -> Faithfulness:
    falls = [[whole - next(scores) for _ in range(BOTH)] for _ in range(1 + DRAWS)]
    drawn = [(fmean(each[::2]), fmean(each[1::2])) for each in falls[1:]]
    without, alone = (fmean(pair) for pair in zip(*drawn, strict=True))
    return Faithfulness(fmean(falls[0][::2]), fmean(falls[0][1::2]), without, alone)


def mean(each: Iterable[Faithfulness]) -> Faithfulness | None:
    """Return the mean over documents; None for no documents."""
    columns = list(zip(*each, strict=True))
    return Faithfulness(*map(fmean, columns)) if columns else None
