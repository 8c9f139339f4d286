"""Language models in every precision: exported, opened and asked on a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pretraining_helpers import texts

from nlpkit.jobs.export import export
from nlpkit.runtime.writing import Manner
from nlpkit.settings import recipe as recipes
from nlpkit.training import run
from nlpkit.zoo import open_bundle

SIZES = {
    "transformer": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32},
    "lstm": {"embedding": 32, "hidden": 32, "layers": 1},
}
PRECISIONS = ("fp32", "int8", "fp16")


@pytest.mark.parametrize("decoder", SIZES)
def test_language_model_writes_in_every_precision(decoder: str, tmp_path: Path) -> None:
    for name, rows, seed in (("train", 40, 1), ("dev", 8, 2)):
        (tmp_path / f"{name}.txt").write_text("\n".join(texts(rows, seed)), encoding="utf-8")
    tree: dict[str, Any] = {
        "name": "x",
        "task": {"name": "generate", "source": False},
        "data": {"train": ["train.txt"], "dev": ["dev.txt"]},
        "tokenizer": {"vocab_size": 280, "window": 16, "overlap": 4},
        "decoder": {"name": decoder} | SIZES[decoder],
        "train": {"steps": 2, "eval_steps": 2, "batch_size": 8, "threads": 1},
    }
    recipe = recipes.from_dict(tree, folder=tmp_path, where="test")
    run.train(recipe, tmp_path / "run", device="cpu", resume=False, listener=lambda event: None)
    options = ["export.max_score_drop=1"]
    export(str(tmp_path / "run"), tmp_path / "x", overrides=options, listener=lambda report: None)
    for precision in PRECISIONS:
        model: Any = open_bundle(tmp_path / "x", device="cpu", precision=precision)
        (answer,) = model.task.write(model, ["O gato"], [0], Manner(longest=5))
        assert answer.text.startswith("O gato"), precision
