"""Matrices in blocks of 4 and 8 bits and in int8 columns: stored, run, and read by a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import Cli, Made
from hypothesis import given, settings, strategies as st
from onnx import TensorProto, helper, numpy_helper

import nlpkit
from nlpkit import blocks
from nlpkit.blocks import BLOCK, packed, quantised, restored, unpacked
from nlpkit.exporting.recurrent import stored_in_int8
from nlpkit.exporting.rows import in_rows
from nlpkit.exporting.wide import in_blocks
from nlpkit.jobs.export import export
from nlpkit.runtime.widening import for_cuda
from nlpkit.training import sources

TEXTS = ["bom demais", "ruim", "o livro tem 90 páginas", "não gostei, nunca mais", "😍 10"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]))
def test_error_is_within_a_step_and_bytes_come_back(seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(0, 10.0 ** rng.integers(-6, 4), (3, 2 * BLOCK)).astype(np.float32)
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
    assert {"int8": b"MatMulInteger", "int4": b"MatMulNBits"}[precision] in content
    model = nlpkit.load(str(wide), device="cpu", precision=precision)
    together = model.predict(TEXTS)
    assert together == [model.predict([text])[0] for text in TEXTS]
    whole = nlpkit.load(str(wide), device="cpu", precision="fp32").predict(TEXTS)
    least = {"int8": 0.05, "int4": 0.6}[precision]
    for one, other in zip(together, whole, strict=True):
        assert abs(one.scores["positive"] - other.scores["positive"]) < least


def test_a_matrix_that_4_bits_hold_is_stored_in_them_and_multiplied_in_int8() -> None:
    rng = np.random.default_rng(1)
    trained_NK, imported_NK = (
        rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((288, 512), (512, 288))
    )
    imported_NK = restored(quantised(imported_NK, 4), 4)
    model = chained({"a.weight.T": trained_NK.T, "b.weight.T": imported_NK.T})
    coded = in_rows(model)
    assert coded is not None
    stored = {t.name: numpy_helper.to_array(t) for t in coded.graph.initializer}
    assert stored["a.weight.T_int8"].shape == (512, 288)
    pairs = np.abs(stored["a.weight.T_int8"].astype(int)).reshape(256, 2, 288).sum(axis=1)
    assert 120 <= pairs.max() <= 128  # 255 times it fits 16 bits
    assert stored["b.weight.T_q4"].dtype.name == "uint4"
    back = sources._widened(stored)
    assert np.array_equal(back["b.weight"], imported_NK)
    assert np.abs(back["a.weight"] - trained_NK).max() <= np.abs(trained_NK).max() / 60
    x = rng.normal(0, 1, (2, 3, 512)).astype(np.float32)
    x[1] *= 1000  # each row has its own scale
    x[0, 2] = 0
    plain, rows = (
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
        for m in (model, coded)
    )
    expected, found = (session.run(None, {"x": x})[0] for session in (plain, rows))
    assert np.isfinite(found).all() and (found[0, 2] == 0).all()
    for row, near in zip(found.reshape(6, -1), expected.reshape(6, -1), strict=True):
        assert np.abs(row - near).mean() <= 0.03 * max(np.abs(near).mean(), 1e-9)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_matrix_that_is_also_read_otherwise_stays(bits: int) -> None:
    """As the left factor, or by columns, a matrix has another layout than the codes."""
    rng = np.random.default_rng(1)
    matrix = numpy_helper.from_array(rng.normal(0, 1, (512, 512)).astype(np.float32), "w")
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [512, 512]) for name in ("x", "y")
    )
    columns = numpy_helper.from_array(np.array([3, 5]), "columns")
    for nodes in (
        [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node("MatMul", ["w", "z"], ["y"]),
        ],
        [helper.make_node("Gather", ["w", "columns"], ["y"], axis=1)],
    ):
        graph = helper.make_graph(nodes, "both", [x], [y], [matrix, columns])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
        assert in_blocks(model, bits) is None and in_rows(model) is None


def test_rows_are_widened_for_cuda(wide: Path) -> None:
    path = wide / "model.int8.onnx"
    content = for_cuda(path)
    assert isinstance(content, bytes)
    kinds = {node.op_type for node in onnx.load_model_from_string(content).graph.node}
    assert "MatMulInteger" in {node.op_type for node in onnx.load(path).graph.node}
    assert not {"MatMulInteger", "QuantizeLinear"} & kinds
    assert for_cuda(wide / "model.onnx") == str(wide / "model.onnx")
    ids = np.array([[5, 6, 7, 8]] * 2)
    inputs = {"ids": ids, "mask": np.ones(ids.shape, bool)}
    coded, widened = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        for model in (str(path), content)
    )
    for one, other in zip(coded.run(None, inputs), widened.run(None, inputs), strict=True):
        assert np.abs(one - other).max() <= 0.02 * np.abs(one).max()


def chained(matrices: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Return a graph that multiplies x by each matrix in turn."""
    names = ["x", *(f"y{place}" for place in range(len(matrices)))]
    nodes = [
        helper.make_node("MatMul", [before, matrix], [after])
        for before, matrix, after in zip(names, matrices, names[1:], strict=False)
    ]
    sizes = [next(iter(matrices.values())).shape[0], [*matrices.values()][-1].shape[1]]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "time", size])
        for name, size in zip((names[0], names[-1]), sizes, strict=True)
    ]
    tensors = [
        numpy_helper.from_array(np.ascontiguousarray(array), name)
        for name, array in matrices.items()
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


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


def test_matrices_of_recurrent_layers_are_stored_in_int8_and_read_as_float32() -> None:
    """As exported: a node reads the rows of a gate from the matrix, and joins them in its order."""
    rng = np.random.default_rng(2)
    width, hidden = 8, 4
    arrays = {
        "input": rng.normal(0, 0.3, (4 * hidden, width)),
        "state": rng.normal(0, 0.3, (4 * hidden, hidden)),
        "other": rng.normal(0, 0.3, (hidden, hidden)),
    }
    arrays["input"][0] = 0  # a row of zeros stays one
    tensors = [numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items()]
    tensors += [
        numpy_helper.from_array(np.array(value), name)
        for name, value in {"zero": [0], "half": [2 * hidden], "end": [4 * hidden]}.items()
    ]
    nodes = [
        helper.make_node("Slice", ["input", "zero", "half", "zero"], ["first"]),
        helper.make_node("Slice", ["input", "half", "end", "zero"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["joined"], axis=0),
        helper.make_node("Unsqueeze", ["joined", "zero"], ["w"]),
        helper.make_node("Unsqueeze", ["state", "zero"], ["r"]),
        helper.make_node("LSTM", ["x", "w", "r"], ["states"], hidden_size=hidden),
        helper.make_node("MatMul", ["states", "other"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y"))
    graph = helper.make_graph(nodes, "lstm", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    small = stored_in_int8(model)
    kept = {tensor.name: tensor.data_type for tensor in small.graph.initializer}
    assert kept["input_int8"] == kept["state_int8"] == TensorProto.INT8
    assert kept["other"] == TensorProto.FLOAT and not {"input", "state"} & kept.keys()
    inputs = {"x": rng.normal(0, 1, (5, 2, width)).astype(np.float32)}
    expected, found = (
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
        for m in (model, small)
    )
    error = np.abs(expected.run(None, inputs)[0] - found.run(None, inputs)[0])
    assert 0 < error.max() < 0.01
