"""Matrices in blocks of 4 and 8 bits: what is stored, what runs, and what a training reads back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Cli, Made
from hypothesis import given, settings, strategies as st

import nlpkit
from nlpkit import blocks
from nlpkit.blocks import BLOCK, packed, quantised, restored, unpacked
from nlpkit.jobs.export import export
from nlpkit.training import sources

TEXTS = ["bom demais", "ruim", "o livro tem 90 páginas", "não gostei, nunca mais", "😍 10"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]))
def test_error_is_within_a_step_and_bytes_come_back(seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(0, 10.0 ** rng.integers(-4, 4), (3, 2 * BLOCK)).astype(np.float32)
    stored = quantised(matrix, bits)
    again = unpacked(packed(stored.codes_NK, bits), bits)
    assert (again == stored.codes_NK).all()
    steps = np.abs(np.repeat(stored.scales_NS, BLOCK, axis=1))
    # The lowest code has no opposite: the largest value of the other sign may lose a whole step.
    assert (np.abs(restored(stored, bits) - matrix) <= 2.1 * steps).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_quantised_matrix_is_unchanged_by_quantising_it_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 16, (4, 3 * BLOCK)).astype(np.uint8)
    codes[:, ::BLOCK] = 0  # the largest weight of a block has the lowest code
    scales = rng.choice([-1, 1], (4, 3)) * rng.uniform(1e-4, 1, (4, 3))
    matrix = restored(blocks.Blocks(codes, scales.astype(np.float16).astype(np.float32)), 4)
    assert (restored(quantised(matrix, 4), 4) == matrix).all()


def test_zeros_stay_zeros() -> None:
    zeros = np.zeros((2, BLOCK), np.float32)
    assert (restored(quantised(zeros, 4), 4) == zeros).all()


@pytest.fixture(scope="module")
def wide(tiny_run: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a tiny network, all of whose matrices count as wide."""
    folder = tmp_path_factory.mktemp("wide") / "bundle"
    limits: Any = [
        'export.precisions=["fp32", "int8", "int4"]',
        "export.min_agreement=0.5",
        "export.max_score_drop=0.5",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LEAST", 32)
        export(str(tiny_run("bert")), folder, overrides=limits, listener=lambda report: None)
    return folder


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_blocks_run_and_answers_do_not_depend_on_the_batch(wide: Path, precision: str) -> None:
    content = (wide / f"model.{precision}.onnx").read_bytes()
    assert b"MatMulNBits" in content
    model = nlpkit.load(str(wide), device="cpu", precision=precision)
    together = model.predict(TEXTS)
    assert together == [model.predict([text])[0] for text in TEXTS]
    whole = nlpkit.load(str(wide), device="cpu", precision="fp32").predict(TEXTS)
    least = {"int8": 0.05, "int4": 0.6}[precision]
    for one, other in zip(together, whole, strict=True):
        assert abs(one.scores["positive"] - other.scores["positive"]) < least


@pytest.mark.parametrize("arch", ["atnet", "transformer", "lstm"])
def test_a_bundle_that_lacks_weights_is_refused(
    arch: str, tiny_bundle: Made, data: Path, quick_cli: Cli
) -> None:
    """The graph of an LSTM holds its matrices in another layout, so its run must be used."""
    files = ["--train", data / "train.jsonl", "--dev", data / "dev.jsonl"]
    quick = ["--set", "train.epochs=1", "--set", "train.threads=1", "--device", "cpu"]
    done = quick_cli("train", "--init", tiny_bundle(arch), *files, *quick, "-o", "run")
    if arch == "lstm":
        assert done.returncode == 2 and b"start from the run" in done.stderr
        assert done.stderr.count(b"\n") == 1
    else:
        assert done.returncode == 0, done.stderr


def test_training_starts_from_the_weights_of_a_bundle(
    wide: Path, tiny_run: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, bundle = sources.read(tiny_run("bert")), sources.read(wide)
    assert bundle.kind == run.kind and bundle.labels == run.labels
    for ours, theirs in ((bundle.encoder, run.encoder), (bundle.head, run.head)):
        assert ours.keys() == theirs.keys()
        assert all(np.allclose(ours[name], theirs[name]) for name in theirs)
    monkeypatch.setattr(blocks, "LEAST", 32)
    only = ['export.precisions=["int8"]', "export.min_agreement=0.5"]
    export(str(tiny_run("bert")), tmp_path / "out", overrides=only, listener=lambda report: None)
    rough = sources.read(tmp_path / "out")
    for name, tensor in run.encoder.items():
        step = float(tensor.abs().max()) / 127
        assert float((rough.encoder[name] - tensor).abs().max()) <= 1.1 * step, name
