"""The gate between training and use: the exported network must be the trained one.

Each precision is held against torch over a grid of shapes, against itself alone and padded, and
against torch's labels and score on dev. One limit exceeded and nothing is written.

Legend: B batch, T time, C outputs.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlpkit.errors import InputError
from nlpkit.runtime.batcher import batches
from nlpkit.runtime.model import Model, Run
from nlpkit.settings.sections import Export
from nlpkit.text.windows import Encoder
from nlpkit.text.words import WordEncoder
from nlpkit.training.data import Split

SHAPES = ((1, 1), (1, 7), (4, 2), (2, 9), (5, 1), (8, 33))
SPEED_DOCUMENTS = 1000
ENOUGH = 0.9  # of the speed of all threads, for one to be preferred
Feeds = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Report:
    """What was measured of one precision."""

    precision: str
    bytes: int
    logit_diff: float
    padding_diff: float
    agreement: float
    score: float
    score_drop: float
    docs_per_second: float
    one_thread: bool  # whether one thread is as fast as all: others are free to read and encode

    def failures(self, limits: Export) -> list[str]:
        """Return one line for each limit that was exceeded."""
        half = self.precision == "fp16"
        most_diff = limits.max_logit_diff_fp16 if half else limits.max_logit_diff
        most_padding = limits.max_padding_diff_fp16 if half else limits.max_padding_diff
        checks = [
            (
                "max_padding_diff",
                self.padding_diff,
                self.padding_diff <= most_padding,
                most_padding,
            ),
            (
                "min_agreement",
                self.agreement,
                self.agreement >= limits.min_agreement,
                limits.min_agreement,
            ),
            (
                "max_score_drop",
                self.score_drop,
                self.score_drop <= limits.max_score_drop,
                limits.max_score_drop,
            ),
        ]
        if self.precision != "int8":  # int8 moves logits by design; its labels and F1 are held
            checks.append(
                ("max_logit_diff", self.logit_diff, self.logit_diff <= most_diff, most_diff)
            )
        suffix = "_fp16" if half else ""
        return [
            f"{self.precision}: {name}{suffix if name.endswith('diff') else ''} "
            f"is {limit:g}, measured {value:.3g}"
            for name, value, passed, limit in checks
            if not passed
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for bundle.json."""
        return dataclasses.asdict(self)


class Gate:
    """The torch-backed reference and its answers, which every precision is held against."""

    def __init__(self, reference: Model, dev: Split) -> None:
        self.reference = reference
        self.dev = dev
        self.feeds = list(grid(reference.encoder))
        self.expected = [reference.run(feeds) for feeds in self.feeds]
        self.golds, self.outputs = reference.scored(dev.documents, dev.golds)
        if not self.golds:
            raise InputError("the dev files hold no text that the tokenizer keeps anything of")
        self.score = self._score(self.outputs)

    def measure(self, precision: str, size: int, run: Run, alone: Run) -> Report:
        """Hold one precision's `run` against the reference; `alone` has one thread."""
        model = dataclasses.replace(self.reference, run=run)
        _, outputs = model.scored(self.dev.documents, self.dev.golds)
        score = self._score(outputs)
        documents = self.dev.documents[:SPEED_DOCUMENTS]
        all_threads, one = (speed(each, self.reference, documents) for each in (run, alone))
        one_thread = one >= ENOUGH * all_threads
        return Report(
            precision=precision,
            bytes=size,
            logit_diff=max(
                _difference(_real(expected, feeds), _real(run(feeds), feeds))
                for expected, feeds in zip(self.expected, self.feeds, strict=True)
            ),
            padding_diff=max(padding_difference(run, feeds) for feeds in self.feeds),
            agreement=self.reference.task.agreement(outputs, self.outputs),
            score=score,
            score_drop=round(self.score - score, 6),
            docs_per_second=one if one_thread else all_threads,
            one_thread=one_thread,
        )

    def _score(self, outputs: list[np.ndarray]) -> float:
        task = self.reference.task
        return float(task.metrics(self.golds, outputs, 1.0)[task.score])


def grid(encoder: Encoder | WordEncoder) -> Iterator[Feeds]:
    """Yield random feeds over the shapes, full and ragged, up to the window."""
    rng = np.random.default_rng(0)
    window = encoder.window
    fitting = [shape for shape in SHAPES if shape[1] < window]
    for batch, time_steps in (*fitting, (1, window), (3, window)):
        for ragged in (False, True):
            ids = encoder.random(rng, batch, time_steps)
            lengths_B1 = (
                rng.integers(1, time_steps + 1, (batch, 1))
                if ragged
                else np.full((batch, 1), time_steps)
            )
            mask_BT = np.arange(time_steps) < lengths_B1
            hidden = mask_BT.reshape(*mask_BT.shape, *[1] * (ids.ndim - 2))
            yield {"ids": np.where(hidden, ids, 0), "mask": mask_BT}


def padding_difference(run: Run, feeds: Feeds) -> float:
    """Return the largest change of a row's outputs between alone, unpadded, and as given."""
    together = run(feeds)
    worst = 0.0
    for row, mask_T in enumerate(feeds["mask"]):
        length = int(mask_T.sum())
        alone = {name: array[row : row + 1, :length] for name, array in feeds.items()}
        beside = together[row : row + 1]
        if beside.ndim == 3:
            beside = beside[:, :length]
        worst = max(worst, _difference(run(alone), beside))
    return worst


def _real(outputs: np.ndarray, feeds: Feeds) -> np.ndarray:
    """Return outputs, of those for each token only where there is one."""
    return outputs[feeds["mask"]] if outputs.ndim == 3 else outputs


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest |difference|; a NaN on either side is infinitely far."""
    gap = float(np.abs(one - other).max())
    return gap if np.isfinite(gap) else float("inf")


def speed(
    run: Run,
    model: Model,
    documents: Sequence[Any],
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return documents a second through the network alone: the median of three rounds."""
    feeds = [batch.feeds() for batch in batches(model.encoder.windows(documents))]
    rounds = []
    for _ in range(3):
        started = clock()
        for feed in feeds:
            run(feed)
        rounds.append(clock() - started)
    return round(len(documents) / statistics.median(rounds), 1)
