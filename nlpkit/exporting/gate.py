"""The gate: checks that an exported network computes the same as the trained one.

Each precision is compared with torch, graph by graph, over a grid of shapes; each row alone with
the same row padded in a batch; and the answers and score on dev with those of torch. The steps of a
network that writes are compared with teacher forcing. If a limit is exceeded, nothing is written.

Legend: B batch, T time.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlpkit import metrics
from nlpkit.errors import InputError
from nlpkit.exporting import steps
from nlpkit.exporting.onnx import walked
from nlpkit.heads.graph import Arrays
from nlpkit.runtime.graphs import BATCH, IDS, MASK, SOURCE, STEP, TIME, Run, Signature
from nlpkit.runtime.model import Model
from nlpkit.settings.sections import Export
from nlpkit.text import Tokenizer
from nlpkit.training.data import Split
from nlpkit.training.network import TorchRun

SHAPES = ((1, 1), (1, 7), (4, 2), (2, 9), (5, 1), (8, 33))
SPEED_DOCUMENTS = 1000
SMALL = 1000  # answers on dev; with fewer, chance widens the limits of agreement and score
ENOUGH = 0.9  # share of the speed of all threads at which one thread is preferred


@dataclass(frozen=True)
class Report:
    """The measurements of one precision."""

    precision: str
    bytes: int  # of all graphs' files
    logit_diff: float  # largest difference of an output from torch's
    padding_diff: float  # largest difference of a row alone from the row padded in a batch
    agreement: float  # share of answers that equal torch's
    changed: int  # number of the other answers, or of parts of them
    score: float
    score_drop: float
    docs_per_second: float
    one_thread: bool  # whether one thread is about as fast as all, which leaves cores for encoding
    scale: float = 1.0  # the best value of the score: 100 for BLEU and chrF
    written: bool = False  # whether answers are texts: a rounded weight may change a whole text

    def failures(self, limits: Export) -> list[str]:
        """Return one line for each exceeded limit."""
        half = self.precision == "fp16"
        chance, score_chance = self._by_chance(max(0.0, 1 - limits.min_agreement))
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
                "max_score_drop",
                self.score_drop,
                self.score_drop <= (limits.max_score_drop + score_chance) * self.scale,
                limits.max_score_drop * self.scale,
            ),
        ]
        rounded = self.precision in ("int8", "int4")
        if not rounded:  # which changes logits by design: answers count, or their score
            checks.append(
                ("max_logit_diff", self.logit_diff, self.logit_diff <= most_diff, most_diff)
            )
        if not (rounded and self.written):
            enough = self.agreement >= limits.min_agreement - chance
            checks.append(("min_agreement", self.agreement, enough, limits.min_agreement))
        suffix = "_fp16" if half else ""
        return [
            f"{self.precision}: {name}{suffix if name.endswith('diff') else ''} "
            f"is {limit:g}, measured {value:.3g}"
            for name, value, passed, limit in checks
            if not passed
        ]

    def _by_chance(self, share: float) -> tuple[float, float]:
        """Return how far chance may exceed the limits of the changed answers and of the score.

        As a share and a score: two standard deviations, and one answer; zero on a large dev set.
        `share` is the share that may change. Of 144 answers, a precision that changes 2% of all
        texts changes three by the median, and six now and then.
        """
        answers = self.changed / (1 - self.agreement) if self.agreement < 1 else SMALL
        if answers >= SMALL:
            return 0.0, 0.0
        return 2 * math.sqrt(share / answers) + 1 / answers, 2 * math.sqrt(self.changed) / answers

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for bundle.json."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Case:
    """Feeds of one graph, and torch's outputs for them."""

    graph: str
    feeds: Arrays
    expected: Arrays


class Gate:
    """The torch-backed reference model and its answers on dev, to compare precisions with."""

    def __init__(self, reference: Model, run: TorchRun, dev: Split) -> None:
        self.reference, self.dev = reference, dev
        self.signatures = run.signatures
        self.cases = list(cases(run, reference.tokenizer, reference.windows.size))
        self.texts = steps.forced(reference, run.network, dev) if STEP in run.graphs else None
        predicted = reference.predict(dev.documents)
        self.answered_rows = [row for row, answer in enumerate(predicted) if answer is not None]
        if not self.answered_rows:
            raise InputError(
                "the tokenizer finds no token in the dev texts; check data.dev and the tokenizer"
            )
        self.golds = [dev.golds[row] for row in self.answered_rows]
        self.answers = [predicted[row] for row in self.answered_rows]
        self.score = self._score(self.answers)

    def measure(self, precision: str, size: int, run: Run, alone: Run) -> Report:
        """Measure one precision against the reference.

        `run` uses all threads, `alone` one; `size` is the bytes of the precision's files.
        """
        model = dataclasses.replace(self.reference, run=run)
        predicted = model.predict(self.dev.documents)
        answers = [predicted[row] for row in self.answered_rows]
        score = self._score(answers)
        equal, parts = matching(answers, self.answers)
        documents = self.dev.documents[:SPEED_DOCUMENTS]
        all_threads, one = (speed(each, self.reference, documents) for each in (run, alone))
        one_thread = one >= ENOUGH * all_threads
        by_step, by_row = steps.differences(run, self.texts) if self.texts else (0.0, 0.0)
        return Report(
            precision=precision,
            bytes=size,
            logit_diff=max([by_step, *(self._difference(run, case) for case in self.cases)]),
            padding_diff=max(
                [by_row, *(self._padding_difference(run, case) for case in self.cases)]
            ),
            agreement=equal / max(parts, 1),
            changed=parts - equal,
            score=score,
            score_drop=round(score - self.score if self._minimised else self.score - score, 6),
            docs_per_second=one if one_thread else all_threads,
            one_thread=one_thread,
            scale=getattr(self.reference.task, "scale", 1.0),
            written=getattr(self.reference.task.answers, "WRITTEN", False),
        )

    def _difference(self, run: Run, case: Case) -> float:
        outputs = self.signatures[case.graph].outputs
        actual = run(case.graph, case.feeds, tuple(outputs))
        return max(
            _difference(
                _real(case.expected[name], axes, case.feeds), _real(actual[name], axes, case.feeds)
            )
            for name, axes in outputs.items()
        )

    def _padding_difference(self, run: Run, case: Case) -> float:
        return padding_difference(run, case.graph, self.signatures[case.graph], case.feeds)

    @property
    def _minimised(self) -> bool:
        return metrics.minimised(self.reference.task.score)

    def _score(self, answers: list[Any]) -> float:
        task = self.reference.task
        return float(metrics.measure(task.answers, self.golds, answers)[task.score])


def matching(ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[int, int]:
    """Return how many answers, or parts of them, are equal, and how many there are."""
    pairs = [one.matches(other) for one, other in zip(ours, theirs, strict=True)]
    return sum(equal for equal, _ in pairs), sum(parts for _, parts in pairs)


def cases(run: TorchRun, tokenizer: Tokenizer, window: int) -> Iterator[Case]:
    """Yield cases of every graph with random feeds, for every input of `grid`."""
    rng = np.random.default_rng(0)
    for first in grid(tokenizer, window, rng):
        for name, graph, feeds in walked(run, first, rng):
            yield Case(name, feeds, run(name, feeds, tuple(graph.signature.outputs)))


def grid(tokenizer: Tokenizer, window: int, rng: np.random.Generator) -> Iterator[Arrays]:
    """Yield random ids_BT and mask_BT of each shape in SHAPES and of the window's length.

    Each shape comes twice: with full rows, and with rows of random lengths.
    """
    shapes = [shape for shape in SHAPES if shape[1] < window]
    for batch, time_steps in (*shapes, (1, window), (3, window)):
        for ragged in (False, True):
            ids = tokenizer.random(rng, batch, time_steps)
            lengths_B1 = (
                rng.integers(1, time_steps + 1, (batch, 1))
                if ragged
                else np.full((batch, 1), time_steps)
            )
            mask_BT = np.arange(time_steps) < lengths_B1
            hidden = mask_BT.reshape(*mask_BT.shape, *[1] * (ids.ndim - 2))
            yield {IDS: np.where(hidden, ids, 0), MASK: mask_BT}


def padding_difference(run: Run, graph: str, signature: Signature, feeds: Arrays) -> float:
    """Return the largest difference between a row's outputs alone, unpadded, and in the batch."""
    names = tuple(signature.outputs)
    together = run(graph, feeds, names)
    worst = 0.0
    for row in range(len(next(iter(feeds.values())))):
        length = int(feeds[MASK][row].sum()) if MASK in feeds else None
        alone = {n: _cut(feeds[n], axes, row, length) for n, axes in signature.inputs.items()}
        outputs = run(graph, alone, names)
        for name, axes in signature.outputs.items():
            batched = _cut(together[name], axes, row, length)
            worst = max(worst, _difference(outputs[name], batched))
    return worst


def _cut(array: np.ndarray, axes: Sequence[Any], row: int, length: int | None) -> np.ndarray:
    """Return one row of an array, with its time axis cut to `length`."""
    index = {BATCH: slice(row, row + 1), TIME: slice(length), SOURCE: slice(length)}
    return array[tuple(index.get(axis, slice(None)) for axis in axes)]


def _real(array: np.ndarray, axes: Sequence[Any], feeds: Arrays) -> np.ndarray:
    """Return an array's values at tokens, or the whole array if it has no time axis."""
    by_token = MASK in feeds and tuple(axes[:2]) == (BATCH, TIME)
    return array[feeds[MASK]] if by_token else array


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest absolute difference; infinity if either side has a NaN."""
    if one.dtype == bool:
        return float((one != other).any())
    gap = float(np.abs(one - other).max())
    return gap if np.isfinite(gap) else float("inf")


class TimedRun:
    """A run that adds up the seconds of its calls in `taken`, by a clock."""

    def __init__(self, run: Run, clock: Callable[[], float]) -> None:
        self.run, self.clock = run, clock
        self.taken = 0.0

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """The signatures of the wrapped run."""
        return self.run.signatures

    def __call__(
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        started = self.clock()
        arrays = self.run(graph, feeds, outputs, kept)
        self.taken += self.clock() - started
        return arrays


def speed(
    run: Run,
    model: Model,
    documents: Sequence[Any],
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return documents a second through the graphs only: the median of three rounds."""
    windows = model.encode(documents)
    rounds = []
    for _ in range(3):
        timed = TimedRun(run, clock)
        dataclasses.replace(model, run=timed).answer(documents, windows)
        rounds.append(timed.taken)
    return round(len(documents) / max(statistics.median(rounds), 1e-9), 1)
