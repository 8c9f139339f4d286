"""Check parsed JSON values and return them as records, for the formats jsonl and json."""

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


def record_of(value: Any, number: int, source: Source, advice: str) -> Record:
    """Return a JSON value as a record; the first record sets the text column for all.

    Args:
        value: the parsed value.
        number: its line.
        source: the input, for its text column and for errors.
        advice: how to fix a value that is not an object.

    Raises:
        NoColumn: the object lacks the text column.
        InputError: the value is not an object, or its text is not a string, a list of strings or
            null.
    """
    where = f"{source.name}:{number}"
    if not isinstance(value, dict):
        raise InputError(f"{where}: {kind_of(value)}, not a JSON object; {advice}")
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
    """Return the type of a JSON value in words."""
    return _KINDS.get(type(value), "null" if value is None else "an object")


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(token, str) for token in value)
    return isinstance(value, str | None)
