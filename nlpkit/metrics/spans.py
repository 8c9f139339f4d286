"""Precision, recall and F1 of spans: strict, by label, and with half a point for overlaps.

A span is right if its bounds and its label are. The strict scores are micro-averaged over all
spans, as in the CoNLL-2003 shared task on entities (Tjong Kim Sang & De Meulder 2003); their
interval is a bootstrap over documents. The partial score is that of nervaluate (SemEval-2013 task
9.1): labels do not count, and a span that only overlaps a gold one counts half. Spans with a label
that a gold answer does not judge are left out.

Legend: N documents, M models, R bootstrap resamples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nlpkit.answers import Spans
from nlpkit.metrics import interval

FITS = Spans
DRAWS = 1000
Key = tuple[int, int, str]


class Counts(NamedTuple):
    """The right, the gold and the predicted spans of a document, and its points for overlaps."""

    hits: int
    gold: int
    predicted: int
    partial: float


def measure(golds: Sequence[Spans], answers: Sequence[Spans]) -> dict[str, Any]:
    """Return the scores, `spans`, the number of gold spans, and the scores of each label.

    Scores are 1 where neither golds nor answers have any span. `not_judged` counts the predicted
    spans of each label that were left out, if there are any.
    """
    counts_N4 = _counts(golds, answers)
    hits, expected, predicted, partial = counts_N4.sum(axis=0).tolist()
    left_out = Counter(
        span.label
        for gold, answer in zip(golds, answers, strict=True)
        for span in answer.spans
        if not gold.judges(span.label)
    )
    return {
        "n": len(golds),
        "span_precision": round(hits / predicted if predicted else float(not expected), 6),
        "span_recall": round(hits / expected if expected else float(not predicted), 6),
        "span_f1": round(float(_f1(hits, expected, predicted)), 6),
        "span_f1_interval": interval(_resampled(counts_N4)),
        "partial_f1": round(float(_f1(partial, expected, predicted)), 6),
        "spans": int(expected),
        "per_class": _by_label(golds, answers),
        **({"not_judged": dict(left_out)} if left_out else {}),
    }


def resampled(
    golds: Sequence[Spans], answers_M: Sequence[Sequence[Spans]], name: str
) -> np.ndarray | None:
    """Return f1_MR, span_f1 of M models over R resamples of documents; None for another score."""
    if name != "span_f1":
        return None
    return np.stack([_resampled(_counts(golds, answers)) for answers in answers_M])


def _keys(gold: Spans, answer: Spans) -> tuple[set[Key], set[Key]]:
    """Return the gold spans, and the predicted ones that the gold answer judges."""
    predicted = answer.keys()
    return gold.keys(), {key for key in predicted if gold.judges(key[2])}


def _counts(golds: Sequence[Spans], answers: Sequence[Spans]) -> np.ndarray:
    """Return the counts of each document, counts_N4."""
    rows = []
    for gold, answer in zip(golds, answers, strict=True):
        right, spans = _keys(gold, answer)
        rows.append(Counts(len(right & spans), len(right), len(spans), _partial(right, spans)))
    return np.array(rows, dtype=np.float64).reshape(-1, len(Counts._fields))


def _partial(right: set[Key], spans: set[Key]) -> float:
    """Return a point for each span with the bounds of a gold one, half for one that overlaps."""
    bounds = {(start, end) for start, end, _ in right}
    exact = {(start, end) for start, end, _ in spans} & bounds
    left = sorted(bounds - exact)
    points = float(len(exact))
    for start, end, _ in sorted(spans):
        if (start, end) in exact:
            continue
        over = next((each for each in left if each[0] < end and start < each[1]), None)
        if over:
            left.remove(over)
            points += 0.5
    return points


def _by_label(golds: Sequence[Spans], answers: Sequence[Spans]) -> dict[str, dict[str, Any]]:
    hits, expected, predicted = Counter[str](), Counter[str](), Counter[str]()
    for gold, answer in zip(golds, answers, strict=True):
        right, spans = _keys(gold, answer)
        hits.update(key[2] for key in right & spans)
        expected.update(key[2] for key in right)
        predicted.update(key[2] for key in spans)
    return {
        label: {
            "precision": round(hits[label] / max(predicted[label], 1), 6),
            "recall": round(hits[label] / max(expected[label], 1), 6),
            "f1": round(float(_f1(hits[label], expected[label], predicted[label])), 6),
            "support": expected[label],
        }
        for label in sorted(expected | predicted, key=lambda label: (-expected[label], label))
    }


def _resampled(counts_N4: np.ndarray) -> np.ndarray:
    """Return f1_R over resamples of the documents; the seed is fixed."""
    n = len(counts_N4)
    rng = np.random.default_rng(0)
    shares_N = np.full(n, 1 / n)
    sums_R4 = np.stack([rng.multinomial(n, shares_N) @ counts_N4 for _ in range(DRAWS)])
    hits_R, gold_R, predicted_R, _ = sums_R4.T
    return np.asarray(_f1(hits_R, gold_R, predicted_R))


def _f1(hits: Any, gold: Any, predicted: Any) -> Any:
    both = np.asarray(gold + predicted, dtype=np.float64)
    return np.where(both > 0, 2 * hits / np.maximum(both, 1), 1.0)
