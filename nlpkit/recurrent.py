"""Recurrent layers that export to ONNX with a free time axis, and the reversal of padded rows.

torch.export fixes the time axis of an nn.LSTM and unrolls an nn.RNN. Custom operators stay single
nodes, which translate to ONNX's own LSTM and RNN.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


@torch.library.custom_op("nlpkit::rnn_tanh", mutates_args=())
def rnn_tanh(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    """Run one layer of torch.nn.RNN from a zero state; return states_BTD."""
    start = states_BTD.new_zeros(1, states_BTD.shape[0], weights[1].shape[1])
    return torch.rnn_tanh(states_BTD, start, weights, True, 1, 0.0, False, False, True)[0]


@torch.library.custom_op("nlpkit::lstm", mutates_args=())
def lstm(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    """Run one layer of torch.nn.LSTM from a zero state; return states_BTD."""
    start = states_BTD.new_zeros(1, states_BTD.shape[0], weights[1].shape[1])
    return torch.lstm(states_BTD, [start, start], weights, True, 1, 0.0, False, False, True)[0]


@rnn_tanh.register_fake
@lstm.register_fake
def _(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    return states_BTD.new_empty(*states_BTD.shape[:2], weights[1].shape[1])


class Vanilla(nn.RNN):
    """A torch.nn.RNN that exports as one operator; `forward` returns (states_BTD, None)."""

    def forward(self, states_BTD: Tensor) -> tuple[Tensor, None]:
        if torch.compiler.is_exporting():
            return torch.ops.nlpkit.rnn_tanh(states_BTD, list(self._flat_weights)), None
        return super().forward(states_BTD)[0], None


class Lstm(nn.LSTM):
    """A torch.nn.LSTM that exports as one operator; `forward` returns (states_BTD, None)."""

    def forward(self, states_BTD: Tensor) -> tuple[Tensor, None]:
        if torch.compiler.is_exporting():
            return torch.ops.nlpkit.lstm(states_BTD, list(self._flat_weights)), None
        return super().forward(states_BTD)[0], None


def reverse_index(mask_BT: Tensor) -> Tensor:
    """Return index_BT, which reverses the tokens of each row and leaves its padding in place.

    A packed sequence cannot be exported, and a padded bidirectional LSTM would read the padding
    first, so the backward direction is a forward layer over rows reversed by this index.
    """
    times_T = torch.arange(mask_BT.shape[1], device=mask_BT.device)
    last_B1 = mask_BT.long().sum(dim=1, keepdim=True) - 1
    return torch.where(mask_BT, last_B1 - times_T, times_T)


def take(states_BTD: Tensor, index_BT1: Tensor) -> Tensor:
    """Return states_BTD reordered over time by index_BT1."""
    return states_BTD.gather(1, index_BT1.expand(-1, -1, states_BTD.shape[2]))


def onnx_translations() -> dict[Any, Any]:
    """Return the translations of this module's operators to ONNX's RNN and LSTM."""
    from onnxscript import opset20 as op

    def reordered(weight: Any) -> Any:
        """Reorder the gates from torch's i f g o to ONNX's i o f c."""
        i, f, g, o = op.Split(weight, num_outputs=4, axis=0)
        return op.Concat(i, o, f, g, axis=0)

    def translate_rnn(states_BTD: Any, weights: Sequence[Any]) -> Any:
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

    def translate_lstm(states_BTD: Any, weights: Sequence[Any]) -> Any:
        hidden = weights[1].shape[1]
        kernel, recurrent, bias, recurrent_bias = map(reordered, weights)
        states_T1BD, _, _ = op.LSTM(
            op.Transpose(states_BTD, perm=[1, 0, 2]),
            op.Unsqueeze(kernel, [0]),
            op.Unsqueeze(recurrent, [0]),
            op.Unsqueeze(op.Concat(bias, recurrent_bias, axis=0), [0]),
            hidden_size=hidden,
        )
        return op.Transpose(op.Squeeze(states_T1BD, [1]), perm=[1, 0, 2])

    return {
        torch.ops.nlpkit.rnn_tanh.default: translate_rnn,
        torch.ops.nlpkit.lstm.default: translate_lstm,
    }
