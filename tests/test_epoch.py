"""The parts and batches of an epoch: what is read, how often, and how much of it is padding."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nlpkit.runtime.batcher import padded_length
from nlpkit.text.windows import Consecutive, Slide, Truncate
from nlpkit.training.epoch import Epoch, cut_by_tokens

LENGTHS = st.lists(st.integers(2, 60), min_size=1, max_size=12)


def ids_of(lengths: list[int]) -> list[np.ndarray]:
    """Return documents whose ids tell the document and the place."""
    return [np.arange(length) + 1000 * row + 1 for row, length in enumerate(lengths)]


@given(lengths=LENGTHS, size=st.integers(3, 20), seed=st.integers(0, 99), epoch=st.integers(0, 5))
def test_every_token_is_predicted_once_in_an_epoch(
    lengths: list[int], size: int, seed: int, epoch: int
) -> None:
    """All but the first token of a document, which nothing precedes."""
    rng = np.random.default_rng([seed, epoch])
    crops = Consecutive(size, 0).crops(np.array(lengths), rng)
    predicted = Counter[tuple[int, int]]()
    for owner, start, end in zip(*(array.tolist() for array in crops), strict=True):
        assert 0 <= start < end <= lengths[owner] and 2 <= end - start <= size
        predicted.update((owner, place) for place in range(start + 1, end))
    assert predicted == {
        (row, place): 1 for row, length in enumerate(lengths) for place in range(1, length)
    }


def test_cuts_of_a_long_document_differ_by_epoch_and_short_ones_stay_whole() -> None:
    starts = set()
    for epoch in range(9):
        crops = Consecutive(8, 2).crops(np.array([8, 40]), np.random.default_rng(epoch))
        assert (crops.owner_W == 0).sum() == 1 and crops.end_W[0] == 8
        starts.add(tuple(crops.start_W[1:].tolist()))
    assert len(starts) > 3


@given(
    lengths=LENGTHS,
    size=st.integers(3, 20),
    tokens=st.integers(1, 200),
    policy=st.sampled_from([Slide, Truncate, Consecutive]),
    seed=st.integers(0, 9),
)
def test_batches_hold_every_part_and_keep_to_the_budget(
    lengths: list[int], size: int, tokens: int, policy: type[Slide], seed: int
) -> None:
    ids = ids_of(lengths)
    made = Epoch(
        ids, batch_size=4, batch_tokens=tokens, windows=policy(size, 2), seed=seed, epoch=1
    )
    held = []
    for batch, spans in made.batches(0, 0, 1):
        assert batch.ids_BT.size <= tokens or len(batch.rows) == 1
        assert batch.ids_BT.shape[1] == padded_length(int(batch.mask_BT.sum(axis=1).max()))
        for row, (start, end), own, mask in zip(
            batch.rows, spans, batch.ids_BT, batch.mask_BT, strict=True
        ):
            assert np.array_equal(own[mask], ids[row][start:end])
            held.append((row, start, end))
    crops = zip(*(array.tolist() for array in made.crops), strict=True)
    assert sorted(held) == sorted(crops)


def test_batches_of_documents_are_of_the_size_that_was_asked_for() -> None:
    made = Epoch(ids_of([5] * 10), batch_size=4, windows=Slide(8, 2), seed=1, epoch=0)
    assert sorted(len(batch.rows) for batch, _ in made.batches(0, 0, 1)) == [2, 4, 4]
    assert len(made) == 3


def test_epoch_follows_from_the_seed_and_continues_at_any_step() -> None:
    def rows(first: int, **given: int) -> list[list[int]]:
        drawn = Epoch(
            ids_of([3, 9, 40, 7, 22] * 5),
            batch_size=4,
            batch_tokens=48,
            windows=Consecutive(9, 2),
            **{"seed": 1, "epoch": 2} | given,
        )
        return [batch.ids_BT.tolist() for batch, _ in drawn.batches(first, 0, 1)]

    whole = rows(0)
    assert rows(0) == whole and rows(5) == whole[5:]
    assert rows(0, seed=2) != whole and rows(0, epoch=3) != whole


@given(st.integers(2, 3), LENGTHS)
def test_processes_share_the_batches_of_an_epoch(world: int, lengths: list[int]) -> None:
    drawn = Epoch(ids_of(lengths), batch_size=2, windows=Slide(9, 2), seed=1, epoch=0)
    shares = [[batch.rows for batch, _ in drawn.batches(0, rank, world)] for rank in range(world)]
    assert {len(share) for share in shares} == {len(drawn) // world}
    rows = [row for share in shares for batch in share for row in batch]
    assert len(rows) == len(set(rows))


@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=30), tokens=st.integers(1, 300))
def test_cut_by_tokens_leaves_no_room_for_one_more(lengths: list[int], tokens: int) -> None:
    lengths_W = np.array(sorted(lengths))
    cut = cut_by_tokens(np.arange(len(lengths_W)), lengths_W, tokens)
    assert np.concatenate(cut).tolist() == [*range(len(lengths_W))]
    for part, following in pairwise(cut):
        wider = padded_length(int(lengths_W[following[0]])) * (len(part) + 1)
        assert wider > tokens


def test_window_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 for a language model"):
        Consecutive(2, 0)
    assert Consecutive(3, 0).overlap == 2, "the first token of a window is not predicted"
