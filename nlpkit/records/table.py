"""Check headers and rows of tables, for the formats csv, tsv and xlsx."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Self

from nlpkit.errors import InputError
from nlpkit.records.source import Record, Source
from nlpkit.wording import plural


class Repeated(str):
    """A unique name for a column whose header repeats that of an earlier column.

    `name` is the header, which is written again to an output table.
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, value: str, name: str) -> Self:
        self = super().__new__(cls, value)
        self.name = name
        return self

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.name  # to pickle it for a worker process


class Cell(str):
    """The text of a typed value: a number, a date or a boolean.

    Any change to the text gives a plain `str`, so `value` is never out of date.
    """

    __slots__ = ("value",)
    value: Any

    def __new__(cls, text: str, value: Any) -> Self:
        self = super().__new__(cls, text)
        self.value = value
        return self

    def __getnewargs__(self) -> tuple[str, Any]:  # type: ignore[override]
        return str(self), self.value  # to pickle it for a worker process


def header_of(names: Sequence[str], source: Source, line: int = 1) -> list[str]:
    """Return the columns of a header and set them in the layout of the source.

    Only the text column needs a unique name: other repeated or empty names become `Repeated`, such
    as `nota_2` for the second `nota`.

    Raises:
        InputError: the header is blank, lacks the text column, or has it twice.
    """
    if not any(names) and len(names) < 2:
        raise InputError(
            f"{source.name}:{line}: the header is blank; name the columns on line {line}"
        )
    text = source.settle(dict.fromkeys(names), line)
    counts = Counter(names)
    if counts[text] > 1:
        raise InputError(f"{source.name}:{line}: column {text!r} is named twice; rename one")
    columns = list(names) if len(counts) == len(names) else list(_distinct(names, set(names)))
    source.layout.columns = columns
    return columns


def _distinct(names: Iterable[str], taken: set[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        if seen[name] == 1:
            yield name
            continue
        while (other := f"{name}_{seen[name]}") in taken:
            seen[name] += 1
        taken.add(other)
        yield Repeated(other, name)


def misfit(columns: Sequence[str], values: Sequence[str], where: str, advice: str) -> str:
    """Return the error message for a row that is not as wide as the header; "" if it is."""
    if len(values) == len(columns):
        return ""
    return f"{where}: {_fields(len(values))}, but the header has {len(columns)}; {advice}"


def rows(
    records: Iterable[Record], columns: Iterable[str] | None = None, decimal: str = "."
) -> Iterator[list[str]]:
    """Yield the header, then the values of each record as text.

    The header is `columns`, else the keys of the first record. `decimal` is the decimal mark of
    numbers; texts that look like numbers keep theirs.

    Raises as `typed_rows`.
    """
    return _rows(records, columns, _cell if decimal == "." else partial(_localised, decimal))


def typed_rows(
    records: Iterable[Record], columns: Iterable[str] | None = None
) -> Iterator[list[Any]]:
    """Yield the header as `rows` does, then the values of each record, numbers unchanged.

    `columns` are yielded even if there are no records.

    Raises:
        InputError: a later record has a field that the header lacks.
    """
    return _rows(records, columns, _typed)


def _rows(
    records: Iterable[Record], columns: Iterable[str] | None, cell: Callable[[Any], Any]
) -> Iterator[list[Any]]:
    known = dict.fromkeys(columns or ())
    if known:
        yield list(map(_name, known))
    for number, record in enumerate(records, 1):
        if number == 1 and not known:
            known = dict.fromkeys(record)
            yield list(map(_name, known))
        if record.keys() - known.keys():
            extra = next(name for name in record if name not in known)
            raise InputError(
                f"record {number} has a field {extra!r} that the header, "
                "already written, lacks; use --to jsonl"
            )
        yield [cell(record.get(name)) for name in known]


def _name(column: str) -> str:
    return column.name if isinstance(column, Repeated) else column


def _fields(count: int) -> str:
    return plural(count, "field")


def _typed(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float):
        return float.__repr__(value)  # digits also for NumPy's subclass
    return json.dumps(value, ensure_ascii=False, default=str)


def _localised(decimal: str, value: Any) -> str:
    number = value.value if isinstance(value, Cell) else value
    text = _cell(value)
    return text.replace(".", decimal) if isinstance(number, float) else text
