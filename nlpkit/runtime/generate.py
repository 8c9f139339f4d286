"""Write texts token by token: greedily, by sampling or by beam search, many in one batch.

    encode   ids, mask                        -> arrays of the source, and first states
    step     ids of U tokens, source, states  -> logits_BV of the last, and next_STATE of each state
    take     rows, source, states             -> next_NAME, those rows of each

A state that `encode` does not give is zeros at first, with a length of 0 along the axis "past". The
loop is numpy over `run`, so torch and ONNX Runtime share it, and states stay on the device. A
language model has no `encode`: its texts begin with a prompt.

Legend: B texts in the batch, U tokens, V vocabulary.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nlpkit.runtime.graphs import (
    BATCH,
    ENCODE,
    IDS,
    LOGITS,
    MASK,
    NEXT,
    PAST,
    ROWS,
    STEP,
    TAKE,
    Run,
    zeros,
)

if TYPE_CHECKING:
    import numpy as np

LEAVING = 0.25  # share of finished texts at which they leave the batch; each leave copies the rest

# Maps the unfinished texts and their logits_BV to the next token of each and its log-probability.
Choose = Callable[[Sequence["Draft"], Any], tuple[Any, Any]]
# Sets the logits_BV of tokens that texts must not have next to minus infinity, in place.
Guard = Callable[[Sequence["Draft"], Any], None]


@dataclass
class Draft:
    """A text that is being written.

    Attributes:
        prompt: the ids that it begins with, `bos` first.
        limit: most new tokens.
        number: its place among the samples of its prompt, from 0.
        marks: how often each mark must be in it (nlpkit/runtime/marks.py).
        ids: the new ids so far.
        logprobs: the log-probability of each.
        ended: whether `eos`, or the text of a stop, ended it.
    """

    prompt: list[int]
    limit: int
    number: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def done(self) -> bool:
        """Whether nothing is to be added."""
        return self.ended or len(self.ids) >= self.limit

    def add(self, token: int, logprob: float, eos: int | None) -> None:
        """Add a token; `eos` ends the text and is not part of it."""
        self.logprobs.append(logprob)
        if token == eos:
            self.ended = True
        else:
            self.ids.append(token)


def never(draft: Draft) -> bool:
    """Return False: only eos and the limit end a text."""
    return False


class Decoding:
    """The states of a batch of texts, between the steps of a network."""

    def __init__(
        self, run: Run, source: Mapping[str, np.ndarray], rows: int, silent: Sequence[int] = ()
    ) -> None:
        """Read the source (ids and mask), {} for a language model.

        `silent` are tokens that are never written, such as that of padding.
        """
        self.run, self.rows, self.silent = run, rows, list(silent)
        step = run.signatures[STEP]
        self.one_by_one = step.inputs[IDS][1] == 1
        self.states = [name for name in step.inputs if NEXT + name in step.outputs]
        self.arrays: dict[str, Any] = {}
        if source:
            outputs = [name for name in run.signatures[ENCODE].outputs if name in step.inputs]
            self.arrays = {MASK: source[MASK]} | run(ENCODE, source, outputs)
        empty = {name: step.inputs[name] for name in self.states if name not in self.arrays}
        self.arrays |= zeros(empty, {BATCH: rows, PAST: 0})

    def read(self, ids_BU: np.ndarray) -> np.ndarray:
        """Read U tokens of each text; return logits_BV of the token after them."""
        kept = [NEXT + name for name in self.states]
        arrays = self.run(STEP, {IDS: ids_BU} | self.arrays, (LOGITS,), kept)
        self.arrays |= {name: arrays[NEXT + name] for name in self.states}
        logits_BV: np.ndarray = arrays[LOGITS]
        logits_BV[:, self.silent] = -math.inf
        return logits_BV

    def take(self, rows: Sequence[int]) -> None:
        """Keep these rows of the batch, in this order; a row may be taken more than once."""
        import numpy as np

        kept = [NEXT + name for name in self.arrays]
        feeds = {ROWS: np.array(rows, dtype=np.int64)} | self.arrays
        arrays = self.run(TAKE, feeds, (), kept)
        self.arrays = {name: arrays[NEXT + name] for name in self.arrays}
        self.rows = len(rows)


def write(
    run: Run,
    source: Mapping[str, np.ndarray],
    drafts: Sequence[Draft],
    choose: Choose,
    *,
    eos: int | None,
    silent: Sequence[int] = (),
    guard: Guard | None = None,
    finished: Callable[[Draft], bool] = never,
) -> Iterator[tuple[int, Draft]]:
    """Write the drafts, one for each row of the source; yield (index, draft) after each new token.

    Args:
        run: the network.
        source: ids and mask of the sources; {} for a language model.
        drafts: the texts, which are changed in place.
        choose: chooses the next tokens.
        eos: the token that ends a text, or None to write up to the limit.
        silent: tokens that are never written.
        guard: forbids tokens to the drafts.
        finished: tells whether a draft ends after its newest token.
    """
    import numpy as np

    if not drafts:
        return
    decoding = Decoding(run, source, len(drafts), silent)
    # All rows read as many tokens at once as the shortest prompt has; the others' further tokens
    # take the place of chosen ones, so that no row needs padding.
    start = 1 if decoding.one_by_one else min(len(draft.prompt) for draft in drafts)
    ids_BU = np.array([draft.prompt[:start] for draft in drafts], dtype=np.int64)
    active, read = list(range(len(drafts))), start
    while active:
        logits_BV = decoding.read(ids_BU)
        texts = [drafts[index] for index in active]
        following = [draft.prompt[read] if read < len(draft.prompt) else 0 for draft in texts]
        asking = [
            row for row, draft in enumerate(texts) if read >= len(draft.prompt) and not draft.done
        ]
        choosing, logits_BV = [texts[row] for row in asking], logits_BV[asking]
        if guard:
            guard(choosing, logits_BV)
        tokens, logprobs = choose(choosing, logits_BV)
        for row, token, logprob in zip(asking, tokens.tolist(), logprobs.tolist(), strict=True):
            following[row] = token
            texts[row].add(token, logprob, eos)
            texts[row].ended = texts[row].ended or finished(texts[row])
            yield active[row], texts[row]
        read += 1
        unfinished = [row for row, draft in enumerate(texts) if not draft.done]
        ids_BU = np.array(following, dtype=np.int64)[:, None]
        if len(unfinished) <= (1 - LEAVING) * len(active):
            active = [active[row] for row in unfinished]
            ids_BU = ids_BU[unfinished]
            if active:
                decoding.take(unfinished)
