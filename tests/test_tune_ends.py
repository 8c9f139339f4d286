"""Searches that end early: by time, signal, kill or pruning, the best so far is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from conftest import PATIENCE, ROOT, wait_until
from tune_helpers import EVENTS, SMALL, recipe_file, tune

from nlpkit.training.opened import open_run
from nlpkit.tuning import search


def end_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the search's clock say that its time is up."""
    clock = time.monotonic
    monkeypatch.setattr(search.time, "monotonic", lambda: clock() + 2 * PATIENCE)


def test_the_end_of_the_time_keeps_the_trial_in_progress(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def late(event: dict[str, Any]) -> None:
        heard.append(event["event"])
        if event["event"] == "epoch" and event["epoch"] == 3:
            end_the_time(monkeypatch)

    fixed = [*SMALL, "train.epochs=5000", "train.patience=0"]
    with monkeypatch.context() as monkeypatch:
        done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, listener=late)
    (line,) = done.records
    assert line["state"] == "complete" and line["epochs"] == heard.count("epoch") == 3
    assert "step" not in heard[len(heard) - heard[::-1].index("epoch") :]
    assert line["reason"] == f"the time was up after epoch {line['epochs']}"
    assert open_run(tmp_path / "out/best")[2]["dev"]["macro_f1"] == line["score"]


def test_no_epoch_before_the_end_is_no_score(tmp_path: Path, data: Path) -> None:
    def late(event: dict[str, Any]) -> None:
        if event["event"] == "start":
            end_the_time(monkeypatch)

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


def test_the_command_ends_with_130_and_says_what_is_next(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data, epochs=5000)
    command = [sys.executable, "-m", "nlpkit", "tune", recipe, "-o", "out", "--budget", "5h"]
    fixed = ["--arch", "bow", "--set", "train.epochs=5000", "--set", "train.patience=0"]
    process = subprocess.Popen(
        [*command, *fixed],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    metrics = tmp_path / "out/.trial/metrics.jsonl"
    wait_until(lambda: metrics.exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said and b"interrupted; 1 trials: 1 complete" in said
    assert b"next: nlpkit evaluate out/best" in said and (tmp_path / "out/best/run.json").exists()
