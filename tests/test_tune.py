"""Tuning: the best is kept whatever ends the search, and nothing is trained in vain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from conftest import ROOT, add_plugin, sentences, tiny_tree, write_jsonl

from nlpkit import catalog, tasks
from nlpkit.errors import NlpkitError, UsageError
from nlpkit.jobs import tune as job
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.training import data as training_data
from nlpkit.training.opened import open_run
from nlpkit.tuning import search

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
SMALL = ["train.epochs=2", "train.batch_size=32", "tokenizer.vocab_size=300"]
TINY = {
    "atnet": ["architecture.embedding=16", "architecture.filters=16"],
    "bow": ["architecture.buckets=1024", "architecture.chars=[3, 4]"],
}
EVENTS: list[dict[str, Any]] = []


def recipe_file(folder: Path, data: Path, arch: str = "bow", **changes: Any) -> str:
    tree = tiny_tree(arch, **changes) | {"folder": str(data)}
    (folder / "r.toml").write_text(declaration.toml(tree), encoding="utf-8")
    return str(folder / "r.toml")


def tune(
    recipe: str,
    folder: Path,
    *,
    arch: tuple[str, ...] = ("bow",),
    fixed: list[str] = SMALL,
    seconds: float = 60,
    listener: Callable[[dict[str, Any]], None] = EVENTS.append,
    **options: Any,
) -> search.Outcome:
    EVENTS.clear()
    options = {"metric": None, "trials": 2, "max_bytes": None, "min_speed": None} | options
    options = {"seed": 1, "device": "cpu", "resume": False} | options
    tiny = [item for name in arch for item in TINY.get(name, [])]
    found = job.branches(recipe, arch, [*tiny, *fixed])
    return job.tune(
        found, folder, deadline=time.monotonic() + seconds, listener=listener, **options
    )


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]


DUMMY = '''"""A mean of vectors.

Use when: never.
"""
from dataclasses import dataclass
import torch
from nlpkit.settings.declaration import setting

@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    width: int = setting(8, "width", 1, tune=[8, 12])
    twist: float = setting(0.5, "a number", 0, tune=(0.1, 0.9))
    heads: int = setting(2, "heads", 1, tune=[2, 3, 5])

    def __post_init__(self):
        if self.width % self.heads:
            raise ValueError(f"width = {self.width} must be a multiple of heads = {self.heads}")

class Encoder(torch.nn.Module):
    pooling = "mean"

    def __init__(self, config):
        super().__init__()
        if config.width == 12:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        self.width = config.width
        self.embed = torch.nn.Embedding(config.vocab_size, config.width)

    def forward(self, ids, mask):
        return self.embed(ids)
'''


@pytest.fixture
def dummy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An architecture that another package adds."""
    add_plugin(tmp_path / "more", monkeypatch, {"nlpkit.architectures": {"dummy": DUMMY}})


@pytest.mark.parametrize("name", catalog.names("architectures"))
def test_every_value_that_may_be_tuned_makes_a_recipe(
    name: str, tmp_path: Path, data: Path
) -> None:
    (branch,) = job.branches(recipe_file(tmp_path, data, name), [name], [])
    keys = [knob.key for knob in branch.knobs]
    assert "train.lr" in keys and any(key.startswith("architecture.") for key in keys)
    for knob in branch.knobs:
        values = knob.choices.values() if isinstance(knob.tune, list) else knob.bounds[:2]
        for value in values:
            made = branch.recipe({"architecture.name": name, knob.key: value})
            assert made.architecture.name == name
    first = branch.recipe({"architecture.name": name} | {k.key: k.own for k in branch.knobs})
    assert first == branch.base


def test_the_best_run_is_kept_whole_and_resume_goes_on(tmp_path: Path, data: Path) -> None:
    recipe, out = recipe_file(tmp_path, data), tmp_path / "out"
    done = tune(recipe, out, arch=("bow", "atnet"), trials=3)
    shown = sorted(path.name for path in out.glob("[!.]*"))
    assert shown == ["best", "study.journal", "trials.jsonl"]
    told = lines(out)
    assert [line["trial"] for line in told] == [0, 1, 2]
    assert told[0]["parameters"]["train.lr"] == 0.02  # the recipe's own, though out of range
    assert told[1]["parameters"]["architecture.name"] == "atnet"
    assert all(line["size"] > 0 and line["speed"] > 0 for line in told)
    scores = [line["score"] for line in told]
    _, kept, summary = open_run(out / "best")
    assert done.best and done.best["score"] == summary["dev"]["macro_f1"] == max(scores)
    parameters = done.best["parameters"]
    assert kept.architecture.name == parameters["architecture.name"]
    assert kept.train.lr == parameters["train.lr"] and kept.train.epochs == 2
    assert recipes.load(out / "best/recipe.toml") == kept

    with pytest.raises(UsageError, match="--resume continues it"):
        tune(recipe, out, arch=("bow", "atnet"))
    with pytest.raises(UsageError, match=r"searched otherwise \(--arch, what may be tuned\)"):
        tune(recipe, out, resume=True)
    more = tune(recipe, out, arch=("bow", "atnet"), trials=2, resume=True)
    assert [line["trial"] for line in lines(out)] == [0, 1, 2, 3, 4] and lines(out)[:3] == told
    assert len({json.dumps(line["parameters"]) for line in lines(out)}) == 5
    assert more.best and more.best["score"] >= done.best["score"]


def test_the_same_seed_proposes_the_same(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data)
    fixed = [*SMALL, "train.epochs=1"]
    made = [
        tune(recipe, tmp_path / str(place), seed=seed, fixed=fixed).records[1]["parameters"]
        for place, seed in enumerate((7, 7, 8))
    ]
    assert made[0] == made[1] != made[2]


def test_a_new_architecture_is_tuned_by_its_file_alone(
    tmp_path: Path, data: Path, dummy: None
) -> None:
    recipe = recipe_file(tmp_path, data, "dummy")
    assert "dummy" in [branch.name for branch in job.branches(recipe, [], SMALL)]
    done = tune(
        recipe, tmp_path / "out", arch=("dummy",), fixed=[*SMALL, "train.epochs=1"], trials=12
    )
    assert len({line["parameters"]["architecture.twist"] for line in done.records}) > 5
    states = {line["state"] for line in done.records}
    assert {"complete", "invalid", "failed"} <= states
    reasons = " ".join(line["reason"] for line in done.records)
    assert "[architecture] width = 8 must be a multiple of heads = 3" in reasons
    assert "RuntimeError: mat1 and mat2" in reasons


def test_too_large_or_too_slow_is_never_trained(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "IDLE", 4)
    recipe = recipe_file(tmp_path, data)
    for name, limit in (("large", {"max_bytes": 500}), ("slow", {"min_speed": 1e12})):
        done = tune(recipe, tmp_path / name, trials=None, **limit)
        assert [line["state"] for line in done.records] == ["infeasible"] * 4
        assert not done.best and "of at " in done.records[0]["reason"]
        assert not {"start", "step", "epoch"} & {event["event"] for event in EVENTS}
        assert not (tmp_path / name / "best").exists()


def test_a_space_without_anything_to_change_ends(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "IDLE", 3)
    recipe = recipe_file(tmp_path, data)
    (branch,) = job.branches(recipe, ["bow"], [])
    fixed = [f"{knob.key}={declaration.toml_value(knob.own)}" for knob in branch.knobs]
    done = tune(recipe, tmp_path / "out", fixed=[*fixed, "train.epochs=1"], trials=None)
    assert [line["state"] for line in done.records] == ["complete", *["pruned"] * 3]
    assert done.records[1]["reason"] == "the same as trial 0"


def test_the_end_of_the_time_keeps_the_trial_in_progress(tmp_path: Path, data: Path) -> None:
    fixed = [*SMALL, "train.epochs=5000", "train.patience=0"]
    started = time.monotonic()
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, seconds=1.5)
    assert time.monotonic() - started < 5
    (line,) = done.records
    assert line["state"] == "complete" and 0 < line["epochs"] < 5000
    assert line["reason"] == f"the time was up after epoch {line['epochs']}"
    assert open_run(tmp_path / "out/best")[2]["dev"]["macro_f1"] == line["score"]


def test_no_epoch_before_the_end_is_no_score(tmp_path: Path, data: Path) -> None:
    clock = time.monotonic

    def late(event: dict[str, Any]) -> None:
        if event["event"] == "start":
            monkeypatch.setattr(search.time, "monotonic", lambda: clock() + 1000)

    with pytest.MonkeyPatch.context() as monkeypatch:
        done = tune(recipe_file(tmp_path, data), tmp_path / "out", listener=late)
    assert [line["state"] for line in done.records] == ["stopped"] and not done.best


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["step", "epoch", "told"])
def test_an_interrupt_keeps_the_best(number: int, when: str, tmp_path: Path, data: Path) -> None:
    seen: list[str] = []

    def interrupt(event: dict[str, Any]) -> None:
        seen.append(event["event"])
        ready = "epoch" in seen if when == "step" else True
        if event["event"] == when and ready and seen.count("killed") == 0:
            seen.append("killed")
            os.kill(os.getpid(), number)

    fixed = [*SMALL, f"train.epochs={1 if when == 'told' else 5000}", "train.patience=0"]
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, listener=interrupt)
    assert done.interrupted and len(done.records) == 1
    assert (tmp_path / "out/best/run.json").exists() and not (tmp_path / "out/.trial").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_killed_is_tried_again(tmp_path: Path, data: Path) -> None:
    recipe, out = recipe_file(tmp_path, data), tmp_path / "out"

    def killed(event: dict[str, Any]) -> None:
        if event["event"] == "start" and EVENTS:
            raise SystemExit(129)
        EVENTS.extend([event] * (event["event"] == "told"))

    with pytest.raises(SystemExit):
        tune(recipe, out, trials=9, listener=killed)
    (out / ".trial").mkdir()
    (out / ".trial/last.safetensors").write_bytes(b"half")
    (out / "best").rename(out / ".best.old")  # as if killed in between two renames
    done = tune(recipe, out, trials=1, resume=True)
    assert [line["trial"] for line in done.records] == [0, 2]
    proposed = optuna.load_study(
        study_name="tune",
        storage=search.JournalStorage(search.JournalFileBackend(str(out / search.STUDY))),
    ).trials
    assert proposed[1].params == proposed[2].params and done.best


def test_a_pruned_run_stops_at_once(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruner = optuna.pruners.ThresholdPruner(lower=2.0)
    monkeypatch.setattr(search.optuna.pruners, "MedianPruner", lambda **_: pruner)
    fixed = [*SMALL, "train.epochs=50"]
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, trials=1)
    (line,) = done.records
    assert (
        line["state"] == "pruned"
        and line["epochs"] == 1
        and "worse than the median" in line["reason"]
    )
    assert not (tmp_path / "out/best").exists() and not (tmp_path / "out/.trial").exists()


def test_rows_are_read_once_and_errors_are_minimised(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Any] = []
    load = training_data.load
    monkeypatch.setattr(training_data, "load", lambda *args: loads.append(1) or load(*args))
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", metric="ece", trials=3)
    assert len(loads) == 1
    scores = [line["score"] for line in done.records if line["score"] is not None]
    assert done.best and done.best["score"] == min(scores)
    assert [line["score"] for line in done.ranking()] == sorted(scores)


def test_rows_of_words_are_searched_among_those_that_read_words(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", sentences(60, 1))
    write_jsonl(tmp_path / "dev.jsonl", sentences(20, 2))
    tree = tiny_tree("wordlstm") | {"task": {"name": "lemma", "hidden": 16}}
    for name, (path,) in tree["data"].items():
        tree["data"][name] = [{"path": path, "text": "words", "label": "upos"}]
    (tmp_path / "r.toml").write_text(declaration.toml(tree))
    fixed = ["train.epochs=1", "train.class_weights=none", "task.hidden=16"]
    done = tune(str(tmp_path / "r.toml"), tmp_path / "out", arch=(), fixed=fixed, trials=2)
    assert done.metric == "lemma_upos" and done.best
    assert {line["parameters"]["architecture.name"] for line in done.records} == {"wordlstm"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": "f1"}, "--metric f1: not one of accuracy, macro_f1, ece"),
        ({"arch": ("lsmt",)}, "Did you mean 'lstm'?"),
        ({"fixed": ["train.epoch=3"]}, "Did you mean 'epochs'?"),
        ({"fixed": ["architecture.hidden=3"]}, "no architecture that is searched has this"),
        ({"fixed": ["architecture.name=bow"]}, "--arch says which"),
        ({"arch": ("bow",), "fixed": ['tokenizer.kind="bpe"']}, "needs [tokenizer] kind"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything(
    options: dict[str, Any], said: str, tmp_path: Path, data: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        tune(recipe_file(tmp_path, data), tmp_path / "out", **options)
    assert said in str(caught.value) and not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, data: Path) -> None:
    (tmp_path / "out/best").mkdir(parents=True)
    for resume in (False, True):
        with pytest.raises(UsageError, match="something else"):
            tune(recipe_file(tmp_path, data), tmp_path / "out", resume=resume)


def test_what_is_set_is_fixed_for_those_that_have_it(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data, "lstm")
    found = job.branches(recipe, [], ["architecture.embedding=24", "train.lr=0.5"])
    by_name = {branch.name: branch for branch in found}
    assert found[0].name == "lstm" and set(by_name) == set(catalog.names("architectures"))
    assert by_name["atnet"].base.architecture.config.embedding == 24
    for branch in found:
        assert branch.base.train.lr == 0.5
        assert not {"train.lr", "architecture.embedding"} & {knob.key for knob in branch.knobs}
    assert by_name["bow"].base.tokenizer.kind == "char"
    assert "tokenizer.vocab_size" not in {knob.key for knob in by_name["bow"].knobs}


@pytest.mark.parametrize(
    ("text", "number"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1.5m", 90)]
)
def test_a_budget_is_a_time(text: str, number: float) -> None:
    assert job.seconds(text) == number


@pytest.mark.parametrize("text", ["", "30", "0m", "m", "30m1h", "-5m", "1e3s", "5 m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NlpkitError, match="1h30m"):
        job.seconds(text)


@pytest.mark.parametrize(
    ("text", "number"), [("4M", 4e6), ("500k", 5e5), ("1.5G", 1.5e9), ("2MB", 2e6), ("9", 9)]
)
def test_a_size_is_in_bytes(text: str, number: float) -> None:
    assert job.size(text) == number


@pytest.mark.parametrize("text", ["0", "M", "4X", "-1M", "4 M x", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(NlpkitError, match="bytes"):
        job.size(text)


@pytest.mark.parametrize("name", ["sentiment", "sentiment-lstm", "sentiment-transformer"])
def test_the_estimate_is_the_size_of_the_bundled_file(name: str) -> None:
    from nlpkit.exporting.precision import estimate
    from nlpkit.training.network import Network

    told = json.loads((ROOT / "export" / name / "bundle.json").read_text(encoding="utf-8"))
    settings = {key: value for key, value in told["architecture"].items() if key != "name"}
    module = catalog.load("architectures", told["architecture"]["name"])
    if "max_length" in module.Config.__dataclass_fields__:
        settings["max_length"] = told["window"]
    encoder = module.Encoder(module.Config(**settings))
    task = tasks.build(told["task"])
    net = Network(encoder, task.head(encoder.width, encoder.pooling))
    for precision, report in told["precisions"].items():
        assert 0 < 1 - estimate(net, precision) / report["bytes"] < 0.01


def test_the_command_ends_with_130_and_says_what_is_next(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data, epochs=5000)
    command = [sys.executable, "-m", "nlpkit", "tune", recipe, "-o", "out", "--budget", "5m"]
    fixed = ["--arch", "bow", "--set", "train.epochs=5000", "--set", "train.patience=0"]
    process = subprocess.Popen(
        [*command, *fixed],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "out/.trial/metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said and b"interrupted; 1 trials: 1 complete" in said
    assert b"next: nlpkit evaluate out/best" in said and (tmp_path / "out/best/run.json").exists()
