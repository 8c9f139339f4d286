"""The models that ship with nlpkit exist and give their golden answers."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, TEXTS

import nlpkit
from nlpkit import zoo
from nlpkit.answers.surprise import Surprise
from nlpkit.answers.written import Written
from nlpkit.exporting.card import model_card
from nlpkit.runtime import onepass
from nlpkit.runtime.bundle import read_bundle

TREES = {
    path: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "export").glob("*/bundle.json"))
}
BUNDLED = [path for path, tree in TREES.items() if "cascade" not in tree]
SHIPPED = [(path.parent, precision) for path in BUNDLED for precision in TREES[path]["precisions"]]


@pytest.mark.parametrize(("path", "precision"), [pair for pair in SHIPPED if pair[1] != "fp16"])
def test_scores_do_not_depend_on_the_batch(path: Path, precision: str) -> None:
    model = nlpkit.load(str(path), device="cpu", precision=precision)
    texts = TEXTS * 2 + ["bom dia " * n for n in range(1, 30, 2)]
    together = outputs(model, texts)
    for size in (1, 5):
        for start in range(0, len(texts), size):
            some = outputs(model, texts[start : start + size])
            for one, other in zip(some, together[start : start + size], strict=True):
                assert (one is None and other is None) or np.array_equal(one, other)


def outputs(model: Any, texts: list[str]) -> list[Any]:
    """Return what the network computes for each text, before it is rounded."""
    if hasattr(model.task, "combine"):
        return onepass.outputs(model, texts)
    answers = model.predict(texts)
    if issubclass(model.task.answers, Written):  # a rounded number may choose another word
        return [None if answer is None else answer.text for answer in answers]
    if issubclass(model.task.answers, Surprise):
        return [answer and np.array([word.bits for word in answer.words]) for answer in answers]
    return [None if vector is None else vector.numbers for vector in answers]


@pytest.mark.parametrize(("path", "precision"), SHIPPED)
def test_a_bundled_model_gives_its_golden_answers(path: Path, precision: str) -> None:
    lines = (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    golden = [json.loads(line) for line in lines]
    model = zoo.open_bundle(path, device="cpu", precision=precision)
    texts = [line.pop("text") for line in golden]
    answers = model.predict(texts)
    exact = precision == TREES[path / "bundle.json"]["cpu_precision"]
    for line, answer in zip(golden, answers, strict=True):
        assert (answer is None) == (not line or line.get("label") == "")
        if answer is None:
            continue
        scores, said = line.pop("scores", {}), answer.plain()
        assert {label: said["scores"][label] for label in scores} == pytest.approx(
            scores, abs=2e-4 if exact else 0.05
        )
        vectors = [each.pop("embedding", []) for each in (line, said)]
        assert vectors[0] == pytest.approx(vectors[1], abs=2e-3)
        said.pop("scores", None)
        assert said == line or not exact


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.parent.name)
def test_manifests_of_both_formats_are_read(path: Path) -> None:
    tree = TREES[path]
    manifest = read_bundle(path.parent).manifest
    assert tree["format"] in (1, 2)
    assert manifest.graphs.keys() in ({"main"}, {"encode", "step", "take"}, {"step", "take"})
    assert manifest.tokenizer_kind == tree["training"]["recipe"]["tokenizer"]["kind"]
    task = zoo.open_bundle(path.parent, device="cpu").task
    if tree["format"] == 1:
        assert getattr(task, "temperature", 1.0) == tree["temperature"]


def test_bundled_models_exist_and_are_small_enough() -> None:
    found = {TREES[path]["architecture"]["name"] for path in BUNDLED}
    assert {"ngrams", "lstm", "atnet", "bert"} <= found
    assert (zoo.find_bundle("sentiment") / "model.int8.onnx").exists()
    files = [file for path in TREES for file in path.parent.iterdir()]
    assert max(file.stat().st_size for file in files) < 30e6
    of_wheel = [file for file in files if file.parent.name not in zoo.LOOSE]
    in_wheel = sum(len(zlib.compress(file.read_bytes(), 1)) for file in of_wheel)
    assert in_wheel < 97e6  # PyPI takes wheels of 100 MB; the code has 1


def test_the_cascade_asks_the_best_model_where_the_fast_one_is_unsure() -> None:
    texts = ["Adorei!", "Serve, mas o tamanho é menor"]
    fast, best, both = (
        zoo.load(name, device="cpu").predict(texts)
        for name in ("sentiment-atnet", "sentiment-best", "sentiment-auto")
    )
    assert both[0] == fast[0] != best[0]
    assert both[1] not in (fast[1], best[1])
    assert both[1].label == best[1].label != fast[1].label


def test_card_names_the_earlier_trainings_that_had_data() -> None:
    """A bundle that was imported and not trained, such as `base`, has no rows of its own."""
    manifest = json.loads((ROOT / "export/sentiment-best/bundle.json").read_text())
    source = {"file": "e5", "rows": 0, "licence": "MIT"}
    imported = {"name": "e5-small", "data": {"train": [source]}, "init": None}
    manifest["training"]["init"] = {"name": "base", "data": {"train": []}, "init": imported}
    card = model_card(manifest, nlpkit.load("sentiment").task)
    assert "Earlier training (e5-small)" in card and "Earlier training (base)" not in card
