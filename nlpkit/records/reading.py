"""Read documents from files of any format and from standard input."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nlpkit import records
from nlpkit.errors import Note, UsageError, quoted
from nlpkit.records import Layout, Record, Source
from nlpkit.records.source import document_of, text_column


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The inputs and how to read them.

    A `format` of None means: by the extension of each file. `layout` is filled in from the first
    input that is not empty.
    """

    inputs: Sequence[str]
    format: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    errors: str = "strict"
    whole: bool = False
    sheet: str | None = None
    copies: Mapping[str, str] = field(default_factory=dict)  # input -> the file to read instead
    layout: Layout = field(default_factory=Layout, compare=False)
    texts: Sequence[str] = ()  # documents that are given in place of inputs

    def formats(self) -> set[str]:
        """Return the formats of all inputs."""
        if self.whole or self.texts:
            return {"lines"}
        return {self.format or records.format_of(path) for path in self.inputs}

    def common_format(self) -> str:
        """Return the format of all inputs, or jsonl, which holds the records of any format."""
        formats = self.formats()
        return next(iter(formats)) if len(formats) == 1 else "jsonl"


def documents(reading: Reading) -> Iterator[tuple[Record, str]]:
    """Yield each record of each input with its text, in order. Check all inputs first.

    Raises:
        InputError: an input cannot be read with these options; earlier records have been yielded.
        UsageError: the options contradict each other.
    """
    return ((record, text) for record, text, _ in located(reading))


def located(reading: Reading) -> Iterator[tuple[Record, str, str]]:
    """Yield each record with its text and the name of its text column; raise as `documents`."""
    if reading.whole and (reading.format or reading.column):
        raise UsageError("--whole takes a file as one text; leave out --from and --column")
    check_sheet(reading.sheet, reading.formats())
    records.check_inputs(reading.inputs)
    return _located(reading)


def check_sheet(sheet: str | None, formats: Collection[str]) -> None:
    """Raise UsageError if a sheet is named, but no input is a workbook, or the name is empty."""
    if sheet is None:
        return
    if not sheet.strip():
        raise UsageError("--sheet: the name is empty; name a sheet, or leave --sheet out")
    if "xlsx" not in formats:
        raise UsageError(
            f"--sheet {sheet}: the input is no workbook, but {', '.join(sorted(formats))}; "
            "leave out --sheet"
        )


def _located(reading: Reading) -> Iterator[tuple[Record, str, str]]:
    layout = reading.layout
    for text in reading.texts:
        yield {records.TEXT: text}, text, records.TEXT
    for path in reading.inputs:
        if records.is_empty(path):
            continue
        name = "stdin" if path == "-" else path
        shown = quoted(name)
        source = Source(
            shown,
            reading.encoding,
            reading.errors,
            reading.column,
            layout=layout,
            sheet=reading.sheet,
        )
        with records.open_input(reading.copies.get(path, path)) as stream:
            if reading.whole:
                lines = records.read(stream, "lines", source)
                text = "\n".join(record[records.TEXT] for record in lines)
                yield {"file": name, records.TEXT: text}, text, records.TEXT
                continue
            format = reading.format or records.format_of(path)
            rows = records.read(stream, format, source)
            if format == "lines" and reading.format is None:
                rows = _watched(rows, shown)
            for record in rows:
                column = text_column(record, source)
                yield record, document_of(record[column]), column
        layout = Layout()


def _watched(lines: Iterator[Record], name: str) -> Iterator[Record]:
    """Yield lines; issue a note if the first that is not blank is JSON."""
    for record in lines:
        line = record[records.TEXT].strip()
        if format := _json(line):
            note = f"{name}: looks like JSON, but is read as plain lines; --from {format} reads it"
            warnings.warn(Note(note), stacklevel=2)
        yield record
        if line:
            break
    yield from lines


def _json(line: str) -> str:
    """Return the JSON format of a first line: json, jsonl or ""."""
    if line == "[" or line.startswith("[{"):
        return "json"
    try:
        return "jsonl" if line.startswith("{") and isinstance(json.loads(line), dict) else ""
    except (ValueError, RecursionError):
        return ""
