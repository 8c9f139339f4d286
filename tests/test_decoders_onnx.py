"""Decoders as ONNX: equal to torch for any length, and small and close in 8 and 4 bits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from decoder_helpers import (
    PIECES,
    WIDE,
    WINDOW,
    Ids,
    Variant,
    named,
    network_of,
    session_run,
    variants,
)
from onnx import numpy_helper

from nlpkit.exporting.gate import cases, padding_difference
from nlpkit.exporting.onnx import Exported, to_onnx
from nlpkit.exporting.precision import WRITTEN
from nlpkit.runtime import beam
from nlpkit.runtime.choosing import likeliest
from nlpkit.runtime.generate import Decoding, Draft, write
from nlpkit.runtime.graphs import (
    BATCH,
    ENCODE,
    IDS,
    LOGITS,
    MASK,
    NEXT,
    PAST,
    PLACE,
    SOURCE,
    STEP,
    SURPRISE,
    TAKE,
    TIME,
    TOKENS,
    zeros,
)
from nlpkit.training.network import TorchRun


def exported_variants() -> list[Variant]:
    """Return each decoder with a source and alone, in windows where it has them, and without."""
    chosen = [each for each in variants() if not each[1] or "near" in each[1]]
    windowed = {name for name, given, _ in chosen if given}
    return [each for each in chosen if each[1] or not each[2] or each[0] not in windowed]


VARIANTS = exported_variants()
every = pytest.mark.parametrize("index", range(len(VARIANTS)), ids=[*map(named, VARIANTS)])


@cache
def exported(index: int) -> tuple[TorchRun, dict[str, Exported], Any]:
    """Return a network in torch, its graphs in ONNX, and a run of them."""
    _, given, source = VARIANTS[index]
    layers = 1 if given or source else 2  # the export takes a second for each layer
    network = network_of(VARIANTS[index], WIDE | {"layers": layers}, PIECES)
    graphs = to_onnx(network, Ids(PIECES))
    models = {name: graph.model for name, graph in graphs.items()}
    return TorchRun(network), graphs, session_run(graphs, models)


def random_ids(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, PIECES, shape)


@every
def test_onnx_equals_torch_alone_and_padded(index: int) -> None:
    run, graphs, onnx = exported(index)
    expected = {ENCODE, STEP, TAKE} if VARIANTS[index][2] else {STEP, TAKE}
    assert graphs.keys() == run.signatures.keys() == expected
    for case in cases(run, Ids(PIECES), WINDOW):
        signature = run.signatures[case.graph]
        assert padding_difference(run, case.graph, signature, case.feeds) < 1e-5
        made = onnx(case.graph, case.feeds, tuple(signature.outputs))
        for name, axes in signature.outputs.items():
            by_token = MASK in case.feeds and tuple(axes[:2]) == (BATCH, TIME)
            real = case.feeds[MASK] if by_token else slice(None)
            one, other = (np.asarray(each[name], float) for each in (made, case.expected))
            assert np.abs(one - other)[real].max() < 1e-4, name


@every
@pytest.mark.parametrize("past", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("tokens", [1, 2, 6])
def test_onnx_step_after_any_number_of_tokens(index: int, past: int, tokens: int) -> None:
    run, _, onnx = exported(index)
    signature = run.signatures[STEP]
    if signature.inputs[IDS][1] == 1 and tokens > 1:
        return
    feeds = zeros(signature.inputs, {BATCH: 2, PAST: past, TOKENS: tokens, SOURCE: 4})
    rng = np.random.default_rng(past)
    for name, array in feeds.items():
        array[:] = True if name == MASK else past if name == PLACE else rng.normal(size=array.shape)
    feeds[IDS] = random_ids(past, 2, tokens)
    ours, theirs = (each(STEP, feeds, tuple(signature.outputs)) for each in (run, onnx))
    for name in signature.outputs:
        assert ours[name].shape == theirs[name].shape, name
        assert np.abs(ours[name] - theirs[name]).max(initial=0) < 1e-4, name
    if near := VARIANTS[index][1].get("near", 0):
        assert ours[f"{NEXT}keys_0"].shape[1] == min(past + tokens, near - 1)


@every
def test_rows_are_taken_in_any_order(index: int) -> None:
    """Rows may be taken more than once; the padding of a batch is not among them."""
    source = {IDS: random_ids(1, 3, 4), MASK: np.ones((3, 4), dtype=bool)}
    first_BU, next_BU, rows = random_ids(2, 3, 1), random_ids(3, 3, 1), [2, 0, 2, 1, 1]
    for run in (exported(index)[0], exported(index)[2]):
        decoding = Decoding(run, source if VARIANTS[index][2] else {}, 3)
        decoding.read(first_BU)
        before = dict(decoding.arrays)
        expected = decoding.read(next_BU)
        decoding.arrays = before
        decoding.take(rows)
        assert decoding.rows == 5
        assert np.abs(decoding.read(next_BU[rows]) - expected[rows]).max() < 1e-5


@every
def test_torch_and_onnx_write_the_same_texts(index: int) -> None:
    lengths = [1, 4, 2, 3, 4]
    mask_BS = np.arange(4) < np.array(lengths)[:, None]
    source = {IDS: random_ids(5, 5, 4) * mask_BS, MASK: mask_BS} if VARIANTS[index][2] else {}
    written = []
    for run in (exported(index)[0], exported(index)[2]):
        prompts = [random_ids(6, length).tolist() for length in lengths]
        drafts = [Draft(prompt, 6) for prompt in prompts]
        for _ in write(run, source, drafts, likeliest, eos=3):
            pass
        begun = [Draft([2], 6) for _ in lengths]
        found = beam.search(run, source, begun, 3, eos=3)
        written.append([draft.ids for draft in [*drafts, *found]])
        logprobs = [draft.logprobs for draft in drafts]
        written.append([[round(each, 3) for each in row] for row in logprobs])
    assert written[:2] == written[2:]


@every
def test_surprise_is_the_log_probability_of_each_token(index: int) -> None:
    if VARIANTS[index][2]:
        return
    for run in (exported(index)[0], exported(index)[2]):
        ids_BU, decoding = random_ids(4, 2, 6), Decoding(run, {}, 2)
        nats_BU = run(STEP, {IDS: ids_BU} | decoding.arrays, (SURPRISE,))[SURPRISE]
        assert (nats_BU[:, 0] == 0).all()
        for place in range(5):
            logits_BV = decoding.read(ids_BU[:, place : place + 1]).astype(np.float64)
            probs_BV = np.exp(logits_BV) / np.exp(logits_BV).sum(axis=1, keepdims=True)
            chosen_B = probs_BV[[0, 1], ids_BU[:, place + 1]]
            assert np.abs(nats_BU[:, place + 1] + np.log(chosen_B)).max() < 1e-4


@every
@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_quantised_graphs_load_and_stay_close(index: int, precision: str) -> None:
    run, graphs, _ = exported(index)
    models = {STEP: WRITTEN[precision](graphs[STEP].model)}
    onnx = session_run(graphs, models)
    likeness: list[float] = []
    for case in cases(run, Ids(PIECES), WINDOW):
        if case.graph == STEP:
            made = onnx(STEP, case.feeds, (LOGITS,))[LOGITS]
            assert padding_difference(onnx, STEP, run.signatures[STEP], case.feeds) < 1e-4
            likeness += cosine(made, case.expected[LOGITS])
    assert np.mean(likeness) > {"int8": 0.999, "int4": 0.97}[precision]


@every
def test_table_that_is_the_output_layer_too_is_stored_once(index: int) -> None:
    _, graphs, _ = exported(index)
    model = WRITTEN["int8"](graphs[STEP].model)
    assert model is not None
    tables = [
        numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.name.startswith("decoder.embed")
    ]
    assert PIECES * 32 <= sum(table.nbytes for table in tables) < 1.1 * PIECES * 32
    assert {node.op_type for node in model.graph.node} >= {"GatherBlockQuantized", "MatMulNBits"}
    assert model.ByteSize() < 0.5 * graphs[STEP].model.ByteSize()


def cosine(one: np.ndarray, other: np.ndarray) -> list[float]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    likeness: list[float] = ((one * other).sum(axis=1) / lengths).tolist()
    return likeness
