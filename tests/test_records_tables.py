"""Records of TSV and CSV: headers, columns, quotes and escapes."""

from __future__ import annotations

import io
import pickle

import pytest
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import InputError
from nlpkit.records import Record, Source, resolve_column, text_of
from nlpkit.records.formats.tsv import Verbatim, escape, row, unescape, write as write_tsv

NAMES = st.lists(
    st.text(min_size=1, max_size=5).filter(lambda name: name[0] != "\ufeff"),
    min_size=1,
    max_size=4,
    unique=True,
)


def test_tsv_escapes_are_decoded() -> None:
    data = b'id\ttext\r\n1\ta\\tb\\nc\\rd\\\\e\r\n2\t\\o/ "q"\n'
    assert [record["text"] for record in parse(data, "tsv")] == ["a\tb\nc\rd\\e", '\\o/ "q"']


def test_tsv_row_escapes_its_cells() -> None:
    assert row(["positive", "0.9", "a\tb\\c\nd\re"]) == r"positive" + "\t0.9\t" + r"a\tb\\c\nd\re"


def test_tsv_can_be_written_without_header() -> None:
    stream = io.StringIO()
    write_tsv([{"a": "1", "b": None}, {"b": 0.1, "a": True}], stream, header=False)
    assert stream.getvalue() == "1\t\ntrue\t0.1\n"


def test_verbatim_keeps_its_raw_text_and_derived_strings_are_plain() -> None:
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
def test_unescape_inverts_escape(value: str) -> None:
    line = escape(value)
    assert not set("\t\n\r") & set(line)
    assert unescape(line) == value
    assert escape(unescape(line)) == line


CELL = st.text(st.sampled_from('\\tnro/"; é\x85\u2028') | st.characters(codec="utf-8")).map(
    lambda text: text.replace("\t", "").replace("\n", "").replace("\r", "")
)


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@given(st.lists(st.tuples(CELL, CELL)))
def test_unchanged_tsv_round_trips_byte_for_byte(table: list[tuple[str, str]]) -> None:
    data = "".join(f"{a}\t{b}\n" for a, b in [("i\\d", "text"), ("1", "x"), *table]).encode()
    assert dump(parse(data, "tsv"), "tsv") == data


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # TSV may look quoted
@given(NAMES, st.data())
def test_tsv_and_csv_records_round_trip(names: list[str], data: st.DataObject) -> None:
    cells = st.fixed_dictionaries({name: st.text(max_size=8) for name in names})
    records = data.draw(st.lists(cells, min_size=1, max_size=5))
    for format in ("tsv", "csv"):
        assert parse(dump(records, format), format, column=names[0]) == records


def test_wrong_number_of_fields_is_reported() -> None:
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
def test_headers_are_checked(format: str) -> None:
    assert parse(b"", format) == []
    assert parse(b"text\n", format) == []
    assert parse("\ufefftext\na".encode(), format) == [{"text": "a"}]
    assert "in:1: the header is blank" in complaint(b"\na\n", format)
    sep = b"," if format == "csv" else b"\t"
    assert "in:1: column 'text' is named twice" in complaint(b"text" + sep + b"text\n", format)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiter_is_detected(delimiter: str) -> None:
    data = 'id,text,"a,b;c|d;e|f;g|h"\n1,"x;y|z,""w""\r\nv",ok\n'
    data = data.replace("id,text,", f"id{delimiter}text{delimiter}")
    data = data.replace("1,", f"1{delimiter}").replace(",ok", f"{delimiter}ok")
    (record,) = parse(data.encode(), "csv")
    assert record == {"id": "1", "text": 'x;y|z,"w"\r\nv', "a,b;c|d;e|f;g|h": "ok"}


def test_csv_quoting_is_minimal() -> None:
    records = [{"id": 'a"b', "text": "c,d", "x;y": "e;f", "n": "g\rh"}]
    assert dump(records, "csv") == b'id,text,"x;y",n\n"a""b","c,d",e;f,"g\rh"\n'
    assert dump([{"text": ""}], "csv") == b'text\n""\n'


def test_csv_huge_cell_is_read() -> None:
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
def test_csv_errors_name_the_first_line_of_the_row(data: bytes, expected: str) -> None:
    assert complaint(data, "csv").startswith(expected)


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_tables_of_records_with_different_fields(format: str) -> None:
    sep = {"csv": b",", "tsv": b"\t"}[format]
    records: list[Record] = [{"text": "a", "n": 0.1, "j": [1]}, {"n": None, "text": "b"}]
    assert dump(records, format).replace(sep, b" ") == b"text n j\na 0.1 [1]\nb  \n"
    with pytest.raises(InputError, match="record 2 has a field 'x'.*--to jsonl"):
        dump([{"text": "a"}, {"text": "b", "x": 1}], format)
    assert dump([], format) == b""


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_text_column_is_resolved(format: str) -> None:
    sep = {"csv": b",", "tsv": b"\t"}[format]
    data = b"id,text,date\n1,a,2\n".replace(b",", sep)
    assert complaint(data, format, column="texto") == (
        "in:1: no column 'texto'. Did you mean 'text'? Columns: id, text, date"
    )
    (record,) = parse(data, format, column="date")
    assert text_of(record, Source("in", column="date")) == "2"
    assert resolve_column(record, Source("in")) == "text"
    assert resolve_column(["body"], Source("in")) == "body"
    assert "with --column" in complaint(data.replace(b"text", b"body"), format)
    assert "no column 'body'" in complaint(b"a\n", "lines", column="body")
