"""Tasks, one file each: what the head is, the loss, how outputs become predictions, metrics.

A task file provides a frozen `Config` (the keys of `[task]`) and a class `Task` with

    from_rows(rows, config)        learn the labels from training rows
    target(row)                    the gold of one row, or InputError
    targets(golds, weights)        arrays for a batch of golds and their label weights
    class_weights(golds, scheme)   weights of the labels in the loss
    head(width, pooling)           torch module: states_BTD, mask_BT -> outputs
    loss(outputs, targets, ...)    torch scalar
    combine(outputs, weights)      one document's output from those of its windows
    decode(outputs)                predictions from documents' outputs
    fit_temperature(golds, outputs)  the temperature that calibrates the scores
    metrics(golds, outputs)        what evaluation reports; "macro_f1" is chosen by
    describe()                     what of it goes into bundle.json

The top of a task file imports the standard library only; numpy and torch inside functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What a task says of one document; `None` stands for an empty one."""

    label: str
    score: float
    scores: Mapping[str, float]


class Task(Protocol):
    """The contract above, for type checkers."""

    config: Any
    labels: tuple[str, ...]

    def target(self, row: Mapping[str, Any]) -> Any: ...
    def targets(self, golds: list[Any], weights: list[Any]) -> dict[str, np.ndarray]: ...
    def class_weights(self, golds: list[Any], scheme: str) -> list[float]: ...
    def head(self, width: int, pooling: str) -> Any: ...
    def loss(self, outputs: Any, targets: Mapping[str, Any], **options: Any) -> Any: ...
    def combine(self, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray: ...
    def decode(self, outputs: np.ndarray, temperature: float) -> list[Prediction]: ...
    def fit_temperature(self, golds: list[Any], outputs: np.ndarray) -> float: ...
    def metrics(self, golds: list[Any], outputs: np.ndarray, temperature: float) -> dict: ...
    def describe(self) -> dict[str, Any]: ...
