"""nlpkit compare: paired differences, interleaved rounds, refusals and plots."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PATIENCE, corpus, write_jsonl
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from nlpkit.cli.app import app
from nlpkit.cli.screen.plot import Frame, Mark, Point, placed, svg_plot, text_plot
from nlpkit.errors import InputError, ModelError, UsageError
from nlpkit.jobs import compare as job
from nlpkit.jobs.evaluate import evaluate
from nlpkit.language.treebank import UPOS
from nlpkit.metrics.classification import interval, resampled_f1
from nlpkit.runtime import rules
from nlpkit.runtime.model import Model
from nlpkit.tasks import classify, tag
from nlpkit.tasks.sentiment import LABELS, Config, Task
from nlpkit.text.windows import Slide

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
GOOD = ("ótimo", "adorei", "lindo", "perfeito", "maravilhoso", "recomendo")
BAD = ("péssimo", "odiei", "horrível", "quebrado", "atrasado", "decepção")


def right(text: str) -> float:
    return any(word in text for word in GOOD) - any(word in text for word in BAD)


def nearly(text: str) -> float:
    return 0.0 if "7" in text else right(text)


FAKES: dict[str, Callable[[str], float]] = {
    "right": right,
    "copy": right,
    "nearly": nearly,
    "wrong": lambda text: 1.0 - 2 * (len(text) % 2),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two labelled files. Models are functions of the text, and no subprocess is started."""

    def opened(name: str, **_: str) -> Model:
        task: Any = Task(Config(), LABELS)
        if name == "other":
            task = classify.Task(Config(), ["bad", "good"])
        if name == "tagger":
            task = tag.Task(tag.Config(), UPOS)
        return Model(
            name=name,
            task=task,
            tokenizer=rules.Characters(),
            windows=Slide(rules.WINDOW, rules.OVERLAP),
            run=rules.RulesRun(FAKES.get(name, right)),
            file_bytes=7,
        )

    monkeypatch.setattr(job, "open_model", opened)
    monkeypatch.setattr(job, "_ask", lambda command: None)
    return [
        str(write_jsonl(tmp_path / f"{seed}.jsonl", corpus(rows, seed)))
        for seed, rows in ((1, 150), (2, 60))
    ]


def by_name(report: dict[str, Any]) -> dict[str, Any]:
    return {row["model"]: row for row in report["models"]}


def test_differences_are_paired(files: list[str]) -> None:
    report = job.compare(list(FAKES), files, rounds=1).to_dict()
    rows = by_name(report)
    assert report["best"] == "right" and rows["right"]["macro_f1"] == 1
    assert rows["copy"]["difference"] == 0 and rows["copy"]["difference_interval"] == [0, 0]
    low, high = rows["nearly"]["difference_interval"]
    assert low < rows["nearly"]["difference"] < high < 0
    assert rows["wrong"]["difference_interval"][1] < low
    assert report["n"] == 210 and report["timed"] == 210 and report["left_out"] == 0


def test_scores_are_means_over_files_and_equal_evaluate_for_one_file(files: list[str]) -> None:
    row = by_name(job.compare(["nearly", "wrong"], files, rounds=1).to_dict())["wrong"]
    assert [file["data"] for file in row["files"]] == files
    mean = sum(file["macro_f1"] for file in row["files"]) / 2
    assert row["macro_f1"] == pytest.approx(mean, abs=1e-6)
    low, high = row["macro_f1_interval"]
    assert low < mean < high
    (alone,) = job.compare(["wrong"], files[:1], rounds=1).to_dict()["models"]
    model = job.open_model("wrong", device="cpu", precision="auto")
    scores = evaluate(model, files[:1]).to_dict()
    for key in ("macro_f1", "macro_f1_interval", "accuracy", "ece"):
        assert alone[key] == scores[key]
    assert alone["difference_interval"] == [0, 0]


def test_resampled_quantiles_agree_with_the_interval() -> None:
    rng = np.random.default_rng(5)
    gold_N, guess_N = rng.integers(0, 3, (2, 400))
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (gold_N, guess_N), 1)
    (f1_R,) = resampled_f1(gold_N, guess_N[None])
    assert np.quantile(f1_R, [0.025, 0.975]) == pytest.approx(interval(confusion), abs=0.01)


def test_rounds_are_interleaved(files: list[str]) -> None:
    said: list[str] = []
    job.compare(["right", "wrong"], files, rounds=2, listener=said.append)
    assert [line for line in said if line.startswith("timing")] == [
        "timing right, round 1 of 2",
        "timing wrong, round 1 of 2",
        "timing right, round 2 of 2",
        "timing wrong, round 2 of 2",
    ]


def test_labels_of_other_names_are_read(files: list[str], tmp_path: Path) -> None:
    stars = {"negative": "1", "neutral": "3", "positive": "5"}
    rows = [json.loads(line) for line in Path(files[0]).read_text("utf-8").splitlines()]
    given = [{"text": row["text"], "label": stars[row["label"]]} for row in rows]
    path = str(write_jsonl(tmp_path / "stars.jsonl", given))
    back = {star: label for label, star in stars.items()}
    other = job.compare(["nearly"], [path], rounds=1, renamed=back).to_dict()["models"]
    usual = job.compare(["nearly"], files[:1], rounds=1).to_dict()["models"]
    assert other[0]["macro_f1"] == usual[0]["macro_f1"]


def test_documents_without_an_answer_are_left_out_for_all_models(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = job.open_model

    class Deaf(Model):
        def predict(self, documents: Any) -> list[Any]:
            return [None, *super().predict(documents)[1:]]

    def other(name: str, **options: str) -> Model:
        model = opened(name, **options)
        return Deaf(**vars(model)) if name == "wrong" else model

    monkeypatch.setattr(job, "open_model", other)
    report = job.compare(["right", "wrong"], files, rounds=1).to_dict()
    assert report["left_out"] == 2 and report["n"] == 208
    assert {file["n"] for row in report["models"] for file in row["files"]} == {149, 59}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["right", "right"], "right is named twice"),
        (["right", "tagger"], "tagger gives Analysis .* but right gives Label"),
        (["right", "other"], "other has the labels bad, good, but right has negative"),
    ],
)
def test_incompatible_models_are_refused(names: list[str], said: str, files: list[str]) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        job.compare(names, files, rounds=1)
    assert "\n" not in str(caught.value)


def test_empty_file_and_model_that_does_not_start_are_errors(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = write_jsonl(tmp_path / "e.jsonl", [{"text": " ", "label": "neutral"}])
    with pytest.raises(InputError, match="e.jsonl: no rows"):
        job.compare(["right"], [*files, str(empty)], rounds=1)
    monkeypatch.undo()
    with pytest.raises(ModelError, match="nothing does not start .*no model 'nothing'"):
        job._cold_starts(["nothing"], "cpu", "auto", 1, lambda doing: None)


def test_training_runs_have_no_cold_start_time(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").touch()
    assert job._cold_starts([str(tmp_path)], "cpu", "auto", 1, lambda doing: None) == {}


@pytest.mark.skipif(not rules.installed(), reason="needs the extra rules")
def test_command_line(cli: Cli, tmp_path: Path, data: Path) -> None:
    (tmp_path / "a|b.jsonl").write_bytes((data / "test.jsonl").read_bytes())
    (tmp_path / "plot.svg").write_text("old")
    command = ["compare", "rules", "--rounds", "1", "--svg", "plot.svg", "--data"]
    done = cli(*command, data / "dev.jsonl", "--data", "a|b.jsonl", "--to", "json")
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    (row,) = json.loads(done.stdout)["models"]
    assert 0 < row["cold_start_seconds"] < PATIENCE and row["docs_per_second"] > 0 and row["bytes"]
    assert len(row["files"]) == 2
    done = cli(*command, data / "dev.jsonl", "--data", "a|b.jsonl", "--to", "markdown")
    assert rb"| a\|b.jsonl |" in done.stdout and b"| rules |" in done.stdout
    made = (tmp_path / "plot.svg").read_bytes()
    assert b"rules" in made
    for wrong, code in (("nothing.jsonl", 3), (data / "dev.jsonl", 2)):
        done = cli(*command, wrong, "--to", "table" if code == 3 else "pdf")
        assert done.returncode == code and done.stderr.count(b"\n") == 1
    assert (tmp_path / "plot.svg").read_bytes() == made  # a failed run keeps the old file
    assert [path.name for path in tmp_path.glob(".*")] == []


POINTS = [
    Point("sentiment", 3000, 0.62, 0.58, 0.66),
    Point("<b>&\x1b[1m\ud800", 3010, 0.621, 0.58, 0.66),
    Point("export/" + "long" * 40, 5, 0.3, 0.2, 0.4),
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_tables_fit_and_cut_no_number(width: int, files: list[str]) -> None:
    data = [part for path in files for part in ("--data", path)]
    command = ["compare", "right", "nearly", *data, "--rounds", "1"]
    done = CliRunner().invoke(app, command, env={"COLUMNS": str(width)})
    assert done.exit_code == 0, done.output
    assert "1.000 ±0.000" in done.output and "210 documents" in done.output
    assert all(len(line) <= width for line in done.output.splitlines())
    assert ("start" in done.output.splitlines()[0]) is (width >= 120)
    assert ("no room for" in done.output) is (width < 120)
    numbers = CliRunner().invoke(app, [*command, "--to", "json"]).output
    assert all(len(number.partition(".")[2]) <= 4 for number in re.findall(r"[\d.]+", numbers))


def test_the_svg_is_xml_whatever_the_names() -> None:
    for points in (POINTS, POINTS[:1]):
        root = ElementTree.fromstring(svg_plot(points))
        assert len(root.findall("{*}circle")) == len(points)
    assert "<b>&?[1m?" in "".join(ElementTree.fromstring(svg_plot(POINTS)).itertext())


@pytest.mark.parametrize("scale", [1, 100, 1000])
def test_plots_have_ticks_at_any_scale(scale: float) -> None:
    points = [Point("a", 90, 0.31 * scale, 0.29 * scale, 0.33 * scale)]
    points.append(Point("b", 300, 0.62 * scale, 0.6 * scale, 0.65 * scale))
    assert 4 <= len(Frame(points, 600, 300).scores()) <= 9
    ElementTree.fromstring(svg_plot(points))
    assert max(map(len, text_plot(points, 80).split("\n"))) == 80


def test_text_plot_fits_the_terminal_width() -> None:
    for columns in (60, 100):
        lines = text_plot(POINTS, columns, ascii=True).split("\n")
        assert max(map(len, lines)) == columns and all(line.isascii() for line in lines)
    at_the_edge = text_plot([Point("x", 2280, 0.5, 0.4, 0.6)], 100).split("\n")
    assert at_the_edge[-2].split() == ["2,000", "5,000"]
    assert "● sentiment" in text_plot(POINTS[:1], 80)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 1e6), st.floats(0, 1), st.floats(0, 0.3), st.integers(1, 40)),
        min_size=1,
        max_size=8,
    )
)
def test_labels_overlap_neither_each_other_nor_points(drawn: list[Any]) -> None:
    points = [Point("n" * n, x, y, max(y - e, 0), min(y + e, 1)) for x, y, e, n in drawn]
    frame = Frame(points, 600, 300)
    marks = [
        Mark(frame.across(p.speed), frame.down(p.score), frame.down(p.high), frame.down(p.low))
        for p in points
    ]
    boxes = [box for box in placed(marks, [7.0 * n for *_, n in drawn], 17, 11, frame) if box]
    for place, (left, top, right_, bottom) in enumerate(boxes):
        assert min(left, top) >= 0 and right_ <= 600 and bottom <= 300
        for a, b, c, d in boxes[:place]:
            assert right_ <= a or left >= c or bottom <= b or top >= d
        assert not any(left < mark.x < right_ and top < mark.y < bottom for mark in marks)
    assert frame.scores() and frame.speeds() == sorted(frame.speeds()) and len(frame.speeds()) > 1
    ElementTree.fromstring(svg_plot(points))
    text_plot(points, 70)
