"""Tasks, one file each: what the head is, the loss, how outputs become predictions, metrics.

A task file provides a frozen `Config` (the keys of `[task]`) and a class `Task` with

    score                          the metric that the best epoch is chosen by
    Task(config, labels)           as kept by describe()
    from_rows(rows, config)        a classmethod that learns the labels from training rows' fields
    target(fields)                 the gold of one row, or InputError
    priors(golds, missing)         of the labels that a file never gives
    count(golds)                   rows a label, for the model card
    targets(golds, priors)         arrays for a batch
    class_weights(golds, scheme)   weights of the labels in the loss
    head(width, pooling)           torch module: states_BTD, mask_BT -> outputs, B first
    loss(outputs, targets, smoothing=, weights=)   torch scalar
    combine(outputs, weights)      one document's output from those of its windows
    decode(outputs, temperature)   predictions from documents' outputs
    fit_temperature(golds, outputs)  the temperature that calibrates the scores
    metrics(golds, outputs, temperature)  what evaluation reports: `score`, "n" and others
    agreement(ours, theirs)        share of documents (or tokens) decoded alike
    describe()                     {"labels", "config"}: what goes into bundle.json

Outputs are lists with one array for each document.

The top of a task file imports the standard library only; numpy and torch inside functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

Outputs = Sequence["np.ndarray"]


@dataclass(frozen=True)
class Prediction:
    """What a task says of one document; `None` stands for an empty one."""

    label: str
    score: float
    scores: Mapping[str, float]


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the plain numbers among a task's metrics: what logs, lists and cards show."""
    return {key: value for key, value in scores.items() if isinstance(value, float)}


class Task(Protocol):
    """The contract above, for type checkers."""

    score: str
    config: Any
    labels: tuple[str, ...]

    def target(self, fields: Mapping[str, Any]) -> Any: ...
    def priors(self, golds: Sequence[Any], missing: float) -> Mapping[int, float]: ...
    def count(self, golds: Sequence[Any]) -> dict[str, int]: ...
    def targets(self, golds: Sequence[Any], priors: Sequence[Any]) -> dict[str, np.ndarray]: ...
    def class_weights(self, golds: list[Any], scheme: str) -> list[float]: ...
    def head(self, width: int, pooling: str) -> Any: ...
    def loss(self, outputs: Any, targets: Mapping[str, Any], **options: Any) -> Any: ...
    def combine(self, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray: ...
    def decode(self, outputs: Outputs, temperature: float) -> list[Prediction]: ...
    def agreement(self, ours: Outputs, theirs: Outputs) -> float: ...
    def fit_temperature(self, golds: list[Any], outputs: Outputs) -> float: ...
    def metrics(self, golds: list[Any], outputs: Outputs, temperature: float) -> dict: ...
    def describe(self) -> dict[str, Any]: ...
