"""Cosine similarity of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers.vector import Vector

FITS = Vector


def measure(golds: Sequence[Vector], answers: Sequence[Vector]) -> dict[str, Any]:
    """Return cosine, the mean cosine of each answer and its gold vector."""
    cosines = [gold.cosine(answer) for gold, answer in zip(golds, answers, strict=True)]
    return {"n": len(golds), "cosine": round(sum(cosines) / max(len(golds), 1), 6)}
