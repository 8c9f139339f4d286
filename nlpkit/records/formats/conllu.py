"""Read and write CoNLL-U treebanks, one record per sentence.

Format: https://universaldependencies.org/format.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError
from nlpkit.records.decode import text_lines
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.wording import plural

NESTED = True
COLUMNS = 10
HOLDS = ("words", "lemmas", "upos")  # answer fields that it can hold
VIEWS = ("words", "tokens")  # the token "no" is the words "em" and "o"
_EMPTY = "_"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield records with `text`, `sent_id` if present, and the lists `words`, `lemmas`, `upos`.

    With the column "tokens" the lists hold surface tokens instead of syntactic words; a token of
    several words has the lemma and the tag of the first.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes do not decode, there is no such column, or a line is not CoNLL-U.
    """
    view = source.column or TEXT
    if view not in (TEXT, *VIEWS):
        raise InputError(
            f"{source.name}: no column {view!r} in CoNLL-U; there are: text, words, tokens"
        )
    source.layout.text = view
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    for number, line in enumerate(text_lines(stream, source), 1):
        line = line.removesuffix("\r")
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
        elif line.strip():
            rows.append(_columns(line, number, source))
        elif rows:
            yield _record(comments, rows, view)
            comments, rows = {}, []
    if rows:
        yield _record(comments, rows, view)


def _columns(line: str, number: int, source: Source) -> list[str]:
    columns = line.split("\t")
    where = f"{source.name}:{number}"
    if len(columns) != COLUMNS:
        raise InputError(
            f"{where}: {plural(len(columns), 'column')} where CoNLL-U has {COLUMNS}, separated "
            "by tabs"
        )
    if not columns[0].replace("-", "").replace(".", "").isdigit():
        raise InputError(
            f"{where}: {columns[0]!r} is not a word number; check that the file is CoNLL-U"
        )
    return columns


def _record(comments: dict[str, str], rows: list[list[str]], view: str) -> Record:
    words = [row for row in rows if row[0].isdigit()]
    shown = _tokens(rows) if view == "tokens" else words
    forms = [row[1] for row in shown]
    record: Record = {TEXT: comments.get("text") or " ".join(row[1] for row in _tokens(rows))}
    if "sent_id" in comments:
        record["sent_id"] = comments["sent_id"]
    return record | {
        "tokens" if view == "tokens" else "words": forms,
        # Keep "_": it is the lemma of an underscore.
        "lemmas": [row[2] for row in shown],
        "upos": [row[3] for row in shown],
    }


def _tokens(rows: list[list[str]]) -> list[list[str]]:
    """Return surface tokens; a range such as 3-4 replaces its words, with the tag of the first."""
    tokens: list[list[str]] = []
    inside, opened = 0, False
    for row in rows:
        first, dash, last = row[0].partition("-")
        if dash:
            tokens.append(list(row))
            inside, opened = int(last), True
        elif first.isdigit() and int(first) > inside:
            tokens.append(row)
        elif first.isdigit() and opened:
            tokens[-1][2:4] = row[2:4]
            opened = False
    return tokens


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write each record as a sentence: `words` or `tokens`, with `lemmas` and `upos`.

    Raises:
        InputError: a record has no words, or its lists differ in length.
    """
    for number, record in enumerate(records, 1):
        forms = next((record[view] for view in VIEWS if isinstance(record.get(view), list)), None)
        if forms is None:
            raise InputError(f"record {number} has no words for CoNLL-U; use --to jsonl")
        lists = [forms, *(_field(record, name, len(forms), number) for name in ("lemmas", "upos"))]
        comments = [
            f"# {key} = {_line(record[key])}\n" for key in ("sent_id", TEXT) if key in record
        ]
        rows = [
            "\t".join([str(index), *map(_line, word), *[_EMPTY] * 6]) + "\n"
            for index, word in enumerate(zip(*lists, strict=True), 1)
        ]
        stream.write("".join(comments + rows) + "\n")


def _field(record: Record, name: str, length: int, number: int) -> list[Any]:
    values = record.get(name, [_EMPTY] * length)
    if not isinstance(values, list) or len(values) != length:
        raise InputError(f"record {number}: {name!r} does not have one value for each word")
    return values


def _line(value: Any) -> str:
    return " ".join(str(value).split()) or _EMPTY
