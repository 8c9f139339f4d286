"""Tuning: the best run is kept, and candidates over the limits are not trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import add_plugin, sentences, tiny_tree, write_jsonl
from tune_helpers import EVENTS, SMALL, lines, recipe_file, tune

from nlpkit import catalog
from nlpkit.errors import UsageError
from nlpkit.jobs import tune as job
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.training import data as training_data
from nlpkit.training.events import EpochEnded, Progress, Started
from nlpkit.training.opened import open_run
from nlpkit.tuning import search

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
    """Add an architecture from another package."""
    add_plugin(tmp_path / "more", monkeypatch, {"nlpkit.architectures": {"dummy": DUMMY}})


@pytest.mark.parametrize("name", catalog.names("architectures"))
def test_every_tunable_value_gives_a_valid_recipe(name: str, tmp_path: Path, data: Path) -> None:
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


def test_best_run_is_kept_and_search_resumes(tmp_path: Path, data: Path) -> None:
    recipe, out = recipe_file(tmp_path, data), tmp_path / "out"
    done = tune(recipe, out, arch=("bow", "atnet"), trials=3)
    shown = sorted(path.name for path in out.glob("[!.]*"))
    assert shown == ["best", "study.journal", "trials.jsonl"]
    told = lines(out)
    assert [line["trial"] for line in told] == [0, 1, 2]
    assert (
        told[0]["parameters"]["train.lr"] == 0.02
    )  # the value of the recipe, although out of range
    assert told[1]["parameters"]["architecture.name"] == "atnet"
    assert all(line["size"] > 0 and line["speed"] > 0 for line in told)
    scores = [line["score"] for line in told]
    _, kept, summary = open_run(out / "best")
    assert done.best and done.best.score == summary.dev["macro_f1"] == max(scores)
    parameters = done.best.parameters
    assert kept.architecture.name == parameters["architecture.name"]
    assert kept.train.lr == parameters["train.lr"] and kept.train.epochs == 2
    assert recipes.load(out / "best/recipe.toml") == kept

    with pytest.raises(UsageError, match="continue it with --resume"):
        tune(recipe, out, arch=("bow", "atnet"))
    with pytest.raises(UsageError, match=r"other settings \(--arch, what may be tuned\)"):
        tune(recipe, out, resume=True)
    more = tune(recipe, out, arch=("bow", "atnet"), trials=2, resume=True)
    assert [line["trial"] for line in lines(out)] == [0, 1, 2, 3, 4] and lines(out)[:3] == told
    assert len({json.dumps(line["parameters"]) for line in lines(out)}) == 5
    assert more.best and more.best.score >= done.best.score


def test_same_seed_gives_the_same_proposals(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data)
    fixed = [*SMALL, "train.epochs=1"]
    made = [
        tune(recipe, tmp_path / str(place), seed=seed, fixed=fixed).trials[1].parameters
        for place, seed in enumerate((7, 7, 8))
    ]
    assert made[0] == made[1] != made[2]


def test_architecture_of_another_package_can_be_tuned(
    tmp_path: Path, data: Path, dummy: None
) -> None:
    recipe = recipe_file(tmp_path, data, "dummy")
    assert "dummy" in [branch.name for branch in job.branches(recipe, [], SMALL)]
    done = tune(
        recipe, tmp_path / "out", arch=("dummy",), fixed=[*SMALL, "train.epochs=1"], trials=12
    )
    assert len({line.parameters["architecture.twist"] for line in done.trials}) > 5
    states = {line.state for line in done.trials}
    assert {"complete", "invalid", "failed"} <= states
    reasons = " ".join(line.reason for line in done.trials)
    assert "[architecture] width = 8 must be a multiple of heads = 3" in reasons
    assert "RuntimeError: mat1 and mat2" in reasons


def test_candidates_over_the_limits_are_not_trained(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "IDLE", 4)
    recipe = recipe_file(tmp_path, data)
    for name, limit in (("large", {"max_bytes": 500}), ("slow", {"min_speed": 1e12})):
        done = tune(recipe, tmp_path / name, trials=None, **limit)
        assert [line.state for line in done.trials] == ["infeasible"] * 4
        assert not done.best and " at " in done.trials[0].reason
        assert not {Started, Progress, EpochEnded} & {type(event) for event in EVENTS}
        assert not (tmp_path / name / "best").exists()


def test_search_without_free_settings_ends(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "IDLE", 3)
    recipe = recipe_file(tmp_path, data)
    (branch,) = job.branches(recipe, ["bow"], [])
    fixed = [f"{knob.key}={declaration.toml_value(knob.own)}" for knob in branch.knobs]
    done = tune(recipe, tmp_path / "out", fixed=[*fixed, "train.epochs=1"], trials=None)
    assert [line.state for line in done.trials] == ["complete", *["pruned"] * 3]
    assert done.trials[1].reason == "the same as trial 0"


def test_data_is_loaded_once_and_errors_are_minimised(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Any] = []
    load = training_data.load
    monkeypatch.setattr(training_data, "load", lambda *args: loads.append(1) or load(*args))
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", metric="ece", trials=3)
    assert len(loads) == 1
    scores = [line.score for line in done.trials if line.score is not None]
    assert done.best and done.best.score == min(scores)
    assert [line.score for line in done.ranking()] == sorted(scores)


def test_tagging_searches_only_architectures_for_words(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", sentences(60, 1))
    write_jsonl(tmp_path / "dev.jsonl", sentences(20, 2))
    tree = tiny_tree("wordlstm") | {"task": {"name": "tag", "hidden": 16}}
    for name, (path,) in tree["data"].items():
        tree["data"][name] = [{"path": path, "text": "words", "label": "upos"}]
    (tmp_path / "r.toml").write_text(declaration.toml(tree))
    fixed = ["train.epochs=1", "train.class_weights=none", "task.hidden=16"]
    done = tune(str(tmp_path / "r.toml"), tmp_path / "out", arch=(), fixed=fixed, trials=2)
    assert done.metric == "lemma_upos" and done.best
    assert {line.parameters["architecture.name"] for line in done.trials} == {"wordlstm"}
