"""Batches that are killed or interrupted: they go on to the outputs of an unbroken run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_helpers import Run, inputs as inputs, outputs, run as run


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(
    workers: int, run: Run, inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    run(str(inputs), folder="whole", shard_size=10)
    command = [sys.executable, "-m", "nlpkit", "batch", str(inputs), "-o", str(tmp_path / "out")]
    command += ["-m", str(tiny_bundle("bow")), "--shard-size", "10", "-w", str(workers), "--resume"]
    rng, kills = random.Random(workers), 0
    for attempt in range(40):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        if attempt == 0:  # in the midst of work; afterwards at any moment
            while not [*(tmp_path / "out").glob(".parts/*/*.out")] and process.poll() is None:
                time.sleep(0.002)
        try:
            process.wait(timeout=rng.uniform(0, 0.02) if not attempt else rng.uniform(0.2, 1.5))
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert process.returncode == 0
    assert kills, "it was never killed"
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert not [*(tmp_path / "out/.parts").iterdir()]


def test_the_workers_end_with_the_process_that_is_killed(
    inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (inputs / "long.txt").write_text("adorei este produto\n" * 300_000)
    command = [sys.executable, "-m", "nlpkit", "batch", str(inputs), "-o", str(tmp_path / "out")]
    command += ["-m", str(tiny_bundle("bow")), "-w", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not [*(tmp_path / "out").glob(".parts/*/*.out")] and time.monotonic() < until:
        time.sleep(0.05)
    children = _children(process.pid)
    process.kill()
    process.wait()
    assert len(children) >= 2
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < until, "a worker outlives the batch"
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    task = Path(f"/proc/{parent}/task/{parent}/children")
    if not task.exists():
        pytest.skip("needs /proc/PID/task/PID/children")
    return [int(child) for child in task.read_text().split()]


def test_interrupted_it_says_how_to_go_on(
    inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (inputs / "long.txt").write_text("adorei este produto\n" * 300_000)
    command = [sys.executable, "-m", "nlpkit", "batch", str(inputs), "-o", str(tmp_path / "out")]
    command += ["-m", str(tiny_bundle("bow")), "-w", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not [*(tmp_path / "out").glob(".parts/*/*.out")] and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"--resume continues" in said
    assert b"Traceback" not in said
