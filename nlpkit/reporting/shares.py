"""Shares of labels with intervals, and changes that are not noise.

The interval covers two errors: that of the sample of texts, and that of the model. A model that
calls a tenth of the neutral texts negative counts too many negative ones. How far its counts are
off differs by the kind of text, and was measured: over 24 kinds of Portuguese texts and three
models, counted shares missed the true ones by a standard deviation of 0.33 to 0.34 times the
models' rate of errors. With 0.35 the intervals hold 96% of the true shares (benchmarks/shares.py).
To correct shares by the inverse of the dev set's confusion (Forman 2008) made them worse: mean
error 0.089 in place of 0.059, since new texts are not confused as the dev set was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

OFF = 0.35  # standard deviation of the error of a counted share, by the model's rate of errors
SIDES = 1.96  # standard deviations of an interval of 95%
RATE = 0.05  # false discoveries among the changes that are marked
FEWEST = 10  # texts on each side of a change that is tested


class Share(NamedTuple):
    """A label's texts, their share, and the ends of its 95% interval."""

    texts: int
    share: float
    low: float
    high: float


def shares(counts: Mapping[str, int], errors: float | None = None) -> dict[str, Share]:
    """Return the share of each label; nothing for no texts.

    Args:
        counts: texts by label.
        errors: the model's rate of errors, from 0 to 1; None leaves the sampling alone.

    The sample's part of the interval is Wilson's (1927), which suits shares near 0.
    """
    total = sum(counts.values())
    return {label: _share(count, total, errors or 0.0) for label, count in counts.items() if total}


def _share(count: int, total: int, errors: float) -> Share:
    share = count / total
    weight = SIDES**2 / total
    middle = (share + weight / 2) / (1 + weight)
    sampled = SIDES * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    half = math.hypot(sampled, SIDES * OFF * errors)
    return Share(count, share, max(middle - half, 0.0), min(middle + half, 1.0))


def changes(pairs: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> list[bool]:
    """Return whether each change of a share is more than noise.

    A pair holds (texts of the label, texts) before and after. Two proportions are compared by their
    z score, and of the changes that are marked, at most a share of RATE is expected to be noise
    (Benjamini & Hochberg 1995).
    """
    values = [_p_value(before, after) for before, after in pairs]
    tested = sorted(index for index, value in enumerate(values) if value is not None)
    ordered = sorted(tested, key=lambda index: values[index] or 0.0)
    real = 0
    for rank, index in enumerate(ordered, 1):
        if (values[index] or 0.0) <= RATE * rank / len(ordered):
            real = rank
    marked = set(ordered[:real])
    return [index in marked for index in range(len(values))]


def _p_value(before: tuple[int, int], after: tuple[int, int]) -> float | None:
    """Return the two-sided p-value of a difference; None if there are too few texts to test."""
    (one, ones), (two, twos) = before, after
    if min(ones, twos) < FEWEST:
        return None
    pooled = (one + two) / (ones + twos)
    error = math.sqrt(pooled * (1 - pooled) * (1 / ones + 1 / twos))
    z = abs(one / ones - two / twos) / error if error else 0.0
    return math.erfc(z / math.sqrt(2))
