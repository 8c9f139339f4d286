"""The toy tasks of examples/sequences: the same seed writes the same rows, and recipes load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from nlpkit.jobs.train import check
from nlpkit.settings import recipe

SCRIPT = ROOT / "examples/sequences/write.py"
SMALL = ("--rows", "50", "--longest", "6")


def write(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(SCRIPT), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def test_the_seed_decides_the_rows_and_no_sequence_is_in_two_files(tmp_path: Path) -> None:
    for name, more in (("one", ()), ("same", ("--seed", "1")), ("other", ("--seed", "2"))):
        assert write(tmp_path / name, "reverse", *SMALL, *more).returncode == 0
    one, same, other = (
        files(tmp_path / name / "runs/reverse") for name in ("one", "same", "other")
    )
    assert one == same
    assert one["train.jsonl"] != other["train.jsonl"]
    rows = {
        name: [json.loads(line) for line in content.splitlines()]
        for name, content in one.items()
        if name.endswith(".jsonl")
    }
    assert all(row["target"] == row["text"][::-1] for each in rows.values() for row in each)
    texts = [row["text"] for each in rows.values() for row in each]
    assert len(texts) == len(set(texts))
    assert {len(row["text"]) for row in rows["train.jsonl"]} <= set(range(1, 7))
    assert {len(row["text"]) for row in rows["test-16.jsonl"]} == {16}


def test_a_task_comes_with_its_recipes(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert write(tmp_path, "copy", *SMALL, "--output", str(folder)).returncode == 0
    assert all(row["text"] == row["target"] for row in map(json.loads, lines(folder)))
    recipes = sorted(folder.glob("*.toml"))
    assert len(recipes) == 6
    for path in recipes:
        check(recipe.load(path))
        assert path.read_bytes() == (SCRIPT.parent / path.name).read_bytes()


def lines(folder: Path) -> list[str]:
    return (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()


def test_the_first_letter_is_told(tmp_path: Path) -> None:
    assert write(tmp_path, "first", "--rows", "20").returncode == 0
    rows = [json.loads(line) for line in lines(tmp_path / "runs/first")]
    assert all(row["target"] == row["text"][0] for row in rows)


@pytest.mark.parametrize("options", [("--longest", "2"), ("--rows", "0"), ("--longest", "0")])
def test_more_rows_than_there_are_sequences_are_refused(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    done = write(tmp_path, "copy", *options)
    assert done.returncode == 2
    assert "there are" in done.stderr
    assert not (tmp_path / "runs").exists()
