"""Distillation, weights of rows and files, label shift, calibration and confidence."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import corpus, tiny_tree, write_jsonl
from safetensors.torch import load_file

from nlpkit.answers import Label
from nlpkit.errors import InputError, ModelError, UsageError
from nlpkit.jobs import train as job
from nlpkit.runtime.batcher import pad
from nlpkit.runtime.graphs import IDS, LOGITS
from nlpkit.runtime.model import Model
from nlpkit.runtime.rules import Characters
from nlpkit.settings import recipe as recipes
from nlpkit.settings.sections import Distill, Train
from nlpkit.tasks import Reads, sentiment as sentiment_task
from nlpkit.text.windows import Slide
from nlpkit.training import run
from nlpkit.training.data import FileCount, Split
from nlpkit.training.events import Asked
from nlpkit.training.judge import Judge
from nlpkit.training.loss import Reading, TaskLoss

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
OPTIONS: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
TASK = sentiment_task.Task(sentiment_task.Config(), sentiment_task.LABELS)
GOLDS = [Label(label) for label in sentiment_task.LABELS]


def learn(recipe: Any, folder: Path, **options: Any) -> dict[str, Any]:
    summary = run.train(recipe, folder, **options)
    assert summary
    return summary.to_dict()


def recipe_of(folder: Path, arch: str = "bow", **sections: Any) -> recipes.Recipe:
    tree = tiny_tree(arch) | sections
    tree.setdefault("data", {})
    tree["data"] = {
        "train": [str(folder / "train.jsonl")],
        "dev": [str(folder / "dev.jsonl")],
    } | tree["data"]
    return recipes.from_dict(tree, folder=folder, where="test")


def test_student_learns_from_teachers_on_unlabelled_text(
    data: Path, tiny_run: Callable[[str], Path], tiny_bundle: Callable[[str], Path], tmp_path: Path
) -> None:
    """The labels of the student's rows are wrong, so it can learn only from the teachers."""
    rows = [row | {"label": "neutral"} for row in corpus(12, 5)]
    rows += [{"text": "zzz", "label": "positive"}, {"text": "yyy", "label": "negative"}]
    write_jsonl(tmp_path / "few.jsonl", rows)
    texts = [row["text"] for row in corpus(400, 7)]
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    distill = {
        "teachers": [str(tiny_run("lstm")), str(tiny_bundle("atnet"))],
        "mixing": 1.0,
        "texts": [str(tmp_path / "texts.txt")],
    }
    recipe = recipe_of(data, data={"train": [str(tmp_path / "few.jsonl")]}, distill=distill)
    events: list[Any] = []
    summary = learn(recipe, tmp_path / "run", **OPTIONS | {"listener": events.append})
    assert summary["dev"]["macro_f1"] > 0.9
    assert summary["data"]["train"][1]["rows"] > 350
    assert summary["teachers"] == distill["teachers"]
    assert {event.teacher for event in events if isinstance(event, Asked)} == {
        "tiny-lstm",
        "tiny-atnet",
    }
    answers = sorted((tmp_path / ".teachers").iterdir())
    assert len(answers) == 2
    for path in answers:
        said = load_file(path)["said"]
        assert torch.allclose(said.sum(1), torch.ones(len(said)), atol=1e-5)
    events.clear()
    run.train(recipe, tmp_path / "another", **OPTIONS | {"listener": events.append})
    assert Asked not in {type(event) for event in events}, (
        "stored answers of the teachers are reused"
    )


def test_file_of_answers_can_be_a_teacher(data: Path, tmp_path: Path) -> None:
    """The labels of the rows are wrong; the file has answers for half of the texts."""
    rows = [row | {"label": "neutral"} for row in corpus(20, 5)]
    rows += [{"text": "zzz", "label": "positive"}, {"text": "yyy", "label": "negative"}]
    write_jsonl(tmp_path / "few.jsonl", rows)
    known = corpus(400, 7)
    (tmp_path / "texts.txt").write_text("\n".join(str(row["text"]) for row in known))
    labels = ("negative", "neutral", "positive")
    answers = [
        {"text": row["text"], "scores": {name: float(name == row["label"]) for name in labels}}
        for row in known
    ]
    write_jsonl(tmp_path / "answers.jsonl", answers[:200])
    distill: dict[str, Any] = {"mixing": 1.0, "texts": [str(tmp_path / "texts.txt")]}
    train = [str(tmp_path / "few.jsonl")]

    def taught(name: str) -> dict[str, Any]:
        teachers = [str(tmp_path / "answers.jsonl")]
        recipe = recipe_of(data, data={"train": train}, distill=distill | {"teachers": teachers})
        return learn(recipe, tmp_path / name, **OPTIONS)

    assert taught("run")["dev"]["macro_f1"] > 0.9
    for answer, said in (
        ({"text": "a"}, "answers.jsonl:1: needs scores for exactly negative, neutral, positive"),
        ({"text": "a", "scores": dict.fromkeys(labels, 0.9)}, ":1: scores must be prob"),
        ({"text": "a", "scores": dict.fromkeys(labels, 1 / 3)}, "has no answer for any text"),
    ):
        write_jsonl(tmp_path / "answers.jsonl", [answer])
        with pytest.raises((InputError, UsageError), match=said):
            taught("wrong")


def test_teacher_must_exist_and_have_the_same_labels(
    data: Path, tiny_run: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="nobody"):
        run.train(recipe_of(data, distill={"teachers": ["nobody"]}), tmp_path / "a", **OPTIONS)
    recipe = recipe_of(
        data, task={"name": "classify"}, distill={"teachers": [str(tiny_run("lstm"))]}
    )
    with pytest.raises(UsageError, match="task sentiment with .* task classify with"):
        run.train(recipe, tmp_path / "b", **OPTIONS)
    with pytest.raises(UsageError, match="texts need teachers"):
        recipe_of(data, distill={"texts": ["a.txt"]})


def test_settings_for_labels_are_refused_for_other_tasks(tmp_path: Path) -> None:
    tree = tiny_tree("wordlstm") | {"task": {"name": "tag"}}
    for section, settings in (("train", {"shift_labels": True}), ("distill", {"teachers": ["a"]})):
        made = recipes.from_dict(
            tree | {section: tree.get(section, {}) | settings}, folder=tmp_path, where="t"
        )
        with pytest.raises(UsageError, match=section):
            job.check(made)


def loss_of(golds: list[Label | None], weights: list[float], logits_NC: Any) -> Any:
    """Return the loss of the first rows of a split, given their logits."""
    count, rows = len(golds), list(range(len(logits_NC)))
    split = Split([""] * count, golds, [{}] * count, weights)
    loss = TaskLoss(TASK, Characters(), split, Train(), Distill(), torch.device("cpu"))
    batch = pad([np.ones(1, dtype=np.int64)] * len(rows), rows, 1)
    return loss(lambda **feeds: {LOGITS: logits_NC}, Reading(batch, Reads([(0, 1)] * len(rows))))


def test_unlabelled_rows_do_not_change_the_weight_of_labelled_ones() -> None:
    golds, weights = [GOLDS[0], GOLDS[2], None, None], [1.0, 1.0, 0.0, 0.0]
    logits_NC = torch.randn(4, 3)
    alone = loss_of(golds, weights, logits_NC[:2])
    assert torch.isclose(alone, loss_of(golds, weights, logits_NC))


def test_teachers_are_ignored_for_files_with_taught_false(
    data: Path, tiny_run: Callable[[str], Path], tmp_path: Path
) -> None:
    other = {"positive": "negative", "negative": "positive", "neutral": "neutral"}
    rows = [row | {"label": other[str(row["label"])]} for row in corpus(400, 9)]
    write_jsonl(tmp_path / "other.jsonl", rows)
    distill = {"teachers": [str(tiny_run("lstm"))], "mixing": 0.9}
    scores = {}
    for taught in (True, False):
        train = [{"path": str(tmp_path / "other.jsonl"), "taught": taught}]
        recipe = recipe_of(data, data={"train": train}, distill=distill)
        summary = learn(recipe, tmp_path / str(taught), **OPTIONS)
        scores[taught] = summary["dev"]["macro_f1"]
    assert scores[True] > 0.9 > 0.5 > scores[False]


def test_distillation_loss_is_minimal_at_the_teacher_probabilities() -> None:
    taught_NC = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    there = TASK.distillation({LOGITS: taught_NC.log()}, taught_NC, 2.0)
    for noise in torch.randn(20, 2, 3, generator=torch.Generator().manual_seed(1)):
        outputs = {LOGITS: taught_NC.log() + noise}
        assert (TASK.distillation(outputs, taught_NC, 2.0) >= there - 1e-6).all()


def test_row_weights_scale_the_loss() -> None:
    logits_NC = torch.randn(4, 3, requires_grad=True)
    loss_of([*GOLDS, GOLDS[0]], [1.0, 0.0, 2.0, 1.0], logits_NC).backward()
    assert logits_NC.grad is not None
    assert not logits_NC.grad[1].any()
    assert logits_NC.grad[0].any()


def test_file_with_weight_zero_is_ignored(data: Path, tmp_path: Path) -> None:
    wrong = [row | {"label": "neutral"} for row in corpus(400, 9)]
    write_jsonl(tmp_path / "wrong.jsonl", wrong)
    sources = [str(data / "train.jsonl"), {"path": str(tmp_path / "wrong.jsonl"), "weight": 0.0}]
    summary = learn(recipe_of(data, data={"train": sources}), tmp_path / "run", **OPTIONS)
    assert summary["dev"]["macro_f1"] > 0.9


def test_every_label_labels_a_file(data: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("a porta\no número\n", encoding="utf-8")
    facts = {"path": str(tmp_path / "facts.txt"), "every_label": "neutral"}
    sources = [str(data / "train.jsonl"), facts]
    summary = learn(recipe_of(data, data={"train": sources}), tmp_path / "run", **OPTIONS)
    assert summary["data"]["train"][1]["labels"] == {"neutral": 2}


def judge_of(choose_by: str, often: bool = False) -> Judge:
    """Return a judge over a large file and a small file where neutral is predicted too often.

    With `often`, neutral is predicted too often in the large file as well.
    """
    rng = np.random.default_rng(1)
    places = rng.integers(0, 3, 330).tolist()
    logits_NC = 3 * np.eye(3)[places] + rng.normal(size=(330, 3))
    logits_NC[300:, 1] += 2.5
    logits_NC[:300, 1] += 1.5 * often
    first = ord("一")  # each document is one character, which selects the row of the logits
    documents = [chr(first + place) for place in range(330)]
    golds = [GOLDS[place] for place in places]
    files = [FileCount(name, rows, {}, "") for name, rows in (("large", 300), ("small", 30))]
    dev = Split(documents, golds, [{}] * 330, [1.0] * 330, files)

    def said(graph: str, feeds: Any, outputs: Any) -> dict[str, np.ndarray]:
        return {LOGITS: logits_NC[feeds[IDS][:, 0] - first]}

    network: Any = said
    model = Model(name="m", task=TASK, tokenizer=Characters(), windows=Slide(8, 0), run=network)
    return Judge(model, dev, choose_by)


def test_choosing_by_files_weighs_files_equally() -> None:
    rows, files = judge_of("rows"), judge_of("files")
    assert rows.chosen == "macro_f1"
    assert files.chosen == "macro_f1_by_file"
    assert files.scores()["macro_f1"] == rows.scores()["macro_f1"]
    assert files.scores()["macro_f1_by_file"] < rows.scores()["macro_f1"] - 0.1
    files.calibrate()
    rows.calibrate()
    assert files.temperature > rows.temperature


def test_shift_improves_balance_and_is_stored() -> None:
    judge, other = judge_of("files", often=True), judge_of("rows", often=True)
    before = judge.scores()["macro_f1"]
    judge.fit_shift()
    other.fit_shift()
    assert judge.scores()["macro_f1"] > before + 0.02
    assert judge.task.shift[1] < 0
    assert judge.task.shift == other.task.shift, "the small file does not dominate"
    described = judge.task.describe()
    again = sentiment_task.Task(sentiment_task.Config(), described["labels"], described["shift"])
    assert again.decode([""], [np.array([0.0, 0.1, 0.05])])[0].label != "neutral"
    with pytest.raises(ValueError, match="1 shift for 3 labels"):
        sentiment_task.Task(sentiment_task.Config(), sentiment_task.LABELS, [0.1])


def test_shift_is_exported(data: Path, tmp_path: Path, quick_cli: Cli) -> None:
    recipe = recipe_of(data, train={**tiny_tree("bow")["train"], "shift_labels": True})
    summary = learn(recipe, tmp_path / "run", **OPTIONS)
    summary["task"]["shift"] = [0.0, 99.0, 0.0]
    (tmp_path / "run" / "run.json").write_text(json.dumps(summary), encoding="utf-8")
    done = quick_cli("export", str(tmp_path / "run"), "-o", str(tmp_path / "bundle"))
    assert done.returncode == 0, done.stderr
    done = quick_cli("predict", "-m", str(tmp_path / "bundle"), stdin="péssimo\nótimo\n".encode())
    assert [line.split(b"\t")[0] for line in done.stdout.splitlines()] == [b"neutral"] * 2


def test_answers_below_min_confidence_are_uncertain(sentiment: Cli) -> None:
    lines = "péssimo, odiei\na reunião\n\no produto péssimo ótimo reunião\n".encode()
    plain = sentiment(stdin=lines).stdout.decode().splitlines()
    some = sentiment("--min-confidence", "0.7", stdin=lines)
    for before, after in zip(plain, some.stdout.decode().splitlines(), strict=True):
        label, score, text = before.split("\t")
        wanted = "uncertain" if score and float(score) < 0.7 else label
        assert after == f"{wanted}\t{score}\t{text}"
    every = sentiment("--min-confidence", "1", stdin=lines).stdout
    assert every.count(b"uncertain") == 3, "an empty line has no answer and is not uncertain"
    assert sentiment("--min-confidence", "1.5", stdin=lines).returncode == 2


def test_evaluate_reports_coverage(cli: Cli, data: Path, tiny_bundle: Any) -> None:
    file = str(data / "test.jsonl")
    whole = json.loads(cli("evaluate", tiny_bundle("atnet"), file, "--to", "json").stdout)
    sure = json.loads(
        cli(
            "evaluate", tiny_bundle("atnet"), file, "--to", "json", "--min-confidence", "0.6"
        ).stdout
    )
    assert "coverage" not in whole
    assert 0 < sure["coverage"] <= 1
    assert sure["n"] == round(sure["coverage"] * whole["n"])
