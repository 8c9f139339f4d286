"""Read and write JSON Lines: one object per line, with fields of any type."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import sound_lines
from nlpkit.records.objects import record_of
from nlpkit.records.source import TEXT, Record, Source

__all__ = ["TEXT", "read", "write"]

_ADVICE = "one JSON object per line is needed; for an array use --from json"

NESTED = True  # a value may be a list or an object


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per line; a blank line is a record with empty text.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, a line is not a JSON object, or an object lacks the text
            column or has a text that is not a string, a list of strings or null.
    """
    for number, line in sound_lines(stream, source):
        if not line.strip(" \t\r"):
            yield {source.wanted if source.layout.text is None else source.layout.text: ""}
            continue
        try:
            record = record_of(_parse(line, number, source), number, source, _ADVICE)
        except InputError as problem:
            source.refuse_object(number, line, problem)
        else:
            yield record


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write one record per line, without escapes for non-ASCII letters.

    Raises:
        InputError: a record is nested too deeply.
    """
    for number, record in enumerate(records, 1):
        try:
            stream.write(line_of(record) + "\n")
        except RecursionError:
            raise InputError(f"record {number} is nested too deeply; flatten it") from None


def line_of(record: Record) -> str:
    """Return a record as one line of JSON, without escapes for non-ASCII letters."""
    line = json.dumps(record, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold but JSON can escape
        return json.dumps(record)
    return line


def _parse(line: str, number: int, source: Source) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as err:
        where = f"{source.name}:{number}:{err.colno}"
        raise InputError(f"{where}: not JSON ({err.msg}); {_ADVICE}") from None
    except ValueError:  # Python's limit of digits in an integer
        raise InputError(f"{source.name}:{number}: a number is too long; quote it") from None
    except RecursionError:
        raise InputError(f"{source.name}:{number}: nested too deeply; flatten it") from None
