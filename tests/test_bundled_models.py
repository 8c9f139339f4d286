"""The models that ship with nlpkit exist and give their golden answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TEXTS

import nlpkit
from nlpkit import zoo
from nlpkit.runtime import onepass
from nlpkit.runtime.bundle import read_bundle

BUNDLED = sorted((ROOT / "export").glob("*/bundle.json"))
SHIPPED = [
    (path.parent, precision)
    for path in BUNDLED
    for precision in json.loads(path.read_text(encoding="utf-8"))["precisions"]
]


@pytest.mark.parametrize(("path", "precision"), [pair for pair in SHIPPED if pair[1] != "fp16"])
def test_scores_do_not_depend_on_the_batch(path: Path, precision: str) -> None:
    model = nlpkit.load(str(path), device="cpu", precision=precision)
    texts = TEXTS * 4 + ["bom dia " * n for n in range(1, 30)]
    together = onepass.outputs(model, texts)
    for size in (1, 3, 7):
        for start in range(0, len(texts), size):
            some = onepass.outputs(model, texts[start : start + size])
            for one, other in zip(some, together[start : start + size], strict=True):
                assert (one is None and other is None) or np.array_equal(one, other)


@pytest.mark.parametrize(("path", "precision"), SHIPPED)
def test_a_bundled_model_gives_its_golden_answers(path: Path, precision: str) -> None:
    lines = (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    golden = [json.loads(line) for line in lines]
    model = zoo.open_bundle(path, device="cpu", precision=precision)
    texts = [line.pop("text") for line in golden]
    by_space = (
        model.tokenizer.kind == "words"
    )  # how texts were split when the golden answers were written
    answers = model.predict([text.split() for text in texts] if by_space else texts)
    exact = precision == json.loads((path / "bundle.json").read_text())["cpu_precision"]
    for line, answer in zip(golden, answers, strict=True):
        assert (answer is None) == (not line or line.get("label") == "")
        if answer is None:
            continue
        scores, said = line.pop("scores", {}), answer.plain()
        assert {label: said["scores"][label] for label in scores} == pytest.approx(
            scores, abs=2e-4 if exact else 0.05
        )
        said.pop("scores", None)
        assert said == line or not exact


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.parent.name)
def test_manifests_of_both_formats_are_read(path: Path) -> None:
    tree = json.loads(path.read_text(encoding="utf-8"))
    manifest = read_bundle(path.parent).manifest
    assert tree["format"] in (1, 2)
    assert manifest.graphs.keys() == {"main"}
    assert manifest.tokenizer_kind == tree["training"]["recipe"]["tokenizer"]["kind"]
    task = zoo.open_bundle(path.parent, device="cpu").task
    if tree["format"] == 1:
        assert getattr(task, "temperature", 1.0) == tree["temperature"]


def test_bundled_models_exist_and_are_small_enough() -> None:
    found = {
        json.loads(path.read_text())["architecture"]["name"]: path.parent.name for path in BUNDLED
    }
    assert {"ngrams", "lstm", "atnet", "transformer"} <= found.keys()
    assert (zoo.find_bundle("sentiment") / "model.int8.onnx").exists()
    sizes = [sum(file.stat().st_size for file in path.parent.iterdir()) for path in BUNDLED]
    assert max(sizes) < 30e6
    assert sum(sizes) < 80e6
