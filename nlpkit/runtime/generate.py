"""Generate texts token by token with two graphs: "encode" reads the source, "step" writes a token.

    encode   ids, mask                       -> inputs of `step`, by name
    step     previous, outputs of `encode`   -> logits_BV, and `next_NAME` for each changed input

`previous` (int64 [B]) is the previous token, `bos` at first. Every other input of `step` is an
input or output of `encode`; it keeps its value unless `step` gives `next_NAME` for it. The loop is
numpy over `run`, so torch and ONNX Runtime share it. Finished documents leave the batch.

Legend: B unfinished documents, V vocabulary.
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
    """Decode greedily: return the ids of each document's text, without `bos` and `eos`.

    A text ends before `eos`, or at its limit in tokens (limit_B, int64).
    """
    import numpy as np

    arrays = dict(feeds) | run(ENCODE, feeds, tuple(run.signatures[ENCODE].outputs))
    inputs, outputs = run.signatures[STEP].inputs, tuple(run.signatures[STEP].outputs)
    arrays = {name: arrays[name] for name in inputs if name != PREVIOUS}
    row_B = np.arange(len(limit_B))
    arrays[PREVIOUS] = np.full(len(limit_B), bos, dtype=np.int64)
    written: list[list[int]] = [[] for _ in range(len(limit_B))]
    while len(row_B):
        step = run(STEP, arrays, outputs)
        token_B = step[LOGITS].argmax(axis=1)
        for row, token in zip(row_B.tolist(), token_B.tolist(), strict=True):
            written[row].append(token)
        unfinished_B = (token_B != eos) & (
            np.array([len(written[row]) for row in row_B]) < limit_B[row_B]
        )
        arrays |= {name: step[NEXT + name] for name in arrays if NEXT + name in step}
        arrays[PREVIOUS] = token_B.astype(np.int64)
        row_B = row_B[unfinished_B]
        arrays = {name: array[unfinished_B] for name, array in arrays.items()}
    return [tokens[:-1] if tokens and tokens[-1] == eos else tokens for tokens in written]
