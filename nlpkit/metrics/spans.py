"""Precision, recall and F1 of spans: right are those with the same bounds and label.

Over all spans (micro), as the CoNLL-2003 shared task scores entities (Tjong Kim Sang & De Meulder
2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import Spans

FITS = Spans


def measure(golds: Sequence[Spans], answers: Sequence[Spans]) -> dict[str, Any]:
    """Return span_precision, span_recall and span_f1; 1 where nothing is to be found or said."""
    hits = wanted = said = 0
    for gold, answer in zip(golds, answers, strict=True):
        right, found = gold.keys(), answer.keys()
        hits, wanted, said = hits + len(right & found), wanted + len(right), said + len(found)
    return {
        "n": len(golds),
        "span_precision": round(hits / said if said else float(not wanted), 6),
        "span_recall": round(hits / wanted if wanted else float(not said), 6),
        "span_f1": round(2 * hits / (wanted + said) if wanted + said else 1.0, 6),
        "spans": wanted,
    }
