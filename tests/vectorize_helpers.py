"""Documents, a fitted model and an in-process command line for the tests of vectorize."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nlpkit import catalog
from nlpkit.cli.app import app
from nlpkit.vectorizing.options import Limits, Options
from nlpkit.vectorizing.vocabulary import learn, save

DOCUMENTS = ["Bom dia, bom filme!", "", "Péssimo filme", "dia ruim", "bom, bom, BOM"]
FORMATS = catalog.names("vector_formats")
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `nlpkit vectorize` in this process, in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def call(*args: object, stdin: str | bytes = "", code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["vectorize", *map(str, args)], input=stdin)
        assert done.exit_code == code, (done.exit_code, done.stderr, done.exception)
        if code:
            assert done.stderr.count("\n") == 1 and done.stderr.startswith("nlpkit: ")
        return done

    return call


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    path = tmp_path / "docs.txt"
    path.write_text("".join(text + "\n" for text in DOCUMENTS), encoding="utf-8")
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save(learn(DOCUMENTS, Options(), Limits()), str(tmp_path / "model.json"))
    return tmp_path / "model.json"


class Fake:
    """A model whose embedding of a text is its length, a third of its length, and 0.1."""

    def embed(self, texts: list[str]) -> Any:
        rows = [[len(text), len(text) / 3, 0.1] if text else [0.0] * 3 for text in texts]
        return np.array(rows, np.float32)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []

    def fake(name: str, *, device: str) -> Fake:
        asked.append((name, device))
        return Fake()

    monkeypatch.setattr("nlpkit.zoo.load", fake)
    return asked
