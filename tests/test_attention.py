"""Attention: each kind of scores against its formula, masks, and windows against full attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from nlpkit.attention import KINDS, attend, attend_near, near, split_qkv, weights

HEADS, WIDTH = 2, 3  # of a head


def scores(kind: str) -> torch.nn.Module:
    """Return scores of a kind whose weights are not those of the start."""
    torch.manual_seed(5)
    module = KINDS[kind](HEADS, WIDTH)
    for weight in module.parameters():
        torch.nn.init.normal_(weight)
    return module


def numbers(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def by_formula(kind: str, module: Any, query: np.ndarray, key: np.ndarray, head: int) -> float:
    """Return the score of one query and one key, vectors [K], as the papers write it."""
    if kind == "dot":
        return query @ key / np.sqrt(WIDTH)
    if kind == "general":
        return query @ module.weight_HKK[head].detach().numpy() @ key / np.sqrt(WIDTH)
    if kind == "additive":
        return module.vector_HK[head].detach().numpy() @ np.tanh(query + key)
    pytest.fail(f"write the formula of the attention {kind!r} here, in plain numpy")


def mixed_by_formula(kind: str, module: Any, qkv: torch.Tensor, allowed: np.ndarray) -> np.ndarray:
    """Return attention [B, T, D] by loops; allowed [B, T, T] tells which keys a query reads."""
    query, key, value = (part.numpy() for part in split_qkv(qkv, HEADS))
    batch, time = qkv.shape[:2]
    result = np.zeros((batch, time, HEADS * WIDTH))
    for b, t, h in np.ndindex(batch, time, HEADS):
        keys = np.flatnonzero(allowed[b, t])
        each = [by_formula(kind, module, query[b, h, t], key[b, h, s], h) for s in keys]
        share = np.exp(each) / np.exp(each).sum()
        result[b, t, h * WIDTH : (h + 1) * WIDTH] = share @ value[b, h, keys]
    return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_the_published_formula(kind: str, causal: bool) -> None:
    module, qkv = scores(kind), numbers(1, 2, 5, 3 * HEADS * WIDTH)
    mask_BT = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    allowed = mask_BT[:, None, None] & near(5, 5, 0, 0, causal)
    with torch.no_grad():
        made = attend(qkv, allowed, HEADS, module)
    expected = mixed_by_formula(kind, module, qkv, allowed[:, 0].expand(2, 5, 5).numpy())
    assert np.abs(made.numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_zero_where_hidden_and_sum_to_one(kind: str) -> None:
    query, key = numbers(2, 2, HEADS, 4, WIDTH), numbers(3, 2, HEADS, 6, WIDTH)
    mask = torch.from_numpy(np.random.default_rng(4).random((2, 1, 4, 6)) < 0.5)
    mask[..., 0] = True  # every query must read a key
    with torch.no_grad():
        shares = weights(1e4 * query, 1e4 * key, mask, scores(kind))
    assert torch.isfinite(shares).all()
    assert (shares.masked_select(~mask.expand_as(shares)) == 0).all()
    assert torch.allclose(shares.sum(dim=-1), torch.ones(()), atol=1e-5)


def test_general_starts_as_dot() -> None:
    query, key = numbers(2, 1, HEADS, 4, WIDTH), numbers(3, 1, HEADS, 6, WIDTH)
    dot, general = (KINDS[kind](HEADS, WIDTH)(query, key) for kind in ("dot", "general"))
    assert torch.allclose(dot, general, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(
    time=st.integers(1, 17),
    window=st.integers(1, 6),
    causal=st.booleans(),
    seed=st.integers(0, 9),
)
def test_windows_equal_full_attention_under_a_band(
    kind: str, time: int, window: int, causal: bool, seed: int
) -> None:
    """Rows are of random lengths; lengths around multiples of the window are among them."""
    rng = np.random.default_rng(seed)
    qkv = numbers(seed, 3, time, 3 * HEADS * WIDTH)
    lengths = torch.from_numpy(rng.integers(1, time + 1, 3))
    mask_BT = torch.arange(time) < lengths[:, None]
    band = near(time, time, 0, window, causal)
    # A column of padding reads itself, so that every query reads a key.
    allowed = (band & mask_BT[:, None, None]) | torch.eye(time, dtype=torch.bool)
    module = scores(kind)
    with torch.no_grad():
        full = attend(qkv, allowed, HEADS, module)
        banded = attend_near(qkv, mask_BT, HEADS, window, causal=causal, scores=module)
    assert (full - banded)[mask_BT].abs().max() < 1e-5
    assert torch.isfinite(banded).all()


@given(
    time=st.integers(1, 9), added=st.integers(0, 9), window=st.integers(1, 5), causal=st.booleans()
)
def test_padding_changes_nothing_in_windows(
    time: int, added: int, window: int, causal: bool
) -> None:
    qkv, garbage = numbers(6, 2, time, 3 * 6), 1e3 * numbers(7, 2, added, 3 * 6)
    alone = attend_near(qkv, torch.ones(2, time, dtype=torch.bool), 2, window, causal=causal)
    mask_BT = torch.arange(time + added).expand(2, -1) < time
    padded = attend_near(torch.cat([qkv, garbage], dim=1), mask_BT, 2, window, causal=causal)
    assert (padded[:, :time] - alone).abs().max() < 1e-5


@given(
    queries=st.integers(1, 8),
    before=st.integers(0, 8),
    after=st.integers(0, 4),
    window=st.integers(0, 5),
    causal=st.booleans(),
)
def test_near_is_the_distance_in_tokens(
    queries: int, before: int, after: int, window: int, causal: bool
) -> None:
    keys = before + queries + after
    made = near(queries, keys, before, window, causal)
    for query in range(queries):
        for key in range(keys):
            distance = before + query - key
            reads = (not causal or distance >= 0) and (not window or abs(distance) < window)
            assert bool(made[query, key]) == reads
