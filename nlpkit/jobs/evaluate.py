"""Score a model on labelled files."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import abilities, cascade, metrics, tasks, zoo
from nlpkit.errors import InputError, Note, UsageError, quoted
from nlpkit.records.answered import check_confidence
from nlpkit.records.rows import Row, read_rows
from nlpkit.runtime.device import cores
from nlpkit.runtime.model import Model
from nlpkit.tasks import Task, lone_label
from nlpkit.text.documents import whole_text


def open_model(name: str, *, device: str, precision: str) -> Model:
    """Load a bundle, or a training run, which runs in torch.

    Raises:
        ModelError, DeviceError: as `zoo.load`.
        UsageError: as `zoo.load`, or a precision is given for a run.
    """
    if zoo.is_run(name):
        if precision != "auto":
            raise UsageError(f"{name} is a run, which has no precisions; export it to choose one")
        from nlpkit.training.opened import open_run

        return open_run(Path(name), device, threads=cores())[0]
    return zoo.load(name, device=device, precision=precision)


@dataclass(frozen=True)
class Labelled:
    """Documents and the gold answer of each."""

    documents: list[Any]
    golds: list[Any]


def read_labelled(
    task: Task,
    path: str,
    *,
    text: str | None,
    label: str | None,
    encoding: str,
    names: Mapping[str, str] | None = None,
) -> Labelled:
    """Read the documents and golds of a file; `text` and `label` replace the task's columns.

    `names` are new names of labels, as `labels` of a source in a recipe.

    Issue a note if the default label may be an answer: all fields of one are in the file.

    Raises:
        InputError: the file cannot be read, or a label is unknown.
    """
    own = task.columns
    # A language model's target is its text.
    target = text if text and own.target == own.text else own.target
    columns = (text or own.text, label or target)
    rows = read_rows(path, text=columns[0], label=columns[1], encoding=encoding, names=names)
    fields = task.answers.fields()
    if not label and columns[1] in fields[:-1] and rows and set(fields) <= rows[0].fields.keys():
        both = " and ".join(map(repr, fields))
        note = f"its {both} may be answers of nlpkit; --label names the column of the right answers"
        warnings.warn(Note(f"{quoted(path)}: {note}"), stacklevel=2)
    golds = tasks.golds_of(task, rows)
    if isinstance(task, abilities.Inventoried):
        _tell_foreign(path, task, rows, golds)
    return Labelled([row.text for row in rows], golds)


def _tell_foreign(path: str, task: Any, rows: Sequence[Row], golds: Sequence[Any]) -> None:
    """Issue a note on annotated types that the model does not know.

    Raises:
        InputError: the model knows none of a file's types.
    """
    counts = Counter(kind for row in rows for kind in task.foreign(row.fields))
    if not counts:
        return
    left_out = ", ".join(f"{kind} {n:,}" for kind, n in counts.most_common())
    known = f"the model knows {', '.join(task.shown)}; --rename OLD=NEW says which is which"
    if not any(gold.spans for gold in golds):
        raise InputError(f"{quoted(path)}: its types are {', '.join(counts)}, but {known}")
    warnings.warn(Note(f"{quoted(path)}: not scored: {left_out}; {known}"), stacklevel=3)


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model (`nlpkit.metrics`) and its speed in documents per second."""

    scores: Mapping[str, Any]
    model: str
    provider: str
    data: tuple[str, ...]
    docs_per_second: float
    warning: str = ""  # why the scores are not informative
    texts: Sequence[str] = ()  # the documents

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain values."""
        return {
            **self.scores,
            "model": self.model,
            "provider": self.provider,
            "data": list(self.data),
            "docs_per_second": self.docs_per_second,
        }


def evaluate(
    model: Model,
    paths: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    names: Mapping[str, str] | None = None,
    min_confidence: float = 0.0,
) -> Evaluation:
    """Score a model on all rows of the files together; `names` are new names of labels.

    With `min_confidence`, only answers with that score or more are scored, and "coverage" is their
    share of the rows.

    Raises:
        InputError: a file cannot be read, a label is unknown, or no row is left to score.
        UsageError: `min_confidence` is given, but the model's answers have no score.
    """
    check_confidence(model.task.answers, min_confidence, model.name)
    documents: list[Any] = []
    golds: list[Any] = []
    for path in paths:
        labelled = read_labelled(
            model.task, path, text=text, label=label, encoding=encoding, names=names
        )
        documents += labelled.documents
        golds += labelled.golds
    asked = model.task.asked if isinstance(model.task, cascade.Task) else 0
    started = time.perf_counter()
    answers = model.predict(documents)
    seconds = time.perf_counter() - started
    pairs = [(gold, each) for gold, each in zip(golds, answers, strict=True) if each is not None]
    if not pairs:
        raise InputError(f"{', '.join(paths)}: no rows with a text to score")
    scored = [p for p in pairs if not min_confidence or (p[1].score or 0) >= min_confidence]
    if not scored:
        raise InputError(f"--min-confidence {min_confidence}: no answer has this score; lower it")
    scores = metrics.measure(model.task.answers, *map(list, zip(*scored, strict=True)))
    if isinstance(model.task, cascade.Task):
        scores["asked"] = round((model.task.asked - asked) / len(documents), 6)
    if min_confidence:
        scores["coverage"] = round(len(scored) / len(pairs), 6)
    return Evaluation(
        scores=scores,
        model=model.name,
        provider=model.provider,
        data=tuple(paths),
        docs_per_second=round(len(documents) / seconds, 1),
        warning=lone_label(model.task, [gold for gold, _ in scored]),
        texts=[whole_text(document) for document in documents],
    )
