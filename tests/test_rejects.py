"""Rejects: bad records are passed on with line and reason, and the rest is read."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nlpkit import records
from nlpkit.errors import InputError
from nlpkit.records import Source

FORMATS = ("lines", "csv", "tsv", "jsonl")


def read(content: bytes, format: str, **options: Any) -> tuple[list[Any], list[tuple[int, str]]]:
    rejected: list[tuple[int, str]] = []
    source = Source("f", reject=lambda line, raw, why: rejected.append((line, why)), **options)
    return list(records.read(io.BytesIO(content), format, source)), rejected


def texts(content: bytes, format: str) -> tuple[list[str], list[int]]:
    found, rejected = read(content, format)
    return [str(record["text"]) for record in found], [line for line, _ in rejected]


def test_undecodable_line_is_one_reject() -> None:
    assert texts(b"a\nb\xff\nc\n", "lines") == (["a", "c"], [2])
    assert texts(b"text\tn\na\t1\nb\xff\t2\nc\t3\n", "tsv") == (["a", "c"], [3])
    assert texts(b'{"text": "a"}\n{"text": "\xff"}\n{"text": "c"}\n', "jsonl") == (["a", "c"], [2])
    assert texts(b'text,n\n"a\nb",1\n"x\n\xff",2\nc,3\n', "csv") == (["a\nb", "c"], [4])


def test_character_split_between_two_reads_is_decoded() -> None:
    content = ("ã" * 40_000 + "\n").encode() * 3
    assert texts(b"\xff\n" + content, "lines") == (["ã" * 40_000] * 3, [1])


def test_malformed_rows_and_objects_are_rejected() -> None:
    assert texts(b"text,n\na,1\nb\nc,3,4\nd,4\n", "csv") == (["a", "d"], [3, 4])
    assert texts(b'text,n\n"a"b,1\nc,2\n', "csv") == (["c"], [2])
    assert texts(b'{"text": "a"}\n{"text": 1}\n[]\n{\n{"n": 1}\n{"text": "b"}\n', "jsonl") == (
        ["a", "b"],
        [2, 3, 4, 5],
    )


def test_errors_of_the_whole_file_are_raised() -> None:
    for content, format in (
        (b"n,m\n1,2\n", "csv"),
        (b'{"n": 1, "m": 2}\n', "jsonl"),
        (b'text,n\n"a,1\nb,2\n', "csv"),
    ):
        with pytest.raises(InputError):
            read(content, format)


def test_raw_bytes_of_a_reject_can_be_recovered() -> None:
    kept: list[str] = []
    source = Source("f", reject=lambda line, raw, why: kept.append(raw))
    list(records.read(io.BytesIO(b"ok\n\xff\xc3\n"), "lines", source))
    assert kept[0].encode("utf-8", "surrogateescape") == b"\xff\xc3"


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@pytest.mark.parametrize("format", FORMATS)
@given(content=st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
@settings(max_examples=150)
def test_any_bytes_give_records_rejects_or_an_input_error(format: str, content: bytes) -> None:
    head = {"csv": b"text\n", "tsv": b"text\n"}.get(format, b"")
    try:
        found, rejected = read(head + content, format)
    except InputError:
        return
    if format in ("lines", "tsv"):
        lines = content.removesuffix(b"\n").count(b"\n") + 1 if content else 0
        assert len(found) + len(rejected) == lines
    for _, why in rejected:
        assert why.startswith("f:")
