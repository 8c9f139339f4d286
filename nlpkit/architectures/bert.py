"""Post-norm Transformer encoder with learned positions (BERT; Devlin et al. 2019).

Use when: you start from a pretrained encoder (`nlpkit import`); from scratch it needs far more text
than the other architectures.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from nlpkit.attention import attend
from nlpkit.settings.declaration import setting

# Settings for a start from pretrained weights; a recipe's own come first.
FINE_TUNING = {
    "train": {
        "epochs": 8,
        "batch_size": 32,
        "lr": 1e-3,
        "warmup": 0.1,
        "class_weights": "sqrt",  # for tasks with labels only
        "amp": "fast",
    },
    "init": {"rate": 0.1, "layer_decay": 0.9, "freeze": 1},
    # int8 changes 1% of the labels of a network as wide as e5-small, both ways alike.
    "export": {"min_agreement": 0.98},
}


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
    positions: int = setting(512, "longest window, with bos and eos", 3)
    epsilon: float = setting(1e-12, "added to the variance in layer normalisation", 0, 1)
    bos: int = setting(-1, "id put before each window; -1 for none", -1)
    eos: int = setting(-1, "id put after each window; -1 for none", -1)
    dropout: float = setting(
        0.1, "dropout on embeddings and on the output of each sublayer", 0, 1, tune=(0.0, 0.4)
    )

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width = {self.width} must be a multiple of heads = {self.heads}")
        if (self.bos < 0) != (self.eos < 0):
            raise ValueError("set both bos and eos, or neither")
        if self.max_length + 2 * (self.bos >= 0) > self.positions:
            raise ValueError(
                f"positions = {self.positions} are too few for a window of {self.max_length} "
                "tokens with bos and eos; lower tokenizer.window"
            )


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD, with D = width.

    The encoder itself puts bos and eos around each window, so that windows, offsets and crops are
    of the text's tokens only. The states of bos and eos are not returned.
    """

    pooling = "mean"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = config.width
        self.bos, self.eos = config.bos, config.eos
        self.embed = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Embedding(config.positions, config.width)
        self.segment_D = nn.Parameter(torch.zeros(config.width))
        self.norm = nn.LayerNorm(config.width, eps=config.epsilon)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.apply(_initialise)

    def stages(self) -> list[list[nn.Module | nn.Parameter]]:
        """Return the embeddings, then the layers from the bottom up, for layer-wise rates."""
        embeddings = [self.embed, self.positions, self.segment_D, self.norm]
        return [embeddings, *([block] for block in self.blocks)]

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        if self.bos < 0:
            return self._through(ids_BT, mask_BT)
        states_BTD = self._through(*framed(ids_BT, mask_BT, self.bos, self.eos))
        return states_BTD[:, 1:-1]

    def _through(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        states_BTD = self.embed(ids_BT) + self.positions.weight[: ids_BT.shape[1]] + self.segment_D
        states_BTD = self.dropout(self.norm(states_BTD))
        for block in self.blocks:
            states_BTD = block(states_BTD, mask_BT[:, None, None, :])
        return states_BTD


def _initialise(part: nn.Module) -> None:
    """Draw weights as BERT does: a post-norm network trains only if it starts near the identity."""
    if isinstance(part, nn.Linear | nn.Embedding):
        nn.init.normal_(part.weight, std=0.02)
    if isinstance(part, nn.Linear):
        nn.init.zeros_(part.bias)


class Block(nn.Module):
    """One post-norm block: norm(x + attention(x)), then norm(x + feedforward(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.mix = nn.Linear(config.width, config.width)
        self.attention_norm = nn.LayerNorm(config.width, eps=config.epsilon)
        self.widen = nn.Linear(config.width, config.feedforward)
        self.narrow = nn.Linear(config.feedforward, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width, eps=config.epsilon)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states_BTD: Tensor, mask_B11T: Tensor) -> Tensor:
        mixed_BTD = self.mix(attend(self.qkv(states_BTD), mask_B11T, self.heads))
        states_BTD = self.attention_norm(states_BTD + self.dropout(mixed_BTD))
        wide_BTD = self.narrow(gelu(self.widen(states_BTD)))
        return self.feedforward_norm(states_BTD + self.dropout(wide_BTD))


def framed(ids_BT: Tensor, mask_BT: Tensor, bos: int, eos: int) -> tuple[Tensor, Tensor]:
    """Return ids and mask, two columns wider, with bos before and eos after each row's tokens."""
    one_B1 = torch.ones_like(mask_BT[:, :1])
    mask = torch.cat([one_B1, one_B1, mask_BT], dim=1)
    ids = torch.cat([ids_BT[:, :1] * 0 + bos, ids_BT, ids_BT[:, :1] * 0], dim=1)
    times_T = torch.arange(ids.shape[1], device=ids.device)
    after_BT = times_T == mask_BT.sum(dim=1, keepdim=True) + 1
    return torch.where(after_BT, eos, ids), mask
