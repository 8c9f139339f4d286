"""Store the tokenised text of a pretraining run, and batch it by length.

A corpus may be larger than memory: its ids are in a memory-mapped file of the run's folder.

Legend: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import numpy as np

from nlpkit.errors import InputError
from nlpkit.runtime.batcher import Batch, pad, padded_length
from nlpkit.text import Tokenizer, encode
from nlpkit.training.epoch import POOL, cut_by_tokens

SAMPLE = 150_000  # most documents to learn a tokenizer from; more give almost the same pieces
CHUNK = 4096  # documents tokenised at once
SHORTEST = 4  # tokens of the shortest window; a shorter one has no context to predict from


def sample(documents: Iterable[str], seed: int) -> list[str]:
    """Draw up to SAMPLE documents of a stream with equal chances (reservoir sampling, Vitter 1985).

    The same seed and stream give the same documents.
    """
    rng, reservoir = Random(seed), list[str]()
    for index, text in enumerate(documents):
        if index < SAMPLE:
            reservoir.append(text)
        elif (slot := rng.randrange(index + 1)) < SAMPLE:
            reservoir[slot] = text
    return reservoir


@dataclass(frozen=True)
class Corpus:
    """Tokenised documents: document i is ids[starts[i] : starts[i + 1]]."""

    folder: Path
    ids: np.ndarray
    starts: np.ndarray

    def documents(self) -> Iterator[np.ndarray]:
        """Yield the ids of each document, an array [T]."""
        for start, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield self.ids[start:end]

    def windows(self, window: int) -> np.ndarray:
        """Cut the documents into windows of at most `window` tokens; drop those below SHORTEST.

        Return an array [windows, 2] of (start in `ids`, length).
        """
        lengths = np.diff(self.starts)
        count = -(-lengths // window)
        owner = np.repeat(np.arange(len(lengths)), count)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        length = np.minimum(lengths[owner] - nth * window, window)
        windows = np.stack([self.starts[owner] + nth * window, length], axis=1)
        return windows[length >= SHORTEST]


def write(documents: Iterable[str], tokenizer: Tokenizer, folder: Path, name: str) -> None:
    """Write the ids of documents to files of the folder, complete or absent; `read` opens them.

    Raises:
        InputError: the tokenizer finds no token in the documents.
    """
    folder.mkdir(exist_ok=True)
    starts = [0]
    kind = np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32
    part = folder / f".{name}.ids.part"
    with part.open("wb") as out:
        stream = iter(documents)
        while chunk := list(islice(stream, CHUNK)):
            starts += _append(out, encode(tokenizer, chunk).each(), kind, starts[-1])
    if not starts[-1]:
        raise InputError(
            f"[corpus] {name}: the tokenizer finds no token in the texts; check the files and the "
            "tokenizer"
        )
    with (folder / f".{name}.starts.part").open("wb") as out:
        np.save(out, np.array(starts))
    for old in folder.glob(f"{name}.*"):
        old.unlink()  # the dtype, and so the name, may have changed
    (folder / f".{name}.starts.part").replace(folder / f"{name}.starts.npy")
    part.replace(folder / f"{name}.{np.dtype(kind).name}")  # last: `read` looks for it


def read(folder: Path, name: str) -> Corpus:
    """Open the corpus `name` that `write` stored in the folder.

    Raises:
        FileNotFoundError: the folder holds no such corpus.
    """
    for kind in (np.uint16, np.uint32):
        path = folder / f"{name}.{np.dtype(kind).name}"
        if path.exists():
            return Corpus(
                folder, np.memmap(path, kind, "r"), np.load(folder / f"{name}.starts.npy")
            )
    raise FileNotFoundError(folder / name)


def _append(out: BinaryIO, documents: list[np.ndarray], kind: Any, end: int) -> list[int]:
    """Write the ids of documents; return the position after each, counted from `end`."""
    out.writelines(ids.astype(kind).tobytes() for ids in documents)
    return (end + np.cumsum([len(ids) for ids in documents])).tolist()


class Plan:
    """The batches of one pass, determined by the seed, the epoch and the corpus.

    Windows are shuffled, sorted by length inside pools and cut into batches of at most `tokens`
    tokens, padding included; then the batches are shuffled.
    """

    def __init__(
        self, corpus: Corpus, windows: np.ndarray, *, tokens: int, seed: int, epoch: int
    ) -> None:
        rng = np.random.default_rng([seed, epoch])
        self.corpus, self.windows = corpus, windows
        order = rng.permutation(len(windows))
        pool = max(POOL * tokens // max(int(windows[:, 1].max()), 1), 1)
        lengths = windows[:, 1]
        self.batches: list[np.ndarray] = []
        for start in range(0, len(order), pool):
            part = order[start : start + pool]
            self.batches += cut_by_tokens(
                part[np.argsort(lengths[part], kind="stable")], lengths, tokens
            )
        rng.shuffle(self.batches)

    def batch(self, index: int) -> Batch:
        """Return a padded batch; `index` counts the batches of the pass from 0."""
        rows = self.batches[index]
        pieces = [
            self.corpus.ids[start : start + length].astype(np.int64)
            for start, length in self.windows[rows].tolist()
        ]
        return pad(pieces, rows.tolist(), padded_length(max(map(len, pieces))))
