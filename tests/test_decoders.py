"""The contract of decoders, tested for every decoder in the catalogue, with a source and alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from decoder_helpers import (
    SMALL,
    SOURCE,
    VOCAB,
    WINDOW,
    Ids,
    Variant,
    begun,
    decoder_of,
    ids,
    named,
    network_of,
    numbers,
    session_run,
    variants,
)
from hypothesis import given, strategies as st
from onnx import numpy_helper

from nlpkit.exporting.gate import cases, padding_difference
from nlpkit.exporting.onnx import Exported, to_onnx
from nlpkit.exporting.precision import WRITTEN
from nlpkit.heads.written import IGNORED, empty
from nlpkit.runtime.generate import Decoding
from nlpkit.runtime.graphs import (
    BATCH,
    ENCODE,
    HELD,
    IDS,
    LOGITS,
    MASK,
    NEXT,
    PAST,
    ROWS,
    STEP,
    SURPRISE,
    TAKE,
    TOKENS,
)
from nlpkit.training.network import TorchRun

ALL = variants()
PLAIN = [variant for variant in ALL if not variant[1]]
EXPORTED = [*PLAIN, *(each for each in ALL if "near" in each[1])]
# Wide enough to be quantised: matrices of 1024 elements, rows of 32.
WIDE = SMALL | {"width": 32, "embedding": 32, "hidden": 32, "feedforward": 64}
PIECES = 400
of_all = pytest.mark.parametrize("variant", ALL, ids=named)


@of_all
@given(cuts=st.lists(st.integers(1, 4), min_size=9, max_size=9))
@torch.no_grad()
def test_step_by_step_equals_teacher_forcing(variant: Variant, cuts: list[int]) -> None:
    """Tokens may be read one by one, some at a time, or all at once."""
    decoder = decoder_of(variant)
    mask_BS = torch.arange(5) < torch.tensor([[5], [2], [1]])
    memory, states = begun(decoder, variant[2], numbers(1, 3, 5, SOURCE), mask_BS)
    ids_BU = ids(2, 3, 9)
    whole_BUD, last = decoder(ids_BU, memory, states)
    parts, start = [], 0
    for size in cuts:
        if start < 9:
            hidden_BUD, states = decoder(ids_BU[:, start : start + size], memory, states)
            parts.append(hidden_BUD)
            start += size
    assert (torch.cat(parts, dim=1) - whole_BUD).abs().max() < 1e-5
    assert states.keys() == last.keys() == decoder.held.keys()
    for name, state in last.items():
        assert (states[name] - state).abs().max() < 1e-5, name


@of_all
@torch.no_grad()
def test_row_alone_equals_row_in_a_batch(variant: Variant) -> None:
    """Padding of the source and of the text may hold anything."""
    decoder = decoder_of(variant)
    sizes, lengths = [6, 1, 4], [2, 7, 5]
    states_BSD, ids_BU = numbers(3, 3, 6, SOURCE), ids(4, 3, 7)
    memory, states = begun(
        decoder, variant[2], states_BSD, torch.arange(6) < torch.tensor(sizes)[:, None]
    )
    together_BUD, _ = decoder(ids_BU, memory, states)
    for row, (size, length) in enumerate(zip(sizes, lengths, strict=True)):
        alone = begun(
            decoder,
            variant[2],
            states_BSD[row : row + 1, :size],
            torch.ones(1, size, dtype=torch.bool),
        )
        hidden_1UD, _ = decoder(ids_BU[row : row + 1, :length], *alone)
        assert (hidden_1UD[0] - together_BUD[row, :length]).abs().max() < 1e-5


@of_all
@torch.no_grad()
def test_later_tokens_change_nothing_and_earlier_ones_do(variant: Variant) -> None:
    decoder = decoder_of(variant)
    memory, states = begun(
        decoder, variant[2], numbers(5, 1, 3, SOURCE), torch.ones(1, 3, dtype=torch.bool)
    )
    before, after = ids(6, 1, 8), ids(6, 1, 8)
    after[0, 4] = before[0, 4] % (VOCAB - 1) + 1
    one, other = (decoder(each, memory, states)[0][0] for each in (before, after))
    assert torch.equal(one[:4], other[:4])
    assert (one[4:6] - other[4:6]).abs().amax(dim=-1).min() > 1e-4


@of_all
def test_gradient_reaches_every_parameter(variant: Variant) -> None:
    network = network_of(variant).train()
    read, mask = ids(7, 8, 12), torch.ones(8, 12, dtype=torch.bool)
    targets = {"previous": ids(8, 8, 6), "wanted": ids(9, 8, 6)} if variant[2] else None
    network(read, mask, targets)[LOGITS].logsumexp(dim=-1).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@of_all
@torch.no_grad()
def test_head_gives_logits_of_the_tokens_to_be_predicted(variant: Variant) -> None:
    network = network_of(variant)
    read = ids(10, 2, 5)
    mask = torch.arange(5) < torch.tensor([[5], [3]])
    wanted = ids(11, 2, 4).masked_fill(torch.arange(4) >= torch.tensor([[4], [2]]), IGNORED)
    targets = {"previous": ids(12, 2, 4), "wanted": wanted} if variant[2] else None
    outputs = network(read, mask, targets)
    count = int((outputs["wanted"] != IGNORED).sum())
    assert outputs[LOGITS].shape == (count, VOCAB) and count == 6
    assert variant[2] or torch.equal(outputs["wanted"][0], read[0, 1:])


@of_all
@torch.no_grad()
def test_states_have_the_declared_axes(variant: Variant) -> None:
    decoder = decoder_of(variant)
    assert decoder.width == decoder.embed.weight.shape[1]
    mask_BS = torch.ones(3, 5, dtype=torch.bool)
    memory, states = begun(decoder, variant[2], numbers(13, 3, 5, SOURCE), mask_BS)
    lengths = {BATCH: 3, PAST: 0, "source": 5}
    declared = decoder.held | (decoder.remembered if variant[2] else {})
    for name, axes in declared.items():
        shape = tuple(lengths.get(axis, axis) for axis in axes)
        assert (memory | states)[name].shape == shape, name
    if variant[2]:
        assert decoder.start(memory).keys() == decoder.begun.keys()
    hidden_BUD, _ = decoder(ids(14, 3, 2), memory, states)
    assert decoder.logits(hidden_BUD).shape == (3, 2, VOCAB)


@cache
def exported(index: int) -> tuple[TorchRun, dict[str, Exported], Any]:
    """Return a network in torch, its graphs in ONNX, and a run of them."""
    network = network_of(EXPORTED[index])
    graphs = to_onnx(network, Ids())
    models = {name: graph.model for name, graph in graphs.items()}
    return TorchRun(network), graphs, session_run(graphs, models)


of_exported = pytest.mark.parametrize(
    "index", range(len(EXPORTED)), ids=[named(variant) for variant in EXPORTED]
)


@of_exported
def test_onnx_equals_torch_alone_and_padded(index: int) -> None:
    run, graphs, onnx = exported(index)
    expected = {ENCODE, STEP, TAKE} if EXPORTED[index][2] else {STEP, TAKE}
    assert graphs.keys() == run.signatures.keys() == expected
    for case in cases(run, Ids(), WINDOW):
        signature = run.signatures[case.graph]
        assert padding_difference(run, case.graph, signature, case.feeds) < 1e-5
        made = onnx(case.graph, case.feeds, tuple(signature.outputs))
        for name, axes in signature.outputs.items():
            real = slice(None)
            if MASK in case.feeds and tuple(axes[:2]) == ("batch", "time"):
                real = case.feeds[MASK]
            assert np.abs(made[name] - case.expected[name])[real].max() < 1e-4, name


@of_exported
@pytest.mark.parametrize("past", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("tokens", [1, 2, 6])
def test_onnx_steps_after_any_number_of_tokens(index: int, past: int, tokens: int) -> None:
    run, _, onnx = exported(index)
    signature = run.signatures[STEP]
    if signature.inputs[IDS][1] == 1 and tokens > 1:
        return
    rng = np.random.default_rng(past)
    lengths = {BATCH: 2, PAST: past, TOKENS: tokens, "source": 4}
    feeds: dict[str, Any] = {}
    for name, axes in signature.inputs.items():
        shape = [axis if isinstance(axis, int) else lengths[axis] for axis in axes]
        feeds[name] = rng.normal(size=shape).astype("float32")
    feeds[IDS] = rng.integers(1, VOCAB, (2, tokens))
    if "place" in feeds:
        feeds["place"] = np.full(2, past)
    if MASK in feeds:
        feeds[MASK] = np.ones((2, 4), dtype=bool)
    ours, theirs = (each(STEP, feeds, tuple(signature.outputs)) for each in (run, onnx))
    for name in signature.outputs:
        assert ours[name].shape == theirs[name].shape, name
        assert np.abs(ours[name] - theirs[name]).max(initial=0) < 1e-4, name
    near = EXPORTED[index][1].get("near", 0)
    if near:
        assert ours[f"{NEXT}keys_0"].shape[1] == min(past + tokens, near - 1)


@of_exported
def test_taken_rows_stay_on_the_device_and_in_order(index: int) -> None:
    """Rows may be taken more than once; the padding of a batch is not among them."""
    for run in (exported(index)[0], exported(index)[2]):
        source = {IDS: ids(15, 3, 4).numpy(), MASK: np.ones((3, 4), dtype=bool)}
        decoding = Decoding(run, source if EXPORTED[index][2] else {}, 3)
        first_BU, next_BU = ids(16, 3, 1).numpy(), ids(17, 3, 1).numpy()
        decoding.read(first_BU)
        before = dict(decoding.arrays)
        expected = decoding.read(next_BU)
        decoding.arrays = before
        rows = [2, 0, 2, 1, 1]
        decoding.take(rows)
        assert decoding.rows == 5
        assert np.abs(decoding.read(next_BU[rows]) - expected[rows]).max() < 1e-5


@pytest.mark.parametrize("variant", [each for each in EXPORTED if not each[2]], ids=named)
def test_surprise_is_the_log_probability_of_each_token(variant: Variant) -> None:
    run = TorchRun(network_of(variant))
    ids_BU = ids(18, 2, 6).numpy()
    states = {
        name: state.numpy() for name, state in empty(run.network.head.decoder, ids(1, 2)).items()
    }
    nats_BU = run(STEP, {IDS: ids_BU} | states, (SURPRISE,))[SURPRISE]
    decoding = Decoding(run, {}, 2)
    assert (nats_BU[:, 0] == 0).all()
    for place in range(5):
        logits_BV = decoding.read(ids_BU[:, place : place + 1]).astype(np.float64)
        probs_BV = np.exp(logits_BV) / np.exp(logits_BV).sum(axis=1, keepdims=True)
        chosen_B = probs_BV[[0, 1], ids_BU[:, place + 1]]
        assert np.abs(nats_BU[:, place + 1] + np.log(chosen_B)).max() < 1e-5


@pytest.mark.parametrize("precision", ["int8", "int4"])
@pytest.mark.parametrize("variant", PLAIN, ids=named)
def test_quantised_graphs_load_and_stay_close(variant: Variant, precision: str) -> None:
    graphs, run = wide(variant)
    models = {name: WRITTEN[precision](graph.model) for name, graph in graphs.items()}
    assert models[STEP] is not None
    onnx = session_run(graphs, {n: m or graphs[n].model for n, m in models.items()})
    likeness = []
    for case in cases(run, Ids(PIECES), WINDOW):
        if case.graph == STEP:
            made = onnx(STEP, case.feeds, (LOGITS,))[LOGITS]
            assert padding_difference(onnx, STEP, run.signatures[STEP], case.feeds) < 1e-4
            likeness += cosine(made, case.expected[LOGITS])
    assert np.mean(likeness) > {"int8": 0.999, "int4": 0.97}[precision]


@pytest.mark.parametrize("variant", PLAIN, ids=named)
def test_table_that_is_the_output_layer_too_is_stored_once(variant: Variant) -> None:
    graphs, _ = wide(variant)
    model = WRITTEN["int8"](graphs[STEP].model)
    assert model is not None
    tables = [
        numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.name.startswith("decoder.embed")
    ]
    numbers_of_table = PIECES * 32
    assert sum(table.nbytes for table in tables) < 1.2 * numbers_of_table
    assert model.ByteSize() < 0.5 * graphs[STEP].model.ByteSize()


def cosine(one: np.ndarray, other: np.ndarray) -> list[float]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    likeness: list[float] = ((one * other).sum(axis=1) / lengths).tolist()
    return likeness


def wide(variant: Variant) -> tuple[dict[str, Exported], TorchRun]:
    return _wide(PLAIN.index(variant))


@cache
def _wide(index: int) -> tuple[dict[str, Exported], TorchRun]:
    network = network_of(PLAIN[index], WIDE, PIECES)
    return to_onnx(network, Ids(PIECES)), TorchRun(network)


def test_hold_axis_of_taken_rows_is_not_that_of_the_batch() -> None:
    """A batch may be padded to more rows than are taken of it."""
    for variant in PLAIN:
        take = TorchRun(network_of(variant)).signatures[TAKE]
        assert take.inputs[ROWS] == (BATCH,)
        assert {axes[0] for name, axes in take.inputs.items() if name != ROWS} == {HELD}
        assert {axes[0] for axes in take.outputs.values()} == {BATCH}
