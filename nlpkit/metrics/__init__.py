"""Metrics, one file each: scores of a model's answers against the gold answers.

A metric belongs to a kind of answer, not to a task, so a new task whose answers are spans needs no
metric of its own. A file has

    FITS = Label              # the kind of answers that it measures, subclasses included
    def measure(golds, answers) -> dict[str, Any]

`golds` and `answers` are of that kind, one for each answered document. The floats among the values
are scores, which lists and cards show; a score whose name ends in one of ERRORS is better when
lower. Every file that fits is measured, so the names of scores must differ from those of other
files. "n" replaces the number of rows for a metric that counts words or spans. A file may also have

    LOWER = ("empty",)                                             # scores better when lower
    def resampled(golds, answers_M, name) -> ndarray_MR | None     # a faster form of `draws`

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

# Last words of the names of scores that are better when lower; `LOWER` of a file adds to them.
ERRORS = ("ece", "error", "loss", "perplexity", "byte", "wer", "cer", "ter")
RESAMPLES = 200  # bootstrap resamples of a metric without `resampled`


def measure(kind: type[Answer], golds: Sequence[Any], answers: Sequence[Any]) -> dict[str, Any]:
    """Return the scores of every metric that fits a kind of answers.

    "n" is the number of rows, or of the words or spans that a metric counts instead.
    """
    scores: dict[str, Any] = {"n": len(golds)}
    for metric in fitting(kind):
        scores |= metric.measure(golds, answers)
    return scores


def fitting(kind: type[Answer]) -> list[ModuleType]:
    """Return the modules of the metrics that fit a kind of answers, sorted by name."""
    modules = [catalog.load("metrics", name) for name in catalog.names("metrics")]
    return [module for module in modules if issubclass(kind, module.FITS)]


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the floats among the values of `measure`: the scores that logs and cards show."""
    return {key: value for key, value in scores.items() if isinstance(value, float)}


def minimised(metric: str) -> bool:
    """Tell whether a lower value of a metric is better, as with ece or val_loss."""
    modules = (catalog.load("metrics", name) for name in catalog.names("metrics"))
    return metric.rpartition("_")[2] in ERRORS or any(
        metric in getattr(module, "LOWER", ()) for module in modules
    )


def draws(
    kind: type[Answer], golds: Sequence[Any], answers_M: Sequence[Sequence[Any]], name: str
) -> np.ndarray:
    """Return score_MR, the score `name` of M models over R bootstrap resamples of the documents.

    Every model sees the same resamples, so differences between models are paired (Efron 1979). The
    seed is fixed.
    """
    import numpy as np

    for metric in fitting(kind):
        resampled = getattr(metric, "resampled", lambda *args: None)(golds, answers_M, name)
        if resampled is not None:
            return np.asarray(resampled)
    rng = np.random.default_rng(0)
    score_MR = np.empty((len(answers_M), RESAMPLES))
    for resample in range(RESAMPLES):
        rows = rng.integers(0, len(golds), len(golds)).tolist()
        drawn = [golds[row] for row in rows]
        for model, answers in enumerate(answers_M):
            score_MR[model, resample] = measure(kind, drawn, [answers[row] for row in rows])[name]
    return score_MR


def interval(draws_R: np.ndarray) -> list[float]:
    """Return the 95% percentile interval of R bootstrap scores, [low, high]."""
    import numpy as np

    return [round(float(value), 6) for value in np.quantile(draws_R, [0.025, 0.975])]
