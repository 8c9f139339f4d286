"""Tasks, one file each: the answers, golds, head and loss of one kind of question.

A task's file has a frozen `Config`, the keys of `[task]`, and a class `Task`, which follows the
protocol below. The top of the file imports the standard library only; numpy and torch are imported
inside functions. Documents are texts, or lists of words.

Optional abilities are protocols of their own in `nlpkit.abilities`.

Legend: N documents, C labels, B batch, T time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

from nlpkit import catalog
from nlpkit.abilities import Balanced, Equipped, Inventoried
from nlpkit.errors import UsageError
from nlpkit.runtime.onepass import Span
from nlpkit.settings import declaration

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.answers import Answer
    from nlpkit.records.rows import Row
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


def golds_of(task: Any, rows: Sequence[Row]) -> list[Any]:
    """Return the golds of the rows of one file. Raises InputError at a row without a valid one."""
    from nlpkit.records.rows import gold_of

    golds = [gold_of(task.gold, row) for row in rows]
    return task.in_file(golds) if isinstance(task, Inventoried) else golds


def lone_label(task: Any, golds: Sequence[Any]) -> str:
    """Return a warning if all gold answers have the same label, otherwise ""."""
    labels = {task.group(gold) for gold in golds} if isinstance(task, Balanced) else ()
    if len(labels) != 1:
        return ""
    return (
        f"every scored row has the label {next(iter(labels))!r}, so {task.score} says nothing "
        "about the other labels; add rows of every label"
    )


def build(described: Mapping[str, Any], read: Callable[[str], bytes] | None = None) -> Any:
    """Rebuild a task from {"name": its name} and the values of its `describe`.

    `read` returns the contents of a file that the task needs; without it, the task answers as if
    it needed none.

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
    task = module.Task(config, **rest)
    if read:
        equip(task, read)
    return task


def equip(task: Any, read: Callable[[str], bytes]) -> None:
    """Give a task the files that it needs. Raises ValueError if one is damaged."""
    if isinstance(task, Equipped) and task.needs:
        task.equip({name: read(name) for name in task.needs})


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
