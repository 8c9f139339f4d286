"""Fixtures and helpers for the tests of `nlpkit batch`: input files in several formats."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import corpus, write_jsonl

from nlpkit.batch.plan import Settings
from nlpkit.jobs.batch import Report, batch

Run = Callable[..., Report]
SETTINGS = set(Settings.__dataclass_fields__)


@pytest.fixture
def run(tiny_bundle: Callable[[str], Path], tmp_path: Path) -> Run:
    def made(*inputs: str, folder: str = "out", **options: Any) -> Report:
        own = {name: options.pop(name) for name in list(options) if name in SETTINGS}
        settings = Settings(model=str(tiny_bundle("bow")), **{"shard_size": 50} | own)
        return batch([str(name) for name in inputs], tmp_path / folder, settings, **options)

    return made


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
