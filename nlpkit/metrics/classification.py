"""Classification scores: accuracy, macro-F1 and its interval, per class, confusion, calibration.

Legend: N documents, C labels, M models, R bootstrap resamples, K distinct combinations of a gold
label and M guesses, G = 1 + M.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nlpkit.answers import Label
from nlpkit.metrics import interval as quantiles

FITS = Label
BINS = 15
RESAMPLES = 1000


def measure(golds: Sequence[Label], answers: Sequence[Label]) -> dict[str, Any]:
    """Return the scores of `classification` over the labels that the answers' scores name."""
    labels = list(answers[0].scores)
    indices = {label: index for index, label in enumerate(labels)}
    gold_N = np.array([indices[gold.label] for gold in golds])
    probs_NC = np.array([[*answer.scores.values()] for answer in answers])
    return classification(gold_N, probs_NC, labels)


def resampled(
    golds: Sequence[Label], answers_M: Sequence[Sequence[Label]], name: str
) -> np.ndarray | None:
    """Return f1_MR, macro-F1 of M models over R bootstrap resamples; None for another score."""
    if name != "macro_f1":
        return None
    indices = {label: index for index, label in enumerate(answers_M[0][0].scores)}
    gold_N = np.array([indices[gold.label] for gold in golds])
    guess_MN = [
        [max(answer.scores, key=answer.scores.__getitem__) for answer in answers]
        for answers in answers_M
    ]
    return resampled_f1(gold_N, np.array([[indices[label] for label in row] for row in guess_MN]))


def classification(gold_N: np.ndarray, probs_NC: np.ndarray, labels: Sequence[str]) -> dict:
    """Return every score as plain values, given gold indices and probabilities.

    `macro_f1` is the mean F1 of the labels that occur in the gold: a file with two labels is
    scored over these two, and a third label predicted there lowers their recall.
    """
    guess_N = probs_NC.argmax(axis=1)
    confusion_CC = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion_CC, (gold_N, guess_N), 1)
    precision_C, recall_C, f1_C = per_class(confusion_CC)
    support_C = confusion_CC.sum(axis=1)
    return {
        "n": len(gold_N),
        "accuracy": round(float((gold_N == guess_N).mean()), 6),
        "macro_f1": round(float(macro_f1(confusion_CC)), 6),
        "macro_f1_interval": interval(confusion_CC),
        "ece": round(calibration_error(gold_N, probs_NC), 6),
        "per_class": {
            label: {
                "precision": round(float(precision_C[index]), 6),
                "recall": round(float(recall_C[index]), 6),
                "f1": round(float(f1_C[index]), 6),
                "support": int(support_C[index]),
            }
            for index, label in enumerate(labels)
        },
        "labels": list(labels),
        "confusion": confusion_CC.tolist(),
    }


def per_class(confusion_CC: np.ndarray) -> tuple[Any, Any, Any]:
    """Return precision_C, recall_C and f1_C, 0 where undefined; gold labels are in the rows.

    Leading axes of confusion_CC are kept.
    """
    hits_C = np.diagonal(confusion_CC, axis1=-2, axis2=-1)
    guessed_C, gold_C = confusion_CC.sum(axis=-2), confusion_CC.sum(axis=-1)
    precision_C = hits_C / np.maximum(guessed_C, 1)
    recall_C = hits_C / np.maximum(gold_C, 1)
    f1_C = 2 * hits_C / np.maximum(guessed_C + gold_C, 1)
    return precision_C, recall_C, f1_C


def macro_f1(confusion_CC: np.ndarray) -> Any:
    """Return the mean F1 of the labels that occur in the gold.

    Leading axes of confusion_CC are kept.
    """
    occurs_C = confusion_CC.sum(axis=-1) > 0
    f1_C = per_class(confusion_CC)[2]
    return (f1_C * occurs_C).sum(axis=-1) / np.maximum(occurs_C.sum(axis=-1), 1)


def interval(confusion_CC: np.ndarray) -> list[float]:
    """Return the 95% bootstrap interval of macro-F1 (Efron 1979), with a fixed seed.

    Drawing documents with replacement is the same as drawing cells of the confusion matrix.
    """
    total = int(confusion_CC.sum())
    if total == 0:
        return [0.0, 0.0]
    cells = confusion_CC.ravel() / total
    drawn = np.random.default_rng(0).multinomial(total, cells, size=RESAMPLES)
    values = macro_f1(drawn.reshape(-1, *confusion_CC.shape))
    return quantiles(values)


def resampled_f1(gold_N: np.ndarray, guess_MN: np.ndarray) -> np.ndarray:
    """Return f1_MR, macro-F1 of M models over R bootstrap resamples of the same documents.

    Every model sees the same resamples, so differences between models are paired. Documents with
    the same gold and guesses are interchangeable, so their combinations are drawn, which are few.
    """
    kinds_GK, counts_K = np.unique(np.vstack([gold_N, guess_MN]), axis=1, return_counts=True)
    classes = int(kinds_GK.max()) + 1
    cells_MK = kinds_GK[0] * classes + kinds_GK[1:]
    rng = np.random.default_rng(0)
    f1_RM = np.empty((RESAMPLES, len(guess_MN)))
    for resample in range(RESAMPLES):
        drawn_K = rng.multinomial(len(gold_N), counts_K / len(gold_N))
        confusion = [np.bincount(cells_K, drawn_K, classes**2) for cells_K in cells_MK]
        f1_RM[resample] = macro_f1(np.reshape(confusion, (-1, classes, classes)))
    return f1_RM.T


def calibration_error(gold_N: np.ndarray, probs_NC: np.ndarray) -> float:
    """Return the expected calibration error over 15 bins of equal width (Guo et al. 2017)."""
    confidence_N = probs_NC.max(axis=1)
    right_N = probs_NC.argmax(axis=1) == gold_N
    bin_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    gap = 0.0
    for index in range(BINS):
        inside_N = bin_N == index
        if inside_N.any():
            gap += abs(right_N[inside_N].mean() - confidence_N[inside_N].mean()) * inside_N.sum()
    return float(gap / max(len(gold_N), 1))
