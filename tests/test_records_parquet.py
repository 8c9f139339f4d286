"""Records of Parquet: types and nulls are kept, damaged files are refused."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest

from nlpkit.errors import InputError
from nlpkit.records import Source, open_input, read, text_of, write, write_output


def test_parquet_keeps_types_and_nulls(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = {"text": ["bom", None], "n": [1, None], "day": [date(2026, 1, 2)] * 2, "l": [[1], None]}
    parquet.write_table(arrow.table(table), tmp_path / "a.parquet")
    with open_input(tmp_path / "a.parquet") as stream:
        rows = list(read(stream, "parquet", Source("in")))
    assert rows[0] == {"text": "bom", "n": 1, "day": "2026-01-02", "l": [1]}
    assert [text_of(row, Source("in")) for row in rows] == ["bom", ""]
    with write_output(tmp_path / "b.parquet") as out:
        write((record | {"score": 0.5} for record in rows), out, "parquet")
    assert parquet.read_table(tmp_path / "b.parquet").to_pylist() == [
        row | {"score": 0.5} for row in rows
    ]


def test_invalid_parquet_is_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"n": [1], "m": [2]}), tmp_path / "a.parquet")
    for options, said in (({}, "no column 'text'"), ({"column": "n"}, "holds numbers")):
        with open_input(tmp_path / "a.parquet") as stream, pytest.raises(InputError, match=said):
            list(read(stream, "parquet", Source("in", **options)))
    content = (tmp_path / "a.parquet").read_bytes()
    for damaged in (content[:50], content[:-6], b"text\n" * 30):
        with pytest.raises(InputError, match="not Parquet, or damaged"):
            list(read(io.BytesIO(damaged), "parquet", Source("in")))
    with write_output(tmp_path / "b.parquet") as out, pytest.raises(InputError, match="'b'"):
        write([{"a": 1}, {"a": 1, "b": 2}], out, "parquet")
    half = [{"text": "\ud83d"}]  # of a surrogate pair
    with write_output(tmp_path / "b.parquet") as out, pytest.raises(InputError, match="to jsonl"):
        write(half, out, "parquet")
