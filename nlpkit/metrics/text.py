"""Texts that were written: how many are the very text that was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import Text

FITS = Text


def measure(golds: Sequence[Text], answers: Sequence[Text]) -> dict[str, Any]:
    """Return exact_match."""
    alike = sum(gold.text == answer.text for gold, answer in zip(golds, answers, strict=True))
    return {"n": len(golds), "exact_match": round(alike / max(len(golds), 1), 6)}
