"""JSON: an array of objects, pretty-printed or not; objects one after another are read too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from nlpkit.errors import InputError, NoColumn
from nlpkit.records.decode import DAMAGED, damage, text_chunks
from nlpkit.records.formats.jsonl import line_of, write as write_part
from nlpkit.records.objects import record_of
from nlpkit.records.source import Record, Source

__all__ = ["join", "read", "write", "write_part"]

NESTED = True  # a value may be a table of its own

_WAY = "an array of objects is needed, or one object after another"
_SPACES = re.compile(r"[ \t\r\n]+")
_SMALL = 1 << 16  # characters of a value that is parsed again as soon as more of it comes
_LITERAL = 16  # characters within which a literal or an escape that is cut off ends


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per object as it comes; what is kept in memory is one object at a time.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes that do not decode, what is no JSON, a value that is no object, one
            without the text column, or one whose text is no string, list of strings or null.
    """
    for number, raw, value in _Values(text_chunks(stream, source), source):
        if source.position is not None:
            source.position.line = number
        try:
            record = record_of(value, number, source, _WAY)
            if source.reject and DAMAGED.search(raw):
                raise InputError(damage(number, raw, source))
        except InputError as problem:
            if source.layout.text is None and isinstance(problem, NoColumn):
                raise  # --column is misspelt, rather than every record bad
            source.refuse(number, raw, str(problem))
        else:
            yield record


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write an array, each record on a line of it as soon as it comes.

    Raises:
        InputError: a record is nested too deeply to be written.
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
    """Write the lines of parts, each of which is a record, as one array."""
    before = b"[\n"
    for part in parts:
        with part.open("rb") as lines:
            for line in lines:
                stream.write(before + line.rstrip(b"\n"))
                before = b",\n"
    stream.write(b"[]\n" if before == b"[\n" else b"\n]\n")


class _Values:
    """The values of an array, or of a sequence, each with its line and how it stands there."""

    def __init__(self, chunks: Iterator[str], source: Source) -> None:
        self.chunks, self.source = chunks, source
        self.buffer, self.place, self.line = "", 0, 1  # the line is that of the place
        self.decoder = json.JSONDecoder()

    def __iter__(self) -> Iterator[tuple[int, str, Any]]:
        array = self._next() == "["
        if array:
            self._skip(1)
            if self._next() == "]":
                return self._end()
        while self._next():
            start = self.place
            value, end = self._value()
            line, raw = self.line, self.buffer[start:end] if self.source.reject else ""
            self._skip(end - self.place)
            yield line, raw, value
            if array and self._next() != ",":
                return self._end()
            if array:
                self._skip(1)
        if array:
            self._fail("the array is not closed; the file is cut short")

    def _end(self) -> None:
        """Check that nothing stands after the array."""
        if (sign := self._next()) != "]":
            self._fail(f"{sign!r} where a comma or ] is needed" if sign else "it is cut short")
        self._skip(1)
        if self._next():
            self._fail("something stands after the end of the array")

    def _next(self) -> str:
        """Go to the next character that is no space, and return it; "" at the end."""
        while True:
            spaces = _SPACES.match(self.buffer, self.place)
            self._skip(len(spaces[0]) if spaces else 0)
            if self.place < len(self.buffer):
                return self.buffer[self.place]
            if not self._read_on():
                return ""

    def _skip(self, count: int) -> None:
        self.line += self.buffer.count("\n", self.place, self.place + count)
        self.place += count

    def _read_on(self) -> bool:
        """Add what comes next to the buffer, as much again to a large one, and drop what was read.

        A value is parsed from its start each time, so this keeps the work linear in its size.
        """
        rest = self.buffer[self.place :]
        wanted = len(rest) if len(rest) > _SMALL else 1
        pieces, size = [rest], 0
        while size < wanted and (chunk := next(self.chunks, "")):
            pieces.append(chunk)
            size += len(chunk)
        self.buffer, self.place = "".join(pieces), 0
        return size > 0

    def _value(self) -> tuple[Any, int]:
        """Return the value at the place, and where it ends; read on while it is not complete."""
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.place)
            except json.JSONDecodeError as err:
                offset = err.pos - self.place
                cut_off = err.pos + _LITERAL >= len(self.buffer) or "Unterminated" in err.msg
                if not (cut_off and self._read_on()):
                    self._fail(err.msg, offset)
            except ValueError:  # Python's guard against numbers of thousands of digits
                self._refuse("a number is too long; quote it")
            except RecursionError:
                self._refuse("nested too deeply; flatten it")
            else:
                if isinstance(value, dict) or end < len(self.buffer) or not self._read_on():
                    return value, end

    def _refuse(self, problem: str, offset: int = 0) -> NoReturn:
        line = self.line + self.buffer.count("\n", self.place, self.place + offset)
        raise InputError(f"{self.source.name}:{line}: {problem}")

    def _fail(self, reason: str, offset: int = 0) -> NoReturn:
        self._refuse(f"not JSON ({reason}); {_WAY}", offset)
