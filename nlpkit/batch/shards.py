"""Read an input in shards: some thousand records, answered and kept at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from nlpkit import records
from nlpkit.batch.outcome import state_of
from nlpkit.batch.plan import Item, Settings
from nlpkit.batch.url import Url, opened
from nlpkit.records import Record, Source, is_empty, text_of
from nlpkit.records.layout import DIALECTS, Dialect

CHARACTERS = 1 << 24  # in a shard, and so in memory, when documents are long


@dataclass(frozen=True)
class Shard:
    """Records of an input with their texts, in order, and the bad ones among them.

    `columns` are the fields of the input's first record, which a table's header begins with.
    """

    number: int
    records: list[tuple[Record, str]]
    rejects: list[dict[str, Any]]
    columns: list[str] = field(default_factory=list)
    dialect: Dialect = field(default_factory=Dialect)  # of an input that is CSV

    def __len__(self) -> int:
        return len(self.records) + len(self.rejects)


def shards(item: Item, settings: Settings) -> Iterator[tuple[Shard, int]]:
    """Yield an input's shards, each with how many bytes of the file are read.

    Raises:
        InputError, OSError: it cannot be read as said; its records so far have been yielded.
    """
    if not state_of(item.path)["size"] and (isinstance(item.path, Url) or is_empty(item.path)):
        return
    rejects: list[dict[str, Any]] = []
    with opened(item.path) as stream:
        source = Source(
            str(item.path),
            settings.encoding,
            column=None if item.format == "lines" else settings.column,  # in a folder of both
            reject=lambda line, raw, why: rejects.append({"line": line, "reason": why, "raw": raw}),
        )
        read = records.read(stream, item.format, source)
        first = next(read, None)
        columns = list(first or source.layout.columns)
        dialect = DIALECTS[settings.dialect] if settings.dialect else source.layout.dialect
        every = chain([first] if first else [], read)
        documents = ((record, text_of(record, source)) for record in every)
        for shard in cut(documents, rejects, settings.shard_size, columns):
            yield replace(shard, dialect=dialect), _position(stream)


def cut(
    documents: Iterator[tuple[Record, str]],
    rejects: list[dict[str, Any]],
    size: int,
    columns: list[str],
) -> Iterator[Shard]:
    """Cut a stream of documents into shards of `size`, bad ones counted, or of CHARACTERS.

    The reader adds to `rejects` while the stream is read.
    """
    number, batch, characters = 0, list[tuple[Record, str]](), 0
    for document in documents:
        while len(batch) + len(rejects) >= size or characters > CHARACTERS:
            bad = rejects[: size - len(batch)]  # they came before this document
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
    """Return how far into the file on disk a stream has read."""
    raw = getattr(stream, "fileobj", None) or getattr(stream, "_fp", None) or stream
    try:
        return int(raw.tell())
    except (OSError, ValueError, AttributeError):
        return 0
