"""Bag of n-grams of pieces: each has a vector, looked up and added.

Use when: speed is all; it reads several times faster than AtNet and knows no more than three words
at once.

As in fastText (Joulin et al. 2017) pieces have vectors of their own and longer n-grams share hashed
ones. The hash is computed inside the network by integer arithmetic, so that ONNX computes the same.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpkit.settings.declaration import setting

PRIME = 16777619  # the FNV-1 prime; products wrap around in int64 in torch as in ONNX Runtime
LOWEST = -(2**63)


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    embedding: int = setting(128, "width of a vector", 1, tune=[32, 64, 128])
    order: int = setting(3, "pieces in the longest n-gram", 1, tune=[1, 2, 3])
    buckets: int = setting(
        50_000, "rows of the table of longer n-grams", 1, tune=[20_000, 50_000, 100_000]
    )
    dropout: float = setting(0.2, "on the sums", 0, 1, tune=(0.0, 0.5))


class Encoder(nn.Module):
    """ids_BT, mask_BT -> states_BTD, each the sum of the n-grams that end there, rectified."""

    pooling = "max"
    adds_rows = True  # and does no more: `exporting.sums` makes whole numbers of that

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.embedding
        self.order, self.buckets = config.order, config.buckets
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.grams = nn.Embedding(config.buckets, config.embedding)
        nn.init.normal_(self.grams.weight, std=0.02)  # little, beside what pretraining knows
        self.bias = nn.Parameter(torch.zeros(config.embedding))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        sums_BTD = self.embed(ids_BT)
        key_BT = ids_BT
        for back in range(1, self.order):
            # Before the first piece is padding: an n-gram may know that it begins the text.
            padding = ids_BT.new_zeros(ids_BT.shape[0], back)
            before_BT = torch.cat([padding, ids_BT], dim=1)[:, : ids_BT.shape[1]]
            key_BT = key_BT * PRIME + before_BT + back
            # The remainder of a negative number differs between runtimes: leave the sign bit out.
            # (Not bitwise: ONNX Runtime has no such operator for CUDA, nor Pad for int64.)
            positive_BT = torch.where(key_BT < 0, key_BT + LOWEST, key_BT)
            sums_BTD = sums_BTD + self.grams(positive_BT % self.buckets)
        return torch.relu(self.dropout(sums_BTD) + self.bias)
