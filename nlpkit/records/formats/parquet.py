"""Read and write Apache Parquet (https://parquet.apache.org) in groups of rows.

Needs the extra `parquet` (pyarrow).
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError, MissingExtra, NlpkitError
from nlpkit.records.source import TEXT, Record, Source

__all__ = ["TEXT", "join", "read", "write"]

NESTED = True  # a value may be a list or an object
ROWS = 1024  # rows per read
GROUP = 10_000  # rows per group written


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row; dates, decimals and bytes become text.

    Raises:
        MissingExtra: pyarrow is not installed.
        InputError: the input is not Parquet, is a pipe, or lacks the text column.
    """
    _, parquet = _pyarrow()
    if not stream.seekable():
        raise InputError(f"{source.name}: Parquet cannot be read from a pipe; name the file")
    try:
        file = parquet.ParquetFile(stream)
        column = source.settle(file.schema_arrow.names)
        for group in file.iter_batches(batch_size=ROWS):
            for row in group.to_pylist():
                record = {name: _plain(value) for name, value in row.items()}
                _check_text(record[column], column, source)
                yield record
    except NlpkitError:
        raise
    except Exception as problem:  # of Arrow, of decompression, of dates out of range
        reason = next(iter(str(problem).splitlines()), type(problem).__name__)[:200]
        raise InputError(
            f"{source.name}: not Parquet, or damaged ({reason}); write it again"
        ) from None


def write(records: Iterable[Record], stream: TextIO) -> None:
    """Write records in groups; the columns and their types are those of the first group.

    Raises:
        MissingExtra: pyarrow is not installed.
        InputError: a later record has another field, or a value of another type.
    """
    arrow, parquet = _pyarrow()
    records = iter(records)
    group = list(islice(records, GROUP))
    schema = _table(arrow, group, None, 1).schema
    stream.flush()
    with parquet.ParquetWriter(stream.buffer, schema) as writer:
        first = 1
        while group:
            writer.write_table(_table(arrow, group, schema, first))
            first += len(group)
            group = list(islice(records, GROUP))


def join(parts: Sequence[Path], stream: BinaryIO) -> None:
    """Concatenate files, with column types that hold the values of all.

    Raises:
        InputError: a column has types without a common one.
    """
    arrow, parquet = _pyarrow()
    if not parts:  # the input has no rows
        parquet.write_table(arrow.table({}), stream)
        return
    files = [parquet.ParquetFile(part) for part in parts]
    try:
        schemas = [file.schema_arrow for file in files]
        schema = arrow.unify_schemas(schemas, promote_options="permissive")
    except arrow.ArrowException as problem:
        raise InputError(f"{parts[0].parent}: {problem}; use --to jsonl") from None
    with parquet.ParquetWriter(stream, schema) as writer:
        for file in files:
            writer.write_table(_completed(arrow, file.read(), schema))


def _completed(arrow: Any, table: Any, schema: Any) -> Any:
    for name in schema.names:
        if name not in table.column_names:
            table = table.append_column(name, arrow.nulls(len(table)))
    return table.select(schema.names).cast(schema)


def _table(arrow: Any, group: list[Record], schema: Any, first: int) -> Any:
    known = set(schema.names if schema else group[0] if group else ())
    for number, record in enumerate(group, first):
        if extra := record.keys() - known:
            raise InputError(
                f"record {number} has a field {min(extra)!r} that the first one lacks; "
                "use --to jsonl"
            )
    try:
        if schema is None:
            names = list(group[0]) if group else []
            return arrow.table({name: [row.get(name) for row in group] for name in names})
        return arrow.Table.from_pylist(group, schema)
    except (arrow.ArrowException, UnicodeEncodeError) as problem:  # a lone surrogate
        where = f"records {first} to {first + len(group) - 1}"
        raise InputError(f"{where}: {problem}; use --to jsonl") from None


def _plain(value: Any) -> Any:
    """Return a value as a type that JSON can hold."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta | decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _check_text(value: Any, column: str, source: Source) -> None:
    tokens = value if isinstance(value, list) else [value]
    if not all(isinstance(token, str | None) for token in tokens):
        raise InputError(
            f"{source.name}: the column {column!r} holds numbers; name another with --column"
        )


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingExtra("parquet", "pyarrow") from None
    return pyarrow, parquet
