"""Bidirectional recurrent network (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005).

Use when: word order and negation matter and documents are short; slower than atnet on a CPU.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nlpkit._fields import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    embedding: int = setting(128, "width of a piece's vector", 1)
    hidden: int = setting(128, "width of each direction's state", 1)
    layers: int = setting(1, "stacked bidirectional layers", 1)
    cell: Literal["lstm", "gru", "rnn"] = setting(
        "lstm", "lstm or gru keep gradients alive; rnn shows how they vanish"
    )
    dropout: float = setting(0.2, "on embeddings and between layers", 0, 1)


@torch.library.custom_op("nlpkit::rnn_tanh", mutates_args=())
def rnn_tanh(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    """One layer of torch.nn.RNN as an operator that torch.export leaves whole."""
    start = states_BTD.new_zeros(1, states_BTD.shape[0], weights[1].shape[1])
    return torch.rnn_tanh(states_BTD, start, weights, True, 1, 0.0, False, False, True)[0]


@rnn_tanh.register_fake
def _(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    return states_BTD.new_empty(*states_BTD.shape[:2], weights[1].shape[1])


class Vanilla(nn.RNN):
    """torch.nn.RNN that can be exported: the exporter unrolls the original over the example's T."""

    def forward(self, states_BTD: Tensor) -> tuple[Tensor, None]:
        if torch.compiler.is_exporting():
            return torch.ops.nlpkit.rnn_tanh(states_BTD, list(self._flat_weights)), None
        return super().forward(states_BTD)[0], None


CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": Vanilla}


class Encoder(nn.Module):
    """ids_BT, mask_BT -> states_BTD with D = 2 * hidden."""

    pooling = "attention"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.width = 2 * config.hidden
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.dropout = nn.Dropout(config.dropout)
        widths = [config.embedding] + [self.width] * (config.layers - 1)
        cell = CELLS[config.cell]
        self.forwards = nn.ModuleList(cell(w, config.hidden, batch_first=True) for w in widths)
        self.backwards = nn.ModuleList(cell(w, config.hidden, batch_first=True) for w in widths)

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        index_BT1 = reverse_index(mask_BT).unsqueeze(-1)
        states_BTD = self.dropout(self.embed(ids_BT))
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            ahead_BTD, _ = ahead(states_BTD)
            back_BTD, _ = back(take(states_BTD, index_BT1))
            states_BTD = torch.cat([ahead_BTD, take(back_BTD, index_BT1)], dim=-1)
            states_BTD = self.dropout(states_BTD)
        return states_BTD


def reverse_index(mask_BT: Tensor) -> Tensor:
    """Positions that turn each row round within its own length and leave padding in place.

    A packed sequence cannot be exported and a padded bidirectional LSTM would read the padding
    first, so the backward direction is a forward one over rows reversed by this index.
    """
    times_T = torch.arange(mask_BT.shape[1], device=mask_BT.device)
    last_B1 = mask_BT.long().sum(dim=1, keepdim=True) - 1
    return torch.where(mask_BT, last_B1 - times_T, times_T)


def take(states_BTD: Tensor, index_BT1: Tensor) -> Tensor:
    return states_BTD.gather(1, index_BT1.expand(-1, -1, states_BTD.shape[2]))


def onnx_translations() -> dict[Any, Any]:
    """Return our operator's translation to ONNX's RNN."""
    from onnxscript import opset20 as op

    def translate(states_BTD: Any, weights: Sequence[Any]) -> Any:
        kernel, recurrent, bias, recurrent_bias = weights
        states_T1BD, _ = op.RNN(
            op.Transpose(states_BTD, perm=[1, 0, 2]),
            op.Unsqueeze(kernel, [0]),
            op.Unsqueeze(recurrent, [0]),
            op.Unsqueeze(op.Concat(bias, recurrent_bias, axis=0), [0]),
            activations=["Tanh"],
            hidden_size=recurrent.shape[1],
        )
        return op.Transpose(op.Squeeze(states_T1BD, [1]), perm=[1, 0, 2])

    return {torch.ops.nlpkit.rnn_tanh.default: translate}
