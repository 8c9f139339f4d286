"""Read and write CoNLL files of entities: one word a line, its BIO tag last, a blank line between.

The format of the CoNLL-2002 and 2003 shared tasks (Tjong Kim Sang & De Meulder 2003). Columns are
separated by spaces or tabs: the word is the first, its tag the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.language.bio import mentions, tags_of
from nlpkit.records.decode import text_lines
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.text.simple import spans

NESTED = True
HOLDS = ("entities",)  # answer fields that it can hold
WANTS_TEXT = True  # `write` takes the name of the text's field
VIEWS = (TEXT, "tokens")
BREAK = "-DOCSTART-"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield records with `text` (the words joined by spaces), `tokens` and `tags`.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, there is no such column, or a line has no tag.
    """
    view = source.column or TEXT
    if view not in VIEWS:
        raise InputError(f"{source.name}: no column {view!r} in CoNLL; there are: text, tokens")
    source.layout.text = view
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(text_lines(stream, source), 1):
        columns = line.split()
        if columns and columns[0] == BREAK:
            continue
        if not columns:
            if words:
                yield {TEXT: " ".join(words), "tokens": words, "tags": tags}
            words, tags = [], []
        elif len(columns) == 1:
            raise InputError(
                f"{source.name}:{number}: {columns[0]!r} has no tag; write a word and its tag, "
                "such as Maria B-PER"
            )
        else:
            words.append(columns[0])
            tags.append(columns[-1])
    if words:
        yield {TEXT: " ".join(words), "tokens": words, "tags": tags}


def write(records: Iterable[Record], stream: TextIO, text: str = TEXT) -> None:
    """Write the words of each record with the BIO tags of its `entities`.

    A record without words is a blank line more. `text` is the field of the text.

    Raises:
        InputError: a record has no text or no entities.
    """
    for number, record in enumerate(records, 1):
        for word, tag in _tagged(record, text, number):
            stream.write(f"{word}\t{tag}\n")
        stream.write("\n")


def _tagged(record: Record, text: str, number: int) -> list[tuple[str, str]]:
    document: Any = record.get(text)
    document = " ".join(document) if isinstance(document, list) else document
    if not isinstance(document, str) or "entities" not in record:
        raise InputError(f"record {number} has no {text!r} with entities; use --to jsonl")
    bounds = spans(document)
    tags = tags_of(mentions(record["entities"], document), bounds)
    return [(document[start:end], tag) for (start, end), tag in zip(bounds, tags, strict=True)]
