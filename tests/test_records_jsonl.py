"""Records of JSON Lines: fields are kept, and errors name their position."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import InputError
from nlpkit.records import Record, Source, text_of


def test_jsonl_fields_pass_through() -> None:
    line = '{"id": 12345678901234567890123, "text": null, "x": [1.5, {"é": NaN}], "s": "\\ud800"}\n'
    records = parse(line.encode(), "jsonl")
    assert text_of(records[0], Source("in")) == ""
    again = dump(records, "jsonl")
    assert json.loads(again)["s"] == "\ud800"
    assert b"12345678901234567890123" in again
    assert b"NaN" in again
    assert dump([{"text": "ação"}], "jsonl") == '{"text": "ação"}\n'.encode()


def test_jsonl_blank_lines_are_records() -> None:
    assert parse(b'\n{"text": "a"}\r\n \n', "jsonl") == [{"text": t} for t in ("", "a", "")]
    assert parse(b"\n", "jsonl", column="body") == [{"body": ""}]
    assert parse(b'{"body": "a"}\n\n', "jsonl") == [{"body": "a"}, {"body": ""}]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"text": "a"}\n{"text" "b"}\n', "in:2:9: not JSON"),
        (b"[1]\n", "in:1: a list, not a JSON object"),
        (b"null\n", "in:1: null, not a JSON object"),
        (b'{"text": 5}\n', "in:1: the text in 'text' is a number"),
        (b'{"text": {}}\n', "in:1: the text in 'text' is an object"),
        (b'{"text": "a"}\n{"id": 1, "tex": "b"}', "in:2: no column 'text'. Did you mean 'tex'?"),
        (b"{}", "in:1: no column 'text'. Columns: none"),
        (b"[" * 100_000, "in:1: nested too deeply"),
        (b'{"text": ' + b"1" * 5000 + b"}", "in:1: a number is too long"),
    ],
)
def test_jsonl_errors_name_the_position(data: bytes, expected: str) -> None:
    assert complaint(data, "jsonl").startswith(expected)


def test_jsonl_writer_refuses_deep_nesting() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match="record 1 is nested too deeply"):
        dump([{"text": deep}], "jsonl")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["\ud800", "a\udc00b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4)), st.sampled_from(["x\udfff", "é"]))
def test_jsonl_round_trips(records: list[Record], text: str) -> None:
    whole = [{**record, "text": text} for record in records]
    assert parse(dump(whole, "jsonl"), "jsonl") == whole
