"""Precision, recall and F1 of spans, where a span is correct if its bounds and label are.

The scores are micro-averaged over all spans, as in the CoNLL-2003 shared task on entities (Tjong
Kim Sang & De Meulder 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import Spans

FITS = Spans


def measure(golds: Sequence[Spans], answers: Sequence[Spans]) -> dict[str, Any]:
    """Return span_precision, span_recall, span_f1 and `spans`, the number of gold spans.

    Scores are 1 where neither golds nor answers have any span.
    """
    hits = expected = predicted = 0
    for gold, answer in zip(golds, answers, strict=True):
        gold_spans, spans = gold.keys(), answer.keys()
        hits, expected, predicted = (
            hits + len(gold_spans & spans),
            expected + len(gold_spans),
            predicted + len(spans),
        )
    return {
        "n": len(golds),
        "span_precision": round(hits / predicted if predicted else float(not expected), 6),
        "span_recall": round(hits / expected if expected else float(not predicted), 6),
        "span_f1": round(2 * hits / (expected + predicted) if expected + predicted else 1.0, 6),
        "spans": expected,
    }
