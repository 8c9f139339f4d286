"""Pre-norm Transformer encoder (Vaswani et al. 2017; Xiong et al. 2020).

Use when: you pretrain it or distil into it; from scratch on little data it loses to atnet.

Legend: B batch, T time, Q time of the queries (or 1), D width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from nlpkit.attention import KINDS, Kind, attend, attend_near
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    max_length: int = setting(0, "set from the tokenizer's window")
    width: int = setting(128, "width of the states", 1, tune=[64, 128, 192, 256])
    layers: int = setting(3, "blocks of attention and feed-forward", 1, tune=(1, 4))
    heads: int = setting(4, "attention heads; they share the width", 1, tune=[2, 4, 8])
    feedforward: int = setting(
        512, "inner width of the feed-forward part", 1, tune=[128, 256, 512, 1024]
    )
    positions: Literal["sinusoidal", "learned"] = setting(
        "sinusoidal", "kind of position embeddings", tune=["sinusoidal", "learned"]
    )
    attention: Kind = setting("dot", "kind of attention scores (docs/attention.md)")
    near: int = setting(
        0, "tokens to each side that a token reads, itself included; 0 reads all", 0
    )
    dropout: float = setting(
        0.1, "dropout on embeddings and on the output of each sublayer", 0, 1, tune=(0.0, 0.4)
    )

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(f"width = {self.width} must be a multiple of 2 * heads = {self.heads}")


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD, with D = width and T at most max_length."""

    pooling = "mean"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.width
        self.embed = nn.Embedding(config.vocab_size, config.width, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=config.width**-0.5)
        positions_TD = sinusoids(config.max_length, config.width)
        if config.positions == "learned":
            self.positions_TD = nn.Parameter(torch.randn_like(positions_TD) * 0.02)
        else:
            self.register_buffer("positions_TD", positions_TD, persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def stages(self) -> list[list[nn.Module]]:
        """Return the layers from the bottom up, for layer-wise learning rates.

        Learned positions are in none of them and take the head's rate.
        """
        return [[self.embed], *([block] for block in self.blocks), [self.norm]]

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        return self._through(ids_BT, mask_BT, causal=False)

    @property
    def causal_widths(self) -> list[int]:
        return [self.width]

    def causal(self, ids_BT: Tensor, mask_BT: Tensor) -> list[Tensor]:
        """Return states_BTD that depend on no later token."""
        return [self._through(ids_BT, mask_BT, causal=True)]

    def _through(self, ids_BT: Tensor, mask_BT: Tensor, *, causal: bool) -> Tensor:
        states_BTD = self.embed(ids_BT) * math.sqrt(self.width)
        states_BTD = self.dropout(states_BTD + self.positions_TD[: ids_BT.shape[1]])
        for block in self.blocks:
            states_BTD = block(states_BTD, mask_BT, causal=causal)
        return self.norm(states_BTD)


class Block(nn.Module):
    """One pre-norm block: x + attention(norm(x)), then x + feedforward(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.near = config.heads, config.near
        self.scores = KINDS[config.attention](config.heads, config.width // config.heads)
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.mix = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor, *, causal: bool = False) -> Tensor:
        read_BTD = self._attend(self.qkv(self.attention_norm(states_BTD)), mask_BT, causal)
        states_BTD = states_BTD + self.dropout(self.mix(read_BTD))
        return states_BTD + self.dropout(self.transform(states_BTD))

    def transform(self, states_BTD: Tensor) -> Tensor:
        """Return the output of the feed-forward part."""
        return self.narrow(gelu(self.widen(self.feedforward_norm(states_BTD))))

    def _attend(self, qkv: Tensor, mask_BT: Tensor, causal: bool) -> Tensor:
        if self.near:
            return attend_near(
                qkv, mask_BT, self.heads, self.near, causal=causal, scores=self.scores
            )
        mask = mask_BT[:, None, None, :]
        if causal:
            times = mask_BT.shape[1]
            past_TT = torch.ones(times, times, dtype=torch.bool, device=mask.device).tril()
            mask = past_TT & mask
        return attend(qkv, mask, self.heads, self.scores)


def sinusoids(length: int, width: int) -> Tensor:
    """Return the position table [length, width] of Vaswani et al. 2017, section 3.5."""
    times_T1 = torch.arange(length).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    table_TD = torch.zeros(length, width)
    table_TD[:, 0::2] = torch.sin(times_T1 * rates)
    table_TD[:, 1::2] = torch.cos(times_T1 * rates)
    return table_TD
