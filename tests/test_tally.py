"""--by: the labels counted by the values of a column, as records and as a table."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import python_calamine
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.console import Console

from nlpkit.answers import Label, Tags
from nlpkit.cli.screen.tally import VALUES, table
from nlpkit.errors import InputError, UsageError
from nlpkit.jobs.tally import Tally, labels_of, tally
from nlpkit.records.answered import Answered
from nlpkit.records.reading import Reading

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
LABELS = ("negative", "neutral", "positive")
READING = Reading(inputs=["a.csv"])
CSV = (
    "loja,text\n"
    "Praia,adorei o hotel\nCentro,péssimo\nPraia,odiei a comida\n"
    " Praia ,lindo\n,perfeito\nCentro,\n"
).encode()


def answered(pairs: list[tuple[Any, str | None]]) -> list[Answered]:
    return [
        Answered({"loja": value}, "", None if label is None else Label(label, 0.9))
        for value, label in pairs
    ]


def shown(counts: Tally, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(table(counts, width, coloured=True))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return [line.rstrip() for line in lines]


values = st.one_of(st.sampled_from(["a", "b ", "", " ", None, 3, True]), st.text(max_size=3))


@given(st.lists(st.tuples(values, st.sampled_from([*LABELS, None])), min_size=1))
def test_every_document_is_counted_once(pairs: list[tuple[Any, str | None]]) -> None:
    counts = tally(answered(pairs), "loja", LABELS, READING)
    total = counts.total()
    assert total.documents == len(pairs)
    assert total.labels == Counter(label for _, label in pairs if label)
    records = list(counts.records())
    assert sum(record["documents"] for record in records) == len(pairs)
    for record in records:
        assert list(record) == counts.columns
        assert record["documents"] == sum(record[name] for name in counts.columns[2:])
    assert ("(empty)" in counts.columns) == any(label is None for _, label in pairs)
    order = [(-record["documents"], record["loja"]) for record in records]
    assert order == sorted(order) and len(set(order)) == len(order)
    assert sum(record["documents"] for record in records if not record["loja"]) == sum(
        value is None or (isinstance(value, str) and not value.strip()) for value, _ in pairs
    )
    for width in (40, 80, 200):
        assert len(shown(counts, width)) == 2 + min(len(records), VALUES + 1)


def test_values_that_are_no_text_are_counted_as_json_has_them() -> None:
    pairs = [(1, "neutral"), (True, "neutral"), ("1", "neutral"), ("é", None), ("e\u0301", None)]
    counts = tally(answered(pairs), "loja", LABELS, READING).counts
    assert {value: count.documents for value, count in counts.items()} == {
        "1": 2,
        "true": 1,
        "é": 2,
    }


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"a\.csv: no column 'lojas'. Did you mean 'loja'\?"):
        tally(answered([("a", "neutral")]), "lojas", LABELS, READING)


def test_what_cannot_be_counted_is_refused() -> None:
    tags = SimpleNamespace(name="tagger", task=SimpleNamespace(answers=Tags))
    with pytest.raises(UsageError, match="tagger gives no labels"):
        labels_of(tags, "loja", 0)  # type: ignore[arg-type]
    labels = SimpleNamespace(name="m", task=SimpleNamespace(answers=Label, shown=LABELS))
    assert labels_of(labels, "loja", 0.5) == (*LABELS, "uncertain")  # type: ignore[arg-type]
    for name in ("documents", "(empty)", "neutral"):
        with pytest.raises(UsageError, match="rename the column"):
            labels_of(labels, name, 0)  # type: ignore[arg-type]


def test_the_table_at_80_columns() -> None:
    pairs = [("Centro", "positive")] * 3 + [("Centro", "negative"), ("", "neutral"), ("", None)]
    lines = shown(tally(answered(pairs), "loja", LABELS, READING), 80)
    assert lines[0].split() == ["loja", "documents", *LABELS, "(empty)"]
    assert lines[1].split()[:6] == ["Centro", "4", "25.0%", "0.0%", "75.0%", "0.0%"]
    assert lines[2].split()[:6] == ["(empty)", "2", "0.0%", "50.0%", "0.0%", "50.0%"]
    assert lines[3].split()[:6] == ["total", "6", "16.7%", "16.7%", "50.0%", "16.7%"]
    assert lines[1].endswith("██████")


def test_labels_and_values_that_do_not_fit_share_a_place() -> None:
    labels = [f"assunto-{number:02}" for number in range(30)]
    pairs: list[tuple[Any, str | None]] = [
        (f"loja \x1b[31m{number:02}", label)
        for number in range(30)
        for label in labels[number:] + [labels[29]] * 2
    ]
    lines = shown(tally(answered(pairs), "loja", labels, READING), 80)
    heading = lines[0].split()
    assert heading[-1] == "(others)" and "assunto-29" in heading and "assunto-00" not in heading
    assert lines[-2].startswith("10 others") and lines[-1].startswith("total")
    assert not any("\x1b" in line for line in lines)


def test_in_a_pipe_counts_are_records(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    done = sentiment("a.csv", "--by", "loja")
    assert done.returncode == 0 and done.stderr == b""
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [(row["loja"], row["documents"]) for row in rows] == [
        ("Praia", "3"),
        ("Centro", "2"),
        ("", "1"),
    ]
    assert [int(row["positive"]) for row in rows] == [2, 0, 1]
    done = sentiment("a.csv", "--by", "loja", "-o", "b.jsonl")
    assert done.stdout == b""
    record = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])
    counts = {"documents": 3, "negative": 1, "neutral": 0, "positive": 2, "(empty)": 0}
    assert record == {"loja": "Praia"} | counts
    assert sentiment("--by", "text", stdin=b"lindo\n").stdout == (
        b"text\tdocuments\tnegative\tneutral\tpositive\nlindo\t1\t0\t0\t1\n"
    )


def test_errors_are_one_line(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    for arguments, code in (
        (["a.csv", "--by", "lojas", "-o", "b.csv"], 3),
        (["a.csv", "--by", "loja", "--into", "x"], 2),
        (["a.csv", "--by", "positive"], 2),
        (["a.csv", "--by", "loja", "--by", "text"], 2),
    ):
        done = sentiment(*arguments)
        assert done.returncode == code and done.stderr.count(b"\n") == 1, done.stderr
        assert not done.stdout
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("given", [b"loja;text\n", b"\xef\xbb\xbfloja;text\r\n", b""])
def test_without_rows_there_is_the_header_of_counts(
    given: bytes, sentiment: Cli, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(given)
    done = sentiment("a.csv", "--by", "loja")
    assert done.returncode == 0 and done.stderr.count(b"\n") == 1
    delimiter = b";" if given else b","
    header = delimiter.join([b"loja", b"documents", b"negative", b"neutral", b"positive"])
    excel = given.startswith(b"\xef\xbb\xbf")
    assert done.stdout == (b"\xef\xbb\xbf" + header + b"\r\n" if excel else header + b"\n")
    done = sentiment("a.csv", "--by", "lojas")
    assert done.returncode == (3 if given else 0)
    assert (b"Did you mean 'loja'?" in done.stderr) == bool(given)


def test_counts_have_the_dialect_asked_for_or_that_of_the_input(
    sentiment: Cli, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes("\ufefflója;text\r\nA;lindo\r\n".encode())
    counts = "\ufefflója;documents;negative;neutral;positive\r\nA;1;0;0;1\r\n"
    assert sentiment("a.csv", "--by", "lója").stdout.decode() == counts
    unix = sentiment("a.csv", "--by", "lo\u0301ja", "--dialect", "unix").stdout.decode()
    assert unix == "lo\u0301ja,documents,negative,neutral,positive\nA,1,0,0,1\n"
    done = sentiment("a.csv", "--by", "lója", "--dialect", "excel", "--to", "jsonl")
    assert done.returncode == 2 and b"use --to csv" in done.stderr and not done.stdout


def test_counts_in_a_workbook_are_numbers(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    assert sentiment("a.csv", "--by", "loja", "-o", "b.xlsx").returncode == 0
    assert sentiment("b.xlsx", "-c", "loja", "--by", "loja", "-o", "c.json").returncode == 0
    book = python_calamine.load_workbook(tmp_path / "b.xlsx")
    assert book.get_sheet_by_index(0).to_python() == [
        ["loja", "documents", *LABELS, "(empty)"],
        ["Praia", 3.0, 1.0, 0.0, 2.0, 0.0],
        ["Centro", 2.0, 1.0, 0.0, 0.0, 1.0],
        ["", 1.0, 0.0, 0.0, 1.0, 0.0],
    ]
    assert [row["documents"] for row in json.loads((tmp_path / "c.json").read_bytes())] == [1] * 3
