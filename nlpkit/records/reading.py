"""Read documents from the inputs that a person names: files of any format, or standard input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nlpkit import records
from nlpkit.errors import UsageError, quoted
from nlpkit.records import Record, Source


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read the inputs. `format` None goes by each file's extension."""

    inputs: Sequence[str]
    format: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    errors: str = "strict"
    whole: bool = False
    copies: Mapping[str, str] = field(default_factory=dict)  # input -> the file to read instead

    def formats(self) -> set[str]:
        """Return the formats of all inputs, which the output follows."""
        if self.whole:
            return {"lines"}
        return {self.format or records.format_of(path) for path in self.inputs}


def documents(reading: Reading) -> Iterator[tuple[Record, str]]:
    """Return every record of every input with its text, in order; inputs are checked at once.

    Raises:
        InputError: an input cannot be read as said; what came before it has been yielded.
        UsageError: the options contradict each other.
    """
    if reading.whole and (reading.format or reading.column):
        raise UsageError("--whole takes a file as one text; leave out --from and --column")
    records.check_inputs(reading.inputs)
    return _documents(reading)


def _documents(reading: Reading) -> Iterator[tuple[Record, str]]:
    for path in reading.inputs:
        name = "stdin" if path == "-" else path
        source = Source(quoted(name), reading.encoding, reading.errors, reading.column)
        with records.open_input(reading.copies.get(path, path)) as stream:
            if reading.whole:
                lines = records.read(stream, "lines", source)
                text = "\n".join(record[records.TEXT] for record in lines)
                yield {"file": name, records.TEXT: text}, text
                continue
            format = reading.format or records.format_of(path)
            for record in records.read(stream, format, source):
                yield record, records.text_of(record, source)
