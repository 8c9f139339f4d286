"""What debug-data keeps of data files: of each row enough to compare it and to point at it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from nlpkit import records
from nlpkit.errors import InputError
from nlpkit.records.rows import fingerprint
from nlpkit.records.source import column_named, near_column
from nlpkit.text.unicode import whole

EXCERPT = 200  # characters kept of a text, to show it: more than a terminal's line
BATCH = 1000  # texts measured together: a tokenizer is fastest over many

Measure = Callable[[Sequence[str]], Sequence[int]]  # lengths in what the window counts
Find = Callable[[str, str], str]  # of a text and its language: what is wrong; "" is nothing


class Row(NamedTuple):
    """What is kept of a row. Not its text: a big set must fit in memory."""

    where: str  # FILE:LINE
    label: str | None
    key: bytes | None  # stands for its fingerprint; None where there is no text
    words: int
    length: int
    excerpt: str


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
            column = column_named(self.label, self.fields) or self.label
            self.labelled |= bool(self.every_label) or any(
                column in record and _is_label(record[column]) for _, record, _ in batch
            )
            lengths = measure([text for *_, text in batch])
            for (where, record, text), length in zip(batch, lengths, strict=True):
                row = Row(
                    where=where,
                    label=self.every_label or _label(record.get(column)),
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
            raise InputError(f"{self.path}: no rows, only a header; there is nothing to check")
        named = column_named(self.label, self.fields)
        if self.needs_label and named is None and not self.labelled:
            near = near_column(self.label, self.fields)
            raise InputError(
                f"{self.path}: its rows have no {self.label!r}.{near} "
                f"Their fields are: {', '.join(self.fields)}"
            )

    def _records(self) -> Iterator[tuple[str, records.Record, str]]:
        position = records.Position()
        source = records.Source(self.path, self.encoding, column=self.text, position=position)
        form = records.format_of(self.path)
        with records.open_input(self.path) as stream:
            for record in records.read(stream, form, source):
                line = position.line
                if form == "csv":  # a row may span lines; people look for its first
                    line -= sum(value.count("\n") for value in record.values())
                yield f"{self.path}:{line}", record, records.text_of(record, source)

    def _copied(self, record: records.Record, text: str) -> str:
        """Return what a row's copies are found by, as `nlpkit.records.rows.Row.words` does."""
        tokens = isinstance(record.get(self.text or records.TEXT), list)
        return str(record.get(records.TEXT) or text) if tokens else text


FileRow = tuple[File, Row]
Group = list[FileRow]  # the rows of one text


def rows_per_file(rows: Iterable[FileRow]) -> Counter[str]:
    """Return how many of the rows each file has."""
    return Counter(file.path for file, _ in rows)


def _is_label(value: Any) -> bool:
    """Tell whether a value may be a row's label, if an empty one; a list is tags of its words."""
    return not isinstance(value, list | dict)


def _label(value: Any) -> str | None:
    there = value is not None and _is_label(value) and str(value).strip()
    return str(value) if there else None


def _key(text: str) -> bytes | None:
    if not text.strip():
        return None
    letters = fingerprint(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(letters, digest_size=16).digest()
