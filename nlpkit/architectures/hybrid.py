"""Bidirectional LSTM below, Transformer above: local order first, then attention over all tokens.

The lower layers give the upper ones the order of tokens, so there are no position vectors and no
longest window (R-Transformer, Wang et al. 2019; Chen et al. 2018 combine the two for translation).

Use when: data are few, as for lstm, but texts are long or far words matter.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpkit.architectures import lstm, transformer
from nlpkit.attention import Kind
from nlpkit.recurrent import onnx_translations
from nlpkit.settings.declaration import setting

__all__ = ["Config", "Encoder", "onnx_translations"]


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    width: int = setting(128, "width of pieces and states", 1, tune=[64, 128, 192, 256])
    recurrent: int = setting(1, "stacked bidirectional LSTM layers", 1, tune=[1, 2])
    layers: int = setting(2, "blocks of attention and feed-forward", 1, tune=(1, 4))
    heads: int = setting(4, "attention heads; they share the width", 1, tune=[2, 4, 8])
    feedforward: int = setting(512, "inner width of the feed-forward part", 1, tune=[256, 512])
    attention: Kind = setting("dot", "kind of attention scores (docs/attention.md)")
    near: int = setting(
        0, "tokens to each side that a token reads, itself included; 0 reads all", 0
    )
    dropout: float = setting(
        0.1, "dropout on embeddings and on the output of each layer", 0, 1, tune=(0.0, 0.4)
    )

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(f"width = {self.width} must be a multiple of 2 * heads = {self.heads}")


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD, with D = width."""

    pooling = "mean"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.width
        self.embed = nn.Embedding(config.vocab_size, config.width, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.dropout = nn.Dropout(config.dropout)
        recurrent = lstm.Config(
            embedding=config.width, hidden=config.width // 2, layers=config.recurrent
        )
        self.forwards, self.backwards = lstm.stack(recurrent), lstm.stack(recurrent)
        block = transformer.Config(
            width=config.width,
            heads=config.heads,
            feedforward=config.feedforward,
            attention=config.attention,
            near=config.near,
            dropout=config.dropout,
        )
        self.blocks = nn.ModuleList(transformer.Block(block) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def stages(self) -> list[list[nn.Module]]:
        """Return the layers from the bottom up, for layer-wise learning rates."""
        recurrent = zip(self.forwards, self.backwards, strict=True)
        blocks = ([block] for block in self.blocks)
        return [[self.embed], *(list(pair) for pair in recurrent), *blocks, [self.norm]]

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        pieces_BTD = self.dropout(self.embed(ids_BT))
        read = lstm.both(self.forwards, self.backwards, pieces_BTD, mask_BT, self.dropout)
        states_BTD = self.dropout(torch.cat(read, dim=-1))
        for block in self.blocks:
            states_BTD = block(states_BTD, mask_BT)
        return self.norm(states_BTD)
