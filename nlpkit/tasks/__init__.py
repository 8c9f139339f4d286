"""Tasks, one file each: a question about a document, and how a network learns to answer it.

A task's file has a frozen `Config`, the keys of `[task]`, and a class `Task`, whose contract is the
protocol below. The top of the file imports the standard library only; numpy and torch are imported
inside functions. Documents are texts, or lists of words.

What only some tasks can do is a protocol of its own, asked for by `isinstance`:

    OnePass       (nlpkit.runtime.onepass) its answers follow from one output of one graph
    Calibrated    its scores are probabilities that a temperature calibrates
    Balanced      it has labels that can be weighed, counted apart, and shifted
    Distillable   it can learn the probabilities that other models give
    Labelled      its right answers are labels: a text, an integer or a boolean each

Legend: N documents, C labels, B batch, T time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self, runtime_checkable

from nlpkit import catalog
from nlpkit.errors import UsageError
from nlpkit.runtime.onepass import Outputs, Span
from nlpkit.settings import declaration

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.answers import Answer
    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Slide, Windows

Fields = Mapping[str, Any]  # of a row: the record's own, and "document" and "label"


class Columns(NamedTuple):
    """The fields that rows have where nobody names others: the document's and the answer's."""

    text: str = "text"
    target: str = "label"


class Reads(NamedTuple):
    """What a batch holds of each document: its tokens from first to before last.

    `offsets`: (first, one past the last) character of those tokens, where the task asks for them.
    """

    spans: Sequence[Span]
    offsets: Sequence[np.ndarray] | None = None

    @property
    def width(self) -> int:
        """The tokens of the longest."""
        return max(end - start for start, end in self.spans)


class Task(Protocol):
    """What every task has; `config` and `labels` are kept by `describe`, in any form."""

    answers: type[Answer]  # the kind of its answers, and of its golds
    score: str  # the score, of those that metrics give its answers, that the best epoch has
    unit: str  # what metrics count: documents, words
    columns: Columns
    windows: type[Slide]  # what becomes of a long document: Slide or Truncate
    OFFSETS: ClassVar[bool]  # whether answers point into the text
    WRITES: ClassVar[bool]  # whether answers are texts, so that the tokenizer needs bounds
    config: Any
    graphs: Mapping[str, Mapping[str, int | None]]  # graph -> output -> width, None for any
    shown: Sequence[str]  # what people are told of the labels

    @classmethod
    def from_rows(cls, rows: Sequence[Fields], config: Any) -> Self:
        """Learn what the task needs to know of the training rows; raises InputError."""

    def gold(self, fields: Fields) -> Any:
        """Return the right answer of a row; raises InputError."""

    def count(self, golds: Sequence[Any]) -> dict[str, int]:
        """Return how many rows, or other things, there are of each kind, for the model card."""

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the torch module on top of an encoder (`nlpkit.heads`)."""

    def targets(self, golds: Sequence[Any], reads: Reads, tokenizer: Tokenizer) -> dict[str, Any]:
        """Return numpy arrays of what a batch should give, all of B rows."""

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B (torch), whose mean is the batch's loss."""

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return one answer for each document, in order; None for one without tokens."""

    def describe(self) -> dict[str, Any]:
        """Return plain values from which `build` makes the task without its data."""


@runtime_checkable
class Calibrated(Protocol):
    """A task whose scores are softmax(logits / temperature)."""

    temperature: float

    def fit_temperature(self, golds: Sequence[Any], outputs: Outputs, weights: Any) -> float:
        """Return the temperature that calibrates; `weights` of the documents, or None."""

    def at_temperature(self, temperature: float) -> Any:
        """Return the task with another temperature."""


@runtime_checkable
class Balanced(Protocol):
    """A task with labels, some of them rare, some never given by a file."""

    labels: Sequence[str]
    shift: list[float]  # added to the labels' logits

    def shifted(self, shift: Sequence[float]) -> Any:
        """Return the task with another shift."""

    def group(self, gold: Any) -> Any:
        """Return what `max_per_label` counts by."""

    def priors(self, golds: Sequence[Any], missing: float) -> Mapping[int, float]:
        """Return the prior of each label that is not among a file's golds."""

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return the arrays that `loss` takes of the priors."""

    def class_weights(self, golds: Sequence[Any], scheme: str) -> list[float]:
        """Return the weight of each label in the loss."""

    def place(self, gold: Any) -> int:
        """Return which label a gold has."""


@runtime_checkable
class Distillable(Protocol):
    """A task that can learn from what teachers say: probs_NC of its labels."""

    labels: Sequence[str]

    def probabilities(self, outputs: Outputs) -> np.ndarray:
        """Return the calibrated probabilities, probs_NC."""

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_B (torch), each row's distance from the teachers' probs_BC."""


@runtime_checkable
class Labelled(Protocol):
    """A task whose right answers are labels: a text, an integer or a boolean each."""

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a row's label as text; raises InputError where it is none."""


def lone_label(task: Any, golds: Sequence[Any]) -> str:
    """Return a warning where all golds are one label, which scores say nothing of; else ""."""
    labels = {task.group(gold) for gold in golds} if isinstance(task, Balanced) else ()
    if len(labels) != 1:
        return ""
    return (
        f"every row to score by has the label {next(iter(labels))!r}: {task.score} then says "
        "nothing of the others; add rows of every label"
    )


def build(described: Mapping[str, Any]) -> Any:
    """Rebuild a task from its name and what its `describe` kept.

    Raises:
        UsageError: there is no such task.
        KeyError, TypeError, ValueError: the description is damaged.
    """
    module = catalog.load("tasks", described["name"])
    problems: list[str] = []
    config = declaration.build(module.Config, described["config"], "task", problems)
    if problems:
        raise ValueError("; ".join(problems))
    rest = {key: value for key, value in described.items() if key not in ("name", "config")}
    return module.Task(config, **rest)


def class_of(name: str) -> type[Task]:
    """Return the class of a task. Raises UsageError where there is none of that name."""
    made: type[Task] = catalog.load("tasks", name).Task
    return made


def need(task: type[Task], protocol: type, setting: str) -> None:
    """Raise UsageError where a setting asks of a task what it cannot do."""
    methods = (name for name in vars(protocol) if not name.startswith("_"))
    if not all(hasattr(task, name) for name in methods):
        name = task.__module__.rpartition(".")[2]
        raise UsageError(f"{setting}: the task {name} has no labels to do that with; leave it out")
