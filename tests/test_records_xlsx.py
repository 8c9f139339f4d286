"""Records of Excel workbooks: the first sheet, numbers that stay numbers, text that stays text."""

from __future__ import annotations

import datetime
import io
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Cli
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import InputError, MissingExtra, Note
from nlpkit.records import Record, Source, format_of, read, write, write_output
from nlpkit.records.formats import xlsx

ROWS: list[list[Any]] = [
    ["id", "texto", "dia", "ok"],
    [1, "Adorei – “muito”", datetime.date(2024, 5, 1), True],
    [],
    [2.5, "=1+1", datetime.datetime(2024, 5, 1, 13, 4, 5), None],
]


def workbook(rows: list[list[Any]], *others: str) -> bytes:
    """Return a workbook as openpyxl writes it, with its rows in the first sheet."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    for row, values in enumerate(rows, 1):
        for column, value in enumerate(values, 1):
            cell = sheet.cell(row, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula
    for name in others:
        book.create_sheet(name)
    book.save(out)
    return out.getvalue()


def cells(data: bytes) -> list[list[tuple[Any, str]]]:
    """Return the values of a workbook and their types, as openpyxl reads them."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    return [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows()]


def test_a_sheet_is_a_table_of_texts_as_excel_shows_them() -> None:
    assert parse(workbook(ROWS), "xlsx", column="texto") == [
        {"id": "1", "texto": "Adorei – “muito”", "dia": "2024-05-01", "ok": "TRUE"},
        {"id": "2.5", "texto": "=1+1", "dia": "2024-05-01 13:04:05", "ok": ""},
    ]


def test_a_sheet_goes_out_as_it_came() -> None:
    records = parse(workbook(ROWS), "xlsx", column="texto")
    written = dump(pickle.loads(pickle.dumps(records)), "xlsx")
    assert parse(written, "xlsx", column="texto") == records
    assert cells(written)[1:] == [
        [(1, "n"), ("Adorei – “muito”", "s"), (datetime.datetime(2024, 5, 1), "d"), (True, "b")],
        [(2.5, "n"), ("=1+1", "s"), (datetime.datetime(2024, 5, 1, 13, 4, 5), "d"), (None, "n")],
    ]


def test_rows_above_the_header_are_skipped_and_errors_name_the_row_of_the_sheet() -> None:
    data = workbook([[], [], ["id", "texto", "texto"], [1, "a", "b"]])
    assert complaint(data, "xlsx", column="texto") == (
        "in:3: column 'texto' is named twice; rename one"
    )
    assert "Did you mean 'texto'? Columns: id, texto" in complaint(data, "xlsx", column="Texto")


def test_a_single_column_keeps_its_empty_rows() -> None:
    assert parse(workbook([["text"], ["a"], [], ["b"]]), "xlsx") == [
        {"text": text} for text in ("a", "", "b")
    ]
    assert parse(workbook([["text"], [5]]), "xlsx") == [{"text": "5"}]


def test_of_several_sheets_the_first_is_read_with_a_note() -> None:
    with pytest.warns(Note, match="in: of its 2 sheets the first is read, 'Sheet'"):
        parse(workbook([["text"], ["a"]], "B"), "xlsx")


@pytest.mark.parametrize("name", ["a.xlsx", "a.XLSX", "a.xls", "a.ods", "a.xlsm", "a.xlsb"])
def test_names_of_workbooks(name: str) -> None:
    assert format_of(name) == "xlsx"


def test_what_is_no_workbook() -> None:
    whole = workbook(ROWS)
    for data in (b"text\na\n", whole[:-300], b"PK\x03\x04", whole[:-80] + b"\0" * 80):
        assert complaint(data, "xlsx").startswith("in: not a sound workbook (")


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), min_size=1, max_size=4))
def test_strings_stay_strings(rows: list[list[str]]) -> None:
    """Also those that look like formulas, numbers, URLs or the escapes of XML."""
    nasty = ["=1+1", "+1", "-1", "@x", "1.0", "http://x.y", "_x0041_", "a\r\nb", "\t", " x "]
    there = [{"text": f"a{value}", "n": other} for value, other in rows if usual(value + other)]
    there += [{"text": value, "n": "x"} for value in nasty]
    assert parse(dump(there, "xlsx"), "xlsx") == there


def usual(text: str) -> bool:
    """Tell whether Excel's own format holds a text: it has no place for U+FFFE and U+FFFF."""
    return not any("\ufffe" <= letter <= "\uffff" for letter in text) and "_x" not in text


def test_numbers_of_records_are_numbers_unless_digits_would_be_lost() -> None:
    record = {"text": "a", "n": 0.5, "i": 3, "big": 12345678901234567890, "b": True, "j": [1]}
    (_, row) = cells(dump([record | {"x": float("nan")}], "xlsx"))
    assert row[:6] == [
        ("a", "s"),
        (0.5, "n"),
        (3, "n"),
        ("12345678901234567890", "s"),
        (True, "b"),
        ("[1]", "s"),
    ]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"text": "a"}, {"text": "x" * 32_768}], "record 2: its 'text' has 32,768 characters"),
        ([{str(n): "" for n in range(16_385)}], "16,384 columns"),
        ([{"text": "a"}, {"text": "b", "n": 1}], "record 2 has a field 'n'"),
    ],
)
def test_what_does_not_fit_is_an_error_and_nothing_is_written(
    records: list[Record], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=expected), write_output(tmp_path / "a.xlsx") as stream:
        write(records, stream, "xlsx")
    assert not list(tmp_path.iterdir())


def test_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    assert len(parse(dump([{"text": "a"}] * 2, "xlsx"), "xlsx")) == 2
    with pytest.raises(InputError, match="a sheet of Excel holds 3 rows; use --to csv"):
        dump([{"text": "a"}] * 3, "xlsx")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtra, match="XlsxWriter"):
        dump([{"text": "a"}], "xlsx")


def test_answers_of_a_workbook_are_a_workbook_with_scores_that_are_numbers(
    sentiment: Cli, cli: Cli, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook(ROWS))
    done = sentiment("a.xlsx", "-c", "texto", "-o", "b.xlsx")
    assert (done.returncode, done.stderr) == (0, b"")
    header, first, second = cells((tmp_path / "b.xlsx").read_bytes())
    assert [value for value, _ in header] == ["id", "texto", "dia", "ok", "label", "score"]
    assert (first[0], first[5][1], second[1]) == ((1, "n"), "n", ("=1+1", "s"))
    assert sentiment("a.xlsx", "-c", "texto").stdout[:2] == b"PK"  # in a pipe too
    done = cli("batch", "a.xlsx", "-c", "texto", "-m", tiny_bundle("atnet"), "-o", "out", "-q")
    assert done.returncode == 0, done.stderr
    (tmp_path / "c.ods").write_bytes(b"x")
    batched = cells((tmp_path / "out/a.xlsx").read_bytes())
    assert [row[1] for row in batched] == [row[1] for row in (header, first, second)]
    assert batched[1][5][1] == "n"
    done = cli("clean", "a.xlsx", "-c", "texto", "--into", "limpo", "--to", "jsonl")
    assert [json.loads(line)["limpo"] for line in done.stdout.splitlines()][1] == "=1+1"


def test_what_is_read_from_a_pipe_is_read_whole(sentiment: Cli) -> None:
    done = sentiment(
        "--from", "xlsx", "--to", "csv", stdin=workbook([["text"], ["adorei"], ["ruim"]])
    )
    assert done.returncode == 0 and done.stdout.count(b"\n") == 3


def test_the_position_is_the_row_of_the_sheet() -> None:
    from nlpkit.records import Position

    position = Position()
    source = Source("in", column="texto", position=position)
    rows = read(io.BytesIO(workbook(ROWS)), "xlsx", source)
    assert [position.line for _ in rows] == [2, 4]
