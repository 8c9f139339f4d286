"""Read labelled rows from data files, for training and evaluation."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nlpkit import records
from nlpkit.errors import InputError, Note, quoted
from nlpkit.records.source import column_named, near_column
from nlpkit.text.unicode import whole
from nlpkit.wording import plural


@dataclass(frozen=True)
class Row:
    """A document (a text, or its words), all fields of its record, and its position.

    The fields also hold the document, as "document", and the true label, as "label".
    """

    text: str | list[str]
    fields: records.Record
    where: str

    @property
    def words(self) -> str:
        """The document as one string, for finding copies that are tokenised differently."""
        if isinstance(self.text, str):
            return self.text
        return str(self.fields.get(records.TEXT) or " ".join(self.text))


def read_records(path: str, column: str, encoding: str = "utf-8") -> Iterator[records.Record]:
    """Yield the records of a file; its extension gives the format.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    for _, record in located(path, column, encoding):
        yield record


def located(
    path: str, column: str | None, encoding: str = "utf-8"
) -> Iterator[tuple[str, records.Record]]:
    """Yield the position of each record, FILE:LINE or FILE: row N, and the record.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    position = records.Position()
    source = records.Source(
        quoted(path), encoding, column=column, position=position, sheet_option=False
    )
    form = records.format_of(path)
    with records.open_input(path) as stream:
        for number, record in enumerate(records.read(stream, form, source), start=1):
            line = position.line
            if form == "csv":  # a row may span lines: report the first
                line -= sum(value.count("\n") for value in record.values())
            yield (f"{path}:{line}" if line else f"{path}: row {number}"), record


def read_rows(
    path: str,
    *,
    text: str,
    label: str,
    encoding: str = "utf-8",
    every_label: str = "",
    names: Mapping[str, str] | None = None,
) -> list[Row]:
    """Return the rows of a file. Rows with an empty text are left out, which a note tells.

    Args:
        path: the file; its extension gives the format.
        text: the field that holds the text.
        label: the field that holds the label.
        encoding: the encoding of the file.
        every_label: the label of all rows; the file then needs no label field.
        names: new names of labels.

    Raises:
        InputError: the file cannot be read, or a row has no label.
    """
    rows = []
    unlabelled = []
    empty = 0
    for where, record in located(path, text, encoding):
        if every_label:
            record = record | {label: every_label}
        document = _document(record[column_named(text, record) or text])
        if not document:
            empty += 1
            continue
        column = column_named(label, record)
        if column is None:
            raise InputError(
                f"{quoted(where)}: has no {label!r}.{near_column(label, record)} "
                f"Its fields are: {', '.join(record)}; say which holds the label with --label"
            )
        if is_blank(record[column]):
            unlabelled.append(where)
            continue
        fields = record | {"label": renamed(record[column], names), "document": document}
        if names:
            fields["names"] = names
        rows.append(Row(document, fields, where))
    if unlabelled:
        others = len(unlabelled) - 1
        advice = f", as in {plural(others, 'more row')}; label them" if others else "; label it"
        them = "them" if others else "it"
        raise InputError(
            f"{quoted(unlabelled[0])}: its {label!r} is empty{advice} or leave {them} out"
        )
    if empty and rows:
        note = f"{plural(empty, 'row')} with an empty {text!r} left out"
        warnings.warn(Note(f"{quoted(path)}: {note}"), stacklevel=2)
    return rows


def is_blank(value: Any) -> bool:
    """Return whether a label is null, empty or white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def renamed(value: Any, names: Mapping[str, str] | None) -> Any:
    """Return the new name of a label, or the label itself if it has none."""
    return names.get(str(value), value) if names else value


def label_of(value: Any) -> str:
    """Return a label as text; it may be a text, an integer or a boolean.

    4.0 becomes "4": pandas writes integers as floats in a column with missing values.

    Raises:
        InputError: the label has another type, such as NaN, 2.5, a list or an object.
    """
    if isinstance(value, str | int):  # a boolean is an int
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    number = "NaN" if value != value else f"the number {value}"
    kinds = {float: number, list: "a list", dict: "a table", type(None): "null"}
    kind = kinds.get(type(value), type(value).__name__)
    raise InputError(f"the label is {kind}; a label is a text, an integer or a boolean")


def fingerprint(text: str) -> str:
    """Return the letters and digits of a text, for finding copies.

    Ignores case, punctuation, spacing, URLs and user names, which differ between copies.
    """
    text = re.sub(r"https?://\S+|www\.\S+|@\w+", " ", text.casefold())
    return "".join(re.findall(r"\w+", text)) or text


def copy_key(record: records.Record, text: str, column: str | None = None) -> bytes | None:
    """Return a 16-byte hash of the fingerprint of a record's text; None for a blank text.

    Copies of a text have the same key. If `column` holds tokens, the hash is of the record's own
    text where it has one, because copies may be tokenised differently (as in `Row.words`).
    """
    tokens = isinstance(record.get(column or records.TEXT), list)
    copied = str(record.get(records.TEXT) or text) if tokens else text
    if not copied.strip():
        return None
    letters = fingerprint(copied).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(letters, digest_size=16).digest()


def _document(value: Any) -> Any:
    """Return a text or a list of words; None if it is empty or of another type."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return [whole(word) for word in value]
    if isinstance(value, str) and value.strip():
        return whole(value)
    return None


def gold_of(gold: Callable[[records.Record], Any], row: Row) -> Any:
    """Return the gold answer of a row, with its position in any InputError of `gold`."""
    try:
        return gold(row.fields)
    except InputError as problem:
        raise InputError(f"{quoted(row.where)}: {problem}") from None
