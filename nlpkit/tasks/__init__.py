"""Tasks, one file each: what the head is, the loss, how outputs become predictions, metrics.

A task file provides a frozen `Config` (the keys of `[task]`) and a class `Task` with

    score                          the metric that the best epoch is chosen by
    command                        the nlpkit command that asks a model of this task
    unit                           what metrics count: documents, words
    columns                        fields of the document and of the label that rows must have
    Task(config, labels)           as kept by describe()
    from_rows(rows, config)        a classmethod that learns the labels from training rows' fields
    target(fields)                 the gold of one row, or InputError
    priors(golds, missing)         of the labels that a file never gives
    count(golds)                   rows a label, for the model card
    group(gold)                    what `max_per_label` counts by
    targets(golds, priors, spans)  arrays for a batch, of which the tokens in `spans` were read
    class_weights(golds, scheme)   weights of the labels in the loss
    head(width, pooling)           torch module: states_BTD, mask_BT -> outputs, B first
    loss(outputs, targets, smoothing=, weights=, rows=)   torch scalar; `rows` weighs documents
    combine(outputs, spans)        one document's output from those of its windows; where outputs
                                   are rows it is asked only of documents with several windows
    decode(documents, outputs, temperature)  predictions from documents and their outputs
    fit_temperature(golds, outputs, weights=None)  the temperature that calibrates the scores
    metrics(golds, outputs, temperature)  what evaluation reports: `score`, "n" and others
    agreement(ours, theirs)        share of documents (or tokens) decoded alike
    describe()                     {"labels", "config", ...}: what goes into bundle.json; the rest
                                   are further arguments of Task

and, of a task that gives each document's labels one probability each, so that it can be taught
and shifted,

    shift                          what is added to the labels' logits
    soften(outputs, temperature)   the probabilities, probs_NC: what a teacher teaches
    distillation(outputs, taught, temperature)   torch tensor: each row's distance from its teachers

Documents are texts, or lists of words for a task that reads them so. Outputs are sequences with one
array for each document. `shown` is what people are told of the labels, where those say little.

The top of a task file imports the standard library only; numpy and torch inside functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nlpkit import catalog
from nlpkit.settings import declaration

if TYPE_CHECKING:
    import numpy as np

Outputs = Sequence["np.ndarray"]
Span = tuple[int, int]  # first and one past the last token
ERRORS = (
    "ece",
    "error",
    "loss",
    "perplexity",
    "wer",
    "cer",
    "ter",
)  # names of metrics, or their ends


class Prediction(NamedTuple):
    """What a task says of one document; `None` stands for an empty one.

    A tuple, for there are millions of them.
    """

    label: str
    score: float
    scores: Mapping[str, float]

    def plain(self) -> dict[str, Any]:
        """Return plain values, scores at four places."""
        scores = {name: round(p, 4) for name, p in self.scores.items()}
        return {"label": self.label, "scores": scores}


@dataclass(frozen=True)
class Tagged:
    """The lemma and the UPOS tag of each word of a document."""

    lemmas: tuple[str, ...]
    upos: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"lemmas": list(self.lemmas), "upos": list(self.upos)}


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the plain numbers among a task's metrics: what logs, lists and cards show."""
    return {key: value for key, value in scores.items() if isinstance(value, float)}


def minimised(metric: str) -> bool:
    """Tell whether a metric is an error, such as ece or val_loss: better when lower."""
    return metric.rpartition("_")[2] in ERRORS


def averaged(outputs: Sequence[np.ndarray], spans: Sequence[Span]) -> np.ndarray:
    """Return the mean of windows' outputs, each weighed by its tokens."""
    import numpy as np

    if len(outputs) == 1:
        return outputs[0]
    weights = np.array([end - start for start, end in spans], dtype=np.float64)
    return np.average(np.stack(outputs), axis=0, weights=weights).astype(outputs[0].dtype)


class Task(Protocol):
    """The contract above, for type checkers."""

    score: str
    command: str
    unit: str
    columns: tuple[str, str]
    config: Any
    labels: tuple[str, ...]
    shown: tuple[str, ...]

    def target(self, fields: Mapping[str, Any]) -> Any: ...
    def priors(self, golds: Sequence[Any], missing: float) -> Mapping[int, float]: ...
    def count(self, golds: Sequence[Any]) -> dict[str, int]: ...
    def group(self, gold: Any) -> Any: ...
    def targets(
        self, golds: Sequence[Any], priors: Sequence[Any], spans: Sequence[Span]
    ) -> dict[str, np.ndarray]: ...
    def class_weights(self, golds: list[Any], scheme: str) -> list[float]: ...
    def head(self, width: int, pooling: str) -> Any: ...
    def loss(self, outputs: Any, targets: Mapping[str, Any], **options: Any) -> Any: ...
    def combine(self, outputs: Outputs, spans: Sequence[Span]) -> np.ndarray: ...
    def decode(
        self, documents: Sequence[Any], outputs: Outputs, temperature: float
    ) -> list[Any]: ...
    def agreement(self, ours: Outputs, theirs: Outputs) -> float: ...
    def fit_temperature(self, golds: list[Any], outputs: Outputs, weights: Any = None) -> float: ...
    def metrics(self, golds: list[Any], outputs: Outputs, temperature: float) -> dict: ...
    def describe(self) -> dict[str, Any]: ...


def build(described: Mapping[str, Any]) -> Task:
    """Rebuild a task from its name and what its `describe` kept.

    Raises:
        UsageError: there is no such task.
        KeyError, ValueError: the description is damaged.
    """
    module = catalog.load("tasks", described["name"])
    problems: list[str] = []
    config = declaration.build(module.Config, described["config"], "task", problems)
    if problems:
        raise ValueError("; ".join(problems))
    rest = {k: v for k, v in described.items() if k not in ("name", "labels", "config")}
    task: Task = module.Task(config, described["labels"], **rest)
    return task
