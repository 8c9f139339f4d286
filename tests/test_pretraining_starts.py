"""Training from a pretrained run: matching weights are used, other runs are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import tiny_tree
from pretraining_helpers import folder as folder, learn, made
from safetensors.torch import load_file

from nlpkit.errors import ModelError, UsageError
from nlpkit.jobs import train as job
from nlpkit.settings import recipe as recipes
from nlpkit.training import run, sources


def test_training_starts_from_pretrained_weights(folder: Path, data: Path) -> None:
    learn(made(folder, "lstm", "clm"), folder / "pretrained")
    start = {"run": str(folder / "pretrained"), "layer_decay": 0.5, "unfreeze": True}
    tree = tiny_tree("lstm", epochs=2) | {"init": start}
    tree["data"] = {"train": [str(data / "train.jsonl")], "dev": [str(data / "dev.jsonl")]}
    recipe = recipes.from_dict(tree, folder=data, where="test")
    options: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
    summary = run.train(recipe, folder / "run", **options)
    assert summary and summary.init
    assert summary.init["objective"] == "clm"
    assert summary.init["data"]["train"][0]["file"] == "train.txt"
    pretrained = load_file(folder / "pretrained" / "model.safetensors")
    trained = load_file(folder / "run" / "last.safetensors")
    same = [name for name in pretrained if torch.equal(pretrained[name], trained[f"model.{name}"])]
    assert "encoder.embed.weight" in same, "two epochs do not reach the lowest stage"
    assert len(same) < len(pretrained)
    tokenizers = [(folder / name / "tokenizer.json").read_text() for name in ("pretrained", "run")]
    assert tokenizers[0] == tokenizers[1]


def test_pretrained_run_of_another_size_is_refused(folder: Path, data: Path) -> None:
    learn(made(folder, "lstm", "clm", "pretrain.steps=1"), folder / "pretrained")
    tree = tiny_tree("lstm") | {"init": {"run": str(folder / "pretrained")}}
    tree["architecture"]["hidden"] = 12
    tree["data"] = {"train": [str(data / "train.jsonl")], "dev": [str(data / "dev.jsonl")]}
    options: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
    with pytest.raises(UsageError, match="does not fit"):
        run.train(recipes.from_dict(tree, folder=data, where="t"), folder / "run", **options)
    tree["init"] = {"run": "nowhere"}
    with pytest.raises(ModelError, match="nlpkit pretrain"):
        run.train(recipes.from_dict(tree, folder=data, where="t"), folder / "other", **options)


def test_damaged_pretrained_run_is_refused(folder: Path) -> None:
    learn(made(folder, "lstm", "mlm", "pretrain.steps=1"), folder / "first")
    whole = (folder / "first/tokenizer.json").read_text()
    start = f'init.run="{folder / "first"}"'
    for number, text in enumerate(("", whole[:300], "{}")):
        (folder / "first/tokenizer.json").write_text(text)
        with pytest.raises(ModelError, match="damaged"):
            learn(made(folder, "lstm", "mlm", start), folder / f"second{number}")
    (folder / "first/tokenizer.json").write_text(whole)
    (folder / "first/run.json").write_text("[]")
    with pytest.raises(ModelError, match="damaged"):
        learn(made(folder, "lstm", "mlm", start), folder / "third")


def test_empty_option_value_is_an_error(quick_cli: Any, folder: Path) -> None:
    made(folder, "atnet", "mlm")
    done = quick_cli("pretrain", folder / "pretrain.toml", "--init", "")
    assert done.returncode == 2
    assert b"empty" in done.stderr
    assert quick_cli("train", "sentiment", "--teacher", ",").returncode == 2


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_settings_that_are_left_out_come_from_the_start(task: str, tmp_path: Path) -> None:
    """Those of the other task's head, and weights of labels, only where the task knows them."""
    recipe = job.recipe_from_files(
        parts={"task": task},
        init="sentiment-best",
        train=[str(tmp_path / "a.jsonl")],
        dev=[str(tmp_path / "b.jsonl")],
        fields={},
        overrides=["architecture.dropout=0.2", "train.epochs=2"],
    )
    assert (recipe.architecture.name, recipe.task.name) == ("bert", task)
    assert (recipe.architecture.config.width, recipe.architecture.config.dropout) == (384, 0.2)
    assert (recipe.train.epochs, recipe.train.batch_size) == (2, 32)
    assert recipe.train.class_weights == ("sqrt" if task == "classify" else "none")
    assert recipe.export.min_agreement == 0.98


def test_what_is_no_start_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="nlpkit import"):
        sources.find(str(tmp_path), tmp_path)
    with pytest.raises(ModelError, match="start from sentiment-best"):
        sources.sections(sources.find("sentiment-auto", tmp_path))
    with pytest.raises(ModelError, match="start from sentiment-best"):
        sources.read(sources.find("sentiment-auto", tmp_path))
