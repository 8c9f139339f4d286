"""What debug-data keeps of data files: of each row enough to compare it and to point at it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from nlpkit import records
from nlpkit.errors import InputError, near_match, quoted
from nlpkit.records.rows import fingerprint, is_blank, label_of, located, renamed
from nlpkit.text.unicode import whole

EXCERPT = 200  # characters kept of a text, to show it: more than a terminal's line
BATCH = 1000  # texts measured together: a tokenizer is fastest over many

Measure = Callable[[Sequence[str]], Sequence[int]]  # lengths in what the window counts
LabelOf = Callable[[Any], str]  # a label as text; raises InputError
Find = Callable[[str, str], str]  # of a text and its language: what is wrong; "" is nothing


class Row(NamedTuple):
    """What is kept of a row. Not its text: a big set must fit in memory."""

    where: str  # FILE:LINE
    label: str | None
    key: bytes | None  # stands for its fingerprint; None where there is no text
    words: int
    length: int
    excerpt: str
    problem: str = ""  # of its label


class Hit(NamedTuple):
    """A row whose text a check found something in."""

    row: Row
    note: str


@dataclass
class File:
    """A data file: how to read it, and what it held."""

    path: str
    split: str
    text: str | None = None
    label: str = "label"
    every_label: str = ""
    labels_as: Mapping[str, str] | None = None  # new names of labels
    label_of: LabelOf | None = label_of  # None: the task's answers are no labels
    encoding: str = "utf-8"
    needs_label: bool = False  # without labels it is wrong, rather than unlabelled
    max_per_label: int = 0
    used: int | None = None  # rows that training uses of it, if that is known
    rows: list[Row] = field(default_factory=list)
    hits: dict[Find, list[Hit]] = field(default_factory=dict)
    labelled: bool = False
    fields: tuple[str, ...] = ()  # of its first row

    @property
    def labels(self) -> Counter[str]:
        """Return how many rows have each label."""
        return Counter(row.label for row in self.rows if row.label is not None)

    def read(self, measure: Measure, finds: Sequence[Find], lang: str) -> None:
        """Read the file, once, and keep what each of `finds` has to say of its texts.

        Raises:
            InputError: it cannot be read as said, has no rows, or lacks the labels it needs.
        """
        found = self._records()
        while batch := list(islice(found, BATCH)):
            self.fields = self.fields or tuple(batch[0][1])
            lengths = measure([text for *_, text in batch])
            for (where, record, text), length in zip(batch, lengths, strict=True):
                label, problem = self._label(record)
                self.labelled |= bool(self.every_label or problem) or (
                    self.label in record and not isinstance(record[self.label], list | dict)
                )
                row = Row(
                    where=where,
                    label=label,
                    problem=problem,
                    key=_key(self._copied(record, text)),
                    words=len(text.split()),
                    length=length,
                    excerpt=whole(text[:EXCERPT]),
                )
                self.rows.append(row)
                for find in finds:
                    if note := find(text, lang):
                        self.hits.setdefault(find, []).append(Hit(row, note))
        if not self.rows:
            raise InputError(
                f"{quoted(self.path)}: no rows, only a header; there is nothing to check"
            )
        if self.needs_label and self.label not in self.fields and not self.labelled:
            near = near_match(self.label, self.fields)
            raise InputError(
                f"{quoted(self.path)}: its rows have no {self.label!r}.{near} "
                f"Their fields are: {', '.join(self.fields)}"
            )

    def _records(self) -> Iterator[tuple[str, records.Record, str]]:
        source = records.Source(quoted(self.path), column=self.text)
        for where, record in located(self.path, self.text, self.encoding):
            yield where, record, records.text_of(record, source)

    def _label(self, record: records.Record) -> tuple[str | None, str]:
        """Return the label of a record, if it has one, and what is wrong with it."""
        value = self.every_label or renamed(record.get(self.label), self.labels_as)
        tags = isinstance(record.get(self.text or records.TEXT), list)  # a list of words has them
        if is_blank(value) or (isinstance(value, list | dict) and (tags or not self.label_of)):
            return None, ""
        try:
            return (self.label_of or str)(value), ""
        except InputError as problem:
            return None, str(problem)

    def _copied(self, record: records.Record, text: str) -> str:
        """Return what a row's copies are found by, as `nlpkit.records.rows.Row.words` does."""
        tokens = isinstance(record.get(self.text or records.TEXT), list)
        return str(record.get(records.TEXT) or text) if tokens else text


FileRow = tuple[File, Row]
Group = list[FileRow]  # the rows of one text


def rows_per_file(rows: Iterable[FileRow]) -> Counter[str]:
    """Return how many of the rows each file has."""
    return Counter(file.path for file, _ in rows)


def _key(text: str) -> bytes | None:
    if not text.strip():
        return None
    letters = fingerprint(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(letters, digest_size=16).digest()
