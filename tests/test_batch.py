"""Batches: outputs, manifest, bad records, and independence of shards and workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_helpers import Run, inputs as inputs, outputs, run as run
from conftest import Cli

from nlpkit.batch.events import Event, FileDone, Started
from nlpkit.errors import GateError


def test_each_file_has_an_output_listed_in_the_manifest(
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


def test_events_account_for_every_input_byte(run: Run, inputs: Path) -> None:
    heard: list[Event] = []
    run(str(inputs), listener=heard.append)
    ended = sum(event.bytes for event in heard if isinstance(event, FileDone))
    assert isinstance(heard[0], Started)
    assert ended == heard[0].bytes > 0


def test_shard_size_and_workers_do_not_change_the_output(
    run: Run, inputs: Path, tmp_path: Path
) -> None:
    run(str(inputs))
    run(str(inputs), folder="b", shard_size=7)
    run(str(inputs), folder="c", workers=2)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "b") == outputs(tmp_path / "c")


def test_bad_records_are_reported_and_the_rest_is_labelled(run: Run, tmp_path: Path) -> None:
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


def test_header_is_written_when_the_first_shard_has_only_bad_records(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("text,n\n" + "x\n" * 4 + "adorei,1\ndetestei,2\n")
    run(str(tmp_path / "a.csv"), shard_size=3)
    lines = (tmp_path / "out/a.csv").read_text().splitlines()
    assert lines[0] == "text,n,label,score"
    assert [line.split(",")[0] for line in lines[1:]] == ["adorei", "detestei"]


def test_empty_parquet_file_has_an_output(run: Run, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({"text": pyarrow.array([], "string")}), tmp_path / "a.parquet"
    )
    (tmp_path / "b.txt").write_text("adorei\n")
    report = run(str(tmp_path / "a.parquet"), str(tmp_path / "b.txt"))
    assert not report.failed and len(report.files) == 2
    assert parquet.read_table(tmp_path / "out/a.parquet").num_rows == 0


def test_column_option_applies_to_a_folder_of_lines_and_tables(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("adorei\n")
    (tmp_path / "in/b.csv").write_text("review\nadorei\n")
    assert not run(str(tmp_path / "in"), column="review").failed


def test_command_line(cli: Cli, inputs: Path, tiny_bundle: Callable[[str], Path]) -> None:
    (inputs / "a.txt").write_bytes(b"adorei\n\xff\n")
    done = cli("batch", inputs / "*.txt", "-o", "out", "-m", tiny_bundle("bow"))
    assert done.returncode == 1
    assert b"1 bad record, in" in done.stderr
    assert not done.stdout
