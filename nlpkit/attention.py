"""Attention: three kinds of scores between queries and keys, over all tokens or in a window.

    dot        q . k / sqrt(K)    Vaswani et al. 2017, section 3.2.1; Luong et al. 2015 do not scale
    general    q W k / sqrt(K)    Luong et al. 2015, section 3.1, with a matrix for each head
    additive   v . tanh(q + k)    Bahdanau et al. 2015, appendix A.1.2; the caller projects q and k

Weights are the softmax of the scores over the keys that a mask allows. With a window of N tokens,
a query reads those at most N - 1 away (Beltagy et al. 2020, section 3.1), so that the cost grows
with the length of the text, not with its square.

Legend: B batch, T time, Q time of the queries (or 1), S time of the keys, D width, H heads,
K width of a head, N window, C blocks of N tokens.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

Kind = Literal["dot", "general", "additive"]


class Dot(nn.Module):
    """Map query_BHQK and key_BHSK to scores_BHQS, their scaled products."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)


class General(nn.Module):
    """Map query_BHQK and key_BHSK to scores_BHQS, bilinear in both; it starts as `Dot`."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.weight_HKK = nn.Parameter(torch.eye(width).repeat(heads, 1, 1))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return (query @ self.weight_HKK * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)


class Additive(nn.Module):
    """Map query_BHQK and key_BHSK to scores_BHQS by a layer of tanh units.

    It takes memory for B * H * Q * S * K numbers, K times that of the other kinds.
    """

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.vector_HK = nn.Parameter(torch.randn(heads, width) * width**-0.5)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        hidden_BHQSK = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
        return (hidden_BHQSK * self.vector_HK[:, None, None]).sum(dim=-1)


DOT = Dot(1, 1)  # it has no weights
KINDS: dict[str, Any] = {"dot": Dot, "general": General, "additive": Additive}


def attend(qkv: Tensor, mask_B1QT: Tensor, heads: int, scores: nn.Module | None = None) -> Tensor:
    """Return mixed_BTD, self-attention of qkv, [B, T, 3D]; `scores` is `Dot` if it is None.

    The mask is True where a query may read a token; every query must read one.
    """
    query, key, value = split_qkv(qkv, heads)
    if qkv.is_cuda and (scores is None or isinstance(scores, Dot)):
        return joined(scaled_dot_product_attention(query, key, value, attn_mask=mask_B1QT))
    return joined(mixed(query, key, value, mask_B1QT, scores))


def attend_near(
    qkv: Tensor,
    mask_BT: Tensor,
    heads: int,
    window: int,
    *,
    causal: bool,
    scores: nn.Module | None = None,
) -> Tensor:
    """Return mixed_BTD, self-attention of qkv, [B, T, 3D], in a window of N tokens.

    A query reads the tokens at most N - 1 away; if `causal`, only itself and earlier ones. Queries
    are read in blocks of N, each with the keys of its own block and of its neighbours.
    """
    batch, time = mask_BT.shape
    count = time // window + 1  # C, so that at least one column is added: no remainder to compute
    added = count * window - time
    query, key, value = (pad(part, (0, 0, 0, added)) for part in split_qkv(qkv, heads))
    known_BC1N = pad(mask_BT, (0, added)).view(batch, count, 1, window)
    beside = (-1, 0) if causal else (-1, 0, 1)
    blocks = [_blocks(part, window) for part in (key, value)]  # [B, H, C, N, K]
    key, value = (torch.cat([_shifted(part, by, 2) for by in beside], dim=3) for part in blocks)
    known_BC1S = torch.cat([_shifted(known_BC1N, by, 1) for by in beside], dim=3)
    near_QS = near(window, len(beside) * window, window, window, causal, mask_BT.device)
    # A column of padding reads itself, since every query must read a token.
    self_QS = torch.eye(window, len(beside) * window, dtype=torch.bool, device=mask_BT.device)
    allowed = (near_QS & known_BC1S) | self_QS.roll(window, dims=1)
    query, key, value = (_fold(part) for part in (_blocks(query, window), key, value))
    allowed_N1QS = allowed.reshape(batch * count, 1, window, -1)
    mixed_NHQK = mixed(query, key, value, allowed_N1QS, scores)
    parts = mixed_NHQK.view(batch, count, heads, window, -1).transpose(1, 2)
    return joined(parts.reshape(batch, heads, count * window, -1)[:, :, :time])


def near(
    queries: int, keys: int, before: int, window: int, causal: bool, device: Any = None
) -> Tensor:
    """Return near_QS, True for keys in the window; `before` keys precede the first query.

    A window of 0 has no limit.
    """
    query_Q1 = torch.arange(queries, device=device).unsqueeze(1) + before
    distance_QS = query_Q1 - torch.arange(keys, device=device)
    inside = distance_QS >= 0 if causal else torch.ones_like(distance_QS, dtype=torch.bool)
    return inside & (distance_QS.abs() < window) if window else inside


def mixed(
    query: Tensor, key: Tensor, value: Tensor, mask_B1QS: Tensor, scores: nn.Module | None = None
) -> Tensor:
    """Return mixed_BHQK, the values weighted by attention, by plain products.

    The gradient of torch's fused attention for CPUs takes a third of a training step.
    """
    return weights(query, key, mask_B1QS, scores).to(value.dtype) @ value


def weights(
    query: Tensor, key: Tensor, mask_B1QS: Tensor, scores: nn.Module | None = None
) -> Tensor:
    """Return weights_BHQS, which sum to 1 over the keys that the mask allows, one at least."""
    scores_BHQS = (scores or DOT)(query, key)
    hidden = torch.finfo(scores_BHQS.dtype).min
    return torch.softmax(scores_BHQS.masked_fill(~mask_B1QS, hidden), dim=-1)


def split_heads(states_BTD: Tensor, heads: int) -> Tensor:
    """Return states_BHTK."""
    batch, time, width = states_BTD.shape
    return states_BTD.view(batch, time, heads, width // heads).transpose(1, 2)


def split_qkv(qkv: Tensor, heads: int) -> list[Tensor]:
    """Return query_BHTK, key_BHTK and value_BHTK of qkv, [B, T, 3D]."""
    batch, time, width = qkv.shape
    parts = qkv.view(batch, time, 3, heads, width // 3 // heads)
    return [part.transpose(1, 2) for part in parts.unbind(dim=2)]


def joined(states_BHTK: Tensor) -> Tensor:
    """Return states_BTD of the states of all heads."""
    batch, heads, time, width = states_BHTK.shape
    return states_BHTK.transpose(1, 2).reshape(batch, time, heads * width)


def _blocks(states_BHTK: Tensor, window: int) -> Tensor:
    """Return blocks [B, H, C, N, K] of states."""
    batch, heads, time, width = states_BHTK.shape
    return states_BHTK.reshape(batch, heads, time // window, window, width)


def _shifted(blocks: Tensor, by: int, dim: int) -> Tensor:
    """Return blocks whose item i is item i + `by`, with zeros beyond the ends, along `dim`."""
    if not by:
        return blocks
    zeros = torch.zeros_like(blocks.narrow(dim, 0, 1))
    count = blocks.shape[dim] - 1
    inner = blocks.narrow(dim, 1 if by > 0 else 0, count)
    return torch.cat([inner, zeros] if by > 0 else [zeros, inner], dim=dim)


def _fold(blocks: Tensor) -> Tensor:
    """Return [B * C, H, N, K] of [B, H, C, N, K]."""
    return blocks.transpose(1, 2).flatten(0, 1)
