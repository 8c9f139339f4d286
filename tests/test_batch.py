"""Batches: every file done or told of, and after any end the outputs of an unbroken run."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, corpus, write_jsonl

from nlpkit.batch import workers
from nlpkit.batch.events import Event, FileDone, Started
from nlpkit.batch.plan import Settings
from nlpkit.errors import GateError, InputError, UsageError
from nlpkit.jobs.batch import Report, batch

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
Run = Callable[..., Report]


@pytest.fixture
def run(tiny_bundle: Callable[[str], Path], tmp_path: Path) -> Run:
    def made(*inputs: str, folder: str = "out", **options: Any) -> Report:
        own = {name: options.pop(name) for name in list(options) if name in SETTINGS}
        settings = Settings(model=str(tiny_bundle("bow")), **{"shard_size": 50} | own)
        return batch([str(name) for name in inputs], tmp_path / folder, settings, **options)

    return made


SETTINGS = set(Settings.__dataclass_fields__)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    texts = [str(row["text"]) for row in corpus(230, 1)]
    (folder / "a.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    rows = "".join(f'"{text}",{n}\n' for n, text in enumerate(texts[:120]))
    (folder / "b.csv").write_text("text,n\n" + rows, encoding="utf-8")
    write_jsonl(folder / "deep/c.jsonl", corpus(130, 2))
    (folder / "deep/c.jsonl").replace(folder / "deep/plain.jsonl")
    with gzip.open(folder / "deep/d.tsv.gz", "wt", encoding="utf-8") as out:
        out.write("text\tn\n" + "".join(f"{text}\t1\n" for text in texts[:70]))
    (folder / ".hidden.txt").write_text("x\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def outputs(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in ("manifest.json", ".lock")
        and ".parts" not in str(path)
    }


def test_each_file_has_its_output_and_the_manifest_tells_of_it(
    run: Run, inputs: Path, tmp_path: Path, cli: Cli, tiny_bundle: Callable[[str], Path]
) -> None:
    report = run(str(inputs))
    assert [*outputs(tmp_path / "out")] == ["a.tsv", "b.csv", "deep/d.tsv", "deep/plain.jsonl"]
    assert report.count("records") == 230 + 120 + 130 + 70
    assert not report.failed
    told = json.loads((tmp_path / "out/manifest.json").read_text())["files"]
    assert {name: file["sha256"] for name, file in told.items()} == outputs(tmp_path / "out")
    for name, output in (("a.txt", "a.tsv"), ("b.csv", "b.csv"), ("deep/d.tsv.gz", "deep/d.tsv")):
        done = cli("predict", "-m", tiny_bundle("bow"), inputs / name)
        assert done.stdout == (tmp_path / "out" / output).read_bytes(), name


def test_a_listener_hears_of_every_byte_of_the_inputs(run: Run, inputs: Path) -> None:
    heard: list[Event] = []
    run(str(inputs), listener=heard.append)
    ended = sum(event.bytes for event in heard if isinstance(event, FileDone))
    assert isinstance(heard[0], Started)
    assert ended == heard[0].bytes > 0


def test_neither_shards_nor_workers_change_a_byte(run: Run, inputs: Path, tmp_path: Path) -> None:
    run(str(inputs))
    run(str(inputs), folder="b", shard_size=7)
    run(str(inputs), folder="c", workers=2)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "b") == outputs(tmp_path / "c")


def test_bad_records_are_told_and_the_rest_is_labelled(run: Run, tmp_path: Path) -> None:
    lines = [b"adorei", b"\xff\xfe", b"detestei"] * 40
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n")
    report = run(str(tmp_path / "a.txt"))
    assert (report.count("records"), report.count("rejects")) == (80, 40)
    told = (tmp_path / "out/rejects/a.tsv.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in told]
    assert [row["line"] for row in rows] == list(range(2, 121, 3))
    assert "a.txt:2: not valid utf-8" in rows[0]["reason"]
    with pytest.raises(GateError, match="more than 39 bad records"):
        run(str(tmp_path / "a.txt"), folder="b", max_rejects=39)
    assert not (tmp_path / "b/a.tsv").exists()
    assert run(str(tmp_path / "a.txt"), folder="b", max_rejects=40, resume=True).count("rejects")


def test_a_file_that_fails_does_not_stop_the_others(run: Run, inputs: Path, tmp_path: Path) -> None:
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


def test_a_file_that_changes_while_it_is_read_is_told(
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


def test_a_full_disk_is_told_and_nothing_is_half(
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


# Files beyond 100 kB cannot be written, as where a disk or a quota is full.
LIMITED = """
import resource, sys
if __name__ == "__main__":  # workers import this, and have its limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    from nlpkit.__main__ import main
    main()
"""


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_part_that_finds_no_space_fails_its_file_and_the_rest_goes_on(
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


def test_the_header_is_there_though_the_first_shard_has_only_bad_records(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("text,n\n" + "x\n" * 4 + "adorei,1\ndetestei,2\n")
    run(str(tmp_path / "a.csv"), shard_size=3)
    lines = (tmp_path / "out/a.csv").read_text().splitlines()
    assert lines[0] == "text,n,label,score"
    assert [line.split(",")[0] for line in lines[1:]] == ["adorei", "detestei"]


def test_a_parquet_file_without_rows_has_an_output(run: Run, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({"text": pyarrow.array([], "string")}), tmp_path / "a.parquet"
    )
    (tmp_path / "b.txt").write_text("adorei\n")
    report = run(str(tmp_path / "a.parquet"), str(tmp_path / "b.txt"))
    assert not report.failed and len(report.files) == 2
    assert parquet.read_table(tmp_path / "out/a.parquet").num_rows == 0


def test_what_keeps_workers_from_starting_is_told(run: Run, inputs: Path) -> None:
    for count in (1, 2):
        with pytest.raises(UsageError, match="has no precision 'fp99'"):
            run(str(inputs), precision="fp99", workers=count, folder=f"w{count}")
    with pytest.raises(UsageError, match="--workers 10000: here are"):
        run(str(inputs), workers=10_000, folder="many")


def test_no_output_takes_the_place_of_an_input_or_of_another(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in/rejects").mkdir(parents=True)
    table = tmp_path / "in/x.csv"
    table.write_text("text\nadorei\n")
    for options in ({}, {"resume": True}):
        with pytest.raises(UsageError, match="its output would be itself"):
            run(str(table), folder="in", **options)
    with pytest.raises(UsageError, match="not a batch's"):
        run(str(table), folder="in/rejects/..", to="jsonl", resume=True)
    (tmp_path / "in/rejects/x.csv.jsonl").write_text('{"text": "keep me"}\n')
    with pytest.raises(UsageError, match="which a batch keeps for itself"):
        run(str(tmp_path / "in"), folder="out")
    assert table.read_text() == "text\nadorei\n"


def test_pipes_are_refused_and_odd_names_are_names(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match="not a file"):
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
def test_a_damaged_manifest_is_told(manifest: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/manifest.json").write_text(manifest)
    with pytest.raises(UsageError, match="damaged"):
        run(str(tmp_path / "a.txt"), resume=True)


def test_damaged_parts_and_outputs_are_made_again(run: Run, inputs: Path, tmp_path: Path) -> None:
    run(str(inputs))
    whole = outputs(tmp_path / "out")
    (tmp_path / "out/a.tsv").write_text("cut")
    run(str(inputs), resume=True)
    assert outputs(tmp_path / "out") == whole


def test_a_folder_of_lines_and_tables_has_one_column(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("adorei\n")
    (tmp_path / "in/b.csv").write_text("review\nadorei\n")
    assert not run(str(tmp_path / "in"), column="review").failed


def test_what_cannot_be_is_refused(run: Run, inputs: Path, tmp_path: Path) -> None:
    run(str(inputs / "a.txt"))
    with pytest.raises(UsageError, match="has a batch; --resume"):
        run(str(inputs / "a.txt"))
    with pytest.raises(UsageError, match="begun with into = 'label', not 'tone'"):
        run(str(inputs / "a.txt"), resume=True, into="tone")
    with pytest.raises(UsageError, match="both become a.tsv"):
        (tmp_path / "a.txt").write_text("x\n")
        run(str(inputs / "a.txt"), str(tmp_path / "a.txt"), folder="b")
    with pytest.raises(InputError, match="no such file"):
        run(str(tmp_path / "nothing.txt"), folder="never")
    assert not (tmp_path / "never").exists()
    with pytest.raises(InputError, match="no file is found by this pattern"):
        run(str(tmp_path / "*.nothing"), folder="c")
    with pytest.raises(UsageError, match="standard input"):
        run("-", folder="d")
    (tmp_path / "e").mkdir()
    (tmp_path / "e/mine.txt").write_text("x")
    with pytest.raises(UsageError, match="not a batch's"):
        run(str(inputs / "a.txt"), folder="e")


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


def test_it_runs_from_the_shell(cli: Cli, inputs: Path, tiny_bundle: Callable[[str], Path]) -> None:
    (inputs / "a.txt").write_bytes(b"adorei\n\xff\n")
    done = cli("batch", inputs / "*.txt", "-o", "out", "-m", tiny_bundle("bow"))
    assert done.returncode == 1
    assert b"1 bad records" in done.stderr
    assert not done.stdout
