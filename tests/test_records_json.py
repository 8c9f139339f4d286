"""Records of JSON: an array or one object after another, read as it comes; errors name the line."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.records import Position, Record, Source, format_of, read

RECORDS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text()},
        optional={"n": st.none() | st.integers() | st.floats(allow_nan=False), "x": st.text()},
    ),
    max_size=6,
)


def test_the_extension_is_that_of_the_format() -> None:
    assert format_of("a.json") == format_of("a.JSON.gz") == "json"


def test_an_array_pretty_printed() -> None:
    data = '[\n  {"texto": "Adorei",\n   "id": 1},\n\n  {"texto": "Péssimo", "id": 2}\n]\n'.encode()
    assert parse(data, "json", column="texto") == [
        {"texto": "Adorei", "id": 1},
        {"texto": "Péssimo", "id": 2},
    ]


def test_objects_one_after_another() -> None:
    assert parse(b'{"text": "a"}\n{"text": "b"}\n', "json") == [{"text": "a"}, {"text": "b"}]
    assert parse(b'\xef\xbb\xbf{"text":\n "a"} {"text": "b"}', "json")[1] == {"text": "b"}
    assert parse(b"[]", "json") == parse(b" \n", "json") == parse(b"", "json") == []


@given(RECORDS, st.sampled_from([None, 1, "\t"]), st.integers(1, 40))
def test_any_array_is_read_in_any_pieces(
    records: list[Record], indent: int | str | None, size: int
) -> None:
    data = json.dumps(records, indent=indent, ensure_ascii=False).encode("utf-8")

    class Trickle(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            return self.read(size)

    assert list(read(Trickle(data), "json", Source("in"))) == records
    assert parse(dump(records, "json"), "json") == records
    assert json.loads(dump(records, "json")) == records


def test_one_value_is_kept_at_a_time() -> None:
    class Endless(io.RawIOBase):
        started = False

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            data = b'{"text": "a"},' if self.started else b'[{"text": "a"},'
            self.started = True
            buffer[: len(data)] = data
            return len(data)

    records = read(io.BufferedReader(Endless()), "json", Source("in"))
    assert [next(records) for _ in range(10_000)][-1] == {"text": "a"}


def test_a_value_of_many_megabytes_is_read_in_linear_time() -> None:
    """Parsed again at each of its pieces, it would take minutes."""
    text = "x" * 20_000_000
    assert parse(json.dumps([{"text": text}]).encode(), "json") == [{"text": text}]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[{"text": "a"},\n{"text" 1}]', "in:2: not JSON (Expecting ':'"),
        (b'[\n{"text": "a"},\n\n{"id": 2, "t": 1}]', "in:4: no column 'text'"),
        (b'[{"text": "a"},\n 5]', "in:2: a number, not a JSON object"),
        (b'[{"text": "a"},\n{"text": "b"}\n', "in:3: not JSON (the file is cut short)"),
        (b'[{"text": "a"},\n', "in:2: not JSON (the array is not closed"),
        (b'[{"text": "a"}\n{"text": "b"}]', "in:2: not JSON ('{' where a comma or ] is needed)"),
        (b'[{"text": "a"}]\nx', "in:2: not JSON (there is more after the end"),
        (b'[{"text": "a\n"}]', "in:1: not JSON (Invalid control character"),
        (b'[{"text": 5}]', "in:1: the text in 'text' is a number"),
        (b"text\n", "in:1: not JSON (Expecting value)"),
        (b'[{"text": ' + b"1" * 5000 + b"}]", "in:1: a number is too long"),
        (b"[" * 100_000, "in:1: nested too deeply"),
        (b'[{"text": "a"},\n{"text": "\xff"}]', "in:2: not valid utf-8"),
    ],
)
def test_errors_name_the_line(data: bytes, expected: str) -> None:
    assert complaint(data, "json").startswith(expected)


def test_bad_values_are_put_aside_and_the_position_is_that_of_the_value() -> None:
    bad: list[tuple[int, str]] = []
    position = Position()
    source = Source("f", position=position, reject=lambda line, raw, why: bad.append((line, raw)))
    data = b'[{"text": "a"},\n7,\n{"id": 1},\n{"text": "\xff"},\n{"text": "b"}]'
    assert [r["text"] for r in read(io.BytesIO(data), "json", source)] == ["a", "b"]
    assert bad == [(2, "7"), (3, '{"id": 1}'), (4, '{"text": "\udcff"}')]
    assert position.line == 5


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_the_first_record_says_which_field_is_the_text(format: str) -> None:
    found = complaint(b'{"id":"a1","text":"gostei"}\n{"id":"a2"}\n', format)
    assert found.startswith("in:2: no column 'text'")
    found = complaint(b'{"body":"x"}\n{"text":"y"}\n', format)
    assert found.startswith("in:2: no column 'body'")
