"""Inputs at URLs: the outputs equal those of the same files on disk."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import corpus

from nlpkit.batch import url
from nlpkit.batch.plan import Settings
from nlpkit.errors import InputError, MissingExtra, UsageError
from nlpkit.jobs.batch import Report, batch

Run = Callable[..., Report]


@pytest.fixture
def memory() -> Iterator[Any]:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    texts = "".join(f"{row['text']}\n" for row in corpus(60, 1))
    system.pipe("/in/a.txt", texts.encode() + b"\xff\n")
    system.pipe("/in/deep/b.csv.gz", gzip.compress(b"text,n\nadorei,1\ndetestei,2\n"))
    system.pipe("/in/.hidden.txt", b"x\n")
    system.pipe("/in/picture.png", b"\x89PNG")
    yield system
    system.rm("/in", recursive=True)


@pytest.fixture
def run(tiny_bundle: Callable[[str], Path], tmp_path: Path) -> Run:
    def made(*inputs: str, folder: str = "out", **options: Any) -> Report:
        settings = Settings(model=str(tiny_bundle("bow")), shard_size=20)
        return batch(list(inputs), tmp_path / folder, settings, **options)

    return made


def test_remote_folder_gives_the_same_output_as_a_local_one(
    run: Run, memory: Any, tmp_path: Path
) -> None:
    for name in memory.find("/in"):
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(memory.cat(name))
    run(str(tmp_path / "in"), folder="local")
    report = run("memory://in")
    assert [*report.files] == ["a.tsv", "deep/b.csv"]
    for name in report.files:
        there, here = (tmp_path / folder / name for folder in ("out", "local"))
        assert there.read_bytes() == here.read_bytes(), name
    rejects = json.loads((tmp_path / "out/rejects/a.tsv.jsonl").read_text())
    assert "memory:///in/a.txt:61: not valid utf-8" in rejects["reason"]


def test_resume_repeats_only_changed_files(run: Run, memory: Any, tmp_path: Path) -> None:
    names = ["memory://in/a.txt", "memory://in/**/*.gz"]
    before = run(*names).files
    memory.pipe("/in/deep/b.csv.gz", gzip.compress(b"text,n\nadorei,1\n"))
    output = tmp_path / "out/a.tsv"
    output.write_bytes(b"." * output.stat().st_size)
    after = run(*names, resume=True).files
    assert after["a.tsv"] == before["a.tsv"]
    assert (tmp_path / "out/a.tsv").read_bytes() == b"." * output.stat().st_size
    assert (before["b.csv"].records, after["b.csv"].records) == (2, 1)


def test_urls_that_cannot_be_opened_are_reported(
    run: Run, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = run("memory://in/a.txt", "memory://in/none.txt")
    assert report.files["none.tsv"].problem == "memory://in/none.txt: No such file or directory"
    with pytest.raises(InputError, match="no file of a known format"):
        run("memory://in/*.none", folder="b")
    with pytest.raises(UsageError, match="nowhere://x/a.txt: .*nowhere"):
        run("nowhere://x/a.txt", folder="c")
    with pytest.raises(UsageError, match="unpack the archive first"):
        run("zip://a.txt::memory://in/a.zip", folder="d")
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(MissingExtra, match=r"'\.\[remote\]'"):
        url.Url("memory://in/a.txt").state()
