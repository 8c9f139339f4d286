"""The contract of formats, tested for every format in the catalogue."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st
from records_helpers import FORMATS

from nlpkit.errors import NlpkitError, UsageError
from nlpkit.records import Record, Source, read, text_of, write

BINARY = ("parquet", "spacy", "xlsx")  # formats that are read and written as a whole


def test_standard_formats_exist() -> None:
    assert {"csv", "jsonl", "lines", "tsv"} <= set(FORMATS)


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@given(
    st.binary(max_size=60) | st.text(st.sampled_from('text",;\t|\r\n{}[]:\\ 1é'), max_size=60),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "ascii", "latin-1", "gb18030", "shift_jis"]),
    st.sampled_from(["strict", "replace", "ignore", "backslashreplace"]),
    st.sampled_from(["", "text\n", "id,text\n", "id\ttext\n", '{"text": "a"}\n']),
)
@settings(max_examples=200)
def test_any_bytes_give_records_or_an_nlpkit_error(
    tail: bytes | str, encoding: str, errors: str, start: str
) -> None:
    rest = tail if isinstance(tail, bytes) else tail.encode(encoding, "replace")
    for format in FORMATS:
        source = Source("in", encoding, errors)
        try:
            for record in read(io.BytesIO(start.encode(encoding) + rest), format, source):
                assert isinstance(text_of(record, source), str)
        except NlpkitError as err:
            assert str(err).startswith("in:")


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in BINARY])
def test_readers_and_writers_hold_nothing_back(format: str) -> None:
    word = "1\tum\tum\tNUM" + 6 * "\t_"
    lines = {
        "jsonl": b'{"text": "1"}\n',
        "json": b'[\n {\n  "text": "1"\n }',
        "conllu": f"# text = 1\n{word}\n\n".encode(),
        "conll": b"1 O\n\n",
    }.get(format, b"text\n1\n")
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as feed:
        feed.write(lines)  # the pipe stays open, so a reader that waits for more would hang
        assert next(read(stream, format, Source("in")))["text"] in {"1", "text"}
    out = io.StringIO()

    def watch() -> Iterator[Record]:
        fields = {"conllu": {"words": ["a"]}, "conll": {"entities": []}}
        yield {"text": "a"} | fields.get(format, {})
        assert "a" in out.getvalue()

    write(watch(), out, format)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown format 'jsonll'. Did you mean 'jsonl'"):
        read(io.BytesIO(), "jsonll", Source("in"))
