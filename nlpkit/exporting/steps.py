"""Checks of a network that writes: its steps against teacher forcing, and a text against a batch.

Legend: B texts, U tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from nlpkit.heads.written import empty
from nlpkit.runtime.generate import Decoding
from nlpkit.runtime.graphs import IDS, MASK, Run
from nlpkit.runtime.model import Model
from nlpkit.runtime.writing import reads_sources
from nlpkit.training.data import Split
from nlpkit.training.network import Network

TEXTS = 12  # texts of dev that are written step by step
LONGEST = 40  # tokens of a text


class Forced(NamedTuple):
    """Texts of dev, and the logits of torch for each of their tokens, read at once.

    `source` holds ids and mask, or is {} for a language model. ids_BU begin with bos; real_BU is
    True at tokens.
    """

    source: Mapping[str, np.ndarray]
    ids_BU: np.ndarray
    real_BU: np.ndarray
    logits_BUV: np.ndarray


def forced(model: Model, network: Network, dev: Split) -> Forced:
    """Return the first texts of dev with the logits of teacher forcing."""
    documents = dev.documents[:TEXTS]
    bos, _ = model.task.bounds(model.tokenizer)
    sourced = reads_sources(model.task)
    golds = [gold.text for gold in dev.golds[:TEXTS]] if sourced else documents
    written = [[bos, *ids[: LONGEST - 1].tolist()] for ids in model.tokenizer.encode(golds).each()]
    ids_BU, real_BU = _padded(written)
    source: dict[str, np.ndarray] = {}
    if sourced:
        windows = model.encode(documents)
        read = [windows.encoded.each()[row][: model.windows.size] for row in range(len(documents))]
        # A document without tokens is no source: read one token in its place.
        ids, mask = _padded([ids.tolist() or [bos] for ids in read])
        source = {IDS: ids, MASK: mask}
    return Forced(source, ids_BU, real_BU, _logits(network, source, ids_BU))


@torch.inference_mode()
def _logits(network: Network, source: Mapping[str, np.ndarray], ids_BU: np.ndarray) -> np.ndarray:
    head: Any = network.head
    was_training, decoder = network.training, head.decoder
    network.eval()
    ids, memory = torch.from_numpy(ids_BU), dict[str, Any]()
    states = empty(decoder, ids)
    if source and network.encoder is not None:
        tokens, mask = (torch.from_numpy(source[name]) for name in (IDS, MASK))
        memory = decoder.memory(network.encoder(tokens, mask), mask)
        states |= decoder.start(memory)
    hidden_BUD, _ = decoder(ids, memory, states)
    logits: np.ndarray = decoder.logits(hidden_BUD).float().numpy()
    network.train(was_training)
    return logits


def differences(run: Run, texts: Forced) -> tuple[float, float]:
    """Return the largest difference of stepwise logits from forced ones, and alone from a batch."""
    together = _stepwise(run, texts.source, texts.ids_BU)
    step = float(np.abs(together - texts.logits_BUV)[texts.real_BU].max())
    alone = 0.0
    for row in range(len(texts.ids_BU)):
        length = int(texts.real_BU[row].sum())
        source: Any = {name: array[row : row + 1] for name, array in texts.source.items()}
        if source:
            tokens = int(source[MASK].sum())
            source = {name: array[:, :tokens] for name, array in source.items()}
        logits = _stepwise(run, source, texts.ids_BU[row : row + 1, :length])
        alone = max(alone, float(np.abs(logits[0] - together[row, :length]).max()))
    return _finite(step), _finite(alone)


def _finite(difference: float) -> float:
    return difference if np.isfinite(difference) else float("inf")


def _stepwise(run: Run, source: Mapping[str, np.ndarray], ids_BU: np.ndarray) -> np.ndarray:
    """Return logits_BUV, token by token."""
    decoding = Decoding(run, source, len(ids_BU))
    columns = [ids_BU[:, place : place + 1] for place in range(ids_BU.shape[1])]
    return np.stack([decoding.read(column) for column in columns], axis=1)


def _padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    real = np.zeros(ids.shape, dtype=bool)
    for row, each in enumerate(rows):
        ids[row, : len(each)], real[row, : len(each)] = each, True
    return ids, real
