"""Heads with logits for each token: one layer of tags, or UPOS tags and edit scripts.

Legend: B batch, T time, D width, C outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nlpkit.heads.graph import Graph, by_token


class TokenHead(nn.Module):
    """Map states_BTD and mask_BT to {"logits": logits_BTC} of one layer of tags."""

    FORCED = ()

    def __init__(self, *, width: int, tags: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(width, tags)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        return {"logits": self.tags(self.dropout(states_BTD))}

    def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
        """Return the graph of the whole network."""
        return by_token(encoder, self, self.tags.out_features)


class TwoHeads(nn.Module):
    """Map states_BTD and mask_BT to {"logits": logits_BTC}, C = tags + scripts.

    Tags are linear in the states; scripts pass through a dense layer first.
    """

    FORCED = ()

    def __init__(self, *, width: int, tags: int, scripts: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(width, tags)
        self.hidden = nn.Linear(width, hidden)
        self.scripts = nn.Linear(hidden, scripts)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        states_BTD = self.dropout(states_BTD)
        hidden_BTD = self.dropout(torch.relu(self.hidden(states_BTD)))
        return {"logits": torch.cat([self.tags(states_BTD), self.scripts(hidden_BTD)], dim=-1)}

    def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
        """Return the graph of the whole network."""
        return by_token(encoder, self, self.tags.out_features + self.scripts.out_features)


def mean_by_word(logits_BTC: Tensor, gold_BT: Tensor, ignored: int, smoothing: float) -> Tensor:
    """Return loss_B, whose mean over B is the mean cross-entropy over the batch's words.

    `gold_BT` has the index of each word's label, or `ignored` for a position without a target.
    """
    loss_BT = cross_entropy(
        logits_BTC.transpose(1, 2),
        gold_BT,
        ignore_index=ignored,
        label_smoothing=smoothing,
        reduction="none",
    )
    words = (gold_BT != ignored).sum().clamp_min(1)
    return loss_BT.sum(dim=1) * (len(gold_BT) / words)
