"""Write texts token by token, with a graph that reads the source and one that writes a step.

    encode   ids, mask                -> what the steps need, under the names that they take it by
    step     previous, and the above  -> logits, and `next_NAME` for each input NAME that changes

`previous` (int64 [B]) is the token before, `bos` at first. An input of `step` that `encode` was fed
or gives keeps its value, unless a step gives `next_NAME`. The loop is numpy over `run`, so torch
and ONNX Runtime share it. A document that has ended leaves the batch.

Legend: B documents still in work, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nlpkit.runtime.graphs import ENCODE, LOGITS, STEP, Run

if TYPE_CHECKING:
    import numpy as np

PREVIOUS, NEXT = "previous", "next_"


def greedy(
    run: Run, feeds: Mapping[str, np.ndarray], limit_B: np.ndarray, *, bos: int, eos: int
) -> list[list[int]]:
    """Return the likeliest token after another of each document, until `eos` or its limit."""
    import numpy as np

    known = dict(feeds) | run(ENCODE, feeds, tuple(run.signatures[ENCODE].outputs))
    inputs, outputs = run.signatures[STEP].inputs, tuple(run.signatures[STEP].outputs)
    known = {name: known[name] for name in inputs if name != PREVIOUS}
    row_B = np.arange(len(limit_B))
    known[PREVIOUS] = np.full(len(limit_B), bos, dtype=np.int64)
    written: list[list[int]] = [[] for _ in range(len(limit_B))]
    while len(row_B):
        made = run(STEP, known, outputs)
        token_B = made[LOGITS].argmax(axis=1)
        for row, token in zip(row_B.tolist(), token_B.tolist(), strict=True):
            written[row].append(token)
        on_B = (token_B != eos) & (np.array([len(written[row]) for row in row_B]) < limit_B[row_B])
        known |= {name: made[NEXT + name] for name in known if NEXT + name in made}
        known[PREVIOUS] = token_B.astype(np.int64)
        row_B = row_B[on_B]
        known = {name: array[on_B] for name, array in known.items()}
    return [tokens[:-1] if tokens and tokens[-1] == eos else tokens for tokens in written]
