"""Contracts that every task keeps, found by the catalogue."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import corpus, tiny_tree, write_jsonl

import nlpkit
from nlpkit import catalog, recipe
from nlpkit.jobs.export import export
from nlpkit.training import run

# The labels of each task's tiny examples, where they are free to choose.
LABELS = {"classify": {"positive": "elogio", "negative": "queixa", "neutral": "fato"}}


@pytest.mark.parametrize("name", catalog.names("tasks"))
def test_a_task_learns_exports_and_answers(
    name: str, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    called = LABELS.get(name, {})
    for split, rows, seed in (("train", 300, 1), ("dev", 60, 2)):
        made = [
            row | {"label": called.get(row["label"], row["label"])} for row in corpus(rows, seed)
        ]
        write_jsonl(tmp_path / f"{split}.jsonl", made)
    tree = tiny_tree("atnet") | {"task": {"name": name, "hidden": 0, "dropout": 0.1}}
    built = recipe.from_dict(tree, folder=tmp_path, where="test")
    summary = run.train(
        built, tmp_path / "run", device="cpu", resume=False, listener=lambda event: None
    )
    task = catalog.build_task(summary["task"])
    assert task.describe() == {key: summary["task"][key] for key in ("labels", "config")}
    assert isinstance(summary["dev"][task.score], float)
    assert summary["dev"][task.score] > 0.8
    export(str(tmp_path / "run"), tmp_path / "out", overrides=[], listener=lambda report: None)
    torch_model, *_ = run.open_run(tmp_path / "run")
    onnx_model = nlpkit.load(str(tmp_path / "out"), device="cpu", precision="fp32")
    texts = [row["text"] for row in corpus(40, 3)]
    pairs = zip(torch_model.outputs(texts), onnx_model.outputs(texts), strict=True)
    assert all(np.abs(np.subtract(*pair)).max() < 1e-5 for pair in pairs)
    done = cli("predict", "-m", tmp_path / "out", "--to", "jsonl", stdin=b"adorei\n")
    assert json.loads(done.stdout)["label"] == called.get("positive", "positive")
