"""JSON Lines: one object per line, fields of any type, and every one of them passes through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError, NoColumn
from nlpkit.records.decode import sound_lines
from nlpkit.records.source import TEXT, Record, Source, resolve_column

__all__ = ["TEXT", "read", "write"]

_MEND = "one JSON object per line is needed, as jq -c makes them"
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    str: "a text",
}

NESTED = True  # a value may be a table of its own


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per line; a blank line is a record with empty text.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes that do not decode, a line that is no JSON object, one without the
            text column, or one whose text is no string, list of strings or null.
    """
    column, any_good = source.wanted, False
    for number, line in sound_lines(stream, source):
        if not line.strip(" \t\r"):
            yield {column: ""}
            continue
        try:
            record, column = _record(line, number, source)
        except InputError as problem:
            if not any_good and isinstance(problem, NoColumn):
                raise  # --column is misspelt, rather than every record bad
            source.refuse(number, line, str(problem))
        else:
            any_good = True
            yield record


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write each record on its line, as readable UTF-8.

    Raises:
        InputError: a record is nested too deeply to be written.
    """
    for number, record in enumerate(records, 1):
        try:
            stream.write(_line(record) + "\n")
        except RecursionError:
            raise InputError(f"record {number} is nested too deeply; flatten it") from None


def _record(line: str, number: int, source: Source) -> tuple[Record, str]:
    """Return a line's record and the name of its text column."""
    record = _parse(line, number, source)
    column = resolve_column(record, source, number)
    if not _is_text(record[column]):
        raise InputError(
            f"{source.name}:{number}: the text in {column!r} is {_kind(record[column])}; "
            "make it a string or a list of strings, or name another column with --column"
        )
    return record, column


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(token, str) for token in value)
    return isinstance(value, str | None)


def _line(record: Record) -> str:
    line = json.dumps(record, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold but JSON can escape
        return json.dumps(record)
    return line


def _parse(line: str, number: int, source: Source) -> Record:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as err:
        where = f"{source.name}:{number}:{err.colno}"
        raise InputError(f"{where}: not JSON ({err.msg}); {_MEND}") from None
    except ValueError:  # Python's guard against numbers of thousands of digits
        raise InputError(f"{source.name}:{number}: a number is too long; quote it") from None
    except RecursionError:
        raise InputError(f"{source.name}:{number}: nested too deeply; flatten it") from None
    if not isinstance(value, dict):
        raise InputError(f"{source.name}:{number}: {_kind(value)}, not a JSON object; {_MEND}")
    return value


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null" if value is None else "an object")
