"""What an input tells besides its records: its header, its text column, its dialect of CSV."""

from __future__ import annotations

import io
import pickle
import unicodedata

import pytest
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import Note, UsageError
from nlpkit.records import Source, read, text_of, write
from nlpkit.records.layout import DIALECTS, Layout
from nlpkit.records.source import column_named, near_column

COMPOSED, DECOMPOSED = "comentário", unicodedata.normalize("NFD", "comentário")


def again(data: bytes, asked: str | None = None, column: str = "text") -> bytes:
    """Return CSV as it comes out, each record untouched."""
    source = Source("in", column=column, layout=Layout(asked=asked))
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    write(read(io.BytesIO(data), "csv", source), stream, "csv", source.layout)
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue()


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_goes_out_as_it_came(delimiter: bytes, end: bytes, mark: bytes) -> None:
    rows = [b"id;text;valor", b'1;"a;b ""c""";1.5', b"2;;2"]
    data = mark + b"".join(row.replace(b";", delimiter) + end for row in rows)
    assert again(data) == data


def test_another_dialect_is_written_where_one_is_asked_for() -> None:
    data = b'id,text,valor\n1,a;b,"1,5"\n'
    assert again(data, "excel-br") == b'\xef\xbb\xbfid;text;valor\r\n1;"a;b";1,5\r\n'
    assert again(data, "excel") == b'\xef\xbb\xbfid,text,valor\r\n1,a;b,"1,5"\r\n'
    assert again(again(data, "excel-br"), "unix") == data
    assert set(DIALECTS) == {"unix", "excel", "excel-br"}


@pytest.mark.parametrize("format", ["csv", "tsv", "xlsx"])
def test_a_table_with_only_a_header_gives_its_header(format: str) -> None:
    source = Source("in")
    records = read(io.BytesIO(b"id;text\n"), "csv", source)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    write(records, stream, format, source.layout, ["label"])
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    back = Source("out")
    assert list(read(io.BytesIO(written.getvalue()), format, back)) == []
    assert back.layout.columns == ["id", "text", "label"]


@pytest.mark.parametrize(("asked", "there"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "json"])
def test_names_of_columns_compare_composed(asked: str, there: str, format: str) -> None:
    data = f"n,{there}\n1,bom\n".replace(",", "\t" if format == "tsv" else ",")
    if "json" in format:
        data = f'{{"n": 1, "{there}": "bom"}}\n'
    source = Source("in", column=asked)
    (record,) = read(io.BytesIO(data.encode()), format, source)
    assert text_of(record, source) == "bom"
    assert there in record


@given(st.text(), st.lists(st.text(), max_size=4))
def test_a_column_is_found_by_its_own_name_first(name: str, others: list[str]) -> None:
    assert column_named(name, [*others, name]) == name
    assert near_column(name, [name]) == f" Did you mean {name!r}?"


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("COMENTÁRIO", "comentário"),
        ("comentario", "comentário"),
        ("Comentario ", "comentário"),
        ("texto", "texto "),
        ("TEXTO ", "texto "),
        ("comentaro", "comentário"),
    ],
)
def test_case_accents_and_spaces_do_not_hide_a_near_match(asked: str, near: str) -> None:
    data = "id,comentário,texto \n1,a,b\n".encode()
    assert f"no column {asked!r}. Did you mean {near!r}?" in complaint(data, "csv", column=asked)


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_only_the_text_column_has_to_be_unique(format: str) -> None:
    data = b",text,nota,nota,,nota_2\n0,bom,1,2,x,3\n"
    data = data.replace(b",", b"\t") if format == "tsv" else data
    records = parse(data, format)
    (record,) = records
    assert list(record.values()) == ["0", "bom", "1", "2", "x", "3"]
    assert dump(records, format) == data
    assert dump(pickle.loads(pickle.dumps(records)), format) == data
    assert dump(records, "jsonl").startswith(b'{"": "0", "text": "bom", "nota": "1", "nota_3": ')
    found = complaint(data.replace(b"nota_2", b"text"), format)
    assert found == "in:1: column 'text' is named twice; rename one"


def test_many_columns_are_read_in_linear_time() -> None:
    """Compared with each other, 200,000 names would take half an hour."""
    header = ",".join([f"c{n}" for n in range(100_000)] + ["c"] * 100_000 + ["text"])
    (record,) = parse(f"{header}\n{',' * 200_000}a\n".encode(), "csv")
    assert (len(record), record["text"]) == (200_001, "a")
    assert "no column 'x'" in complaint(f"{header}\n".encode(), "csv", column="x")


def refusal(data: bytes, reject: bool = False, **how: str) -> str:
    return complaint(data, reject=(lambda *bad: None) if reject else None, **how)


@pytest.mark.parametrize("reject", [False, True])
def test_what_is_no_text_is_refused_with_the_encoding_that_fits(reject: bool) -> None:
    text = "muito ruim\nnão gostei é\n" * 3
    for wide in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        for data in (text.encode(wide), b"muito ruim\n".decode().encode(wide)):
            assert f"try --encoding {wide}" in refusal(data, reject)
            assert f"try --encoding {wide}" in refusal(data, reject, encoding="latin-1")
    for marked in ("utf-16", "utf-32"):
        assert f"try --encoding {marked}" in refusal(text.encode(marked), reject)
        assert f"try --encoding {marked}" in refusal(text.encode(marked), reject, errors="replace")
    assert "a SQLite database" in refusal(b"SQLite format 3\0" + bytes(500), reject)
    assert "looks like a binary file" in refusal(b"MZ" + b"\1\0\0\0" * 200, reject)
    assert "it is gzip" in refusal(b"\x1f\x8b\x08\0\0abc", reject)
    russian = ("Плохо, очень плохо. " * 20).encode("utf-16-le")
    assert "try --encoding utf-16-le" in refusal(russian, reject)


def test_text_with_single_nuls_is_text() -> None:
    data = b"nul\0in\0side\nnext\n"
    assert [record["text"] for record in parse(data)] == ["nul\0in\0side", "next"]


def test_the_code_page_of_windows_is_proposed_wherever_its_own_bytes_are() -> None:
    for text in ("não “bom” €", "não é bom", "não" + " bom" * 99_999 + " €"):
        found = complaint(f"id\n{text}\n".encode("cp1252"))
        assert found.endswith("; try --encoding cp1252 (--errors replace would lose letters)")
    found = complaint(b"\xe3\x81\n")  # no character of cp1252
    assert found.endswith("try --encoding cp1252, or --errors replace")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ansi", "utf-16", "ascii"])
@pytest.mark.parametrize("format", ["lines", "csv", "tsv", "jsonl", "json"])
def test_the_mark_of_utf_8_contradicts_any_other_encoding(format: str, encoding: str) -> None:
    data = dump([{"text": "não é bom"}], format)
    assert parse(b"\xef\xbb\xbf" + data, format, encoding="utf-8")[0]["text"] == "não é bom"
    for errors in ("strict", "replace"):
        found = complaint(b"\xef\xbb\xbf" + data, format, encoding=encoding, errors=errors)
        assert found == "in is UTF-8 (it begins with its byte order mark); leave out --encoding"


@pytest.mark.parametrize("name", ["ansi", "ANSI", "mbcs", "windows-1252", "cp1252"])
def test_everyday_names_of_encodings(name: str) -> None:
    assert parse("“é” €\n".encode("cp1252"), encoding=name) == [{"text": "“é” €"}]


@pytest.mark.parametrize("name", ["utf8", "UTF_8", "utf-8-bom", "utf-8-sig", "U8"])
def test_everyday_names_of_utf_8(name: str) -> None:
    assert parse("\ufeffé\n".encode(), encoding=name) == [{"text": "é"}]


@pytest.mark.parametrize("name", ["anssi", "rot13", "utf-99", "latin-11"])
def test_no_encoding_is_proposed_that_is_none(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(b"a", encoding=name)
    if "mean" in str(caught.value):
        proposed = str(caught.value).split("mean '")[1].split("'")[0]
        assert parse(b"a", encoding=proposed) is not None and proposed != name


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_first_line_of_excel_names_the_delimiter(line: str, mark: str) -> None:
    data = f'{mark}{line}\r\na,b,c;text\r\n1;bom\r\n2;"x\r\ny"\r\n'.encode()
    records = parse(data, "csv")
    assert records[0] == {"a,b,c": "1", "text": "bom"}
    assert again(data).replace(b'"a,b,c"', b"a,b,c") == (
        data.decode().replace(line, "sep=;").encode()
    )
    assert complaint(data + b"3\r\n", "csv").startswith("in:6: 1 field, but the header has 2")
    assert complaint(data, "csv", column="nota").startswith("in:2: no column 'nota'")


def test_a_file_of_nothing_but_the_delimiter_is_empty() -> None:
    assert parse(b"sep=;\r\n", "csv") == []
    assert parse(b"sep=x\na\n", "csv") == [{"sep=x": "a"}]


@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
def test_an_empty_name_is_refused(format: str) -> None:
    data = b",text\n1,bom\n" if format == "csv" else b'{"": "1", "text": "bom"}'
    with pytest.raises(UsageError, match="--column: the name is empty"):
        parse(data, format, column="")


def test_columns_without_a_name_are_not_listed() -> None:
    assert complaint(b"id,,nota,\n1,2,3,4\n", "csv", column="texto") == (
        "in:1: no column 'texto'. Columns: id, nota"
    )


def test_csv_of_another_encoding_goes_out_with_a_mark() -> None:
    source = Source("in", encoding="cp1252")
    (record,) = read(io.BytesIO("id;text\r\n1;“não”\r\n".encode("cp1252")), "csv", source)
    assert record["text"] == "“não”"
    assert source.layout.written.bom


def test_quoted_tsv_is_read_with_a_note() -> None:
    quoted = b'id\ttext\n1\t"bom, ""mesmo"""\n2\t"a ""b"""\n'
    with pytest.warns(Note, match="in:2: values are quoted.* --from csv") as notes:
        assert parse(quoted, "tsv")[0]["text"] == '"bom, ""mesmo"""'
    assert len(notes) == 1
    for plain in (b'"bom" e "caro"', b'tela de 5""', b'"bom"'):
        assert parse(b"text\n" + plain + b"\n", "tsv") == [{"text": plain.decode()}]
