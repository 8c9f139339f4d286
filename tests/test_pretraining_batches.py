"""Batches of objectives: windows, whole-word masking, swapped halves, causal states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import tiny_tree

from nlpkit import catalog
from nlpkit.heads.pieces import Words
from nlpkit.objectives.mlm import second_halves_swapped
from nlpkit.runtime.batcher import pad
from nlpkit.training import corpus


@pytest.mark.parametrize("arch", ["lstm", "transformer"])
def test_causal_states_do_not_depend_on_later_tokens(arch: str) -> None:
    module = catalog.load("architectures", arch)
    sizes = {k: v for k, v in tiny_tree(arch)["architecture"].items() if k != "name"}
    sizes |= {"vocab_size": 50} | ({"max_length": 16} if arch == "transformer" else {})
    encoder = module.Encoder(module.Config(**sizes, **({"layers": 2} if arch == "lstm" else {})))
    encoder.eval()
    ids_BT = torch.randint(2, 50, (2, 9))
    mask_BT = torch.ones(2, 9, dtype=torch.bool)
    changed_BT = ids_BT.clone()
    changed_BT[:, 5] = (changed_BT[:, 5] - 1) % 48 + 2
    before, after = encoder.causal(ids_BT, mask_BT), encoder.causal(changed_BT, mask_BT)
    assert torch.equal(before[0][:, :5], after[0][:, :5])
    assert not torch.equal(before[0][:, 5:], after[0][:, 5:])
    for back, again in zip(before[1:], after[1:], strict=True):
        assert torch.equal(back[:, 6:], again[:, 6:])
        assert not torch.equal(back[:, :6], again[:, :6])


def test_masking_hides_whole_words() -> None:
    pieces = ["[PAD]", "[UNK]", "▁ga", "to", "▁mia", ".", "x"]
    words = Words(pieces)
    ids_BT = np.array([[2, 3, 4, 5, 6, 3]] * 200)
    mask_BT = np.ones_like(ids_BT, dtype=bool)
    mask_BT[:, 5] = False
    hidden_BT = words.hidden(ids_BT, mask_BT, 0.5, np.random.default_rng(1))
    assert (hidden_BT[:, 0] == hidden_BT[:, 1]).all(), "two pieces of a word go together"
    assert not hidden_BT[:, 5].any(), "padding is never hidden"
    for one, other in ((1, 2), (2, 3), (3, 4)):
        assert (hidden_BT[:, one] != hidden_BT[:, other]).any(), "words go alone"
    assert 0.4 < hidden_BT[:, :5].mean() < 0.6


def test_swapped_halves_stay_padded_and_are_marked() -> None:
    rows = [np.arange(2, 2 + length) for length in (9, 8, 9, 6)]
    batch = pad(rows, [0, 1, 2, 3], 16)
    for seed in range(20):
        ids_BT, mask_BT, follows_B = second_halves_swapped(
            batch.ids_BT, batch.mask_BT, np.random.default_rng(seed)
        )
        assert ((ids_BT > 0) == mask_BT).all()
        assert (np.diff(mask_BT.astype(int), axis=1) <= 0).all(), "padding is at the end"
        for row, follows in enumerate(follows_B):
            if follows:
                assert (ids_BT[row] == batch.ids_BT[row]).all()
    alone = pad(rows[:1], [0], 16)
    assert second_halves_swapped(alone.ids_BT, alone.mask_BT, np.random.default_rng(3))[2][0] == 1


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Callable[[list[int]], corpus.Corpus]]:
    def make(lengths: list[int]) -> corpus.Corpus:
        ids = np.arange(sum(lengths), dtype=np.uint16)
        return corpus.Corpus(tmp_path, ids, np.cumsum([0, *lengths]))

    yield make


def test_an_epoch_reads_every_window_once(small: Callable[[list[int]], corpus.Corpus]) -> None:
    made = small([3, 4, 10, 25, 8, 31])
    windows = made.windows(10)
    assert windows.tolist() == [
        [3, 4], [7, 10], [17, 10], [27, 10], [37, 5], [42, 8], [50, 10], [60, 10], [70, 10]
    ]  # fmt: skip
    plan = corpus.Plan(made, windows, tokens=32, seed=1, epoch=0)
    rows = np.concatenate(plan.batches)
    assert sorted(rows.tolist()) == list(range(len(windows)))
    seen = []
    for place in range(len(plan.batches)):
        batch = plan.batch(place)
        assert batch.ids_BT.size <= 32
        seen += batch.ids_BT[batch.mask_BT].tolist()
    assert len(seen) == len(set(seen)) == int(windows[:, 1].sum())
    again = corpus.Plan(made, windows, tokens=32, seed=1, epoch=1)
    assert np.concatenate(again.batches).tolist() != rows.tolist()
