"""Searches that end early by time, signal, kill or pruning keep the best run so far."""

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

from nlpkit.training.events import EpochEnded, Progress, Started
from nlpkit.training.opened import open_run
from nlpkit.tuning import search, study
from nlpkit.tuning.events import Tried
from nlpkit.tuning.folder import STUDY


def end_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock of the search past its budget."""
    clock = time.monotonic
    monkeypatch.setattr(search.time, "monotonic", lambda: clock() + 2 * PATIENCE)


def test_end_of_the_budget_keeps_the_trial_in_progress(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[type] = []

    def late(event: object) -> None:
        heard.append(type(event))
        if isinstance(event, EpochEnded) and event.epoch == 3:
            end_the_time(monkeypatch)

    fixed = [*SMALL, "train.epochs=5000", "train.patience=0"]
    with monkeypatch.context() as monkeypatch:
        done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, listener=late)
    (line,) = done.trials
    assert line.state == "complete" and line.epochs == heard.count(EpochEnded) == 3
    assert Progress not in heard[len(heard) - heard[::-1].index(EpochEnded) :]
    assert line.reason == f"the time was up after epoch {line.epochs}"
    assert open_run(tmp_path / "out/best")[2].dev["macro_f1"] == line.score


def test_trial_without_a_finished_epoch_has_no_score(tmp_path: Path, data: Path) -> None:
    def late(event: object) -> None:
        if isinstance(event, Started):
            end_the_time(monkeypatch)

    with pytest.MonkeyPatch.context() as monkeypatch:
        done = tune(recipe_file(tmp_path, data), tmp_path / "out", listener=late)
    assert [line.state for line in done.trials] == ["stopped"] and not done.best


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", [Progress, EpochEnded, Tried])
def test_interrupt_keeps_the_best_run(number: int, when: type, tmp_path: Path, data: Path) -> None:
    seen: list[Any] = []

    def interrupt(event: object) -> None:
        seen.append(type(event))
        ready = EpochEnded in seen if when is Progress else True
        if type(event) is when and ready and seen.count("killed") == 0:
            seen.append("killed")
            os.kill(os.getpid(), number)

    fixed = [*SMALL, f"train.epochs={1 if when is Tried else 5000}", "train.patience=0"]
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, listener=interrupt)
    assert done.interrupted and len(done.trials) == 1
    assert (tmp_path / "out/best/run.json").exists() and not (tmp_path / "out/.trial").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_killed_trial_is_repeated_on_resume(tmp_path: Path, data: Path) -> None:
    recipe, out = recipe_file(tmp_path, data), tmp_path / "out"

    def killed(event: object) -> None:
        if isinstance(event, Started) and EVENTS:
            raise SystemExit(129)
        EVENTS.extend([event] * isinstance(event, Tried))

    with pytest.raises(SystemExit):
        tune(recipe, out, trials=9, listener=killed)
    (out / ".trial").mkdir()
    (out / ".trial/last.safetensors").write_bytes(b"half")
    (out / "best").rename(out / ".best.old")  # as after a kill between two renames
    done = tune(recipe, out, trials=1, resume=True)
    assert [line.number for line in done.trials] == [0, 2]
    proposed = optuna.load_study(
        study_name="tune",
        storage=study.JournalStorage(study.JournalFileBackend(str(out / STUDY))),
    ).trials
    assert proposed[1].params == proposed[2].params and done.best


def test_pruned_trial_stops_at_once(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruner = optuna.pruners.ThresholdPruner(lower=2.0)
    monkeypatch.setattr(optuna.pruners, "MedianPruner", lambda **_: pruner)
    fixed = [*SMALL, "train.epochs=50"]
    done = tune(recipe_file(tmp_path, data), tmp_path / "out", fixed=fixed, trials=1)
    (line,) = done.trials
    assert line.state == "pruned" and line.epochs == 1 and "worse than the median" in line.reason
    assert not (tmp_path / "out/best").exists() and not (tmp_path / "out/.trial").exists()


def test_interrupted_command_exits_130_and_prints_the_next_command(
    tmp_path: Path, data: Path
) -> None:
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
    assert b"Traceback" not in said and b"interrupted; 1 trial: 1 complete" in said
    assert b"next: nlpkit evaluate out/best" in said and (tmp_path / "out/best/run.json").exists()
