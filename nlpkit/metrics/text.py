"""Exact match of generated texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import Text

FITS = Text


def measure(golds: Sequence[Text], answers: Sequence[Text]) -> dict[str, Any]:
    """Return exact_match, the share of answers that equal their gold text."""
    matches = sum(gold.text == answer.text for gold, answer in zip(golds, answers, strict=True))
    return {"n": len(golds), "exact_match": round(matches / max(len(golds), 1), 6)}
