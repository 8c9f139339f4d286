"""Training of networks that write: by steps, by tokens, and resumed to identical weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import write_jsonl
from pretraining_helpers import texts
from safetensors.torch import load_file
from training_helpers import train

from nlpkit.errors import UsageError
from nlpkit.settings import recipe as recipes
from nlpkit.training import loop

NETWORKS: dict[str, dict[str, Any]] = {
    "language model": {
        "decoder": {"name": "transformer", "width": 16, "layers": 1, "heads": 2, "near": 6}
    },
    "translator": {
        "architecture": {"name": "lstm", "embedding": 16, "hidden": 8, "layers": 1},
        "decoder": {"name": "lstm", "embedding": 16, "hidden": 8},
    },
}


def recipe_of(folder: Path, network: str, *overrides: str) -> recipes.Recipe:
    """Return a recipe that evaluates every 4 steps and ends after 14, in its second epoch or so."""
    for name, rows, seed in (("train", 60, 1), ("dev", 6, 2)):
        lines = texts(rows, seed)
        pairs = [{"text": f"{line} {line}", "target": line} for line in lines]
        write_jsonl(folder / f"{name}.jsonl", pairs)
    tree = NETWORKS[network] | {
        "name": "tiny",
        "task": {"name": "generate", "longest": 20},
        "data": {"train": ["train.jsonl"], "dev": ["dev.jsonl"]},
        "tokenizer": {"vocab_size": 280, "window": 24, "overlap": 4},
        "train": {
            "batch_tokens": 600,
            "steps": 14,
            "eval_steps": 4,
            "checkpoint_steps": 3,
            "lr": 0.01,
            "threads": 1,
            "patience": 0,
        },
    }
    return recipes.from_dict(tree, folder=folder, where="test", overrides=overrides)


def scores(folder: Path) -> list[dict[str, Any]]:
    """Return what each evaluation found, without its times."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    timed = ("seconds", "docs_per_second")
    return [
        {key: value for key, value in json.loads(line).items() if key not in timed}
        for line in lines
    ]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("killed_at", [2, 5, 13])
def test_killed_run_resumes_to_identical_weights(
    network: str, killed_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the first checkpoint, between two, and after the last evaluation but one."""
    recipe = recipe_of(tmp_path, network)
    train(recipe, tmp_path / "unbroken")
    steps, original = 0, loop.Loop._step

    def step(self: Any, *args: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == killed_at:
            raise MemoryError("as a kill, it saves nothing")
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "_step", step)
        with pytest.raises(MemoryError):
            train(recipe, tmp_path / "killed")
    assert not (tmp_path / "killed/run.json").exists()
    train(recipe, tmp_path / "killed", resume=True)
    names = ("unbroken", "killed")
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in names)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert scores(tmp_path / "unbroken") == scores(tmp_path / "killed")


def test_steps_and_evaluations_are_counted(tmp_path: Path) -> None:
    summary = train(recipe_of(tmp_path, "language model"), tmp_path / "run")
    found = scores(tmp_path / "run")
    assert len(found) == summary["epochs"] == 4, "after 4, 8, 12 and 14 steps"
    bits = [each["dev_bits_per_byte"] for each in found]
    assert summary["best_epoch"] == bits.index(min(bits)) + 1
    assert summary["dev"]["bits_per_byte"] == pytest.approx(min(bits), abs=1e-3)
    assert found[-1]["loss"] < found[0]["loss"]


def test_epochs_are_counted_in_place_of_steps(tmp_path: Path) -> None:
    epochs = ("train.steps=0", "train.eval_steps=0", "train.epochs=2")
    assert train(recipe_of(tmp_path, "language model", *epochs), tmp_path / "run")["epochs"] == 2


def test_language_model_without_a_weight_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="init.freeze = 1: nothing is left to train; lower it"):
        train(recipe_of(tmp_path, "language model", "init.freeze=1"), tmp_path / "run")
