"""Failures in batches: they are reported, and no output is partial or overwritten."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batch_helpers import Run, inputs as inputs, outputs, run as run
from conftest import ROOT

from nlpkit.batch import workers
from nlpkit.errors import InputError, UsageError


def test_a_failed_file_does_not_stop_the_others(run: Run, inputs: Path, tmp_path: Path) -> None:
    (inputs / "bad.csv").write_text("review,n\nadorei,1\n")
    (inputs / "cut.txt.gz").write_bytes(gzip.compress(b"adorei\n" * 5000)[:60])
    (inputs / "empty.txt").touch()
    report = run(str(inputs))
    assert sorted(report.failed) == ["bad.csv", "cut.tsv"]
    assert "no column 'text'" in report.files["bad.csv"].problem
    assert not (tmp_path / "out/bad.csv").exists()
    assert (tmp_path / "out/empty.tsv").read_bytes() == b""
    (inputs / "bad.csv").write_text("text,n\nadorei,1\n")
    report = run(str(inputs), resume=True)
    assert report.failed == ["cut.tsv"]
    assert (tmp_path / "out/bad.csv").read_text().startswith("text,n,label,score\nadorei,1,")


def test_a_file_that_changes_while_read_is_reported(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("adorei\n" * 200)
    answer = workers.answer

    def changing(*args: Any) -> None:
        with path.open("a") as out:
            out.write("mais\n")
        answer(*args)

    monkeypatch.setattr(workers, "answer", changing)
    report = run(str(path))
    assert "changed while it was read" in report.files["a.tsv"].problem
    assert not (tmp_path / "out/a.tsv").exists()
    monkeypatch.setattr(workers, "answer", answer)
    assert not run(str(path), resume=True).failed
    lines = path.read_text().count("\n")
    assert (tmp_path / "out/a.tsv").read_text().count("\n") == lines > 200


def test_full_disk_is_reported_and_leaves_no_partial_output(
    run: Run, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlpkit.batch import parts

    join = parts.concatenate

    def full(parts: Any, stream: Any) -> None:
        join(parts, stream)
        if "b.csv" in stream.name:
            raise OSError(28, "No space left on device", stream.name)

    monkeypatch.setattr(parts, "concatenate", full)
    report = run(str(inputs))
    assert report.failed == ["b.csv"]
    assert "No space left" in report.files["b.csv"].problem
    assert not [path for path in (tmp_path / "out").rglob("*b.csv*") if path.is_file()]


# Files over 100 kB cannot be written, as with a full disk or quota.
LIMITED = """
import resource, sys
if __name__ == "__main__":  # workers import this file and inherit the limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    from nlpkit.__main__ import main
    main()
"""


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_shard_without_disk_space_fails_only_its_file(
    count: str, run: Run, inputs: Path, tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    (inputs / "a_long.txt").write_text("adorei este produto, chegou antes do prazo\n" * 9_000)
    run(str(inputs), folder="whole", shard_size=3_000)
    (tmp_path / "limited.py").write_text(LIMITED)
    args = ["batch", str(inputs), "-o", str(tmp_path / "out"), "-m", str(tiny_bundle("bow"))]
    args += ["--shard-size", "3000", "-w", count]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "limited.py"), *args],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"a_long" in done.stderr and b"free some space" in done.stderr
    assert b"Traceback" not in done.stderr
    told = json.loads((tmp_path / "out/manifest.json").read_text())["files"]
    assert [name for name, file in told.items() if "problem" in file] == ["a_long.tsv"]
    whole = outputs(tmp_path / "whole")
    assert whole.items() - outputs(tmp_path / "out").items() == {
        ("a_long.tsv", whole["a_long.tsv"])
    }
    assert not run(str(inputs), resume=True, shard_size=3_000).failed
    assert outputs(tmp_path / "out") == whole


def test_workers_that_cannot_start_are_reported(run: Run, inputs: Path) -> None:
    for count in (1, 2):
        with pytest.raises(UsageError, match="has no precision 'fp99'"):
            run(str(inputs), precision="fp99", workers=count, folder=f"w{count}")
    with pytest.raises(UsageError, match="--workers 10000: this machine has"):
        run(str(inputs), workers=10_000, folder="many")


def test_output_never_overwrites_an_input_or_a_foreign_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in/rejects").mkdir(parents=True)
    table = tmp_path / "in/x.csv"
    table.write_text("text\nadorei\n")
    for options in ({}, {"resume": True}):
        with pytest.raises(UsageError, match="its output would replace it"):
            run(str(table), folder="in", **options)
    with pytest.raises(UsageError, match="not a batch's"):
        run(str(table), folder="in/rejects/..", to="jsonl", resume=True)
    (tmp_path / "in/rejects/x.csv.jsonl").write_text('{"text": "keep me"}\n')
    with pytest.raises(UsageError, match="a file of the batch itself"):
        run(str(tmp_path / "in"), folder="out")
    assert table.read_text() == "text\nadorei\n"


def test_pipes_are_refused_and_undecodable_file_names_work(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match="not a regular file"):
        run(str(tmp_path / "pipe.txt"))
    odd = os.fsdecode(bytes(tmp_path / "bad") + b"\xff.txt")
    Path(odd).write_text("adorei\n")
    assert not run(odd, folder="odd").failed
    assert not run("/proc/cpuinfo", folder="proc").count("records")


@pytest.mark.parametrize(
    "manifest",
    ["[]", "null", "{}", '{"settings": {}}', "[" * 100_000, "x"]
    + [f'{{"settings": {{}}, "model": "", "files": {files}}}' for files in ("[1]", '{"a": 1}')]
    + ['{"settings": {}, "model": "", "files": {"a": {"input": {}, "records": "many"}}}'],
)
def test_damaged_manifest_is_reported(manifest: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/manifest.json").write_text(manifest)
    with pytest.raises(UsageError, match="damaged"):
        run(str(tmp_path / "a.txt"), resume=True)


def test_damaged_output_is_rewritten_on_resume(run: Run, inputs: Path, tmp_path: Path) -> None:
    run(str(inputs))
    whole = outputs(tmp_path / "out")
    (tmp_path / "out/a.tsv").write_text("cut")
    run(str(inputs), resume=True)
    assert outputs(tmp_path / "out") == whole


def test_invalid_inputs_and_folders_are_refused(run: Run, inputs: Path, tmp_path: Path) -> None:
    run(str(inputs / "a.txt"))
    with pytest.raises(UsageError, match="holds a batch; continue it with --resume"):
        run(str(inputs / "a.txt"))
    with pytest.raises(UsageError, match="begun with into = 'label', not 'tone'"):
        run(str(inputs / "a.txt"), resume=True, into="tone")
    with pytest.raises(UsageError, match="both become a.tsv"):
        (tmp_path / "a.txt").write_text("x\n")
        run(str(inputs / "a.txt"), str(tmp_path / "a.txt"), folder="b")
    with pytest.raises(InputError, match="no such file"):
        run(str(tmp_path / "nothing.txt"), folder="never")
    assert not (tmp_path / "never").exists()
    with pytest.raises(InputError, match="no file matches this pattern"):
        run(str(tmp_path / "*.nothing"), folder="c")
    with pytest.raises(UsageError, match="standard input"):
        run("-", folder="d")
    (tmp_path / "e").mkdir()
    (tmp_path / "e/mine.txt").write_text("x")
    with pytest.raises(UsageError, match="not a batch's"):
        run(str(inputs / "a.txt"), folder="e")
