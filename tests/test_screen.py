"""What a person sees at any width: tables, charts, previews and progress."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from rich.console import Console
from typer.testing import CliRunner

from nlpkit.answers import Span
from nlpkit.answers.entities import Entities
from nlpkit.cli.app import app
from nlpkit.cli.screen import training as training_screen
from nlpkit.cli.screen.answers import EntitiesLook, show
from nlpkit.cli.screen.batch import BatchProgress
from nlpkit.cli.screen.plot import Point, text_plot
from nlpkit.cli.screen.table import Column, cut, show_table
from nlpkit.cli.screen.training import TrainingProgress
from nlpkit.records.reading import Reading
from nlpkit.training.events import Progress

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
WIDTHS = (60, 80, 120, 200)
COLUMNS = [
    *(Column("model", narrow="cut"), Column("macro-F1", right=True)),
    *(Column("size", drop=2, right=True), Column("ms", drop=1, right=True)),
    Column("labels", drop=3, narrow="wrap"),
]


def table(columns: list[Column], rows: list[list[str]], width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    show_table(console, columns, rows)
    return console.file.getvalue()  # type: ignore[attr-defined]


def shown(*command: object, width: int) -> str:
    done = CliRunner().invoke(app, [*map(str, command)], env={"COLUMNS": str(width)})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_least_important_columns_go_first_and_a_note_names_them() -> None:
    rows = [["sentiment-transformer", "0.7183 ±0.012", "4.9", "12.5", "bad, good"]]
    wide = table(COLUMNS, rows, 80)
    assert "no room" not in wide and "bad, good" in wide
    narrow = table(COLUMNS, rows, 46)
    assert "no room for size, labels: --to json, or a wider terminal" in " ".join(narrow.split())
    assert "0.7183 ±0.012" in narrow and "12.5" in narrow and "…" not in narrow
    assert "sentimen…sformer  0.7183 ±0.012" in table(COLUMNS, rows, 31)


def test_rows_become_lists_where_nothing_else_fits() -> None:
    rows = [["m", "0.7183 ±0.012", "4.9", "12.5", "bad"], ["n", "0.5", "1", "2", "good"]]
    lines = table(COLUMNS, rows, 12).splitlines()
    assert lines[:3] == ["model     m", "macro-F1  0.7183 ±0.012", "size      4.9"]


def test_a_column_without_cells_is_no_column() -> None:
    assert "size" not in table(COLUMNS, [["m", "0.5", "", "1", "x"]], 20)
    assert "labels" in table(COLUMNS, [], 80)


CELLS = st.lists(st.text("ab1.é", min_size=1, max_size=30), min_size=5, max_size=5)


@settings(max_examples=60)
@given(st.lists(CELLS, min_size=1, max_size=4), st.integers(10, 120))
def test_no_number_is_cut_at_any_width(rows: list[list[str]], width: int) -> None:
    text = table(COLUMNS, rows, width)
    assert all(row[1] in text for row in rows)  # a column that stays and may not be narrower
    lists = text.startswith("model     ")
    assert lists or all(len(line) <= width for line in text.splitlines())


@given(st.text(min_size=1).filter(str.isprintable), st.integers(3, 20))
def test_a_cut_text_keeps_its_ends(text: str, width: int) -> None:
    assert cut(text, 10**6) == text
    if len(text) > 2 * width:
        assert "…" in cut(text, width)


@pytest.mark.parametrize("width", [40, *WIDTHS])
def test_models_and_scores_fit(width: int, data: Path, tiny_bundle: Made) -> None:
    bundle = tiny_bundle("atnet")
    listed = shown("models", width=width)
    scored = shown("evaluate", bundle, data / "test.jsonl", "--device", "cpu", width=width)
    measured = shown("bench", bundle, "--seconds", 0.01, "--device", "cpu", width=width)
    checked = shown("debug-data", data / "dev.jsonl", width=width)
    tables = listed + scored[scored.index("label ") :] + measured + checked.partition("\n\n")[0]
    assert "…" not in tables and not set("│┃╭━─") & set(tables)
    assert all(len(line) <= width for line in (listed + measured).splitlines())
    for label in ("negative", "neutral", "positive"):
        assert f"\n{label} " in scored
    if width == 200:
        assert "no room" not in tables
    assert ("→negative" in scored.split("no room")[0]) is (width >= 80)


def test_json_for_people_has_rounded_numbers(data: Path, tiny_bundle: Made, tiny_run: Made) -> None:
    bundle = tiny_bundle("atnet")
    for command in (
        ("evaluate", bundle, data / "test.jsonl", "--device", "cpu"),
        ("bench", bundle, "--seconds", 0.01, "--lengths", 4, "--batches", 1, "--device", "cpu"),
        ("models",),
    ):
        check_numbers(json.loads(shown(*command, "--to", "json", width=80)))
    lines = (tiny_run("atnet") / "metrics.jsonl").read_text().splitlines()
    for line in lines:
        check_numbers(json.loads(line))
    assert isinstance(json.loads(lines[0])["docs_per_second"], int)


def check_numbers(value: Any) -> None:
    if isinstance(value, dict):
        assert not any(isinstance(v, float) for k, v in value.items() if k.endswith("per_second"))
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            check_numbers(part)
        elif isinstance(part, float):
            assert part == round(part, 4)


@pytest.mark.parametrize(
    ("text", "bars", "said"),
    [
        ("adorei\n", False, "1 document in"),
        ("adorei\n\n", False, "2 documents in"),
        ("adorei\nodiei\n", True, "2 documents in"),
    ],
)
def test_a_chart_needs_two_answered_documents(
    text: str, bars: bool, said: str, model: Any, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "in.txt").write_text(text)
    show(model, Reading(inputs=[str(tmp_path / "in.txt")]), quiet=False, min_confidence=0)
    printed = capsys.readouterr().out
    assert ("█" in printed) is bars and f"\n\n{said} " in printed


def test_bars_are_as_long_as_there_is_room(
    model: Any, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    (tmp_path / "in.txt").write_text("adorei\nodiei\n")
    show(model, Reading(inputs=[str(tmp_path / "in.txt")]), quiet=True, min_confidence=0)
    show(model, Reading(inputs=[str(tmp_path / "in.txt")]), quiet=False, min_confidence=0)
    assert all(len(line) <= 40 for line in capsys.readouterr().out.splitlines())


def test_a_preview_of_four_steps_fits_a_screen(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Não gostei, veio quebrado!\n" * 5, encoding="utf-8")
    chain = "clean | tokenize | stopwords | stem"
    for width in (80, 200):
        done = cli("pipe", chain, "in.txt", "--dry-run", COLUMNS=str(width))
        lines = done.stdout.decode().splitlines()
        assert len(lines) == 18 and lines[0] == "document 1"
        assert lines[1] == "  text       Não gostei, veio quebrado!"
        assert lines[5].startswith("  stem       ") and "quebr" in lines[5]
    (tmp_path / "long.txt").write_text("muito " * 30 + "\x1b[2J\n", encoding="utf-8")
    done = cli("pipe", "clean", "long.txt", "--dry-run", COLUMNS="40")
    assert b"\x1b" not in done.stdout
    assert all(len(line) <= 40 for line in done.stdout.decode().splitlines())


@pytest.mark.parametrize("width", WIDTHS)
def test_progress_is_not_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    training, batch = TrainingProgress(quiet=False), BatchProgress(quiet=False)
    training.best = "dev macro_f1 0.8123"
    training(Progress(12, 1234, 1234, 0.1234, 12345, "docs", 3723))
    batch.bar.add_task("", total=10, files="file 999 of 1,000", speed="123,456 records/s")
    for bar in (training.bar, batch.bar):
        console = Console(file=io.StringIO(), width=width)
        console.print(bar.make_tasks_table(bar.tasks))
        (line,) = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert "…" not in line and len(line) <= width


def test_a_log_has_a_line_of_progress_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 30.0, 60.0, 60.0, 90.0])
    monkeypatch.setattr(training_screen, "monotonic", lambda: next(clock))
    progress = TrainingProgress(quiet=False)
    for step in (100, 200, 300):
        progress(Progress(1, step, 400, 0.5, 80, "docs", 90))
    assert capsys.readouterr().err == "step 200 of 400  loss 0.5000  80 docs/s  1:30 left\n"


def test_a_name_in_the_plot_is_beside_its_point_or_has_its_number() -> None:
    points = [Point(name, 3000 + n, 0.6, 0.5, 0.7) for n, name in enumerate(("one", "two", "six"))]
    plot = text_plot(points, 80)
    assert all(f" {n} {name} " in plot for n, name in enumerate(("one", "two", "six"), 1))
    apart = [Point("one", 300, 0.6, 0.5, 0.7), Point("two", 30000, 0.6, 0.5, 0.7)]
    assert "● one " in text_plot(apart, 80) and "● two" in text_plot(apart, 80)
    fast = [Point("one", 1, 0.6, 0.5, 0.7), Point("two", 10**7, 0.6, 0.5, 0.7)]
    ticks = text_plot(fast, 60).splitlines()[-2].split()
    assert ticks and all(float(tick.replace(",", "")) for tick in ticks)


@pytest.mark.parametrize("slow", [801, 950, 999, 8000, 99_000])
def test_no_number_below_the_plot_is_cut(slow: float) -> None:
    points = [Point("one", slow, 0.6, 0.5, 0.7), Point("two", 20 * slow, 0.6, 0.5, 0.7)]
    (*_, ticks, _) = text_plot(points, 80).splitlines()
    assert all(re.fullmatch(r"\d{1,3}(,\d{3})*", tick) for tick in ticks.split())


def test_a_text_with_entities_is_whole_and_a_long_one_is_cut() -> None:
    model: Any = SimpleNamespace(task=SimpleNamespace(shown=["PER", "LOC"]))
    look = EntitiesLook(model, uncertain=False)

    def lines(text: str, spans: tuple[Span, ...], width: int) -> list[str]:
        item: Any = SimpleNamespace(text=text, answer=Entities(spans))
        return [line.plain.rstrip() for line in look.rows(item, width)]

    text = "Ana Lima mora\tno Recife desde 1990"
    spans = (Span(0, 8, "PER", "Ana Lima"), Span(17, 23, "LOC", "Recife"))
    assert lines(text, spans, 26) == ["Ana Lima[PER] mora no", "  Recife[LOC] desde 1990"]
    far = spans[0]._replace(start=1800, end=1808)
    assert lines("a " * 900 + text, (far,), 80)[-1].endswith("a …")
    names = [line.plain for line in look.summary(80)]
    assert names == ["", "PER      2  Ana Lima 2", "LOC      1  Recife"]
