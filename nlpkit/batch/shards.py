"""Read an input in shards, the units that are answered and saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from nlpkit import records
from nlpkit.batch.outcome import state_of
from nlpkit.batch.plan import Item, Settings
from nlpkit.batch.url import Url, opened
from nlpkit.errors import quoted
from nlpkit.records import TEXT, Record, Source, is_empty, text_of
from nlpkit.records.layout import DIALECTS, Dialect

CHARACTERS = 1 << 24  # most characters in a shard, which bounds the memory for long documents


@dataclass(frozen=True)
class Shard:
    """Consecutive records of an input with their texts, and the bad records among them.

    `columns` are the fields of the input's first record, the first columns of a table's header.
    """

    number: int
    records: list[tuple[Record, str]]
    rejects: list[dict[str, Any]]
    columns: list[str] = field(default_factory=list)
    dialect: Dialect = field(default_factory=Dialect)  # of an input that is CSV
    text: str = TEXT  # the column that holds the text

    def __len__(self) -> int:
        return len(self.records) + len(self.rejects)


def shards(item: Item, settings: Settings) -> Iterator[tuple[Shard, int]]:
    """Yield the shards of an input, each with the bytes of the file that have been read.

    Raises:
        InputError, OSError: the input cannot be read in its format and encoding. The records
            before the error have been yielded.
    """
    if not state_of(item.path)["size"] and (isinstance(item.path, Url) or is_empty(item.path)):
        return
    rejects: list[dict[str, Any]] = []
    with opened(item.path) as stream:
        source = Source(
            quoted(str(item.path)),
            settings.encoding,
            # A folder may hold both lines, which have no columns, and tables.
            column=None if item.format == "lines" else settings.column,
            sheet=settings.sheet,
            reject=lambda line, raw, why: rejects.append({"line": line, "reason": why, "raw": raw}),
        )
        read = records.read(stream, item.format, source)
        first = next(read, None)
        columns = list(first or source.layout.columns)
        dialect = DIALECTS[settings.dialect] if settings.dialect else source.layout.dialect
        every = chain([first] if first else [], read)
        documents = ((record, text_of(record, source)) for record in every)
        for shard in cut(documents, rejects, settings.shard_size, columns):
            text = source.layout.text or TEXT
            yield replace(shard, dialect=dialect, text=text), _position(stream)


def cut(
    documents: Iterator[tuple[Record, str]],
    rejects: list[dict[str, Any]],
    size: int,
    columns: list[str],
) -> Iterator[Shard]:
    """Cut a stream of documents into shards of at most `size` records, or CHARACTERS characters.

    Bad records count. The reader appends them to `rejects` while the stream is read.
    """
    number, batch, characters = 0, list[tuple[Record, str]](), 0
    for document in documents:
        while len(batch) + len(rejects) >= size or characters > CHARACTERS:
            bad = rejects[: size - len(batch)]  # read before this document
            del rejects[: len(bad)]
            yield Shard(number, batch, bad, columns)
            number, batch, characters = number + 1, [], 0
        batch.append(document)
        characters += len(document[1])
    while batch or rejects:
        bad = rejects[: size - len(batch)]
        del rejects[: len(bad)]
        yield Shard(number, batch, bad, columns)
        number, batch = number + 1, []
    if not number and columns:  # a table with only a header
        yield Shard(number, [], [], columns)


def _position(stream: Any) -> int:
    """Return how many bytes of the file on disk a stream has read; 0 if that is unknown."""
    raw = getattr(stream, "fileobj", None) or getattr(stream, "_fp", None) or stream
    try:
        return int(raw.tell())
    except (OSError, ValueError, AttributeError):
        return 0
