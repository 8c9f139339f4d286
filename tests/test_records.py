"""Readers and writers: N records in, N out, and every failure is one line to act on."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings, strategies as st

from nlpkit import catalog
from nlpkit.errors import InputError, NlpkitError, UsageError
from nlpkit.records import (
    Record,
    Source,
    check_inputs,
    format_of,
    open_input,
    read,
    resolve_column,
    text_of,
    write,
    write_output,
)
from nlpkit.records.formats.lines import write as write_lines
from nlpkit.records.formats.tsv import Verbatim, escape, row, unescape, write as write_tsv

FORMATS = catalog.names("formats")
NAMES = st.lists(
    st.text(min_size=1, max_size=5).filter(lambda name: name[0] != "\ufeff"),
    min_size=1,
    max_size=4,
    unique=True,
)


def parse(data: bytes, format: str = "lines", **how: Any) -> list[Record]:
    return list(read(io.BytesIO(data), format, Source("in", **how)))


def dump(records: Iterable[Record], format: str) -> bytes:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    write(records, stream, format)
    stream.flush()
    data = stream.buffer.getvalue()
    assert isinstance(data, bytes)
    return data


def texts(data: bytes, **how: Any) -> list[str]:
    return [record["text"] for record in parse(data, **how)]


def complaint(data: bytes, format: str = "lines", **how: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse(data, format, **how)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Lines


def test_the_public_files_are_the_formats() -> None:
    assert {"csv", "jsonl", "lines", "tsv"} <= set(FORMATS)


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


def test_a_huge_line_is_ordinary() -> None:
    huge = "é" * 2_500_000
    assert texts(f"a\n{huge}\nb".encode()) == ["a", huge, "b"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
def test_encodings_that_cannot_be_split_at_a_byte(encoding: str) -> None:
    lines = ["Ċ ਊ 上 \U0001f600", "", "x" * 70_001, "é"]
    assert texts("\r\n".join(lines).encode(encoding), encoding=encoding) == lines


def test_a_byte_order_mark_is_dropped_where_the_codec_keeps_it() -> None:
    assert texts("\ufeffolá\n".encode("utf-16-le"), encoding="utf-16-le") == ["olá"]


@pytest.mark.parametrize("format", ["lines", "csv", "tsv", "jsonl"])
def test_bad_bytes_are_named_by_line_byte_and_column(format: str) -> None:
    good = {"jsonl": b'{"text": "x"}\n'}.get(format, b"text\nx\n")
    found = complaint(good + "ação".encode() + b" caf\xe9s\n", format)
    line = 1 + good.count(b"\n")
    assert found == (
        f"in:{line}: not valid utf-8 (byte 0xe9 at column 9); "
        "try --encoding latin-1, or --errors replace"
    )


@pytest.mark.parametrize("start", [0, 65_530, 200_000])
def test_all_lines_before_bad_bytes_come_out(start: int) -> None:
    data = b"0123456\n" * (start // 8) + "fim é\n".encode() + b"ab\xff\nnever\n"
    records = read(io.BytesIO(data), "lines", Source("in"))
    for _ in range(start // 8):
        assert next(records) == {"text": "0123456"}
    assert next(records) == {"text": "fim é"}
    with pytest.raises(InputError, match=rf"^in:{start // 8 + 2}: .*0xff at column 3\)"):
        next(records)


def test_a_character_cut_off_at_the_end() -> None:
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
def test_bad_bytes_get_the_likely_mend(data: bytes, how: dict[str, str], expected: str) -> None:
    assert expected in complaint(data, **how)


def test_late_bad_bytes_do_not_make_a_text_with_nuls_binary() -> None:
    assert "binary" not in complaint(b"a\0b\n" * 5000 + b"\xe9\n")


def test_error_handlers() -> None:
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
def test_unknown_encoding_or_handler(how: dict[str, str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(b"a", **how)
    assert expected in str(caught.value)


@given(st.lists(st.text().filter(lambda text: "\n" not in text and not text.endswith("\r"))))
def test_lines_in_are_lines_out(lines: list[str]) -> None:
    data = "".join(line + "\n" for line in ["first", *lines]).encode()
    assert texts(data) == ["first", *lines]
    assert dump(parse(data), "lines") == data


def test_lines_writer_never_makes_two_lines_of_one() -> None:
    assert dump([{"text": "a\nb\\"}, {"text": "C:\\t\tx"}], "lines") == b"a\\nb\\\\\nC:\\t\tx\n"
    stream = io.StringIO()
    write_lines([{"label": "x", "n": None}], stream, column="n")
    assert stream.getvalue() == "\n"
    with pytest.raises(InputError, match="record 1 has no field 'text'"):
        dump([{"body": "x"}], "lines")


# TSV


def test_tsv_escapes() -> None:
    data = b'id\ttext\r\n1\ta\\tb\\nc\\rd\\\\e\r\n2\t\\o/ "q"\n'
    assert [record["text"] for record in parse(data, "tsv")] == ["a\tb\nc\rd\\e", '\\o/ "q"']


def test_tsv_row_for_headerless_output() -> None:
    assert row(["positive", "0.9", "a\tb\\c\nd\re"]) == r"positive" + "\t0.9\t" + r"a\tb\\c\nd\re"


def test_tsv_without_header() -> None:
    stream = io.StringIO()
    write_tsv([{"a": "1", "b": None}, {"b": 0.1, "a": True}], stream, header=False)
    assert stream.getvalue() == "1\t\ntrue\t0.1\n"


def test_verbatim_is_a_string_that_changes_into_a_plain_one() -> None:
    value = unescape(r"C:\temp")
    assert value == "C:\temp"
    assert escape(value) == r"C:\temp"
    assert type(value.upper()) is str
    assert escape(value.upper()) == r"C:\tEMP"
    copy = pickle.loads(pickle.dumps(value))
    assert isinstance(copy, Verbatim)
    assert (copy, copy.raw) == (value, r"C:\temp")
    assert type(text_of({"text": value}, Source("in"))) is str


@given(st.text())
def test_unescape_undoes_escape(value: str) -> None:
    line = escape(value)
    assert not set("\t\n\r") & set(line)
    assert unescape(line) == value
    assert escape(unescape(line)) == line


CELL = st.text(st.sampled_from('\\tnro/"; é\x85\u2028') | st.characters(codec="utf-8")).map(
    lambda text: text.replace("\t", "").replace("\n", "").replace("\r", "")
)


@given(st.lists(st.tuples(CELL, CELL)))
def test_untouched_tsv_passes_through_byte_for_byte(table: list[tuple[str, str]]) -> None:
    data = "".join(f"{a}\t{b}\n" for a, b in [("i\\d", "text"), ("1", "x"), *table]).encode()
    assert dump(parse(data, "tsv"), "tsv") == data


@given(NAMES, st.data())
def test_tsv_and_csv_round_trip(names: list[str], data: st.DataObject) -> None:
    cells = st.fixed_dictionaries({name: st.text(max_size=8) for name in names})
    records = data.draw(st.lists(cells, min_size=1, max_size=5))
    for format in ("tsv", "csv"):
        assert parse(dump(records, format), format, column=names[0]) == records


def test_the_wrong_number_of_fields() -> None:
    assert complaint(b"id\ttext\n1\ta\n2\tb\tc\n", "tsv").startswith(
        "in:3: 3 fields, but the header has 2; "
    )
    assert complaint(b"id,text\n1\n", "csv").startswith("in:2: 1 field, but the header has 2; ")
    found = complaint(b'id,text\n1,"a\nb"\n\n2,b,c\n', "csv")
    assert found.startswith("in:5: 3 fields, but the header has 2; ")


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_blank_lines_in_a_table(format: str) -> None:
    assert [r["text"] for r in parse(b"text\na\n\nb\n\n", format)] == ["a", "", "b", ""]
    tab = {"csv": b",", "tsv": b"\t"}[format]
    data = b"id,text\r\n1,a\r\n\r\n2,b\r\n\r\n".replace(b",", tab)
    assert [r["text"] for r in parse(data, format)] == ["a", "b"]


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_headers(format: str) -> None:
    assert parse(b"", format) == []
    assert parse(b"text\n", format) == []
    assert parse("\ufefftext\na".encode(), format) == [{"text": "a"}]
    assert "in:1: the header is blank" in complaint(b"\na\n", format)
    sep = b"," if format == "csv" else b"\t"
    assert "in:1: column 'text' is named twice" in complaint(b"text" + sep + b"text\n", format)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters(delimiter: str) -> None:
    data = 'id,text,"a,b;c|d;e|f;g|h"\n1,"x;y|z,""w""\r\nv",ok\n'
    data = data.replace("id,text,", f"id{delimiter}text{delimiter}")
    data = data.replace("1,", f"1{delimiter}").replace(",ok", f"{delimiter}ok")
    (record,) = parse(data.encode(), "csv")
    assert record == {"id": "1", "text": 'x;y|z,"w"\r\nv', "a,b;c|d;e|f;g|h": "ok"}


def test_csv_quoting_is_minimal() -> None:
    records = [{"id": 'a"b', "text": "c,d", "x;y": "e;f", "n": "g\rh"}]
    assert dump(records, "csv") == b'id,text,"x;y",n\n"a""b","c,d",e;f,"g\rh"\n'
    assert dump([{"text": ""}], "csv") == b'text\n""\n'


def test_csv_huge_cell() -> None:
    huge = "x" * 5_000_001
    assert parse(f'id,text\n1,"{huge}"\n'.encode(), "csv")[0]["text"] == huge


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'text\nok\n"open\nand\non\n', "in:3: a quote opened in this row is never closed"),
        (b'text\n"a"b\n', "in:2: bad quoting"),
        (b"text\na\rb\n", "in:2: a bare carriage return"),
    ],
)
def test_csv_bad_rows_are_named_by_their_first_line(data: bytes, expected: str) -> None:
    assert complaint(data, "csv").startswith(expected)


# JSON Lines


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
def test_jsonl_errors(data: bytes, expected: str) -> None:
    assert complaint(data, "jsonl").startswith(expected)


def test_jsonl_writer_refuses_what_is_too_deep() -> None:
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
def test_jsonl_round_trip(records: list[Record], text: str) -> None:
    whole = [{**record, "text": text} for record in records]
    assert parse(dump(whole, "jsonl"), "jsonl") == whole


# All formats


@given(
    st.binary(max_size=60) | st.text(st.sampled_from('text",;\t|\r\n{}[]:\\ 1é'), max_size=60),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "ascii", "latin-1", "gb18030", "shift_jis"]),
    st.sampled_from(["strict", "replace", "ignore", "backslashreplace"]),
    st.sampled_from(["", "text\n", "id,text\n", "id\ttext\n", '{"text": "a"}\n']),
)
@settings(max_examples=200, deadline=None)  # the first asks for pyarrow
def test_any_bytes_end_in_records_or_in_our_error(
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


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "parquet"])
def test_readers_and_writers_hold_nothing_back(format: str) -> None:
    word = "1\tum\tum\tNUM" + 6 * "\t_"
    lines = {"jsonl": b'{"text": "1"}\n', "conllu": f"# text = 1\n{word}\n\n".encode()}.get(
        format, b"text\n1\n"
    )
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as feed:
        feed.write(lines)  # and the pipe stays open: a reader that waits for more hangs here
        assert next(read(stream, format, Source("in")))["text"] in {"1", "text"}
    out = io.StringIO()

    def watch() -> Iterator[Record]:
        yield {"text": "a"} | ({"words": ["a"]} if format == "conllu" else {})
        assert "a" in out.getvalue()

    write(watch(), out, format)


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_tables_from_records_of_any_shape(format: str) -> None:
    sep = {"csv": b",", "tsv": b"\t"}[format]
    records: list[Record] = [{"text": "a", "n": 0.1, "j": [1]}, {"n": None, "text": "b"}]
    assert dump(records, format).replace(sep, b" ") == b"text n j\na 0.1 [1]\nb  \n"
    with pytest.raises(InputError, match="record 2 has a field 'x'.*--to jsonl"):
        dump([{"text": "a"}, {"text": "b", "x": 1}], format)
    assert dump([], format) == b""


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_columns(format: str) -> None:
    sep = {"csv": b",", "tsv": b"\t"}[format]
    data = b"id,text,date\n1,a,2\n".replace(b",", sep)
    assert complaint(data, format, column="texto") == (
        "in: no column 'texto'. Did you mean 'text'? Columns: id, text, date"
    )
    (record,) = parse(data, format, column="date")
    assert text_of(record, Source("in", column="date")) == "2"
    assert resolve_column(record, Source("in")) == "text"
    assert resolve_column(["body"], Source("in")) == "body"
    assert "with --column" in complaint(data.replace(b"text", b"body"), format)
    assert "no column 'body'" in complaint(b"a\n", "lines", column="body")


def test_an_unknown_format_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="unknown format 'jsonll'. Did you mean 'jsonl'"):
        read(io.BytesIO(), "jsonll", Source("in"))


# Files


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.txt", "lines"),
        ("-", "lines"),
        ("a", "lines"),
        ("a.csv.gz", "csv"),
        ("a.TSV", "tsv"),
        ("a.tab.xz", "tsv"),
        ("dir.csv/a.jsonl.bz2", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.gz", "lines"),
    ],
)
def test_format_by_name(name: str, format: str) -> None:
    assert format_of(name) == format


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
NOISE = "".join(f"{n * n * 7919}\n" for n in range(20_000)).encode()


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACKERS[suffix](NOISE))
    with open_input(path) as stream:
        assert sum(1 for _ in read(stream, "lines", Source("in"))) == 20_000


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("damage", ["cut", "flip", "plain"])
def test_damaged_compressed_files(tmp_path: Path, suffix: str, damage: str) -> None:
    path, data = tmp_path / f"a.txt{suffix}", bytearray(PACKERS[suffix](NOISE))
    middle = len(data) // 2
    if damage == "flip":
        data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes({"cut": bytes(data[:middle]), "flip": bytes(data), "plain": NOISE}[damage])
    with open_input(path) as stream, pytest.raises(InputError, match="damaged or cut short"):
        list(read(stream, "lines", Source("in", errors="replace")))


def refusal(path: Path) -> str:
    messages = []
    for attempt in (lambda: open_input(path).__enter__(), lambda: check_inputs(["-", path])):
        with pytest.raises(InputError) as caught:
            attempt()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    return messages[0]


def test_inputs_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("x")
    (tmp_path / "empty").touch()
    assert refusal(tmp_path / "review.csv").endswith("no such file. Did you mean 'reviews.csv'?")
    assert "no such file. Check the name" in refusal(tmp_path / "zzz")
    assert "there is no folder" in refusal(tmp_path / "no" / "a.txt")
    assert "there is no folder" in refusal(tmp_path / "empty" / "a.txt")
    assert "is a directory: name its files, for example" in refusal(tmp_path)
    assert refusal(tmp_path / "empty").endswith("empty is empty: there is nothing to read")
    assert "cannot be opened" in refusal(tmp_path / ("x" * 999))
    assert "cannot be opened" in refusal(tmp_path / "a\0b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_permissions(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o200)
    assert "permission denied" in refusal(secret)
    secret.chmod(0o400)
    with pytest.raises(UsageError, match="permission denied"), write_output(secret):
        pass


def test_stdin_stays_open_and_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n")))
    with open_input("-") as stream:
        assert stream.read() == b"a\n"
    assert not sys.stdin.buffer.closed
    check_inputs(["-"])
    with pytest.raises(UsageError, match="named twice"):
        check_inputs(["-", "-"])


def test_output_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with write_output(path) as stream:
        stream.write("é\n\ud800\n")
        assert not path.exists()
        (part,) = tmp_path.iterdir()
        assert part.name.startswith(".out.txt.")
        assert part.suffix == ".part"
    assert path.read_bytes() == "é\n\\ud800\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_failed_output_leaves_what_was_there(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before")
    with pytest.raises(failure), write_output(path) as stream:
        stream.write("after")
        raise failure
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_output_keeps_mode_and_links(tmp_path: Path) -> None:
    path, link = tmp_path / "out.txt", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with write_output(link) as stream:
        stream.write("after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_output_to_a_device_does_not_replace_it() -> None:
    with write_output(os.devnull) as stream:
        stream.write("x")
    assert not Path(os.devnull).is_file()


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    said = pytest.raises(UsageError, match="No space left.*free some space")
    with said, write_output(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no/out.txt", "mkdir -p"),
        (".", "is a directory"),
        ("a.gz", "pipe it to gzip"),
        ("x" * 999, "too long"),
        ("a\0b", "null byte"),
    ],
)
def test_outputs_that_cannot_be_written(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected), write_output(tmp_path / name):
        pass


def test_output_to_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with write_output("-") as stream:
        stream.write("é\n")
    assert capfdbinary.readouterr().out == "é\n".encode()


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


def test_parquet_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"n": [1], "m": [2]}), tmp_path / "a.parquet")
    for options, said in (({}, "no column 'text'"), ({"column": "n"}, "holds numbers")):
        with open_input(tmp_path / "a.parquet") as stream, pytest.raises(InputError, match=said):
            list(read(stream, "parquet", Source("in", **options)))
    content = (tmp_path / "a.parquet").read_bytes()
    for damaged in (content[:50], content[:-6], b"text\n" * 30):
        with pytest.raises(InputError, match="not a sound Parquet file"):
            list(read(io.BytesIO(damaged), "parquet", Source("in")))
    with write_output(tmp_path / "b.parquet") as out, pytest.raises(InputError, match="'b'"):
        write([{"a": 1}, {"a": 1, "b": 2}], out, "parquet")
