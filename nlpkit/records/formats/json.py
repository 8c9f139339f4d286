"""Read and write JSON: an array of objects, or (reading only) a sequence of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import DAMAGED, damage, text_chunks
from nlpkit.records.formats.jsonl import line_of, write as write_part
from nlpkit.records.objects import record_of
from nlpkit.records.source import Record, Source

__all__ = ["join", "read", "write", "write_part"]

NESTED = True  # a value may be a list or an object

_ADVICE = "an array of objects is needed, or one object after another"
_SPACES = re.compile(r"[ \t\r\n]+")
_SMALL = 1 << 16  # characters; parse shorter values again with each new chunk
_LITERAL = 16  # the most characters of a literal or an escape


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per object as it arrives; memory holds one object at a time.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, the input is not JSON, a value is not an object, or an
            object lacks the text column or has a text that is not a string, a list of strings or
            null.
    """
    for number, raw, value in _Values(text_chunks(stream, source), source):
        if source.position is not None:
            source.position.line = number
        try:
            record = record_of(value, number, source, _ADVICE)
            if source.reject and DAMAGED.search(raw):
                raise InputError(damage(number, source))
        except InputError as problem:
            source.refuse_object(number, raw, problem)
        else:
            yield record


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write an array with one record per line, each as soon as it arrives.

    Raises:
        InputError: a record is nested too deeply.
    """
    before = "[\n"
    for number, record in enumerate(records, 1):
        try:
            stream.write(before + line_of(record))
        except RecursionError:
            raise InputError(f"record {number} is nested too deeply; flatten it") from None
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


def join(parts: Sequence[Path], stream: BinaryIO) -> None:
    """Write the records in `parts`, one per line, as one array."""
    before = b"[\n"
    for part in parts:
        with part.open("rb") as lines:
            for line in lines:
                stream.write(before + line.rstrip(b"\n"))
                before = b",\n"
    stream.write(b"[]\n" if before == b"[\n" else b"\n]\n")


class _Values:
    """Iterate over the values of an array or a sequence: line number, raw text, value."""

    def __init__(self, chunks: Iterator[str], source: Source) -> None:
        self.chunks, self.source = chunks, source
        self.buffer, self.start, self.line = "", 0, 1  # `line` is that of `start`
        self.decoder = json.JSONDecoder()

    def __iter__(self) -> Iterator[tuple[int, str, Any]]:
        array = self._next() == "["
        if array:
            self._skip(1)
            if self._next() == "]":
                return self._end()
        while self._next():
            start = self.start
            value, end = self._value()
            line, raw = self.line, self.buffer[start:end] if self.source.reject else ""
            self._skip(end - self.start)
            yield line, raw, value
            if array and self._next() != ",":
                return self._end()
            if array:
                self._skip(1)
        if array:
            self._fail("the array is not closed; the file is cut short")

    def _end(self) -> None:
        """Check that the array is closed and nothing follows it."""
        if (sign := self._next()) != "]":
            self._fail(
                f"{sign!r} where a comma or ] is needed" if sign else "the file is cut short"
            )
        self._skip(1)
        if self._next():
            self._fail("there is more after the end of the array")

    def _next(self) -> str:
        """Skip spaces and return the next character; "" at the end."""
        while True:
            spaces = _SPACES.match(self.buffer, self.start)
            self._skip(len(spaces[0]) if spaces else 0)
            if self.start < len(self.buffer):
                return self.buffer[self.start]
            if not self._read_on():
                return ""

    def _skip(self, count: int) -> None:
        self.line += self.buffer.count("\n", self.start, self.start + count)
        self.start += count

    def _read_on(self) -> bool:
        """Drop the parsed part of the buffer and read more; double a large buffer.

        Each try parses a value from its start; doubling keeps the work linear in its size.
        """
        rest = self.buffer[self.start :]
        wanted = len(rest) if len(rest) > _SMALL else 1
        pieces, size = [rest], 0
        while size < wanted and (chunk := next(self.chunks, "")):
            pieces.append(chunk)
            size += len(chunk)
        self.buffer, self.start = "".join(pieces), 0
        return size > 0

    def _value(self) -> tuple[Any, int]:
        """Return the next value and where it ends; read on until it is complete."""
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.start)
            except json.JSONDecodeError as err:
                offset = err.pos - self.start
                cut_off = err.pos + _LITERAL >= len(self.buffer) or "Unterminated" in err.msg
                if not (cut_off and self._read_on()):
                    self._fail(err.msg, offset)
            except ValueError:  # Python's limit of digits in an integer
                self._refuse("a number is too long; quote it")
            except RecursionError:
                self._refuse("nested too deeply; flatten it")
            else:
                if isinstance(value, dict) or end < len(self.buffer) or not self._read_on():
                    return value, end

    def _refuse(self, problem: str, offset: int = 0) -> NoReturn:
        line = self.line + self.buffer.count("\n", self.start, self.start + offset)
        raise InputError(f"{self.source.name}:{line}: {problem}")

    def _fail(self, reason: str, offset: int = 0) -> NoReturn:
        self._refuse(f"not JSON ({reason}); {_ADVICE}", offset)
