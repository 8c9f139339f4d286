"""Tasks, one file each: the answers, golds, head and loss of one kind of question.

A task's file has a frozen `Config`, the keys of `[task]`, and a class `Task`, which follows the
protocol below. The top of the file imports the standard library only; numpy and torch are imported
inside functions. Documents are texts, or lists of words.

Optional abilities are protocols of their own, checked by `isinstance`:

    OnePass       (nlpkit.runtime.onepass) answers are decoded from one output of one graph
    Calibrated    scores are probabilities that a temperature calibrates
    Balanced      labels can be weighted, counted separately and shifted
    Distillable   the task can learn from the probabilities of other models
    Labelled      every gold answer is a label: a text, an integer or a boolean

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

Fields = Mapping[str, Any]  # a training row: the record's fields, "document" and "label"


class Columns(NamedTuple):
    """The default names of the fields that hold a row's document and its answer."""

    text: str = "text"
    target: str = "label"


class Reads(NamedTuple):
    """The tokens that a batch holds of each document: `spans` of (first, one past the last).

    `offsets` are the character spans of those tokens, (first, one past the last), where the task
    has OFFSETS; else None.
    """

    spans: Sequence[Span]
    offsets: Sequence[np.ndarray] | None = None

    @property
    def width(self) -> int:
        """The number of tokens in the longest span."""
        return max(end - start for start, end in self.spans)


class Task(Protocol):
    """The interface of every task."""

    answers: type[Answer]  # the class of its answers and golds
    score: str  # the name of the score that chooses the best epoch, one of its metrics'
    unit: str  # the unit that metrics count, such as documents or words
    columns: Columns
    windows: type[Slide]  # how long documents are read: Slide or Truncate
    OFFSETS: ClassVar[bool]  # whether answers point into the text
    WRITES: ClassVar[bool]  # whether answers are texts, so that the tokenizer needs bos and eos
    config: Any
    graphs: Mapping[str, Mapping[str, int | None]]  # graph -> output -> width, None for any
    shown: Sequence[str]  # the labels that lists and cards show

    @classmethod
    def from_rows(cls, rows: Sequence[Fields], config: Any) -> Self:
        """Build the task from its training rows, from which it learns labels and the like.

        Raises:
            InputError: the rows cannot teach the task.
        """

    def gold(self, fields: Fields) -> Any:
        """Return the gold answer of a row.

        Raises:
            InputError: the row has no valid gold.
        """

    def count(self, golds: Sequence[Any]) -> dict[str, int]:
        """Return the number of rows by label, or other counts, for the model card."""

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the torch module on top of an encoder (`nlpkit.heads`)."""

    def targets(self, golds: Sequence[Any], reads: Reads, tokenizer: Tokenizer) -> dict[str, Any]:
        """Return the target arrays of a batch (numpy), each with B rows."""

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B (torch), whose mean is the batch's loss."""

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return one answer for each document, in order; None for one without tokens."""

    def describe(self) -> dict[str, Any]:
        """Return plain values from which `build` rebuilds the task without its data."""


@runtime_checkable
class Calibrated(Protocol):
    """A task whose scores are softmax(logits / temperature)."""

    temperature: float

    def fit_temperature(self, golds: Sequence[Any], outputs: Outputs, weights: Any) -> float:
        """Return the calibrating temperature; `weights` has one number a document, or is None."""

    def at_temperature(self, temperature: float) -> Any:
        """Return a copy of the task with another temperature."""


@runtime_checkable
class Balanced(Protocol):
    """A task with labels, some of which may be rare, or absent from a file."""

    labels: Sequence[str]
    shift: list[float]  # added to the labels' logits

    def shifted(self, shift: Sequence[float]) -> Any:
        """Return a copy of the task with another shift."""

    def group(self, gold: Any) -> Any:
        """Return the key by which `max_per_label` counts golds."""

    def priors(self, golds: Sequence[Any], missing: float) -> Mapping[int, float]:
        """Return {label index: `missing`} for each label that is absent from a file's golds."""

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return the arrays that `loss` needs of the rows' priors, each with B rows."""

    def class_weights(self, golds: Sequence[Any], scheme: str) -> list[float]:
        """Return the weight of each label in the loss."""

    def label_index(self, gold: Any) -> int:
        """Return the index of a gold's label."""


@runtime_checkable
class Distillable(Protocol):
    """A task that can learn from teachers' probabilities of its labels, probs_NC."""

    labels: Sequence[str]

    def probabilities(self, outputs: Outputs) -> np.ndarray:
        """Return the calibrated probabilities, probs_NC."""

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_B (torch), the distance from the teachers' probabilities, `taught` [B, C]."""


@runtime_checkable
class Labelled(Protocol):
    """A task whose gold answers are labels: texts, integers or booleans."""

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a label as text; raises InputError if it is of the wrong kind."""


def lone_label(task: Any, golds: Sequence[Any]) -> str:
    """Return a warning if all gold answers have the same label, otherwise ""."""
    labels = {task.group(gold) for gold in golds} if isinstance(task, Balanced) else ()
    if len(labels) != 1:
        return ""
    return (
        f"every scored row has the label {next(iter(labels))!r}, so {task.score} says nothing "
        "about the other labels; add rows of every label"
    )


def build(described: Mapping[str, Any]) -> Any:
    """Rebuild a task from {"name": its name} and the values of its `describe`.

    Raises:
        UsageError: no task has that name.
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
    """Return the class of the task `name`.

    Raises:
        UsageError: no task has that name.
    """
    task: type[Task] = catalog.load("tasks", name).Task
    return task


def has(task: type[Task], protocol: type) -> bool:
    """Tell whether a task has every method of a protocol."""
    return all(hasattr(task, name) for name in vars(protocol) if not name.startswith("_"))


def need(task: type[Task], protocol: type, setting: str) -> None:
    """Check that a task has every method of a protocol that `setting` requires.

    Raises:
        UsageError: the task lacks one.
    """
    if not has(task, protocol):
        name = task.__module__.rpartition(".")[2]
        raise UsageError(f"{setting}: needs a task with labels, and {name} has none; leave it out")
