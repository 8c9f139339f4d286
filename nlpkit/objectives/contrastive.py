"""Contrastive learning: move two views of a text closer to each other than to other texts.

Views differ by masked words and by the network's dropout (SimCSE, Gao et al. 2021); the loss is
InfoNCE (van den Oord et al. 2018) within the batch.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.heads.pieces import MASK, Words
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = setting(0.15, "share of the words that are masked in each view", 0.01, 0.9)
    temperature: float = setting(
        0.05, "divisor of the cosines; a smaller one weighs close other texts more", 1e-3
    )


class Objective(nn.Module):
    """Symmetric InfoNCE over the mean states of both views."""

    def __init__(self, config: Config, encoder: nn.Module, pieces: Sequence[str]) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.words = Words(pieces)
        self.metrics: dict[str, Any] = {}

    def views(self, batch: Batch, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return mask_BT and the ids of the two views, first_BT and second_BT."""
        return {
            "first_BT": self._view(batch, rng),
            "second_BT": self._view(batch, rng),
            "mask_BT": batch.mask_BT,
        }

    def _view(self, batch: Batch, rng: np.random.Generator) -> np.ndarray:
        hidden_BT = self.words.hidden(batch.ids_BT, batch.mask_BT, self.config.rate, rng)
        return np.where(hidden_BT, MASK, batch.ids_BT)

    def forward(self, first_BT: Tensor, second_BT: Tensor, mask_BT: Tensor) -> Tensor:
        first_BD, second_BD = (self._pooled(view_BT, mask_BT) for view_BT in (first_BT, second_BT))
        with torch.autocast(first_BD.device.type, enabled=False):  # half precision is too coarse
            logits_BB = first_BD @ second_BD.T / self.config.temperature
        gold_B = torch.arange(len(logits_BB), device=logits_BB.device)
        right_B = logits_BB.detach().argmax(1) == gold_B
        self.metrics = {"accuracy": right_B.float().mean()}
        one_way = nn.functional.cross_entropy(logits_BB, gold_B)
        return (one_way + nn.functional.cross_entropy(logits_BB.T, gold_B)) / 2

    def _pooled(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        states_BTD = self.encoder(ids_BT, mask_BT).float() * mask_BT.unsqueeze(-1)
        return nn.functional.normalize(states_BTD.sum(1) / mask_BT.sum(1, keepdim=True), dim=1)
