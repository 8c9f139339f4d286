"""What csv and tsv share: a header, rows as wide as the header, and values as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nlpkit.errors import InputError
from nlpkit.records.source import Record, Source, resolve_column
from nlpkit.wording import plural


def check_header(columns: Sequence[str], source: Source) -> None:
    """Check that the header names each column once and the text column among them.

    Raises:
        InputError: the header is blank, repeats a name, or lacks the text column.
    """
    if not any(columns) and len(columns) < 2:
        raise InputError(f"{source.name}:1: the header is blank; name the columns on line 1")
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    if twice:
        raise InputError(f"{source.name}:1: column {twice[0]!r} is named twice; rename one")
    resolve_column(columns, source)


def misfit(columns: Sequence[str], values: Sequence[str], where: str, mend: str) -> str:
    """Say what is wrong with a row of another width than the header; nothing if it fits."""
    if len(values) == len(columns):
        return ""
    return f"{where}: {_fields(len(values))}, but the header has {len(columns)}; {mend}"


def rows(records: Iterable[Record], columns: Iterable[str] | None = None) -> Iterator[list[str]]:
    """Yield `columns`, else the first record's keys, as header, then each record's values as text.

    Given columns are the header also where no record follows.

    Raises:
        InputError: a later record has a field the header lacks; it is not dropped.
    """
    known = dict.fromkeys(columns or ())
    if known:
        yield list(known)
    for number, record in enumerate(records, 1):
        if number == 1 and not known:
            known = dict.fromkeys(record)
            yield list(known)
        if record.keys() - known.keys():
            extra = next(name for name in record if name not in known)
            raise InputError(
                f"record {number} has a field {extra!r} that the header, "
                "already written, does not; use --to jsonl"
            )
        yield [_cell(record.get(name)) for name in known]


def _fields(count: int) -> str:
    return plural(count, "field")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float):
        return float.__repr__(value)  # plain digits also for numpy's subclass
    return json.dumps(value, ensure_ascii=False, default=str)
