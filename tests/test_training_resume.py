"""Resuming training: identical weights after a kill, and only with the same recipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from conftest import PATIENCE, ROOT, Cli, corpus, tiny_recipe, wait_until, write_jsonl
from killing import calls, kill_until_it_ends
from safetensors.torch import load_file
from training_helpers import train

from nlpkit.errors import ModelError, UsageError
from nlpkit.settings import declaration


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_killed_run_resumes_to_identical_weights(data: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("lstm", data, checkpoint_steps=3, epochs=3)
    train(recipe, tmp_path / "unbroken")
    (tmp_path / "recipe.toml").write_text(
        declaration.toml(recipe.to_dict() | {"folder": str(data)})
    )
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(tmp_path / "recipe.toml"),
        str(tmp_path / "killed"),
    ]
    process = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/run.json").exists()
    train(recipe, tmp_path / "killed", resume=True)
    assert same_weights(tmp_path / "unbroken", tmp_path / "killed")
    metrics = [
        [json.loads(line)["dev_macro_f1"] for line in path.read_text().splitlines()]
        for path in (tmp_path / "unbroken/metrics.jsonl", tmp_path / "killed/metrics.jsonl")
    ]
    assert metrics[0] == metrics[1]


def test_run_killed_at_random_moments_resumes_to_identical_weights(
    data: Path, tmp_path: Path
) -> None:
    """Kills can hit the reading of data, the training and the saving."""
    recipe = tiny_recipe("bow", data, checkpoint_steps=2, epochs=3)
    (tmp_path / "r.toml").write_text(declaration.toml(recipe.to_dict() | {"folder": str(data)}))
    command = ["train", str(tmp_path / "r.toml"), "--device", "cpu", "--resume", "-o"]
    whole = calls(tmp_path, [*command, str(tmp_path / "unbroken")])
    command.append(str(tmp_path / "killed"))
    kills = kill_until_it_ends(command, whole, tmp_path, seed=4, most=4)
    assert kills, "it was never killed"
    assert same_weights(tmp_path / "unbroken", tmp_path / "killed")


# Kills itself at step 40, in the second epoch, between two checkpoints.
KILLED = """
import os, signal, sys
from pathlib import Path
from nlpkit.settings import recipe
from nlpkit.training import loop, run
steps = 0
original = loop.Loop._step
def step(self, *args):
    global steps
    steps += 1
    if steps == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *args)
loop.Loop._step = step
run.train(recipe.load(Path(sys.argv[1])), Path(sys.argv[2]), device="cpu", resume=False,
          listener=lambda event: None)
"""


def test_ctrl_c_saves_and_exits_130(data: Path, tmp_path: Path, cli: Cli) -> None:
    recipe = tiny_recipe("lstm", data, epochs=500)
    (tmp_path / "r.toml").write_text(declaration.toml(recipe.to_dict() | {"folder": str(data)}))
    command = [sys.executable, "-m", "nlpkit", "train", "r.toml", "-o", "run", "-q"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    )
    metrics = tmp_path / "run/metrics.jsonl"
    wait_until(lambda: metrics.exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert (tmp_path / "run/last.safetensors").exists()


def test_existing_run_is_not_overwritten(data: Path, tiny_run: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="--resume"):
        train(tiny_recipe("bow", data), tiny_run("bow"))
    with pytest.raises(UsageError, match="differs from the given recipe"):
        train(tiny_recipe("bow", data, lr=0.5), tiny_run("bow"), resume=True)


def test_resuming_a_finished_run_changes_nothing(
    data: Path, tiny_run: Callable[[str], Path]
) -> None:
    before = json.loads((tiny_run("atnet") / "run.json").read_text())
    after = train(tiny_recipe("atnet", data), tiny_run("atnet"), resume=True)
    assert after["dev"] == before["dev"]


def test_resume_with_changed_data_is_refused(tmp_path: Path) -> None:
    rows = corpus(60, 5)
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", corpus(20, 6))
    train(tiny_recipe("bow", tmp_path, epochs=1), tmp_path / "run")
    write_jsonl(tmp_path / "train.jsonl", rows[:-1])
    with pytest.raises(UsageError, match="other training data"):
        train(tiny_recipe("bow", tmp_path, epochs=1), tmp_path / "run", resume=True)


def test_damaged_checkpoint_is_reported(data: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("bow", data, epochs=1)
    train(recipe, tmp_path / "run")
    (tmp_path / "run/last.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="damaged"):
        train(recipe, tmp_path / "run", resume=True)
