"""Fuzz tests of `predict`: randomly damaged files give answers or an NlpkitError.

Any input bytes end without a traceback or a hang. Records before the damage are answered, each once
and in order.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from conftest import corpus
from hypothesis import HealthCheck, given, settings, strategies as st

from nlpkit import catalog, records
from nlpkit.errors import InputError, NlpkitError
from nlpkit.jobs.predict import answers
from nlpkit.records import Source
from nlpkit.records.answered import write
from nlpkit.records.reading import Reading, documents

FORMATS = catalog.names("formats")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}
WORD = "\tuma\tum\tDET" + 6 * "\t_"
Damage = Callable[[bytes], bytes]
MANY = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def sound(format: str, count: int = 60) -> bytes:
    """Return a valid file whose texts need quotes, escapes and multi-byte characters."""
    if format == "conllu":
        return "".join(f"# text = uma {n}\n1{WORD}\n\n" for n in range(count)).encode()
    holds = getattr(catalog.load("formats", format), "HOLDS", ())
    more = {"entities": []} if "entities" in holds else {}
    rows = [
        {"text": f'{row["text"]}, "é" \\ 👍\u2028', "n": n, "x": None} | more
        for n, row in enumerate(corpus(count, 3))
    ]
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    records.write(rows, stream, format)
    stream.flush()
    made = stream.buffer
    assert isinstance(made, io.BytesIO)
    return made.getvalue()


FILES = {format: sound(format) for format in FORMATS}
PLACE = st.floats(0, 1, exclude_max=True)
CHANGE = st.one_of(
    st.tuples(st.just("cut"), PLACE, st.just(b"")),
    st.tuples(st.just("put"), PLACE, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("over"), PLACE, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("drop"), PLACE, st.binary(min_size=1, max_size=40)),
    st.tuples(
        st.just("put"), PLACE, st.sampled_from([b'"', b"\n", b"\r", b"\t", b"\0", b"{", b"\xff"])
    ),
)


def changed(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, where, what in changes:
        place = int(where * (len(data) + 1))
        after = {"cut": len(data), "put": place}.get(kind, place + len(what))
        data = data[:place] + (b"" if kind == "drop" else what) + data[after:]
    return data


def answered(model: Any, path: Path, to: str) -> tuple[int, str | None]:
    """Return the number of answered records and the error at the end, if any."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    given = iter(answers(model, Reading(inputs=[str(path)])))
    count = 0

    def counted() -> Iterator[Any]:
        nonlocal count
        for answer in given:
            count += 1
            yield answer

    try:
        write(counted(), out, to, kind=model.task.answers, into="label", plain=False)
    except NlpkitError as problem:
        assert "\n" not in str(problem)
        return count, str(problem)
    return count, None


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # damage may make lines look like JSON
@pytest.mark.parametrize("format", FORMATS)
@given(
    changes=st.lists(CHANGE, min_size=1, max_size=3),
    packer=st.sampled_from([*PACKERS]),
    inside=st.booleans(),
)
@MANY
def test_damaged_files_give_rows_or_an_nlpkit_error(
    format: str, changes: Any, packer: str, inside: bool, model: Any, tmp_path: Path
) -> None:
    data = FILES[format]
    data = changed(data, changes) if inside else data
    data = PACKERS[packer](data)
    data = data if inside else changed(data, changes)
    path = tmp_path / f"a.{'txt' if format == 'lines' else format}{packer}"
    path.write_bytes(data or b"\n")
    read, why = [], None
    try:
        read = [text for _, text in documents(Reading(inputs=[str(path)]))]
    except InputError as problem:
        why = str(problem)
    count, error = answered(model, path, "jsonl")
    assert error == why
    if why is None:
        assert count == len(read)


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("parquet", "conllu")])
@given(changes=st.lists(CHANGE, min_size=1, max_size=3))
@MANY
def test_every_record_is_read_or_rejected(format: str, changes: Any) -> None:
    """Every line of a damaged file is in a record or in a reject."""
    bad: list[tuple[int, str]] = []
    data = changed(FILES[format], changes)
    source = Source("f", reject=lambda line, raw, why: bad.append((line, raw)))
    try:
        good = list(records.read(io.BytesIO(data), format, source))
    except InputError:
        return
    if format in ("lines", "tsv", "jsonl"):  # formats with one record on each line
        lines = data.removesuffix(b"\n").count(b"\n") + 1
        blank = sum(not line.strip(b"\r") for line in data.removesuffix(b"\n").split(b"\n"))
        assert lines - blank - 1 <= len(good) + len(bad) <= lines


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@given(data=st.binary(max_size=300), suffix=st.sampled_from([*PACKERS]))
@MANY
def test_any_bytes_under_any_extension_give_records_or_an_nlpkit_error(
    data: bytes, suffix: str, tmp_path: Path
) -> None:
    for format in FORMATS:
        path = tmp_path / f"a.{format}{suffix}"
        path.write_bytes(data or b"x")
        try:
            for record, text in documents(Reading(inputs=[str(path)])):
                json.dumps(record)
                assert isinstance(text, str)
        except NlpkitError as problem:
            assert str(path) in str(problem)
