"""The tagging head: UPOS tags straight from the states, edit scripts through a dense layer.

Legend: B batch, T time, D width, C outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TwoHeads(nn.Module):
    """states_BTD, mask_BT -> logits_BTC, tags before scripts."""

    def __init__(self, *, width: int, tags: int, scripts: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(width, tags)
        self.hidden = nn.Linear(width, hidden)
        self.scripts = nn.Linear(hidden, scripts)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        states_BTD = self.dropout(states_BTD)
        hidden_BTD = self.dropout(torch.relu(self.hidden(states_BTD)))
        return torch.cat([self.tags(states_BTD), self.scripts(hidden_BTD)], dim=-1)
