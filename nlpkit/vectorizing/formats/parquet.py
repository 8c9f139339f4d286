"""Parquet: the record's fields as text; `vector` (dense), or `indices` and `values` (sparse)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from nlpkit.errors import InputError, MissingExtra
from nlpkit.records import Record
from nlpkit.vectorizing import Batch, Space

BINARY = True
GROUP = 1 << 25  # bytes of a row group: small enough for memory, large enough to compress well


def fields(space: Space) -> tuple[str, ...]:
    """Return the fields that are added to a record, replacing its own fields of that name."""
    return ("vector",) if space.dense else ("indices", "values")


def write(batches: Iterable[Batch], stream: BinaryIO, space: Space) -> None:
    """Write the rows in groups, so that memory is bounded; the first record names the columns.

    Raises:
        MissingExtra: pyarrow is not installed.
        InputError: a later record has a field that the first one lacks.
    """
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingExtra("vectors", "pyarrow") from None

    batches = iter(batches)
    first = next(batches, None)
    schema = _schema(first.records[0] if first else {}, space)
    with parquet.ParquetWriter(stream, schema) as writer:
        for group in _groups(chain([first] if first else [], batches), schema, space):
            writer.write_table(group)


def _groups(batches: Iterable[Batch], schema: Any, space: Space) -> Iterator[Any]:
    import pyarrow as pa

    tables: list[Any] = []
    for batch in batches:
        tables.append(_table(batch, schema, space))
        if sum(table.nbytes for table in tables) > GROUP:
            yield pa.concat_tables(tables)
            tables = []
    if tables:
        yield pa.concat_tables(tables)


def _schema(first: Record, space: Space) -> Any:
    import pyarrow as pa

    number = pa.from_numpy_dtype(space.dtype)
    vector = {"vector": pa.list_(number, space.width)}
    if not space.dense:
        vector = {"indices": pa.list_(pa.int32()), "values": pa.list_(number)}
    fields = [(name, pa.string()) for name in first if name not in vector]
    return pa.schema([*fields, *vector.items()], {"width": str(space.width)})


def _table(batch: Batch, schema: Any, space: Space) -> Any:
    import pyarrow as pa

    known = set(schema.names)
    for document, record in enumerate(batch.records, batch.first):
        if extra := record.keys() - known:
            raise InputError(
                f"document {document} has a field {min(extra)!r} that the first one lacks, and "
                "parquet has one set of columns; give every record the same fields, or use "
                "--to jsonl"
            )
    vectors = _vectors(batch.rows, space)
    names = [name for name in schema.names if name not in vectors]
    columns = {
        name: pa.array([_text(record.get(name)) for record in batch.records], pa.string())
        for name in names
    }
    return pa.table(columns | vectors, schema)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _vectors(rows: Any, space: Space) -> dict[str, Any]:
    import pyarrow as pa

    if space.dense:
        flat = pa.array(rows.ravel())
        return {"vector": pa.FixedSizeListArray.from_arrays(flat, space.width)}
    ends = pa.array(rows.indptr, pa.int32())
    return {
        "indices": pa.ListArray.from_arrays(ends, pa.array(rows.indices, pa.int32())),
        "values": pa.ListArray.from_arrays(ends, pa.array(rows.data)),
    }
