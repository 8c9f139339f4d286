"""AtNet: 1-D convolutions, additive attention over time, pooling.

Use when: you have many rows, want somewhat more accuracy than ngrams and can spend several times
its time.

With kernels = [5], filters = 64 and length_scale = false the network is embedding
-> Conv1D(64, 5, relu, same) -> Dense(1, tanh) -> softmax over time -> multiply -> (in the task's
head) global max pooling -> dense -> output. Convolutions over text: Kim 2014; additive attention:
Bahdanau et al. 2015. The weights of the softmax sum to 1, so they divide the features, and their
gradients, by about the length of the text before max pooling: from 1,500 rows of long reviews the
sketch scored 0.34 macro-F1 where length_scale scored 0.51
(docs/train-your-own.md).

Legend: B batch, T time, D width, F filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    embedding: int = setting(128, "width of a piece's vector", 1, tune=[64, 128, 256])
    kernels: tuple[int, ...] = setting(
        (5,),
        "widths of the convolutions, in pieces (odd)",
        tune=[(3,), (5,), (3, 5), (1, 3, 5), (3, 5, 7)],
    )
    filters: int = setting(64, "filters of each convolution", 1, tune=[32, 64, 128, 256])
    length_scale: bool = setting(
        True,
        "multiply attention weights by the text's length; false learns little from few rows",
        tune=[False, True],
    )
    dropout: float = setting(0.2, "dropout on embeddings", 0, 1, tune=(0.0, 0.5))

    def __post_init__(self) -> None:
        if not self.kernels or any(kernel < 1 or kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"kernels = {list(self.kernels)}: widths must be odd and positive")


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD, with D = filters * number of kernels."""

    pooling = "max"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.filters * len(config.kernels)
        self.length_scale = config.length_scale
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.dropout = nn.Dropout(config.dropout)
        self.convs = nn.ModuleList(
            nn.Conv1d(config.embedding, config.filters, kernel, padding=kernel // 2)
            for kernel in config.kernels
        )
        self.score = nn.Linear(self.width, 1)

    def stages(self) -> list[list[nn.Module]]:
        """Return the layers from the bottom up, for layer-wise learning rates."""
        return [[self.embed], [self.convs, self.score]]

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        # Conv1d pads the borders with zeros, so zeroed padding leaves the states of tokens alone.
        pieces_BTD = self.dropout(self.embed(ids_BT)) * mask_BT.unsqueeze(-1)
        pieces_BDT = pieces_BTD.transpose(1, 2)
        features_BFT = torch.cat([torch.relu(conv(pieces_BDT)) for conv in self.convs], dim=1)
        features_BTF = features_BFT.transpose(1, 2)
        scores_BT = torch.tanh(self.score(features_BTF)).squeeze(-1)
        weights_BT = torch.softmax(scores_BT.masked_fill(~mask_BT, float("-inf")), dim=1)
        if self.length_scale:
            weights_BT = weights_BT * mask_BT.sum(dim=1, keepdim=True)
        return features_BTF * weights_BT.unsqueeze(-1)
