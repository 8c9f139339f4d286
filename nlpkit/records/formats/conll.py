"""Read and write CoNLL files of entities: one word a line, its BIO tag last, a blank line between.

The format of the CoNLL-2002 and 2003 shared tasks (Tjong Kim Sang & De Meulder 2003). Columns are
separated by spaces or tabs: the word is the first, its tag the last. Comments (# key = value) are
left out. Universal NER's files, whose lines begin with a number, are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.language.bio import bounds_of, mentions, tags_of
from nlpkit.records.decode import text_lines
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.text.simple import spans

NESTED = True
HOLDS = ("entities",)  # answer fields that it can hold
WANTS_TEXT = True  # `write` takes the name of the text's field
VIEWS = (TEXT, "tokens")
BREAK = "-DOCSTART-"
COMMENT = re.compile(r"#\s*[\w.]+\s*=")  # as "# sent_id = 7"
UNER = 5  # columns of Universal NER: number, word, tag, "-" or the second tag, "-" or the annotator


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield records with `text` (the words joined by spaces), `tokens`, `tags` and `entities`.

    A sentence with a line that has no tag is refused.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, there is no such column, or a sentence is refused.
    """
    view = source.column or TEXT
    if view not in VIEWS:
        raise InputError(f"{source.name}: no column {view!r} in CoNLL; there are: text, tokens")
    source.layout.text = view
    rows: list[tuple[int, list[str]]] = []  # the number and the columns of each line of a sentence
    for number, line in enumerate(text_lines(stream, source), 1):
        if COMMENT.match(line):
            continue
        columns = _columns(line)
        if columns and columns[0] != BREAK:
            rows.append((number, columns))
        elif rows and not columns:
            yield from _records(rows, source)
            rows = []
    if rows:
        yield from _records(rows, source)


def _columns(line: str) -> list[str]:
    """Return the columns of a line: the word first, the tag last; none of a blank line.

    A word may hold a space if tabs separate the columns.
    """
    columns = [column.strip() for column in line.split("\t" if "\t" in line else None)]
    if len(columns) == UNER and columns[0].isdigit() and columns[3] == "-":
        return columns[1:3]
    return columns if any(columns) else []


def _records(rows: Sequence[tuple[int, list[str]]], source: Source) -> Iterator[Record]:
    """Yield the record of a sentence, or refuse it."""
    untagged = next(((number, row[0]) for number, row in rows if len(row) == 1), None)
    if untagged:
        number, word = untagged
        raw = "\n".join(" ".join(row) for _, row in rows)
        problem = f"{word!r} has no tag; write a word and its tag, such as Maria B-PER"
        source.refuse(number, raw, f"{source.name}:{number}: {problem}")
        return
    words, tags = [row[0] for _, row in rows], [row[-1] for _, row in rows]
    text = " ".join(words)
    entities = [
        {"start": start, "end": end, "type": kind, "text": text[start:end]}
        for start, end, kind in mentions(tags, words)
    ]
    yield {TEXT: text, "tokens": words, "tags": tags, "entities": entities}


def write(records: Iterable[Record], stream: TextIO, text: str = TEXT) -> None:
    """Write the words of each record with the BIO tags of its `entities`.

    The words are those of the record's `tokens`, if they are those of its text. A record without
    words is a blank line more. `text` is the field of the text.

    Raises:
        InputError: a record has no text or no entities.
    """
    for number, record in enumerate(records, 1):
        for word, tag in _tagged(record, text, number):
            stream.write(f"{word}\t{tag}\n")
        stream.write("\n")


def _bounds(document: str, tokens: Any) -> list[tuple[int, int]]:
    """Return [start, end) of each word of a document."""
    if not isinstance(tokens, list) or document != " ".join(map(str, tokens)):
        return spans(document)
    return bounds_of(tokens)


def _tagged(record: Record, text: str, number: int) -> list[tuple[str, str]]:
    document: Any = record.get(text)
    document = " ".join(document) if isinstance(document, list) else document
    if not isinstance(document, str) or "entities" not in record:
        raise InputError(f"record {number} has no {text!r} with entities; use --to jsonl")
    bounds = _bounds(document, record.get("tokens"))
    tags = tags_of(mentions(record["entities"], document), bounds)
    return [(document[start:end], tag) for (start, end), tag in zip(bounds, tags, strict=True)]
