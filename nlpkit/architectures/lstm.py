"""Bidirectional recurrent network (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005).

Use when: word order and negation matter and documents are short; slower than atnet on a CPU.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from nlpkit.recurrent import Lstm, Vanilla, onnx_translations, reverse_index, take
from nlpkit.settings.declaration import setting

__all__ = ["Config", "Encoder", "onnx_translations"]


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    embedding: int = setting(128, "width of a piece's vector", 1, tune=[64, 128, 256])
    hidden: int = setting(128, "width of each direction's state", 1, tune=[64, 128, 192, 256])
    layers: int = setting(1, "stacked bidirectional layers", 1, tune=[1, 2])
    cell: Literal["lstm", "gru", "rnn"] = setting(
        "lstm",
        "recurrent cell; gradients vanish sooner in rnn than in lstm and gru",
        tune=["lstm", "gru"],
    )
    dropout: float = setting(0.2, "dropout on embeddings and between layers", 0, 1, tune=(0.0, 0.5))


CELLS = {"lstm": Lstm, "gru": nn.GRU, "rnn": Vanilla}


class Encoder(nn.Module):
    """Map ids_BT and mask_BT to states_BTD, with D = 2 * hidden.

    The two directions are separate stacks that are concatenated at the top (ELMo, Peters et al.
    2018), so that each can be pretrained as a language model without seeing its targets.
    """

    pooling = "attention"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = 2 * config.hidden
        self.causal_widths = [config.hidden, config.hidden]
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.dropout = nn.Dropout(config.dropout)
        self.forwards, self.backwards = stack(config), stack(config)

    def stages(self) -> list[list[nn.Module]]:
        """Return the layers from the bottom up, for layer-wise learning rates."""
        layers = zip(self.forwards, self.backwards, strict=True)
        return [[self.embed], *(list(pair) for pair in layers)]

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        return self.dropout(torch.cat(self.causal(ids_BT, mask_BT), dim=-1))

    def causal(self, ids_BT: Tensor, mask_BT: Tensor) -> list[Tensor]:
        """Return forward and backward states_BTD, which depend on earlier and on later tokens."""
        pieces_BTD = self.dropout(self.embed(ids_BT))
        return both(self.forwards, self.backwards, pieces_BTD, mask_BT, self.dropout)


def stack(config: Config) -> nn.ModuleList:
    """Return the layers of one direction."""
    widths = [config.embedding] + [config.hidden] * (config.layers - 1)
    cell = CELLS[config.cell]
    return nn.ModuleList(cell(width, config.hidden, batch_first=True) for width in widths)


def both(
    forwards: nn.ModuleList,
    backwards: nn.ModuleList,
    pieces_BTD: Tensor,
    mask_BT: Tensor,
    dropout: nn.Module,
) -> list[Tensor]:
    """Return forward and backward states_BTD of two stacks; `dropout` is between their layers."""

    def read(cells: nn.ModuleList, states_BTD: Tensor) -> Tensor:
        for layer, cell in enumerate(cells):
            if layer:
                states_BTD = dropout(states_BTD)
            states_BTD, _ = cell(states_BTD)
        return states_BTD

    index_BT1 = reverse_index(mask_BT).unsqueeze(-1)
    ahead_BTD = read(forwards, pieces_BTD)
    back_BTD = read(backwards, take(pieces_BTD, index_BT1))
    return [ahead_BTD, take(back_BTD, index_BT1)]
