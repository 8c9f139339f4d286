"""What jsonl and json share: a parsed value becomes a record, its text where the first had it."""

from __future__ import annotations

from typing import Any

from nlpkit.errors import InputError
from nlpkit.records.source import Record, Source, text_column

_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    str: "a text",
}


def record_of(value: Any, number: int, source: Source, way: str) -> Record:
    """Return a value as a record; the text column of the first record is that of all.

    Raises:
        NoColumn: it lacks the text column.
        InputError: it is no object (`way` says what is needed), or its text is no string, list of
            strings or null.
    """
    where = f"{source.name}:{number}"
    if not isinstance(value, dict):
        raise InputError(f"{where}: {kind_of(value)}, not a JSON object; {way}")
    column = text_column(value, source, number)
    if not _is_text(value[column]):
        raise InputError(
            f"{where}: the text in {column!r} is {kind_of(value[column])}; "
            "make it a string or a list of strings, or name another column with --column"
        )
    if source.layout.text is None:
        source.layout.text = column
    return value


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    return _KINDS.get(type(value), "null" if value is None else "an object")


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(token, str) for token in value)
    return isinstance(value, str | None)
