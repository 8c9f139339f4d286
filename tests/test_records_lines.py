"""Records of lines: line ends, encodings and undecodable bytes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import InputError, UsageError
from nlpkit.records import Source, read
from nlpkit.records.formats.lines import write as write_lines


def texts(data: bytes, **how: Any) -> list[str]:
    return [record["text"] for record in parse(data, **how)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"a\rb\x0bc\x0cd\n", ["a\rb\x0bc\x0cd"]),
        ("a\x85b\u2028c\u2029d\n".encode(), ["a\x85b\u2028c\u2029d"]),
        ("\ufeffa\n\ufeffb\n".encode(), ["a", "\ufeffb"]),
        ("\ufeff".encode(), []),
        (b"a\0b\n\0", ["a\0b", "\0"]),
    ],
)
def test_only_a_newline_ends_a_line(data: bytes, expected: list[str]) -> None:
    assert texts(data) == expected
    assert texts(data, encoding="utf-8-sig") == expected


def test_huge_line_is_read() -> None:
    huge = "é" * 2_500_000
    assert texts(f"a\n{huge}\nb".encode()) == ["a", huge, "b"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
def test_multi_byte_encodings(encoding: str) -> None:
    lines = ["Ċ ਊ 上 \U0001f600", "", "x" * 70_001, "é"]
    assert texts("\r\n".join(lines).encode(encoding), encoding=encoding) == lines


def test_byte_order_mark_is_dropped() -> None:
    assert texts("\ufeffolá\n".encode("utf-16-le"), encoding="utf-16-le") == ["olá"]


@pytest.mark.parametrize("format", ["lines", "csv", "tsv", "jsonl"])
def test_undecodable_bytes_are_reported_with_line_byte_and_column(format: str) -> None:
    good = {"jsonl": b'{"text": "x"}\n'}.get(format, b"text\nx\n")
    found = complaint(good + "ação".encode() + b" caf\xe9s\n", format)
    line = 1 + good.count(b"\n")
    assert found == (
        f"in:{line}: not valid utf-8 (byte 0xe9 at column 9); "
        "try --encoding cp1252 (--errors replace would lose letters)"
    )


@pytest.mark.parametrize("start", [0, 65_530, 200_000])
def test_lines_before_undecodable_bytes_are_read(start: int) -> None:
    data = b"0123456\n" * (start // 8) + "fim é\n".encode() + b"ab\xff\nnever\n"
    records = read(io.BytesIO(data), "lines", Source("in"))
    for _ in range(start // 8):
        assert next(records) == {"text": "0123456"}
    assert next(records) == {"text": "fim é"}
    with pytest.raises(InputError, match=rf"^in:{start // 8 + 2}: .*0xff at column 3\)"):
        next(records)


def test_truncated_last_character_is_reported() -> None:
    assert "in:2: not valid utf-8 (byte 0xc3 at column 2)" in complaint(b"a\nb\xc3")


@pytest.mark.parametrize(
    ("data", "how", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "looks like a binary file"),
        ("olá".encode("utf-16"), {}, "try --encoding utf-16"),
        ("olá".encode("utf-32"), {}, "try --encoding utf-32"),
        (b"\xe9", {"encoding": "ascii"}, "try --encoding utf-8, or --errors replace"),
        (b"a\0\n\0", {"encoding": "utf-16"}, "try --encoding utf-16-le or utf-16-be"),
        (b"\xff\xfea\0b", {"encoding": "utf-16"}, "not valid utf-16 (byte 0x62 at column 2)"),
    ],
)
def test_decoding_errors_suggest_the_likely_encoding(
    data: bytes, how: dict[str, str], expected: str
) -> None:
    assert expected in complaint(data, **how)


def test_text_with_null_bytes_is_not_called_binary() -> None:
    assert "binary" not in complaint(b"a\0b\n" * 5000 + b"\xe9\n")


def test_error_handlers_and_encodings() -> None:
    assert texts(b"a\xe9\nb", errors="replace") == ["a\ufffd", "b"]
    assert texts(b"a\xe9\nb", errors="ignore") == ["a", "b"]
    assert texts(b"a\xe9\nb", encoding="latin-1") == ["aé", "b"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"encoding": "utf-88"}, "unknown encoding 'utf-88'. Did you mean 'utf-8'?"),
        ({"encoding": "rot13"}, "unknown encoding 'rot13'"),
        ({"encoding": "a\0b"}, "unknown encoding"),
        ({"errors": "replce"}, "unknown --errors 'replce'. Did you mean 'replace'?"),
    ],
)
def test_unknown_encoding_or_error_handler_is_refused(how: dict[str, str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(b"a", **how)
    assert expected in str(caught.value)


@given(st.lists(st.text().filter(lambda text: "\n" not in text and not text.endswith("\r"))))
def test_lines_round_trip(lines: list[str]) -> None:
    data = "".join(line + "\n" for line in ["first", *lines]).encode()
    assert texts(data) == ["first", *lines]
    assert dump(parse(data), "lines") == data


def test_lines_writer_escapes_newlines() -> None:
    assert dump([{"text": "a\nb\\"}, {"text": "C:\\t\tx"}], "lines") == b"a\\nb\\\\\nC:\\t\tx\n"
    stream = io.StringIO()
    write_lines([{"label": "x", "n": None}], stream, column="n")
    assert stream.getvalue() == "\n"
    with pytest.raises(InputError, match="record 1 has no field 'text'"):
        dump([{"body": "x"}], "lines")
