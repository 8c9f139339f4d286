"""Training on few rows: enough steps, patience in steps, features that do not fade, few threads."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, corpus, tiny_recipe, tiny_tree, write_jsonl
from training_helpers import train

from nlpkit.architectures import atnet
from nlpkit.cli.screen.training import TrainingProgress
from nlpkit.errors import UsageError
from nlpkit.jobs.evaluate import open_model
from nlpkit.runtime.device import cores
from nlpkit.settings import recipe
from nlpkit.training import supervised
from nlpkit.training.events import Started

ROWS, BATCH = 64, 16
STEPS_AN_EPOCH = ROWS // BATCH
STILL = 1e-12  # a learning rate by which dev never gets better


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    write_jsonl(folder / "train.jsonl", corpus(ROWS, 1))
    write_jsonl(folder / "dev.jsonl", corpus(30, 2))
    return folder


@pytest.mark.parametrize(
    ("patience", "epochs"),
    [(30, 1 + 8), (4 * STEPS_AN_EPOCH, 1 + 4), (1, 1 + 2)],
    ids=["between two epochs", "at an epoch's end", "two epochs at least"],
)
def test_patience_counts_steps(rows: Path, tmp_path: Path, patience: int, epochs: int) -> None:
    train(tiny_recipe("bow", rows, epochs=50, lr=STILL, patience=patience), tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    assert len(lines) == epochs


def test_few_rows_get_more_epochs(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "STEPS", 10 * STEPS_AN_EPOCH)
    train(tiny_recipe("bow", rows, epochs=0), tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    assert len(lines) == 10


@pytest.mark.parametrize(
    ("documents", "start", "hinted"), [(64, "", True), (64, "atnet", False), (6000, "", False)]
)
def test_few_rows_without_a_start_are_told_of_one(
    rows: Path,
    tmp_path: Path,
    tiny_run: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    documents: int,
    start: str,
    hinted: bool,
) -> None:
    tree = tiny_tree("atnet", epochs=1)
    if start:
        tree["init"] = {"run": str(tiny_run(start))}
    events: list[Any] = []
    train(recipe.from_dict(tree, folder=rows, where="test"), tmp_path, listener=events.append)
    (started,) = (event for event in events if isinstance(event, Started))
    with TrainingProgress(quiet=False) as progress:
        progress(dataclasses.replace(started, documents=documents))
    assert ("--init base" in capsys.readouterr().err) == hinted


def test_a_number_of_epochs_is_kept(rows: Path, tmp_path: Path) -> None:
    train(tiny_recipe("bow", rows, epochs=2), tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    assert len(lines) == 2


def test_atnet_reads_a_long_text_as_loudly_as_a_short_one() -> None:
    torch.manual_seed(1)
    encoder = atnet.Encoder(atnet.Config(vocab_size=50)).eval()

    def loudness(length: int) -> float:
        ids_BT = torch.full((1, length), 7)
        states_BTD = encoder(ids_BT, torch.ones_like(ids_BT, dtype=torch.bool))
        return float(states_BTD.amax(dim=1).sum().detach())

    assert loudness(200) == pytest.approx(loudness(10), rel=0.2)


def test_a_run_answers_with_the_threads_of_the_setting(
    tiny_run: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPKIT_THREADS", "1")
    run = open_model(str(tiny_run("bow")), device="cpu", precision="auto").run
    used = []
    module = run.graphs["main"].module
    module.register_forward_hook(lambda *_: used.append(torch.get_num_threads()))
    feeds = {"ids": np.array([[5, 6]]), "mask": np.array([[True, True]])}
    before = torch.get_num_threads()
    run("main", feeds, ("logits",))
    assert used == [1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_leave_the_cores_to_others(given: str | None, expected: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"OMP_WAIT_POLICY": given} if given else {})
    code = "import nlpkit, os; print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.stdout.decode().strip() == expected


@pytest.mark.parametrize("threads", ["abc", "-3", "0", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPKIT_THREADS", threads)
    with pytest.raises(UsageError, match=f"NLPKIT_THREADS={threads}: set a whole number"):
        cores()
