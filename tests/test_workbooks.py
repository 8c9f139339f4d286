"""Workbooks through the commands: the sheet to read, the format of a pipe, sheets not to lose."""

from __future__ import annotations

import errno
import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from conftest import Cli
from records_helpers import complaint, parse

from nlpkit.errors import NoSpace, Note, UsageError
from nlpkit.records import read, write, write_output
from nlpkit.records.layout import Layout
from nlpkit.records.rows import located
from nlpkit.records.source import Source
from nlpkit.records.target import check_target, format_for

SHEETS = {
    "Resumo": [["texto", "nota"], ["adorei", 4.5], ["", 3]],
    "Avaliações": [["texto", "nota"], ["péssimo", 1.25]],
}


def workbook(sheets: dict[str, list[list[Any]]], hidden: str = "") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, values in enumerate(rows):
                sheet.write_row(row, 0, values)
            if name == hidden:
                sheet.hide()
    return out.getvalue()


def texts(data: bytes, sheet: str) -> list[str]:
    return [record["texto"] for record in parse(data, "xlsx", column="texto", sheet=sheet)]


def test_a_sheet_is_chosen_by_its_name() -> None:
    data = workbook(SHEETS, hidden="Avaliações")
    assert texts(data, "Resumo") == ["adorei", ""]
    assert texts(data, "Avaliac\u0327o\u0303es") == ["péssimo"]  # also a hidden one
    found = complaint(workbook(SHEETS), "xlsx", sheet="avaliacoes")
    assert found == (
        "in: no sheet 'avaliacoes'. Did you mean 'Avaliações'? Sheets: Resumo, Avaliações"
    )


def test_the_note_names_the_option_only_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook(SHEETS))
    with pytest.warns(Note, match="of its 2 sheets the first is read, 'Resumo'$"):
        list(located(str(tmp_path / "a.xlsx"), "texto"))


def test_the_option_in_every_command(cli: Cli, sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook(SHEETS))
    (tmp_path / "b.csv").write_text("texto\nbom\n")
    name = ("--sheet", "Avaliações")
    done = sentiment("a.xlsx", "-c", "texto", *name)
    assert done.stderr == b"" and "péssimo,1.25,negative" in done.stdout.decode()
    for command in (("clean",), ("pipe", "clean"), ("vectorize", "--method", "hash")):
        done = cli(*command, "a.xlsx", "-c", "texto", *name)
        assert (done.returncode, done.stderr) == (0, b""), command
        done = cli(*command, "b.csv", "-c", "texto", *name)
        assert done.returncode == 2
        assert b"the input is no workbook, but csv; leave out --sheet" in done.stderr
    assert cli("clean", "a.xlsx", "--sheet", " ").returncode == 2
    done = cli("batch", "a.xlsx", "-c", "texto", *name, "-m", "rules", "--to", "csv", "-o", "out")
    assert (tmp_path / "out/a.csv").read_text().startswith("texto,nota,label,score\npéssimo,1.25")
    assert cli("batch", "b.csv", *name, "-o", "two").returncode == 2
    done = cli("split", "a.xlsx", "-c", "texto", "--sheet", "Resumo", "--test", "1")
    assert done.returncode == 0, done.stderr
    part = python_calamine.load_workbook(tmp_path / "a.test.xlsx")
    assert part.sheet_names == ["Resumo"]
    assert cli("split", "b.csv", *name, "--test", "1").returncode == 2


@pytest.mark.parametrize("command", [("clean",), ("sentiment",), ("sentiment", "--by", "nota")])
def test_a_workbook_becomes_csv_in_a_pipe(
    command: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook({"A": SHEETS["Resumo"]}))
    done = cli(*command, "a.xlsx", "-c", "texto")
    assert done.returncode == 0 and b"nota" in done.stdout.splitlines()[0]
    assert len(done.stdout.splitlines()) == 3
    assert cli(*command, "a.xlsx", "-c", "texto", "--to", "xlsx").stdout[:2] == b"PK"


def test_the_format_of_an_output() -> None:
    assert format_for("-", None, "xlsx") == "csv"
    assert format_for("-", None, "json") == "json"
    assert format_for("-", "xlsx", "csv") == "xlsx"
    assert format_for("a.jsonl", None, "xlsx") == "jsonl"
    assert format_for("a.out", None, "xlsx") == "xlsx"


def test_an_output_does_not_replace_the_other_sheets(
    cli: Cli, sentiment: Cli, tmp_path: Path
) -> None:
    data = workbook(SHEETS, hidden="Avaliações")
    (tmp_path / "a.xlsx").write_bytes(data)
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "a.xlsx")
    for output in ("a.xlsx", "./a.xlsx", "link.xlsx"):
        for run in (sentiment, lambda *args: cli("clean", *args)):
            done = run("a.xlsx", "-c", "texto", "-o", output)
            assert done.returncode == 2 and b" has 2 sheets, and the output" in done.stderr
    assert (tmp_path / "a.xlsx").read_bytes() == data
    assert sentiment("a.xlsx", "-c", "texto", "--by", "nota", "-o", "a.xlsx").returncode == 2
    output = str(tmp_path / "a.xlsx")
    with pytest.raises(UsageError, match="has 2 sheets"):
        check_target(output, ["-", str(tmp_path / "link.xlsx")], "xlsx", "xlsx")
    check_target(output, [str(tmp_path / "b.xlsx")], "xlsx", "xlsx")
    (tmp_path / "one.xlsx").write_bytes(workbook({"Notas": SHEETS["Resumo"]}))
    done = sentiment("one.xlsx", "-c", "texto", "-o", "one.xlsx")
    assert (done.returncode, done.stderr) == (0, b"")
    assert python_calamine.load_workbook(tmp_path / "one.xlsx").sheet_names == ["Notas"]


@pytest.mark.parametrize("name", ["Notas [2024]", "x" * 32, "'a'", "a/b", ""])
def test_a_name_that_excel_refuses_is_not_written(name: str, tmp_path: Path) -> None:
    with write_output(tmp_path / "a.xlsx") as stream:
        write([{"text": "a"}], stream, "xlsx", Layout(sheet=name))
    assert python_calamine.load_workbook(tmp_path / "a.xlsx").sheet_names == ["Sheet1"]


def test_the_comma_of_brazil_is_in_numbers_only(cli: Cli, sentiment: Cli, tmp_path: Path) -> None:
    rows = '{"text": "1.5", "n": 4.5, "i": 3, "s": "0.5", "b": true, "l": [1.5]}\n'
    (tmp_path / "a.jsonl").write_text(rows)
    (tmp_path / "b.xlsx").write_bytes(
        workbook({"A": [["texto", "nota", "s"], ["bom", 4.5, "4.5"]]})
    )
    excel = ("--to", "csv", "--dialect", "excel-br")
    done = cli("clean", "a.jsonl", *excel)
    assert done.stdout.decode("utf-8-sig") == "text;n;i;s;b;l\r\n1.5;4,5;3;0.5;true;[1.5]\r\n"
    done = sentiment("b.xlsx", "-c", "texto", *excel)
    cells = done.stdout.decode("utf-8-sig").splitlines()[1].split(";")
    assert cells[:3] == ["bom", "4,5", "4.5"] and cells[4][:2] == "0," and len(cells[4]) == 6
    done = cli("batch", "b.xlsx", "-c", "texto", *excel, "-m", "rules", "-o", "out")
    line = (tmp_path / "out/b.csv").read_text("utf-8-sig").splitlines()[1]
    assert line.count(",") == 2 and line.startswith("bom;4,5;4.5;")
    (tmp_path / "c.csv").write_text("text;nota\nbom;4.5\n")
    assert b"bom;4.5;" in sentiment("c.csv", "--dialect", "excel-br").stdout
    assert b"," not in sentiment("c.csv").stdout  # only if the dialect is asked for


def test_a_source_reads_the_name_of_its_sheet_into_the_layout() -> None:
    source = Source("in", column="texto", sheet="Avaliações")
    assert len(list(read(io.BytesIO(workbook(SHEETS)), "xlsx", source))) == 1
    assert source.layout.sheet == "Avaliações"


def test_a_workbook_has_no_date_of_its_own(tmp_path: Path) -> None:
    with write_output(tmp_path / "a.xlsx") as stream:
        write([{"text": "bom"}], stream, "xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        dates = set(re.findall(rb"\d{4}-\d\d-\d\dT", parts.read("docProps/core.xml")))
        assert dates == {b"2000-01-01T"}
        assert {part.date_time[0] for part in parts.infolist()} == {1980}


def test_a_full_temporary_folder_is_one_line_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(sheet: Any, *cell: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("xlsxwriter.worksheet.Worksheet.write_string", full)
    (tmp_path / "temporary").mkdir()
    with pytest.raises(NoSpace, match="set TMPDIR"), write_output(tmp_path / "a.xlsx") as stream:
        write([{"text": "bom"}], stream, "xlsx")
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]
