"""The gate between training and use: the exported network must be the trained one.

Each precision is held against torch over a grid of shapes, against itself alone and padded, and
against torch's labels and macro-F1 on dev. One limit passed and nothing is written.

Legend: B batch, T time, C outputs.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlpkit.recipe import Export
from nlpkit.runtime.batcher import batches
from nlpkit.runtime.model import Model, Run
from nlpkit.training.data import Split

SHAPES = ((1, 1), (1, 7), (4, 2), (2, 9), (5, 1), (8, 33))
SPEED_DOCUMENTS = 1000
Feeds = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Report:
    """What was measured of one precision."""

    precision: str
    bytes: int
    logit_diff: float
    padding_diff: float
    agreement: float
    macro_f1: float
    f1_drop: float
    docs_per_second: float

    def failures(self, limits: Export) -> list[str]:
        """Return one line for each limit that was passed."""
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
            ("max_f1_drop", self.f1_drop, self.f1_drop <= limits.max_f1_drop, limits.max_f1_drop),
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


def measure(
    precision: str, size: int, run: Run, reference: Model, dev: Split, vocab_size: int
) -> Report:
    """Hold `run` against the torch-backed reference."""
    golds, torch_NC = reference.scored(dev.texts, dev.golds)
    _, onnx_NC = dataclasses.replace(reference, run=run).scored(dev.texts, dev.golds)
    torch_f1 = reference.task.metrics(golds, torch_NC, 1.0)["macro_f1"]
    onnx_f1 = reference.task.metrics(golds, onnx_NC, 1.0)["macro_f1"]
    return Report(
        precision=precision,
        bytes=size,
        logit_diff=max(
            _difference(reference.run(feeds), run(feeds))
            for feeds in grid(reference.encoder.window, vocab_size)
        ),
        padding_diff=max(
            padding_difference(run, feeds) for feeds in grid(reference.encoder.window, vocab_size)
        ),
        agreement=float((torch_NC.argmax(axis=1) == onnx_NC.argmax(axis=1)).mean()),
        macro_f1=onnx_f1,
        f1_drop=round(torch_f1 - onnx_f1, 6),
        docs_per_second=_speed(run, reference, dev),
    )


def grid(window: int, vocab_size: int) -> Iterator[Feeds]:
    """Yield random feeds over the shapes, full and ragged, up to the window."""
    rng = np.random.default_rng(0)
    fitting = [shape for shape in SHAPES if shape[1] < window]
    for batch, time_steps in (*fitting, (1, window), (3, window)):
        for ragged in (False, True):
            ids_BT = rng.integers(1, vocab_size, (batch, time_steps))
            lengths_B1 = (
                rng.integers(1, time_steps + 1, (batch, 1))
                if ragged
                else np.full((batch, 1), time_steps)
            )
            mask_BT = np.arange(time_steps) < lengths_B1
            yield {"ids": np.where(mask_BT, ids_BT, 0), "mask": mask_BT}


def padding_difference(run: Run, feeds: Feeds) -> float:
    """Return the largest change of a row's outputs between alone, unpadded, and as given."""
    together_BC = run(feeds)
    worst = 0.0
    for row, mask_T in enumerate(feeds["mask"]):
        length = int(mask_T.sum())
        alone = {name: array[row : row + 1, :length] for name, array in feeds.items()}
        worst = max(worst, _difference(run(alone), together_BC[row : row + 1]))
    return worst


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest |difference|; a NaN on either side is infinitely far."""
    gap = float(np.abs(one - other).max())
    return gap if np.isfinite(gap) else float("inf")


def _speed(run: Run, model: Model, dev: Split) -> float:
    """Return documents a second through the network alone: the median of three rounds."""
    texts = dev.texts[:SPEED_DOCUMENTS]
    feeds = [batch.feeds() for batch in batches(model.encoder.windows(texts).ids)]
    rounds = []
    for _ in range(3):
        started = time.perf_counter()
        for feed in feeds:
            run(feed)
        rounds.append(time.perf_counter() - started)
    return round(len(texts) / statistics.median(rounds), 1)
