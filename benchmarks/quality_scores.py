"""The scores of quality.py: macro-F1 with its interval, accuracy and ECE.

Legend: N documents, C labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Rows = list[tuple[str, str]]  # text, label
Said = tuple[str, float]  # label and its probability; NaN where the system has none
Predict = Callable[[Sequence[str]], Sequence[Said]]


def score(rows: Rows, predict: Predict) -> dict[str, Any]:
    predicted = predict([text for text, _ in rows])
    labels = sorted({label for _, label in rows} | {label for label, _ in predicted})
    confusion_CC = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for (_, gold), (label, _) in zip(rows, predicted, strict=True):
        confusion_CC[labels.index(gold), labels.index(label)] += 1
    drawn = np.random.default_rng(0).multinomial(
        len(rows), confusion_CC.ravel() / len(rows), size=1000
    )
    low, high = np.quantile(
        [macro_f1(d.reshape(confusion_CC.shape)) for d in drawn], [0.025, 0.975]
    )
    right_N = np.array([row[1] == label for row, (label, _) in zip(rows, predicted, strict=True)])
    scores = {
        "macro_f1": macro_f1(confusion_CC),
        "macro_f1_interval": [float(low), float(high)],
        "accuracy": float(right_N.mean()),
        "n": len(rows),
    }
    error = calibration_error(right_N, np.array([confidence for _, confidence in predicted]))
    return scores | ({} if math.isnan(error) else {"ece": error})


def macro_f1(confusion_CC: Any) -> float:
    gold_C, said_C = confusion_CC.sum(1), confusion_CC.sum(0)
    f1_C = 2 * np.diag(confusion_CC) / np.maximum(gold_C + said_C, 1)
    return float(f1_C[gold_C > 0].mean()) if gold_C.any() else 0.0


def calibration_error(right_N: Any, confidence_N: Any) -> float:
    """Return the expected calibration error over 15 bins of equal width, as nlpkit computes it."""
    bins_N = np.minimum(np.nan_to_num(confidence_N) * 15, 14).astype(int)
    gaps = [
        abs((right_N - confidence_N)[bins_N == index].sum()) for index in np.unique(bins_N).tolist()
    ]
    return float(sum(gaps) / len(right_N))
