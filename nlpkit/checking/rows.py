"""Read data files for `debug-data` and keep a short form of each row.

A row keeps its position, a hash of its text for finding copies, and an excerpt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from nlpkit import records
from nlpkit.errors import InputError, quoted
from nlpkit.records.rows import copy_key, is_blank, label_of, located, renamed
from nlpkit.records.source import column_named, near_column
from nlpkit.text.unicode import whole

EXCERPT = 200  # characters of a text to show; more than a line of a terminal
BATCH = 1000  # texts per call of the tokenizer, which is faster in batches

Measure = Callable[[Sequence[str]], Sequence[int]]  # texts -> their lengths in tokens
LabelOf = Callable[[Any], str]  # label of a record -> its text; raises InputError
Find = Callable[[str, str], str]  # (text, language) -> the problem of the text, or ""


class Row(NamedTuple):
    """A row without its text, so that a large data set fits in memory."""

    where: str  # FILE:LINE
    label: str | None
    key: bytes | None  # hash of the text's fingerprint; None if the text is empty
    words: int
    length: int  # tokens
    excerpt: str
    problem: str = ""  # why its label cannot be used


class Hit(NamedTuple):
    """A row with a problem, and a note on the problem."""

    row: Row
    note: str


@dataclass
class File:
    """A data file, the options for reading it, and its rows once it is read."""

    path: str
    split: str
    text: str | None = None
    label: str = "label"
    every_label: str = ""
    labels_as: Mapping[str, str] | None = None  # new names of labels
    label_of: LabelOf | None = label_of  # None if the task's answers are not labels
    encoding: str = "utf-8"
    needs_label: bool = False  # a file without the label field is an error
    max_per_label: int = 0
    used: int | None = None  # rows that training would use; None without a recipe
    rows: list[Row] = field(default_factory=list)
    hits: dict[Find, list[Hit]] = field(default_factory=dict)
    labelled: bool = False
    fields: tuple[str, ...] = ()  # of the first row

    @property
    def labels(self) -> Counter[str]:
        """The number of rows of each label."""
        return Counter(row.label for row in self.rows if row.label is not None)

    def read(self, measure: Measure, finds: Sequence[Find], lang: str) -> None:
        """Read the file once, and collect the hits of each function in `finds`.

        Raises:
            InputError: the file cannot be read in its format and encoding, has no rows, or lacks
                the labels that it needs.
        """
        items = self._records()
        while batch := list(islice(items, BATCH)):
            self.fields = self.fields or tuple(batch[0][1])
            lengths = measure([text for *_, text in batch])
            for (where, record, text), length in zip(batch, lengths, strict=True):
                column = column_named(self.label, record)
                label, problem = self._label(record, column)
                self.labelled |= bool(self.every_label or problem) or (
                    column is not None and not isinstance(record[column], list | dict)
                )
                row = Row(
                    where=where,
                    label=label,
                    problem=problem,
                    key=copy_key(record, text, self.text),
                    words=len(text.split()),
                    length=length,
                    excerpt=whole(text[:EXCERPT]),
                )
                self.rows.append(row)
                for find in finds:
                    if note := find(text, lang):
                        self.hits.setdefault(find, []).append(Hit(row, note))
        if not self.rows:
            raise InputError(f"{quoted(self.path)}: only a header, no rows to check")
        named = column_named(self.label, self.fields)
        if self.needs_label and named is None and not self.labelled:
            near = near_column(self.label, self.fields)
            raise InputError(
                f"{quoted(self.path)}: its rows have no field {self.label!r}.{near} "
                f"Their fields are: {', '.join(self.fields)}"
            )

    def _records(self) -> Iterator[tuple[str, records.Record, str]]:
        source = records.Source(quoted(self.path), column=self.text, sheet_option=False)
        for where, record in located(self.path, self.text, self.encoding):
            yield where, record, records.text_of(record, source)

    def _label(self, record: records.Record, column: str | None) -> tuple[str | None, str]:
        """Return the label in `column`, or None, and the problem of the label, or ""."""
        value = None if column is None else record[column]
        value = self.every_label or renamed(value, self.labels_as)
        is_words = isinstance(record.get(self.text or records.TEXT), list)  # its list holds tags
        is_nested = isinstance(value, list | dict) and (is_words or not self.label_of)
        if is_blank(value) or is_nested or _are_spans(value):
            return None, ""
        try:
            return (self.label_of or str)(value), ""
        except InputError as problem:
            return None, str(problem)


def _are_spans(value: Any) -> bool:
    """Tell whether a label is a list of spans, as tasks other than classification have."""
    return isinstance(value, list) and all(isinstance(item, list | dict) for item in value)


FileRow = tuple[File, Row]
Group = list[FileRow]  # rows with the same text


def rows_per_file(rows: Iterable[FileRow]) -> Counter[str]:
    """Count the rows of each file: path -> rows."""
    return Counter(file.path for file, _ in rows)
