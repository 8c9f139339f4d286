"""Killed or interrupted batches: they resume to the outputs of an uninterrupted run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_helpers import Run, inputs as inputs, outputs, run as run
from conftest import PATIENCE, children_of, has_ended, wait_until
from killing import calls, kill_until_it_ends


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_batch_resumes_to_identical_output(
    workers: int, run: Run, inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    run(str(inputs), folder="whole", shard_size=10)
    command = ["batch", str(inputs), "-m", str(tiny_bundle("bow")), "--shard-size", "10"]
    command += ["-w", str(workers), "--resume", "-o"]
    unbroken = calls(tmp_path, [*command, str(tmp_path / "unbroken")])
    command.append(str(tmp_path / "out"))
    kills = kill_until_it_ends(command, unbroken, tmp_path, seed=workers, most=12)
    assert kills, "it was never killed"
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert not [*(tmp_path / "out/.parts").iterdir()]


def test_workers_exit_when_the_main_process_is_killed(
    inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (inputs / "long.txt").write_text("adorei este produto\n" * 300_000)
    command = [sys.executable, "-m", "nlpkit", "batch", str(inputs), "-o", str(tmp_path / "out")]
    command += ["-m", str(tiny_bundle("bow")), "-w", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_until(lambda: [*(tmp_path / "out").glob(".parts/*/*.out")])
    children = children_of(process.pid)
    process.kill()
    process.wait()
    assert len(children) >= 2
    wait_until(lambda: all(map(has_ended, children)))


def test_interrupted_batch_says_how_to_resume(
    inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (inputs / "long.txt").write_text("adorei este produto\n" * 300_000)
    command = [sys.executable, "-m", "nlpkit", "batch", str(inputs), "-o", str(tmp_path / "out")]
    command += ["-m", str(tiny_bundle("bow")), "-w", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    wait_until(lambda: [*(tmp_path / "out").glob(".parts/*/*.out")])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"--resume continues" in said
    assert b"Traceback" not in said
