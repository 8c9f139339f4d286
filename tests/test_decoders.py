"""The contract of decoders, tested for every decoder in the catalogue, with a source and alone."""

from __future__ import annotations

import pytest
import torch
from decoder_helpers import (
    SOURCE,
    VOCAB,
    Variant,
    begun,
    decoder_of,
    ids,
    named,
    network_of,
    numbers,
    variants,
)
from hypothesis import given, settings, strategies as st

from nlpkit.heads.written import IGNORED, ROUND, written_loss
from nlpkit.runtime.graphs import (
    BATCH,
    HELD,
    LOGITS,
    PAST,
    ROWS,
    TAKE,
)
from nlpkit.training.network import TorchRun

ALL = variants()
of_all = pytest.mark.parametrize("variant", ALL, ids=named)


@of_all
@settings(max_examples=15)
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
    assert states.keys() == last.keys() == decoder.state_axes.keys()
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
    assert outputs[LOGITS].shape == (ROUND, VOCAB) and count == 6
    gold = outputs["wanted"][outputs["wanted"] != IGNORED]
    expected = torch.nn.functional.cross_entropy(outputs[LOGITS][:count], gold)
    assert torch.allclose(written_loss(outputs, 0.0).mean(), expected)
    assert variant[2] or torch.equal(outputs["wanted"][0], read[0, 1:])


@of_all
@torch.no_grad()
def test_states_have_the_declared_axes(variant: Variant) -> None:
    decoder = decoder_of(variant)
    assert decoder.width == decoder.embed.weight.shape[1]
    mask_BS = torch.ones(3, 5, dtype=torch.bool)
    memory, states = begun(decoder, variant[2], numbers(13, 3, 5, SOURCE), mask_BS)
    lengths = {BATCH: 3, PAST: 0, "source": 5}
    declared = decoder.state_axes | (decoder.memory_axes if variant[2] else {})
    for name, axes in declared.items():
        shape = tuple(lengths.get(axis, axis) for axis in axes)
        assert (memory | states)[name].shape == shape, name
    if variant[2]:
        assert decoder.start(memory).keys() == decoder.start_axes.keys()
    hidden_BUD, _ = decoder(ids(14, 3, 2), memory, states)
    assert decoder.logits(hidden_BUD).shape == (3, 2, VOCAB)


def test_hold_axis_of_taken_rows_is_not_that_of_the_batch() -> None:
    """A batch may be padded to more rows than are taken of it."""
    for variant in ALL:
        take = TorchRun(network_of(variant)).signatures[TAKE]
        assert take.inputs[ROWS] == (BATCH,)
        assert {axes[0] for name, axes in take.inputs.items() if name != ROWS} == {HELD}
        assert {axes[0] for axes in take.outputs.values()} == {BATCH}
