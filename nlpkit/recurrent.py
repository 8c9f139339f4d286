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


@torch.library.custom_op("nlpkit::rnn_tanh_from", mutates_args=())
def rnn_tanh_from(
    states_BTD: Tensor, hidden_BD: Tensor, weights: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Run one layer of torch.nn.RNN from a state; return states_BTD and hidden_BD."""
    start_1BD = hidden_BD.unsqueeze(0)
    read, hidden = torch.rnn_tanh(states_BTD, start_1BD, weights, True, 1, 0.0, False, False, True)
    return read, hidden[0].clone()


@torch.library.custom_op("nlpkit::lstm", mutates_args=())
def lstm(states_BTD: Tensor, weights: list[Tensor]) -> Tensor:
    """Run one layer of torch.nn.LSTM from a zero state; return states_BTD."""
    start = states_BTD.new_zeros(1, states_BTD.shape[0], weights[1].shape[1])
    return torch.lstm(states_BTD, [start, start], weights, True, 1, 0.0, False, False, True)[0]


@torch.library.custom_op("nlpkit::lstm_from", mutates_args=())
def lstm_from(
    states_BTD: Tensor, hidden_BD: Tensor, cell_BD: Tensor, weights: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one layer of torch.nn.LSTM from a state; return states_BTD, hidden_BD and cell_BD."""
    start = [hidden_BD.unsqueeze(0), cell_BD.unsqueeze(0)]
    read, hidden, cell = torch.lstm(states_BTD, start, weights, True, 1, 0.0, False, False, True)
    return read, hidden[0].clone(), cell[0].clone()


@rnn_tanh_from.register_fake
def _(states_BTD: Tensor, hidden_BD: Tensor, weights: list[Tensor]) -> tuple[Tensor, Tensor]:
    read = states_BTD.new_empty(*states_BTD.shape[:2], weights[1].shape[1])
    return read, torch.empty_like(hidden_BD)


@lstm_from.register_fake
def _(
    states_BTD: Tensor, hidden_BD: Tensor, cell_BD: Tensor, weights: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    read = states_BTD.new_empty(*states_BTD.shape[:2], weights[1].shape[1])
    return read, torch.empty_like(hidden_BD), torch.empty_like(cell_BD)


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

    def after(self, states_BTD: Tensor, hidden_BD: Tensor) -> tuple[Tensor, Tensor]:
        """Read from a state; return states_BTD and the new hidden_BD."""
        if torch.compiler.is_exporting():
            weights = list(self._flat_weights)
            return torch.ops.nlpkit.rnn_tanh_from(states_BTD, hidden_BD, weights)
        read_BTD, hidden = super().forward(states_BTD, hidden_BD.unsqueeze(0))
        return read_BTD, hidden[0]


class Lstm(nn.LSTM):
    """A torch.nn.LSTM that exports as one operator; `forward` returns (states_BTD, None)."""

    def forward(self, states_BTD: Tensor) -> tuple[Tensor, None]:
        if torch.compiler.is_exporting():
            return torch.ops.nlpkit.lstm(states_BTD, list(self._flat_weights)), None
        return super().forward(states_BTD)[0], None

    def after(
        self, states_BTD: Tensor, hidden_BD: Tensor, cell_BD: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read from a state; return states_BTD and the new hidden_BD and cell_BD."""
        if torch.compiler.is_exporting():
            weights = list(self._flat_weights)
            return torch.ops.nlpkit.lstm_from(states_BTD, hidden_BD, cell_BD, weights)
        start = hidden_BD.unsqueeze(0), cell_BD.unsqueeze(0)
        read_BTD, (hidden, cell) = super().forward(states_BTD, start)
        return read_BTD, hidden[0], cell[0]


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

    def read_rnn(states_BTD: Any, weights: Sequence[Any], *start: Any) -> tuple[Any, Any]:
        """Return states_BTD, and hidden, [1, B, D], of ONNX's RNN."""
        kernel, recurrent, bias, recurrent_bias = weights
        states_T1BD, last = op.RNN(
            op.Transpose(states_BTD, perm=[1, 0, 2]),
            op.Unsqueeze(kernel, [0]),
            op.Unsqueeze(recurrent, [0]),
            op.Unsqueeze(op.Concat(bias, recurrent_bias, axis=0), [0]),
            *((None, *start) if start else ()),  # None: every row has the same length
            activations=["Tanh"],
            hidden_size=recurrent.shape[1],
        )
        return op.Transpose(op.Squeeze(states_T1BD, [1]), perm=[1, 0, 2]), last

    def translate_rnn(states_BTD: Any, weights: Sequence[Any]) -> Any:
        return read_rnn(states_BTD, weights)[0]

    def translate_rnn_from(
        states_BTD: Any, hidden_BD: Any, weights: Sequence[Any]
    ) -> tuple[Any, Any]:
        read_BTD, hidden = read_rnn(states_BTD, weights, op.Unsqueeze(hidden_BD, [0]))
        return read_BTD, op.Squeeze(hidden, [0])

    def read(states_BTD: Any, weights: Sequence[Any], *start: Any) -> tuple[Any, Any, Any]:
        """Return states_BTD, and hidden and cell, [1, B, D], of ONNX's LSTM."""
        hidden = weights[1].shape[1]
        kernel, recurrent, bias, recurrent_bias = map(reordered, weights)
        states_T1BD, *last = op.LSTM(
            op.Transpose(states_BTD, perm=[1, 0, 2]),
            op.Unsqueeze(kernel, [0]),
            op.Unsqueeze(recurrent, [0]),
            op.Unsqueeze(op.Concat(bias, recurrent_bias, axis=0), [0]),
            *((None, *start) if start else ()),  # None: every row has the same length
            hidden_size=hidden,
        )
        return op.Transpose(op.Squeeze(states_T1BD, [1]), perm=[1, 0, 2]), *last

    def translate_lstm(states_BTD: Any, weights: Sequence[Any]) -> Any:
        return read(states_BTD, weights)[0]

    def translate_lstm_from(
        states_BTD: Any, hidden_BD: Any, cell_BD: Any, weights: Sequence[Any]
    ) -> Any:
        start = (op.Unsqueeze(each, [0]) for each in (hidden_BD, cell_BD))
        read_BTD, hidden, cell = read(states_BTD, weights, *start)
        return read_BTD, op.Squeeze(hidden, [0]), op.Squeeze(cell, [0])

    return {
        torch.ops.nlpkit.rnn_tanh_from.default: translate_rnn_from,
        torch.ops.nlpkit.lstm_from.default: translate_lstm_from,
        torch.ops.nlpkit.rnn_tanh.default: translate_rnn,
        torch.ops.nlpkit.lstm.default: translate_lstm,
    }
