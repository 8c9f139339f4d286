"""Pre-norm Transformer decoder with a cache of keys and values (Vaswani et al. 2017).

Use when: you have much text, or start from a pretrained run. Its blocks have the names of the
architecture `transformer`, so an encoder pretrained by `clm` is a start for it.

Legend: B batch, S source, U new tokens, P earlier tokens, T = P + U, D width, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from nlpkit.attention import KINDS, Kind, joined, mixed, near, split_heads
from nlpkit.runtime.graphs import BATCH, MASK, PAST, PLACE, SOURCE, Axes
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    width: int = setting(256, "width of the states", 1, tune=[128, 192, 256, 384])
    layers: int = setting(4, "blocks of attention and feed-forward", 1, tune=(1, 6))
    heads: int = setting(4, "attention heads; they share the width", 1, tune=[2, 4, 8])
    feedforward: int = setting(1024, "inner width of the feed-forward part", 1)
    attention: Kind = setting("dot", "kind of attention scores (docs/attention.md)")
    near: int = setting(0, "earlier tokens that a token reads, itself included; 0 reads all", 0)
    dropout: float = setting(
        0.1, "dropout on embeddings and on the output of each sublayer", 0, 1, tune=(0.0, 0.4)
    )

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(f"width = {self.width} must be a multiple of 2 * heads = {self.heads}")
        if self.near == 1:
            raise ValueError("near = 1 reads no earlier token; give 0 for all, or 2 and more")


class Decoder(nn.Module):
    """Self-attention over earlier tokens, cross-attention over the source, feed-forward."""

    one_by_one = False

    def __init__(self, config: Config, source: int = 0) -> None:
        super().__init__()
        self.width, self.near = config.width, config.near
        self.embed = nn.Embedding(config.vocab_size, config.width, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=config.width**-0.5)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, source) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    @property
    def state_axes(self) -> dict[str, Axes]:
        """The number of tokens read so far, and the keys and values of each block."""
        axes: Axes = (BATCH, PAST, self.width)
        layers = range(len(self.blocks))
        return {PLACE: (BATCH,)} | {
            f"{name}_{layer}": axes for layer in layers for name in ("keys", "values")
        }

    @property
    def memory_axes(self) -> dict[str, Axes]:
        """The axes of the arrays of `memory`."""
        axes: Axes = (BATCH, SOURCE, self.width)
        layers = range(len(self.blocks))
        names = [f"source_{name}_{layer}" for layer in layers for name in ("keys", "values")]
        return dict.fromkeys(names, axes) | {MASK: (BATCH, SOURCE)}

    def memory(self, states_BSD: Tensor, mask_BS: Tensor) -> dict[str, Tensor]:
        """Return the keys and values of the source for each block, and its mask."""
        arrays: dict[str, Tensor] = {}
        for layer, block in enumerate(self.blocks):
            keys_BSD, values_BSD = block.cross_read(states_BSD).chunk(2, dim=-1)
            arrays |= {f"source_keys_{layer}": keys_BSD, f"source_values_{layer}": values_BSD}
        return arrays | {MASK: mask_BS}

    @property
    def start_axes(self) -> dict[str, Axes]:
        """The axes of the arrays of `start`."""
        return {}

    def start(self, memory: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {}: every state is empty before the first token."""
        return {}

    def forward(
        self, ids_BU: Tensor, memory: Mapping[str, Tensor], states: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        earlier = states["keys_0"].shape[1]
        count = ids_BU.shape[1]
        place_BU = states[PLACE].unsqueeze(1) + torch.arange(count, device=ids_BU.device)
        hidden_BUD = self.embed(ids_BU) * math.sqrt(self.width) + waves(place_BU, self.width)
        hidden_BUD = self.dropout(hidden_BUD)
        allowed_UT = near(count, earlier + count, earlier, self.near, True, ids_BU.device)
        following = {PLACE: states[PLACE] + count}
        for layer, block in enumerate(self.blocks):
            names = f"keys_{layer}", f"values_{layer}"
            source = [memory[f"source_{name}"] for name in names if memory]
            hidden_BUD, *read = block(
                hidden_BUD, [states[n] for n in names], allowed_UT, source, memory.get(MASK)
            )
            # Tokens out of reach leave the cache, so that its size does not grow.
            if self.near:
                read = [each[:, 1 - self.near :] for each in read]
            following |= dict(zip(names, read, strict=True))
        return self.norm(hidden_BUD), following

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits by the embedding as output layer (Press & Wolf 2017)."""
        return linear(hidden, self.embed.weight)


class Block(nn.Module):
    """One pre-norm block: x + self(norm(x)), x + cross(norm(x)), then x + feedforward(norm(x))."""

    def __init__(self, config: Config, source: int) -> None:
        super().__init__()
        width, head = config.width, config.width // config.heads
        self.heads = config.heads
        self.scores = KINDS[config.attention](config.heads, head)
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        if source:
            self.cross_norm = nn.LayerNorm(width)
            self.cross_query = nn.Linear(width, width)
            self.cross_read = nn.Linear(source, 2 * width)
            self.cross_mix = nn.Linear(width, width)
            self.cross_scores = KINDS[config.attention](config.heads, head)
        self.feedforward_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        hidden_BUD: Tensor,
        cache: list[Tensor],
        allowed_UT: Tensor,
        source: list[Tensor],
        mask_BS: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden_BUD, keys_BTD and values_BTD."""
        query, *new = self.qkv(self.attention_norm(hidden_BUD)).chunk(3, dim=-1)
        keys, values = (torch.cat(pair, dim=1) for pair in zip(cache, new, strict=True))
        hidden_BUD = hidden_BUD + self.dropout(
            self.mix(self._read(query, keys, values, allowed_UT, self.scores))
        )
        if mask_BS is not None:
            query = self.cross_query(self.cross_norm(hidden_BUD))
            keys_BSD, values_BSD = source
            mask = mask_BS[:, None, None, :]
            read = self._read(query, keys_BSD, values_BSD, mask, self.cross_scores)
            hidden_BUD = hidden_BUD + self.dropout(self.cross_mix(read))
        inner = gelu(self.widen(self.feedforward_norm(hidden_BUD)))
        return hidden_BUD + self.dropout(self.narrow(inner)), keys, values

    def _read(
        self, query: Tensor, keys: Tensor, values: Tensor, allowed: Tensor, scores: nn.Module
    ) -> Tensor:
        query, keys, values = (split_heads(each, self.heads) for each in (query, keys, values))
        return joined(mixed(query, keys, values, allowed, scores))


def waves(place_BU: Tensor, width: int) -> Tensor:
    """Return the position vectors of Vaswani et al. 2017, section 3.5, [B, U, width]."""
    steps = torch.arange(0, width, 2, device=place_BU.device)
    angles = place_BU.unsqueeze(-1) * torch.exp(steps * (-math.log(10000.0) / width))
    return torch.stack([torch.sin(angles), torch.cos(angles)], dim=-1).flatten(-2)
