"""Exact match of generated texts.

Legend: N documents, M models, R bootstrap resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nlpkit.answers import Text

FITS = Text
DRAWS = 1000


def measure(golds: Sequence[Text], answers: Sequence[Text]) -> dict[str, Any]:
    """Return exact_match, the share of answers that equal their gold text."""
    matches = sum(gold.text == answer.text for gold, answer in zip(golds, answers, strict=True))
    return {"n": len(golds), "exact_match": round(matches / max(len(golds), 1), 6)}


def resampled(
    golds: Sequence[Text], answers_M: Sequence[Sequence[Text]], name: str
) -> np.ndarray | None:
    """Return share_MR, exact_match of M models over R resamples; None for another score.

    Without it, every resample would be scored by all metrics of texts, which are slow.
    """
    if name != "exact_match":
        return None
    match_MN = np.array(
        [
            [gold.text == answer.text for gold, answer in zip(golds, answers, strict=True)]
            for answers in answers_M
        ]
    )
    n = len(golds)
    rng = np.random.default_rng(0)
    shares_N = np.full(n, 1 / n)
    return np.stack([match_MN @ rng.multinomial(n, shares_N) for _ in range(DRAWS)], axis=1) / n
