"""Count the labels of documents by the values of a column."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from nlpkit.answers import UNCERTAIN, Label
from nlpkit.errors import UsageError
from nlpkit.records import Record, Source, resolve_column
from nlpkit.records.answered import Answered
from nlpkit.records.reading import Reading
from nlpkit.records.source import column_named
from nlpkit.runtime.model import Answerer

DOCUMENTS = "documents"
EMPTY = "(empty)"  # the count of documents without a text


@dataclass
class Count:
    """The number of documents that share a value, in all and by label."""

    documents: int = 0  # includes documents without a text, which have no label
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def unlabelled(self) -> int:
        """The number of documents without a label."""
        return self.documents - self.labels.total()

    def add(self, other: Count) -> None:
        """Add the documents of another count."""
        self.documents += other.documents
        self.labels.update(other.labels)


@dataclass(frozen=True)
class Tally:
    """The counts for each value of the column `by`, the commonest first, then by name."""

    by: str
    labels: Sequence[str]  # labels of the model, in its order
    counts: dict[str, Count]  # by value; "" is the empty value

    @property
    def columns(self) -> list[str]:
        """The fields of `records`."""
        return [self.by, DOCUMENTS, *self.labels, *([EMPTY] if self.total().unlabelled else [])]

    def total(self, first: int = 0) -> Count:
        """Return the sum of the counts from index `first` on."""
        total = Count()
        for count in list(self.counts.values())[first:]:
            total.add(count)
        return total

    def records(self) -> Iterator[Record]:
        """Yield a record for each value: the value, its documents, and its documents by label."""
        columns = self.columns
        for value, count in self.counts.items():
            labels = {label: count.labels[label] for label in self.labels}
            row = {self.by: value, DOCUMENTS: count.documents, **labels, EMPTY: count.unlabelled}
            yield {name: row[name] for name in columns}


def labels_of(model: Answerer, by: str, min_confidence: float) -> tuple[str, ...]:
    """Return the labels that the answers of a model may have.

    Raises:
        UsageError: the model's answers are not labels, or a label has the name of the column.
    """
    if not issubclass(model.task.answers, Label):
        raise UsageError(f"--by {by}: {model.name} gives no labels to count; leave out --by")
    labels = (*model.task.shown, *((UNCERTAIN,) if min_confidence else ()))
    if by in (DOCUMENTS, EMPTY, *labels):
        raise UsageError(f"--by {by}: the output has a count of this name; rename the column")
    return labels


def tally(answers: Iterable[Answered], by: str, labels: Sequence[str], reading: Reading) -> Tally:
    """Count answers by the values of a column; memory grows with the values, not the documents.

    A record without the column, or with null or blanks in it, has the value "". `reading` names
    the inputs in errors, and has the columns of a table without rows.

    Raises:
        InputError: the first record, or a header without rows, has no such column, or the input
            cannot be read in its format and encoding.
    """
    source = Source(", ".join(reading.inputs), column=by)
    counts: dict[str, Count] = {}
    for record, _, answer in answers:
        if not counts:
            resolve_column(record, source)
        count = counts.setdefault(_value(record.get(column_named(by, record) or by)), Count())
        count.documents += 1
        if answer is not None:
            count.labels[answer.label] += 1
    if not counts and reading.layout.columns:
        resolve_column(reading.layout.columns, source)
    ordered = sorted(counts.items(), key=lambda item: (-item[1].documents, item[0]))
    return Tally(by, labels, dict(ordered))


def _value(value: Any) -> str:
    """Return a value as text: strings in NFC without outer blanks, JSON for others, "" for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return normalize("NFC", text.strip())
