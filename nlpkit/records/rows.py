"""Labelled rows from data files, for training and for evaluation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nlpkit import records
from nlpkit.errors import InputError
from nlpkit.records.source import column_named, near_column
from nlpkit.text.unicode import whole


@dataclass(frozen=True)
class Row:
    """A document (a text, or its words), all its fields, and where it stands.

    In the fields the document is "document" too, and the true label "label".
    """

    text: str | list[str]
    fields: records.Record
    where: str

    @property
    def words(self) -> str:
        """The document as one string, to find its copies by: words may be split in several ways."""
        if isinstance(self.text, str):
            return self.text
        return str(self.fields.get(records.TEXT) or " ".join(self.text))


def read_records(path: str, column: str, encoding: str = "utf-8") -> Iterator[records.Record]:
    """Yield the records of a file, whose format goes by its extension.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    with records.open_input(path) as stream:
        source = records.Source(name=path, column=column, encoding=encoding)
        yield from records.read(stream, records.format_of(path), source)


def read_rows(
    path: str, *, text: str, label: str, encoding: str = "utf-8", every_label: str = ""
) -> list[Row]:
    """Return a file's rows. Rows with an empty text hold nothing to learn or score.

    With `every_label` all rows have that label, and the file needs none.

    Raises:
        InputError: the file cannot be read, or a row has no label.
    """
    rows = []
    for number, record in enumerate(read_records(path, text, encoding), start=1):
        where = f"{path}: row {number}"
        if every_label:
            record = record | {label: every_label}
        document = _document(record[column_named(text, record) or text])
        if not document:
            continue
        column = column_named(label, record)
        if column is not None and record[column] in (None, ""):
            raise InputError(f"{where}: its {label!r} is empty; label it or leave it out")
        if column is None:
            raise InputError(
                f"{where} has no {label!r}.{near_column(label, record)} "
                f"Its fields are: {', '.join(record)}; say which holds the label with --label"
            )
        fields = record | {"label": record[column], "document": document}
        rows.append(Row(document, fields, where))
    return rows


def fingerprint(text: str) -> str:
    """Return the text's letters alone, to find duplicates by.

    Case, punctuation, spacing (sets are tokenised in their own ways), URLs and user names differ
    between copies of one text.
    """
    text = re.sub(r"https?://\S+|www\.\S+|@\w+", " ", text.casefold())
    return "".join(re.findall(r"\w+", text)) or text


def copy_key(record: records.Record, text: str, column: str | None = None) -> bytes | None:
    """Return 16 bytes that stand for the letters of a record's text; None for a blank text.

    Copies of a text have the same key. Tokens (a list in `column`) may be split in several ways, so
    the record's own text counts where it has one, as for `Row.words`.
    """
    tokens = isinstance(record.get(column or records.TEXT), list)
    copied = str(record.get(records.TEXT) or text) if tokens else text
    if not copied.strip():
        return None
    letters = fingerprint(copied).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(letters, digest_size=16).digest()


def _document(value: Any) -> Any:
    """Return a text or list of words; None when it is empty or something else."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return [whole(word) for word in value]
    if isinstance(value, str) and value.strip():
        return whole(value)
    return None


def gold_of(gold: Callable[[records.Record], Any], row: Row) -> Any:
    """Return what a task's `gold` makes of a row; its InputError says where the row stands."""
    try:
        return gold(row.fields)
    except InputError as problem:
        raise InputError(f"{row.where}: {problem}") from None
