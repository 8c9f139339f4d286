"""Recurrent decoder with attention over the source and input feeding (Luong et al. 2015).

Use when: texts are short and data are few; a language model of it needs no cache. Training with a
source reads one token at a time, so it is slower than the transformer on a GPU.

`attention = "none"` and `cell = "rnn"` are for teaching (docs/attention.md). Without attention the
text follows from the state after the last token of the source alone (Sutskever et al. 2014).

Legend: B batch, S source, U new tokens, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from nlpkit.attention import KINDS, Kind, mixed
from nlpkit.recurrent import Lstm, Vanilla, onnx_translations
from nlpkit.runtime.graphs import BATCH, MASK, SOURCE, Axes
from nlpkit.settings.declaration import setting

__all__ = ["Config", "Decoder", "onnx_translations"]

FED, LAST = "fed", "source_last"
CELLS = {"lstm": (Lstm, ("hidden", "cell")), "rnn": (Vanilla, ("hidden",))}  # and their states


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    embedding: int = setting(256, "width of a token's vector", 1, tune=[128, 256])
    hidden: int = setting(512, "width of the state", 1, tune=[128, 256, 512])
    layers: int = setting(1, "stacked layers", 1, tune=[1, 2])
    cell: Literal["lstm", "rnn"] = setting(
        "lstm", "recurrent cell; gradients vanish sooner in rnn than in lstm"
    )
    attention: Literal[Kind, "none"] = setting(
        "general", "kind of attention over the source (docs/attention.md)"
    )
    feeding: bool = setting(True, "feed what was read of the source into the next step")
    dropout: float = setting(0.2, "dropout on embeddings and between layers", 0, 1, tune=(0.0, 0.5))


class Decoder(nn.Module):
    """Recurrent layers; with a source, their states attend to it."""

    def __init__(self, config: Config, source: int = 0) -> None:
        super().__init__()
        self.width, self.source = config.embedding, source
        self.hidden = config.hidden
        self.attends = source > 0 and config.attention != "none"
        self.feeding = config.feeding and self.attends
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=config.embedding**-0.5)
        self.bias_V = nn.Parameter(torch.zeros(config.vocab_size))
        self.dropout = nn.Dropout(config.dropout)
        first = config.embedding + (config.hidden if self.feeding else 0)
        widths = [first] + [config.hidden] * (config.layers - 1)
        cell, self.names = CELLS[config.cell]
        self.cells = nn.ModuleList(cell(w, config.hidden, batch_first=True) for w in widths)
        self.output = nn.Linear(config.hidden, config.embedding)
        if source:
            self.begin = nn.Linear(source, len(self.start_axes) * config.hidden)
        if self.attends:
            self.query = nn.Linear(config.hidden, config.hidden)
            self.key = nn.Linear(source, config.hidden)
            self.scores = KINDS[config.attention](1, config.hidden)
            self.combine = nn.Linear(config.hidden + source, config.hidden)

    @property
    def one_by_one(self) -> bool:
        """Whether each token needs what the one before it read."""
        return self.feeding

    @property
    def state_axes(self) -> dict[str, Axes]:
        """The states of each layer's cell and, with input feeding, what was read last."""
        axes: Axes = (BATCH, self.hidden)
        layers = range(len(self.cells))
        names = [f"{name}_{layer}" for layer in layers for name in self.names]
        return dict.fromkeys([*names, *([FED] if self.feeding else [])], axes)

    @property
    def memory_axes(self) -> dict[str, Axes]:
        """The axes of the arrays of `memory`."""
        if not self.attends:
            return {LAST: (BATCH, self.source), MASK: (BATCH, SOURCE)}
        keys: Axes = (BATCH, SOURCE, self.hidden)
        values: Axes = (BATCH, SOURCE, self.source)
        return {"source_keys": keys, "source_values": values, MASK: (BATCH, SOURCE)}

    def memory(self, states_BSD: Tensor, mask_BS: Tensor) -> dict[str, Tensor]:
        """Return the keys and values of the source, or its last state; and its mask."""
        if not self.attends:
            last_B = mask_BS.long().sum(dim=1) - 1
            index_B1D = last_B[:, None, None].expand(-1, 1, self.source)
            return {LAST: states_BSD.gather(1, index_B1D)[:, 0], MASK: mask_BS}
        values_BSD = states_BSD.masked_fill(~mask_BS.unsqueeze(-1), 0.0)
        return {"source_keys": self.key(states_BSD), "source_values": values_BSD, MASK: mask_BS}

    @property
    def start_axes(self) -> dict[str, Axes]:
        """The axes of the arrays of `start`."""
        if not self.attends:  # the cells as well, as in Sutskever et al. 2014
            return self.state_axes
        return {name: axes for name, axes in self.state_axes.items() if name.startswith("hidden")}

    def start(self, memory: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the states from which a text begins.

        They follow from the mean of the source or, without attention, from its last state.
        """
        if self.attends:
            sums_BD = memory["source_values"].sum(dim=1)
            whole_BD = sums_BD / memory[MASK].sum(dim=1, keepdim=True)
        else:
            whole_BD = memory[LAST]
        parts = torch.tanh(self.begin(whole_BD)).chunk(len(self.start_axes), dim=-1)
        return dict(zip(self.start_axes, parts, strict=True))

    def forward(
        self, ids_BU: Tensor, memory: Mapping[str, Tensor], states: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        pieces_BUD = self.dropout(self.embed(ids_BU))
        states = dict(states)
        if not self.feeding:
            hidden_BUD = self._attended(self._read(pieces_BUD, states), memory)
        else:
            steps = []
            for place in range(ids_BU.shape[1]):
                piece_B1D = pieces_BUD[:, place : place + 1]
                fed_B1D = states[FED].unsqueeze(1)
                step_B1D = self._read(torch.cat([piece_B1D, fed_B1D], dim=-1), states)
                steps.append(self._attended(step_B1D, memory))
                states[FED] = steps[-1][:, 0]
            hidden_BUD = torch.cat(steps, dim=1)
        return self.output(self.dropout(hidden_BUD)), states

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits by the embedding as output layer (Press & Wolf 2017)."""
        return linear(hidden, self.embed.weight, self.bias_V)

    def _read(self, states_BUD: Tensor, states: dict[str, Tensor]) -> Tensor:
        """Return the states of the top layer; replace those of each layer in `states`."""
        for layer, cell in enumerate(self.cells):
            if layer:
                states_BUD = self.dropout(states_BUD)
            names = [f"{name}_{layer}" for name in self.names]
            states_BUD, *last = cell.after(states_BUD, *(states[name] for name in names))
            states |= dict(zip(names, last, strict=True))
        return states_BUD

    def _attended(self, states_BUD: Tensor, memory: Mapping[str, Tensor]) -> Tensor:
        """Return tanh(W [state; source read by attention]); the states themselves without one."""
        if not self.attends:
            return states_BUD
        query, key, value = (
            part.unsqueeze(1)
            for part in (self.query(states_BUD), memory["source_keys"], memory["source_values"])
        )
        read_B1US = mixed(query, key, value, memory[MASK][:, None, None, :], self.scores)
        return torch.tanh(self.combine(torch.cat([states_BUD, read_B1US[:, 0]], dim=-1)))
