"""Bag of hashed word and character n-grams under a linear layer (Joulin et al. 2017).

Use when: you need a baseline that every other model must beat; it trains in about a minute.

The input is characters (tokenizer kind "char"). The network hashes the n-grams by integer
arithmetic, so ids are its only input and ONNX computes the same features as torch.

Legend: B batch, T time (characters), D width, F features at one position.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpkit.settings.declaration import setting

TOKENIZER = {"kind": "char", "vocab_size": 400, "window": 1024}
SPACE = 2  # the id of the space in a character tokenizer
PRIME = 16777619  # the FNV-1 prime; products wrap around in int64 in torch as in ONNX Runtime
MERSENNE = 2**31 - 1  # a prime modulus mixes the high bits of a product into the low ones


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    width: int = setting(8, "width of an n-gram's vector", 1, tune=[4, 8, 16, 32])
    buckets: int = setting(
        1 << 17, "rows of the hash table", 1, tune=[1 << 15, 1 << 16, 1 << 17, 1 << 18]
    )
    chars: tuple[int, ...] = setting(
        (2, 3, 4, 5),
        "lengths of the character n-grams",
        tune=[(3, 4), (2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 6)],
    )
    words: int = setting(2, "words in the longest word n-gram", 0, tune=[1, 2, 3])
    reach: int = setting(24, "characters that a word n-gram may span", 1)
    dropout: float = setting(
        0.1, "share of n-grams dropped in each training step", 0, 1, tune=(0.0, 0.4)
    )

    def __post_init__(self) -> None:
        if not self.chars or min(self.chars) < 1:
            raise ValueError(f"chars = {list(self.chars)}: lengths must be 1 or more")


class Encoder(nn.Module):
    """Map character ids_BT and mask_BT to states_BTD.

    The state of a position is the sum of the vectors of the n-grams that end there.
    """

    pooling = "mean"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.width
        self.config = config
        self.embed = nn.Embedding(config.buckets + 1, config.width, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        buckets_BTF = self.buckets(ids_BT, mask_BT)
        if self.training and self.dropout:
            keep_BTF = torch.rand(buckets_BTF.shape, device=ids_BT.device) >= self.dropout
            buckets_BTF = buckets_BTF * keep_BTF
        return self.embed(buckets_BTF).sum(dim=2)

    def buckets(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Return the table row of each n-gram that ends at each character; row 0 is no n-gram."""
        boundary_BT = (ids_BT == SPACE) | ~mask_BT
        # A word ends before a boundary and at the end of the text.
        following_BT = nn.functional.pad(boundary_BT[:, 1:], (0, 1), value=True)
        ends_BT = following_BT & ~boundary_BT
        boundaries_BT = torch.zeros_like(ids_BT)
        chars_BT = torch.zeros_like(ids_BT)
        words = [torch.zeros_like(ids_BT) for _ in range(self.config.words)]
        features: list[Tensor] = []
        for back in range(max(self.config.reach, *self.config.chars)):
            ids_here_BT = nn.functional.pad(ids_BT, (back, 0))[:, : ids_BT.shape[1]]
            # The start of the text is a boundary as well.
            at_BT = nn.functional.pad(boundary_BT, (back, 0), value=True)[:, : ids_BT.shape[1]]
            boundaries_BT = boundaries_BT + at_BT.long()
            if back < max(self.config.chars):
                chars_BT = chars_BT * PRIME + ids_here_BT
            if back + 1 in self.config.chars:
                features.append(self._row(chars_BT, len(features), mask_BT))
            for order, hash_BT in enumerate(words):
                grown_BT = hash_BT * PRIME + ids_here_BT
                words[order] = torch.where(boundaries_BT <= order, grown_BT, hash_BT)
        features += [
            self._row(hash_BT, 100 + order, ends_BT) for order, hash_BT in enumerate(words)
        ]
        return torch.stack(features, dim=-1)

    def _row(self, hash_BT: Tensor, salt: int, where_BT: Tensor) -> Tensor:
        # The remainder of a negative number differs between runtimes: clear the sign first.
        mixed_BT = (((hash_BT + salt) * PRIME) & (2**63 - 1)) % MERSENNE
        row_BT = mixed_BT % self.config.buckets + 1
        return torch.where(where_BT, row_BT, torch.zeros_like(row_BT))
