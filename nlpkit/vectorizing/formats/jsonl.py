"""JSON Lines: the record and its `vector`, {term: weight}, {column: weight} or a list if dense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from nlpkit.records import Record
from nlpkit.records.formats import jsonl
from nlpkit.vectorizing import Batch, Space
from nlpkit.vectorizing.vectorizer import readable

BINARY = False


def fields(space: Space) -> tuple[str, ...]:
    """Return the fields that are added to a record, replacing its own fields of that name."""
    return ("vector",)


def write(batches: Iterable[Batch], stream: TextIO, space: Space) -> None:
    """Write one line for each document, batch by batch.

    Raises:
        InputError: a record is nested too deeply to be written.
    """
    jsonl.write(_annotated(batches, space), stream)


def _annotated(batches: Iterable[Batch], space: Space) -> Iterator[Record]:
    for batch in batches:
        for record, vector in zip(batch.records, readable(batch.rows, space), strict=True):
            yield record | {"vector": vector}
