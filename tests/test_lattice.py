"""Decoding of BIO tags against all sequences, and the losses of partly annotated words."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from nlpkit.heads import crf
from nlpkit.runtime.lattice import Lattice, calibrated
from nlpkit.runtime.tags import constraints

TAGS = 5  # O, and B and I of two types
START_C, FORBIDDEN_CC = constraints(TAGS)
Case = tuple[np.ndarray, np.ndarray]  # scores_WC, moves_CC


def drawn(seed: int, words: int, scale: float = 2.0) -> Case:
    rng = np.random.default_rng(seed)
    return rng.normal(0, scale, (words, TAGS)), rng.normal(0, 1, (TAGS, TAGS))


def total_of(tags: tuple[int, ...], scores_WC: np.ndarray, moves_CC: np.ndarray) -> float:
    moves = moves_CC + FORBIDDEN_CC
    total = START_C[tags[0]] + sum(scores_WC[word, tag] for word, tag in enumerate(tags))
    return float(total + sum(moves[a, b] for a, b in pairwise(tags)))


def sequences(scores_WC: np.ndarray, moves_CC: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the probability of each sequence of tags."""
    totals = {
        tags: np.exp(total_of(tags, scores_WC, moves_CC))
        for tags in product(range(TAGS), repeat=len(scores_WC))
    }
    whole = sum(totals.values())
    return {tags: total / whole for tags, total in totals.items()}


def entities(tags: tuple[int, ...]) -> list[tuple[int, int, int]]:
    found: list[list[int]] = []
    for word, tag in enumerate(tags):
        if tag % 2:
            found.append([word, word, tag // 2])
        elif tag:
            found[-1][1] = word
    return [(first, last, kind) for first, last, kind in found]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_best_sequence_and_its_probabilities_are_exact(seed: int, lengths: list[int]) -> None:
    _, moves_CC = drawn(seed, 1)
    scores = [drawn(seed + row, words)[0] for row, words in enumerate(lengths)]
    lattice = Lattice(scores, moves_CC)
    for scores_WC, runs, each in zip(scores, lattice.runs, lattice.probabilities(1.0), strict=True):
        all_tags = sequences(scores_WC, moves_CC)
        best = max(all_tags, key=lambda tags: all_tags[tags])
        assert [tuple(run) for run in runs] == entities(best)
        for run, probability in zip(runs, each, strict=True):
            right = sum(
                p for tags, p in all_tags.items() if p > 1e-9 and tuple(run) in entities(tags)
            )
            assert probability == pytest.approx(right, abs=1e-6)


@given(st.integers(0, 10**6), st.floats(0.1, 50))
def test_no_sequence_is_invalid(seed: int, scale: float) -> None:
    scores = [drawn(seed + row, words, scale)[0] for row, words in enumerate((0, 1, 9, 30))]
    lattice = Lattice(scores, np.zeros((TAGS, TAGS)))
    for runs, scores_WC in zip(lattice.runs, scores, strict=True):
        assert all(0 <= run.first <= run.last < len(scores_WC) for run in runs)
        assert all(one.last < two.first for one, two in pairwise(runs))
    assert all(0 <= p <= 1 for row in lattice.probabilities(1.0) for p in row)


def test_words_that_are_outside_end_an_entity() -> None:
    scores = [9 * np.eye(TAGS)[[1, 2, 2, 2]]]
    (runs,) = Lattice(scores, np.zeros((TAGS, TAGS)), [[2]]).runs
    assert tuple(runs[0]) == (0, 1, 0)
    assert all(not run.first <= 2 <= run.last for run in runs)


def test_a_sequence_alone_is_decoded_as_among_others() -> None:
    scores = [drawn(row, words)[0] for row, words in enumerate((3, 80, 1, 12, 7))]
    together = Lattice(scores, np.zeros((TAGS, TAGS)))
    for row, scores_WC in enumerate(scores):
        alone = Lattice([scores_WC], np.zeros((TAGS, TAGS)))
        assert alone.runs[0] == together.runs[row]
        assert alone.probabilities(1.3)[0] == pytest.approx(together.probabilities(1.3)[row])


def test_the_temperature_makes_overconfident_scores_less_sure() -> None:
    rng = np.random.default_rng(0)
    scores = [4.5 * np.eye(TAGS)[[1]] for _ in range(400)]
    lattice = Lattice(scores, np.zeros((TAGS, TAGS)))
    right = [[bool(rng.random() < 0.7)] for _ in scores]
    temperature = calibrated(lattice, right, None)
    scored = np.mean([row[0] for row in lattice.probabilities(temperature)])
    assert scored == pytest.approx(np.mean(right), abs=0.05)
    unknown = [[None]] * len(scores)
    assert calibrated(lattice, unknown, None) == 1.0


def tensors(*arrays: np.ndarray) -> list[Any]:
    return [torch.from_numpy(np.asarray(array)) for array in arrays]


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_the_crf_loss_is_minus_the_log_of_what_is_allowed(seed: int, words: int) -> None:
    scores_WC, moves_CC = drawn(seed, words)
    rng = np.random.default_rng(seed)
    allowed_WC = rng.random((words, TAGS)) < 0.5
    allowed_WC[:, 0] = True  # so that some valid sequence is allowed
    probabilities = sequences(scores_WC, moves_CC)
    right = sum(
        p
        for tags, p in probabilities.items()
        if all(allowed_WC[word, tag] for word, tag in enumerate(tags))
    )
    logits, allowed, start, moves = tensors(
        scores_WC[None], allowed_WC[None], START_C, moves_CC + FORBIDDEN_CC
    )
    mask = torch.ones(1, words, dtype=torch.bool)
    loss = crf.crf_loss(logits, allowed, mask, start, moves)
    assert float(loss) * words == pytest.approx(-np.log(right), abs=1e-5)


@pytest.mark.parametrize("kind", ["crf", "token"])
def test_a_type_that_a_file_lacks_gets_no_push_where_it_may_be(kind: str) -> None:
    logits = torch.zeros(1, 2, TAGS, requires_grad=True)
    allowed = torch.tensor([[[True, False, False, True, True]] * 2])  # O, or the second type
    mask = torch.ones(1, 2, dtype=torch.bool)
    if kind == "crf":
        loss = crf.crf_loss(logits, allowed, mask, *tensors(START_C, FORBIDDEN_CC))
    else:
        loss = crf.token_loss(logits, allowed, mask)
    loss.sum().backward()
    gradient = logits.grad
    assert gradient is not None
    assert (gradient[..., 1] > 0).all()  # the first type is pushed down
    assert (gradient[..., 3] < 0).all()  # the second is not


def test_padding_changes_no_loss() -> None:
    rng = np.random.default_rng(0)
    (logits,) = tensors(rng.normal(size=(1, 3, TAGS)))
    padded = torch.cat([logits, torch.randn(1, 2, TAGS, dtype=torch.double)], dim=1)
    allowed = torch.zeros(1, 5, TAGS, dtype=torch.bool)
    allowed[..., 0] = True
    mask = torch.tensor([[True, True, True, False, False]])
    start_moves = tensors(START_C, FORBIDDEN_CC)
    for one, two in (
        (
            crf.crf_loss(logits, allowed[:, :3], mask[:, :3], *start_moves),
            crf.crf_loss(padded, allowed, mask, *start_moves),
        ),
        (
            crf.token_loss(logits, allowed[:, :3], mask[:, :3]),
            crf.token_loss(padded, allowed, mask),
        ),
        (crf.uniform_loss(logits, mask[:, :3]), crf.uniform_loss(padded, mask)),
    ):
        assert float(one) == pytest.approx(float(two))
