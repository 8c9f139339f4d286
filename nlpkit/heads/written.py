"""Heads that write: a decoder, with a source or without one, and the graphs of its generation.

    encode   ids, mask                             -> the arrays of the source, and its first states
    step     ids of U tokens, source, states       -> logits of the last, next_STATE of each state
    take     rows, source, states                  -> those rows of each

A language model has no `encode`, and its `step` gives the surprise of its tokens as well.

Legend: B batch, S source, U tokens, D width, V vocabulary, M tokens to be predicted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from nlpkit.heads.graph import READS, Arrays, Graph
from nlpkit.runtime.graphs import (
    BATCH,
    ENCODE,
    HELD,
    IDS,
    LOGITS,
    MASK,
    NEXT,
    PAST,
    PLACE,
    ROWS,
    SOURCE,
    STEP,
    SURPRISE,
    TAKE,
    TIME,
    TOKENS,
    Axes,
    Signature,
)
from nlpkit.runtime.writing import IGNORED

WANTED = "wanted"
ROUND = 256  # rows of logits


class Writer(nn.Module):
    """The decoder of a text with a source: outputs {"logits": logits_MV, "wanted": wanted_BU}."""

    FORCED = ("previous", WANTED)

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, states_BSD: Tensor, mask_BS: Tensor, previous: Tensor, wanted: Tensor
    ) -> dict[str, Tensor]:
        memory = self.decoder.memory(states_BSD, mask_BS)
        states = empty(self.decoder, previous) | self.decoder.start(memory)
        return predicted(self.decoder, previous, wanted, memory, states)

    def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
        """Return the graphs `encode`, `step` and `take`."""
        decoder = self.decoder
        encoded = {name: axes for name, axes in decoder.memory_axes.items() if name != MASK}
        outputs = {name: _of_time(axes) for name, axes in (encoded | decoder.start_axes).items()}
        encode = Graph(Encode(encoder, decoder, list(outputs)), Signature(READS, outputs))
        return {ENCODE: encode} | writing(decoder, decoder.memory_axes)


class LanguageHead(nn.Module):
    """A decoder without a source; outputs as `Writer`, from the ids of the texts themselves."""

    FORCED = ()

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        wanted = ids_BT[:, 1:].masked_fill(~mask_BT[:, 1:], IGNORED)
        return predicted(self.decoder, ids_BT[:, :-1], wanted, {}, empty(self.decoder, ids_BT))

    def graphs(self, encoder: None) -> dict[str, Graph]:
        """Return the graphs `step` and `take`."""
        return writing(self.decoder, {})


def predicted(
    decoder: Any,
    previous_BU: Tensor,
    wanted_BU: Tensor,
    memory: Mapping[str, Tensor],
    states: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return logits_MV of the tokens to be predicted, and `wanted_BU`, which tells them.

    M is rounded up; the last rows are of no token. Logits are the largest tensors of a step, and
    if each had another size, the gaps between them would grow to gigabytes.
    """
    hidden_BUD, _ = decoder(previous_BU, memory, states)
    hidden_MD = hidden_BUD[wanted_BU != IGNORED]
    hidden_MD = pad(hidden_MD, (0, 0, 0, -len(hidden_MD) % ROUND))
    return {LOGITS: decoder.logits(hidden_MD), WANTED: wanted_BU}


def empty(decoder: Any, like: Tensor) -> dict[str, Tensor]:
    """Return the states before the first token, for as many rows as `like` has, on its device."""
    return {
        name: torch.zeros(
            [_length(axis, len(like)) for axis in axes],
            dtype=torch.int64 if name == PLACE else torch.float32,
            device=like.device,
        )
        for name, axes in decoder.state_axes.items()
    }


def _length(axis: str | int, rows: int) -> int:
    return axis if isinstance(axis, int) else {BATCH: rows, PAST: 0}[axis]


class Encode(nn.Module):
    """Map ids and mask to the arrays of a source and the first states, named by `outputs`."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, outputs: list[str]) -> None:
        super().__init__()
        self.encoder, self.decoder, self.outputs = encoder, decoder, outputs

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        decoder: Any = self.decoder
        memory = decoder.memory(self.encoder(ids, mask), mask)
        arrays = memory | decoder.start(memory)
        return tuple(arrays[name] for name in self.outputs)


class Step(nn.Module):
    """Map the ids of U tokens, the source and the states to logits_BV and the next states."""

    def __init__(self, decoder: Any, source: list[str]) -> None:
        super().__init__()
        self.decoder, self.source, self.states = decoder, source, list(decoder.state_axes)

    def forward(self, ids: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
        count = len(self.source)
        memory = dict(zip(self.source, arrays[:count], strict=True))
        states = dict(zip(self.states, arrays[count:], strict=True))
        hidden_BUD, states = self.decoder(ids, memory, states)
        surprise = [] if self.source else [self.surprise(hidden_BUD, ids)]
        following = [states[name] for name in self.states]
        # Three axes give a MatMul, whose matrix can be quantised with the embedding, not a Gemm.
        logits_BV = self.decoder.logits(hidden_BUD[:, -1:])[:, 0]
        return logits_BV, *surprise, *following

    def surprise(self, hidden_BUD: Tensor, ids_BU: Tensor) -> Tensor:
        """Return surprise_BU in nats: -log p of each token after those before it, 0 at the first.

        What was read before these U tokens counts too, but not for the first of them.
        """
        logits_BUV = self.decoder.logits(hidden_BUD[:, :-1])
        chosen_BU1 = logits_BUV.gather(2, ids_BU[:, 1:].unsqueeze(2))
        surprise_BU = torch.logsumexp(logits_BUV, dim=2) - chosen_BU1.squeeze(2)
        return torch.cat([torch.zeros_like(hidden_BUD[:, :1, 0]), surprise_BU], dim=1)


class Take(nn.Module):
    """Map rows_B and arrays to those rows of each array."""

    def forward(self, rows: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
        return tuple(array.index_select(0, rows) for array in arrays)


def writing(decoder: Any, source: Mapping[str, Axes]) -> dict[str, Graph]:
    """Return the graphs `step` and `take` of a decoder; `source` has the axes of its memory."""
    held, vocabulary = dict(decoder.state_axes), decoder.embed.num_embeddings
    tokens = 1 if decoder.one_by_one else TOKENS
    surprise = {} if source else {SURPRISE: (BATCH, tokens)}
    following = {f"{NEXT}{name}": tuple(map(_after, axes)) for name, axes in held.items()}
    step = Signature(
        {IDS: (BATCH, tokens)} | dict(source) | held,
        {LOGITS: (BATCH, vocabulary)} | surprise | following,
    )
    arrays = {**source, **held}
    take = Signature(
        {ROWS: (BATCH,)} | {name: (HELD, *axes[1:]) for name, axes in arrays.items()},
        {f"{NEXT}{name}": axes for name, axes in arrays.items()},
    )

    def example(rng: Any, known: Arrays) -> dict[str, Any]:
        return _example(rng, known, step, vocabulary)

    def chosen(rng: Any, known: Arrays) -> dict[str, Any]:
        rows = len(known[IDS])
        return {ROWS: rng.integers(0, rows, rows)} | {name: known[name] for name in arrays}

    return {
        STEP: Graph(Step(decoder, list(source)), step, example),
        TAKE: Graph(Take(), take, chosen),
    }


def _example(rng: Any, known: Arrays, step: Signature, vocabulary: int) -> dict[str, Any]:
    """Return feeds of a step after a few earlier tokens, random but for what `encode` gives."""
    rows = len(known[IDS])
    lengths = {BATCH: rows, PAST: 3, TOKENS: 4}

    def fresh(name: str, axes: Axes) -> Any:
        shape = [axis if isinstance(axis, int) else lengths[axis] for axis in axes]
        if name == IDS:
            return rng.integers(1, vocabulary, shape)
        if name == PLACE:
            return rng.integers(0, 9, shape)
        return rng.normal(size=shape).astype("float32")

    return {
        name: known[name] if name in known and name != IDS else fresh(name, axes)
        for name, axes in step.inputs.items()
    }


def _of_time(axes: Axes) -> Axes:
    """Return the axes of an output of `encode`, where the source is what is read."""
    return tuple(TIME if axis == SOURCE else axis for axis in axes)


def _after(axis: str | int) -> str | int:
    """Return the axis of a state after a step, which may have more tokens than before."""
    return "read" if axis == PAST else axis


def written_loss(outputs: Mapping[str, Tensor], smoothing: float) -> Tensor:
    """Return loss_B, whose mean over B is the mean cross-entropy over the batch's tokens."""
    wanted_BU = outputs[WANTED]
    is_wanted_BU = wanted_BU != IGNORED
    logits_MV, wanted_M = outputs[LOGITS].float(), wanted_BU[is_wanted_BU]
    wanted_M = pad(wanted_M, (0, len(logits_MV) - len(wanted_M)), value=IGNORED)
    loss_M = cross_entropy(
        logits_MV, wanted_M, ignore_index=IGNORED, label_smoothing=smoothing, reduction="none"
    )
    loss_BU = loss_M.new_zeros(wanted_BU.shape).masked_scatter(is_wanted_BU, loss_M)
    return loss_BU.sum(dim=1) * (len(wanted_BU) / is_wanted_BU.sum().clamp_min(1))
