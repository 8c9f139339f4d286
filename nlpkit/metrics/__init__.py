"""Metrics, one file each: how good answers are, beside the right ones.

A metric belongs to a kind of answer, not to a task: a new task whose answers are spans is scored
without a line of its own. A file has

    FITS = Label              # the kind of answers that it measures, and its subclasses
    def measure(golds, answers) -> dict[str, Any]

`golds` and `answers` are of that kind, one for each document that was answered. Plain numbers
(float) among the values are scores, which lists and cards show; a metric whose name ends in one of
ERRORS is better when lower. Every file that fits is measured, so the names of scores must differ
from those of other files; "n" may be given where a metric counts words or spans instead of rows.
A file may also have

    def resampled(golds, answers_M, name) -> ndarray_MR | None     # quicker than `draws` does it

Legend: N documents, M models, R bootstrap resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit import catalog
from nlpkit.answers import Answer

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np

ERRORS = ("ece", "error", "loss", "perplexity", "wer", "cer", "ter")  # names, or their ends
RESAMPLES = 200  # of metrics that are computed anew for each


def measure(kind: type[Answer], golds: Sequence[Any], answers: Sequence[Any]) -> dict[str, Any]:
    """Return the scores of every metric of a kind of answers; "n" counts the rows."""
    said: dict[str, Any] = {"n": len(golds)}
    for metric in fitting(kind):
        said |= metric.measure(golds, answers)
    return said


def fitting(kind: type[Answer]) -> list[ModuleType]:
    """Return the metrics that fit a kind of answers, by name."""
    modules = [catalog.load("metrics", name) for name in catalog.names("metrics")]
    return [module for module in modules if issubclass(kind, module.FITS)]


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the plain numbers among metrics: what logs, lists and cards show."""
    return {key: value for key, value in scores.items() if isinstance(value, float)}


def minimised(metric: str) -> bool:
    """Tell whether a metric is an error, such as ece or val_loss: better when lower."""
    return metric.rpartition("_")[2] in ERRORS


def draws(
    kind: type[Answer], golds: Sequence[Any], answers_M: Sequence[Sequence[Any]], name: str
) -> np.ndarray:
    """Return a score of M models over bootstrap resamples of the same documents, score_MR.

    Every model meets the same resamples: differences between rows are paired (Efron 1979).
    """
    import numpy as np

    for metric in fitting(kind):
        quick = getattr(metric, "resampled", lambda *told: None)(golds, answers_M, name)
        if quick is not None:
            return np.asarray(quick)
    rng = np.random.default_rng(0)
    score_MR = np.empty((len(answers_M), RESAMPLES))
    for place in range(RESAMPLES):
        rows = rng.integers(0, len(golds), len(golds)).tolist()
        drawn = [golds[row] for row in rows]
        for model, answers in enumerate(answers_M):
            score_MR[model, place] = measure(kind, drawn, [answers[row] for row in rows])[name]
    return score_MR


def interval(draws_R: np.ndarray) -> list[float]:
    """Return the 95% interval of bootstrap values."""
    import numpy as np

    return [round(float(value), 6) for value in np.quantile(draws_R, [0.025, 0.975])]
