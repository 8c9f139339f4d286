"""Batches on Ray: the outputs equal those of the local engine."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from conftest import corpus, environment, wait_until, write_jsonl

from nlpkit.batch import cluster, ray_engine as job
from nlpkit.batch.plan import Settings
from nlpkit.errors import GateError, MissingExtra, ModelError
from nlpkit.jobs.batch import Job, Report, batch, fingerprint

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
START = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "1"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster of two nodes with one core each."""
    pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = f"127.0.0.1:{port}"
    head = [*START, "--head", "--port", str(port), "--include-dashboard", "false"]
    nodes = []
    with pytest.MonkeyPatch.context() as patch, (folder / "ray.log").open("wb") as log:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        try:
            for command in (head, [*START, "--address", where]):
                nodes.append(
                    subprocess.Popen(
                        command, env=environment(), stdout=log, stderr=log, start_new_session=True
                    )
                )
                wait_until(
                    lambda: (
                        (folder / "ray.log").read_bytes().count(b"runtime started") == len(nodes)
                    )
                )
            yield where
        finally:
            for node in nodes:
                os.killpg(node.pid, signal.SIGKILL)  # after SIGTERM a node may run on for minutes
                node.wait()


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Files in every format with some bad records, and one file that cannot be read."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    texts = [row["text"] for row in corpus(400, 1)]
    lines = [text.encode() for text in texts]
    lines[7::90] = [b"\xff\xfe"] * len(lines[7::90])
    (folder / "a.txt").write_bytes(b"\n".join(lines) + b"\n")
    rows = "".join(f'"{text}",{n}\n' for n, text in enumerate(texts[:90]))
    (folder / "b.csv").write_text(f"text,n\n{rows}short\n{rows}", encoding="utf-8")
    write_jsonl(folder / "deep/c.jsonl", corpus(130, 2))
    with (folder / "deep/c.jsonl").open("a") as out:
        out.write("{no json\n" + json.dumps({"text": "adorei"}) + "\n")
    (folder / "bad.csv").write_text("review,n\nadorei,1\n")
    (folder / "empty.txt").touch()
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(
        arrow.table({"text": texts[:80], "n": list(range(80))}), folder / "d.parquet"
    )
    with gzip.open(tmp_path / "there.tsv.gz", "wt", encoding="utf-8") as out:
        out.write("text\tn\n" + "".join(f"{text}\t1\n" for text in texts[:70]))
    return [str(folder), f"file://{tmp_path}/*.tsv.gz"]


def batch_result(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the outputs of a batch and its manifest without times."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["files"].values():
        file.pop("seconds", None)
    kept = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", ".lock", "source.json")
    }
    return kept, manifest


def test_local_ray_is_started_and_stopped(
    tmp_path: Path, cli: Cli, tiny_bundle: Callable[[str], Path]
) -> None:
    pytest.importorskip("ray")
    write_jsonl(tmp_path / "a.jsonl", corpus(100, 1))
    options = ["batch", "a.jsonl", "-m", tiny_bundle("bow"), "--shard-size", "30"]
    done = cli(*options, "-o", "out", "--engine", "ray", "-w", "2")
    assert (done.returncode, done.stdout) == (0, b"")
    *others, summary = done.stderr.splitlines()  # Ray itself warns on a busy machine
    assert b"will be replaced" in b"".join(others)
    assert summary.startswith(b"1 of 1 file, 100 records")
    assert cli(*options, "-o", "local").returncode == 0
    assert batch_result(tmp_path / "out")[0] == batch_result(tmp_path / "local")[0]


def test_killed_batch_resumes_on_a_cluster_to_the_output_of_the_local_engine(
    address: str, inputs: list[str], tmp_path: Path, cli: Cli, tiny_bundle: Callable[[str], Path]
) -> None:
    settings = Settings(model=str(tiny_bundle("bow")), shard_size=10)
    batch(inputs, tmp_path / "local", settings)
    options = ["batch", *inputs, "-o", str(tmp_path / "out"), "-m", settings.model, "-w", "2"]
    options += ["--shard-size", "10", "--engine", "ray", "--address", address]
    command = [sys.executable, "-m", "nlpkit", *options]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    wait_until(lambda: [*(tmp_path / "out").glob(".parts/*/*.out")] or process.poll() is not None)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = cli(*options, "--resume")
    assert done.returncode == 1
    assert batch_result(tmp_path / "out") == batch_result(tmp_path / "local")
    assert {Path(name).suffix for name in batch_result(tmp_path / "out")[0]} >= {
        ".tsv",
        ".csv",
        ".parquet",
    }
    # A busy machine also prints a line of progress a minute.
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith("file ")]
    # Bad records of three files, one failed file, a replaced column, the summary.
    assert len(said) == 6, "\n".join(said)


@pytest.fixture
def ray_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call readers and actors in this process instead of in processes of Ray."""
    pytest.importorskip("ray")

    def rows(todo: list[Any], job_: Job, engine: job.RayEngine) -> Generator[job.Row]:
        predictor = job.Predictor(job_.settings, fingerprint(job_.settings.model), Path.cwd())
        for each in todo:
            for row in job.read({"row": pickle.dumps(each)}, job_.settings, Path.cwd()):
                yield job.Row.unpacked(predictor(row))

    monkeypatch.setattr(job, "_rows", rows)
    monkeypatch.setattr(job, "cluster", lambda *about: nullcontext())
    monkeypatch.setenv("NLPKIT_THREADS", "1")


def test_too_many_bad_records_stop_the_batch(
    ray_in_process: None, inputs: list[str], tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    settings = Settings(model=str(tiny_bundle("bow")), shard_size=10)
    options: dict[str, Any] = {"engine": job.RayEngine()}
    with pytest.raises(GateError, match="more than 3 bad records, the last is .*not valid utf-8"):
        batch(inputs, tmp_path / "out", settings, **options, max_rejects=3)
    assert not (tmp_path / "out/a.tsv").exists()
    report = batch(inputs, tmp_path / "out", settings, **options, max_rejects=7, resume=True)
    assert report.count("rejects") == 7
    assert report.failed == ["bad.csv"]


def test_actor_with_a_different_model_is_an_error(
    ray_in_process: None, inputs: list[str], tmp_path: Path, tiny_bundle: Callable[[str], Path]
) -> None:
    settings = Settings(model=str(tiny_bundle("bow")))
    item = _item(inputs, tmp_path)
    row = next(job.read({"row": pickle.dumps((item, set()))}, settings, Path.cwd()))
    rows = iter([job.Row.unpacked(job.Predictor(settings, "of another", Path.cwd())(row))])
    told = Job(tmp_path / "out", settings, 1, "", Report(), None, lambda event: None)
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="is a different one"):
        list(job._gathered(rows, {item.output: job.Input.begun(item, told)}, told))


def _item(inputs: list[str], folder: Path) -> Any:
    from nlpkit.batch.plan import expand

    return expand([f"{inputs[0]}/b.csv"], folder=folder, source=None, to=None)[0]


def test_invalid_options_are_one_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_bundle: Callable[[str], Path]
) -> None:
    (tmp_path / "a.txt").write_text("adorei\n")
    options = ["batch", "a.txt", "-m", tiny_bundle("bow"), "-o", "out"]
    pytest.importorskip("ray")
    for more, why in (
        (["--engine", "ray", "--address", "127.0.0.1:1"], b"no Ray cluster answers"),
        (["--engine", "ray", "--address", "ray://127.0.0.1:1"], b"--address auto"),
        (["--address", "auto"], b"need --engine ray"),
    ):
        done = cli(*options, *more)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
        assert why in done.stderr
        assert not (tmp_path / "out").exists()
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'\.\[ray\]'"):
        job.RayEngine()
