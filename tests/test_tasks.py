"""Contracts that every task keeps, found by the catalogue."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import corpus, sentences, tiny_tree, write_jsonl

import nlpkit
from nlpkit import catalog, tasks
from nlpkit.jobs.export import export
from nlpkit.settings import recipe
from nlpkit.training import run
from nlpkit.training.opened import open_run

# The labels of each task's tiny examples, where they are free to choose.
LABELS = {"classify": {"positive": "elogio", "negative": "queixa", "neutral": "fato"}}
OF_WORDS = {"lemma"}


def examples(task: str, rows: int, seed: int) -> list[dict[str, Any]]:
    """Return rows that a task learns in a few seconds."""
    if task in OF_WORDS:
        return sentences(rows, seed)
    called = LABELS.get(task, {})
    return [row | {"label": called.get(row["label"], row["label"])} for row in corpus(rows, seed)]


def tree_of(task: str) -> dict[str, Any]:
    """Return the recipe of a task's tiny run."""
    if task not in OF_WORDS:
        return tiny_tree("atnet") | {"task": {"name": task, "hidden": 0, "dropout": 0.1}}
    source = {"text": "words", "label": "upos"}
    data = {name: [{"path": f"{name}.jsonl"} | source] for name in ("train", "dev")}
    return tiny_tree("wordlstm") | {"task": {"name": task, "hidden": 16}, "data": data}


@pytest.mark.parametrize("name", catalog.names("tasks"))
def test_a_task_learns_exports_and_answers_alike_in_torch_and_onnx(
    name: str, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    for split, rows, seed in (("train", 300, 1), ("dev", 60, 2)):
        write_jsonl(tmp_path / f"{split}.jsonl", examples(name, rows, seed))
    built = recipe.from_dict(tree_of(name), folder=tmp_path, where="test")
    summary = run.train(
        built, tmp_path / "run", device="cpu", resume=False, listener=lambda event: None
    )
    task = tasks.build(summary["task"])
    assert {"name": name} | task.describe() == summary["task"]
    assert isinstance(summary["dev"][task.score], float)
    assert summary["dev"][task.score] > 0.8
    export(str(tmp_path / "run"), tmp_path / "out", overrides=[], listener=lambda report: None)
    torch_model, *_ = open_run(tmp_path / "run")
    onnx_model = nlpkit.load(str(tmp_path / "out"), device="cpu", precision="fp32")
    field = "words" if name in OF_WORDS else "text"
    documents = [row[field] for row in examples(name, 40, 3)]
    pairs = zip(torch_model.outputs(documents), onnx_model.outputs(documents), strict=True)
    assert all(np.abs(np.subtract(*pair)).max() < 1e-5 for pair in pairs)
    assert onnx_model.predict([documents[0][:0], documents[0]])[0] is None
    if name in OF_WORDS:
        assert torch_model.predict(documents) == onnx_model.predict(documents)
        return
    done = cli("predict", "-m", tmp_path / "out", "--to", "jsonl", stdin=b"adorei\n")
    assert json.loads(done.stdout)["label"] == LABELS.get(name, {}).get("positive", "positive")
