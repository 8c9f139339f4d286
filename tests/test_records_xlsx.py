"""Records of Excel workbooks: the first sheet, numbers that stay numbers, text that stays text."""

from __future__ import annotations

import datetime
import io
import json
import pickle
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from conftest import Cli
from hypothesis import given, strategies as st
from records_helpers import complaint, dump, parse

from nlpkit.errors import InputError, MissingExtra, Note
from nlpkit.jobs.doctor import EXTRAS
from nlpkit.records import Record, Source, format_of, read, write, write_output
from nlpkit.records.formats import xlsx

ROWS: list[list[Any]] = [
    ["id", "texto", "dia", "ok"],
    [1, "Adorei – “muito”", datetime.date(2024, 5, 1), True],
    [],
    [2.5, "=1+1", datetime.datetime(2024, 5, 1, 13, 4, 5), None],
]


def workbook(rows: list[list[Any]], *others: str) -> bytes:
    """Return a workbook with its rows in the first sheet, and more sheets that are empty."""
    out = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, plain | {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet("Sheet")
        for row, values in enumerate(rows):
            sheet.write_row(row, 0, values)
        for name in others:
            book.add_worksheet(name)
    return out.getvalue()


def cells(data: bytes) -> list[list[Any]]:
    """Return the values of the first sheet: float, str, bool or a date, by the type of the cell."""
    book = python_calamine.load_workbook(io.BytesIO(data))
    return book.get_sheet_by_index(0).to_python(skip_empty_area=False)


def test_a_sheet_is_a_table_of_texts_as_excel_shows_them() -> None:
    assert parse(workbook(ROWS), "xlsx", column="texto") == [
        {"id": "1", "texto": "Adorei – “muito”", "dia": "2024-05-01", "ok": "TRUE"},
        dict.fromkeys(("id", "texto", "dia", "ok"), ""),
        {"id": "2.5", "texto": "=1+1", "dia": "2024-05-01 13:04:05", "ok": ""},
    ]


def test_a_sheet_goes_out_as_it_came() -> None:
    records = parse(workbook(ROWS), "xlsx", column="texto")
    written = dump(pickle.loads(pickle.dumps(records)), "xlsx")
    assert parse(written, "xlsx", column="texto") == records
    assert cells(written)[1:] == [
        [1.0, "Adorei – “muito”", datetime.date(2024, 5, 1), True],
        ["", "", "", ""],
        [2.5, "=1+1", datetime.datetime(2024, 5, 1, 13, 4, 5), ""],
    ]


def test_rows_above_the_header_are_skipped_and_errors_name_the_row_of_the_sheet() -> None:
    data = workbook([[], [], ["id", "texto", "texto"], [1, "a", "b"]])
    assert complaint(data, "xlsx", column="texto") == (
        "in:3: column 'texto' is named twice; rename one"
    )
    assert "Did you mean 'texto'? Columns: id, texto" in complaint(data, "xlsx", column="Texto")


@given(
    st.lists(
        st.fixed_dictionaries({"text": st.sampled_from(["", "a"]), "n": st.sampled_from(["", "1"])})
    )
)
def test_empty_rows_are_records_also_at_the_end(rows: list[Record]) -> None:
    assert parse(dump([{"text": "a", "n": "b"}, *rows], "xlsx"), "xlsx")[1:] == rows


def test_of_a_single_column_the_name_does_not_matter() -> None:
    assert parse(workbook([["avaliação"], [5], [], ["b"]]), "xlsx") == [
        {"avaliação": text} for text in ("5", "", "b")
    ]


def test_of_several_sheets_the_first_is_read_with_a_note() -> None:
    with pytest.warns(Note, match="in: of its 2 sheets the first is read, 'Sheet'; --sheet"):
        parse(workbook([["text"], ["a"]], "B"), "xlsx")


def test_a_file_that_is_read_again_repeats_no_note() -> None:
    data, source = workbook([["text"], ["a"]], "B"), Source("in")
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        for _ in range(2):
            assert list(read(io.BytesIO(data), "xlsx", source)) == [{"text": "a"}]
    assert len(notes) == 1


@pytest.mark.parametrize("name", ["a.xlsx", "a.XLSX", "a.xls", "a.ods", "a.xlsm", "a.xlsb"])
def test_names_of_workbooks(name: str) -> None:
    assert format_of(name) == "xlsx"


def test_what_is_no_workbook() -> None:
    whole = workbook(ROWS)
    for data in (whole[:-300], b"PK\x03\x04", whole[:-80] + b"\0" * 80):
        assert complaint(data, "xlsx").startswith("in: a damaged workbook (")
    assert "not a workbook" in complaint(b"id;text\n1;bom\n", "xlsx")


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
    assert row == ["a", 0.5, 3.0, "12345678901234567890", True, "[1]", "nan"]
    assert isinstance(row[4], bool)


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
    with pytest.raises(MissingExtra, match=r"XlsxWriter, .*pip install .*\[xlsx\]"):
        dump([{"text": "a"}], "xlsx")
    with pytest.raises(MissingExtra, match="XlsxWriter"):  # in a batch before the model's work
        xlsx.write_part([{"text": "a"}], io.StringIO())


def test_answers_of_a_workbook_are_a_workbook_with_scores_that_are_numbers(
    sentiment: Cli, cli: Cli, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook(ROWS))
    done = sentiment("a.xlsx", "-c", "texto", "-o", "b.xlsx")
    assert (done.returncode, done.stderr) == (0, b"")
    header, first, blank, second = cells((tmp_path / "b.xlsx").read_bytes())
    assert header == ["id", "texto", "dia", "ok", "label", "score"]
    assert blank == [""] * 6
    assert (first[0], second[1]) == (1.0, "=1+1") and isinstance(first[5], float)
    done = cli("batch", "a.xlsx", "-c", "texto", "-m", tiny_bundle("atnet"), "-o", "out", "-q")
    assert done.returncode == 0, done.stderr
    (tmp_path / "c.ods").write_bytes(b"x")
    batched = cells((tmp_path / "out/a.xlsx").read_bytes())
    assert [row[1] for row in batched] == [row[1] for row in (header, first, blank, second)]
    assert isinstance(batched[1][5], float)
    done = cli("clean", "a.xlsx", "-c", "texto", "--into", "limpo", "--to", "jsonl")
    assert [json.loads(line)["limpo"] for line in done.stdout.splitlines()][1:] == ["", "=1+1"]


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
    assert [position.line for _ in rows] == [2, 3, 4]


def test_doctor_lists_every_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    extras = set(project["project"]["optional-dependencies"])
    assert set(EXTRAS) == extras - {"dev", "cuda"}  # cuda is reported with the devices
