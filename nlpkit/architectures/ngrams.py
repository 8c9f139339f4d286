"""Bag of piece n-grams: the sum of one vector for each n-gram.

Use when: speed matters; the default of `nlpkit sentiment` is such a network. It is several times
faster than atnet and sees at most three pieces at once.

As in fastText (Joulin et al. 2017), each piece has its own vector and longer n-grams share the rows
of a hashed table. The network hashes by integer arithmetic, so ONNX computes the same rows.

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
        50_000, "rows of the hash table of longer n-grams", 1, tune=[20_000, 50_000, 100_000]
    )
    dropout: float = setting(0.2, "dropout on the sums", 0, 1, tune=(0.0, 0.5))


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD.

    The state of a position is relu(sum + bias), over the vectors of the n-grams that end there.
    """

    pooling = "max"
    adds_rows = True  # relu(sum of rows + bias) and no more: `exporting.sums` quantises that

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.embedding
        self.order, self.buckets = config.order, config.buckets
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.grams = nn.Embedding(config.buckets, config.embedding)
        # Small, so that untrained n-grams do not drown pretrained pieces.
        nn.init.normal_(self.grams.weight, std=0.02)
        self.bias = nn.Parameter(torch.zeros(config.embedding))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        sums_BTD = self.embed(ids_BT)
        key_BT = ids_BT
        for back in range(1, self.order):
            # Padding before the first piece lets an n-gram encode that it begins the text.
            padding = ids_BT.new_zeros(ids_BT.shape[0], back)
            before_BT = torch.cat([padding, ids_BT], dim=1)[:, : ids_BT.shape[1]]
            key_BT = key_BT * PRIME + before_BT + back
            # The remainder of a negative number differs between runtimes: clear the sign bit,
            # without BitwiseAnd, which ONNX Runtime lacks on CUDA (as it lacks Pad for int64).
            positive_BT = torch.where(key_BT < 0, key_BT + LOWEST, key_BT)
            sums_BTD = sums_BTD + self.grams(positive_BT % self.buckets)
        return torch.relu(self.dropout(sums_BTD) + self.bias)
