"""Measure the speed of a model's graphs on this machine: latency and throughput per shape."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product
from typing import TYPE_CHECKING

from nlpkit import zoo
from nlpkit.errors import UsageError
from nlpkit.runtime import device as devices
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.graphs import (
    BATCH,
    EMBEDDING,
    IDS,
    MASK,
    PAST,
    SOURCE,
    STEP,
    TAKE,
    TIME,
    TOKENS,
    Run,
    Signature,
    zeros,
)
from nlpkit.runtime.model import Model

if TYPE_CHECKING:
    import numpy as np

Feeds = dict[str, "np.ndarray"]

LENGTHS, BATCHES = (16, 64, 128), (1, 8, 32, 128)
SECONDS = 0.5  # time for each shape
LEAST = 20  # fewest runs of each shape, however long they take
DRAWN = 32  # random batches that are used in turn
WARM = 3  # runs that are not timed: the first run of a shape plans its memory


@dataclass(frozen=True)
class Row:
    """The speed of one graph in one shape: milliseconds per batch, documents and tokens per second.

    `length` is in tokens, `batch` in documents; p50 and p99 are percentiles over `runs`.
    """

    device: str
    precision: str
    length: int
    batch: int
    graph: str
    p50_ms: float
    p99_ms: float
    documents_per_second: float
    tokens_per_second: float
    runs: int


Listener = Callable[[Row], None]


def bench(
    name: str,
    *,
    device: str = "auto",
    lengths: Sequence[int] = LENGTHS,
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
    listener: Listener = lambda row: None,
) -> list[Row]:
    """Measure every device, precision, length (tokens), batch size and graph that runs here.

    Documents and tokens per second are by the median run (p50). Batches of random ids are used in
    turn, because the embedding rows of a repeated batch would stay in the cache. The step of a
    network that writes reads one token, after as many as the length says. `take`, which copies its
    states, is not measured.

    Args:
        name: a bundle's name or folder.
        device: auto, cpu, cuda or cuda:N.
        lengths: lengths in tokens; longer ones are cut to the window.
        batches: documents per batch.
        seconds: time for each shape.
        listener: called with each row as soon as it is measured.

    Raises:
        ModelError: the bundle does not exist or is damaged.
        DeviceError: the device does not run here.
        UsageError: the device is unknown, or a length or batch is below 1.
    """
    folder = zoo.find_bundle(name)
    manifest = read_bundle(folder).manifest
    if min(*lengths, *batches) < 1:
        raise UsageError("lengths and batches must be 1 or more")
    kinds = dict.fromkeys(kind for kind, _ in devices.candidates(device))
    lengths = sorted({min(length, manifest.window) for length in lengths})
    rows: list[Row] = []
    for kind, precision in product(kinds, manifest.precisions):
        model = zoo.open_bundle(folder, device=kind, precision=precision)
        for length, batch in product(lengths, batches):
            for graph, feeds in _feeds(model, batch, length).items():
                times = _times(model.run, graph, feeds, seconds)
                rows.append(_row(times, kind, precision, length, batch, graph))
                listener(rows[-1])
    return rows


def _feeds(model: Model, batch: int, length: int) -> dict[str, list[Feeds]]:
    """Return DRAWN random feeds for each graph."""
    import numpy as np

    rng, mask_BT = np.random.default_rng(0), np.ones((batch, length), dtype=bool)
    lengths = {BATCH: batch, TIME: length, SOURCE: length, PAST: length, TOKENS: 1}
    signatures = {name: of for name, of in model.run.signatures.items() if name != TAKE}
    drawn: dict[str, list[Feeds]] = {name: [] for name in signatures}
    for _ in range(DRAWN):
        known: Feeds = {MASK: mask_BT}
        for graph, signature in signatures.items():
            feeds = zeros(signature.inputs, lengths) | {
                name: known[name] for name in signature.inputs if name in known
            }
            feeds[IDS] = model.tokenizer.random(rng, *feeds[IDS].shape[:2])
            drawn[graph].append(feeds)
            if len(signatures) > 1:
                known |= model.run(graph, feeds, tuple(signature.outputs))
    return drawn


def _times(run: Run, graph: str, drawn: Sequence[Feeds], seconds: float) -> list[float]:
    outputs = _asked(run.signatures[graph])
    turns = cycle(drawn)
    for feeds in islice(turns, WARM):
        run(graph, feeds, outputs)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < LEAST:
        feeds = next(turns)
        start = time.perf_counter()
        run(graph, feeds, outputs)
        times.append(time.perf_counter() - start)
    return times


def _asked(signature: Signature) -> tuple[str, ...]:
    """Return the outputs that answers need: not the embedding, unless there is nothing else."""
    others = tuple(name for name in signature.outputs if name != EMBEDDING)
    return others or (EMBEDDING,)


def _row(
    times: Sequence[float], device: str, precision: str, length: int, batch: int, graph: str
) -> Row:
    import numpy as np

    p50, p99 = np.quantile(times, [0.5, 0.99]).tolist()
    return Row(
        device=device,
        precision=precision,
        length=length,
        batch=batch,
        graph=graph,
        p50_ms=p50 * 1e3,
        p99_ms=p99 * 1e3,
        documents_per_second=batch / p50,
        tokens_per_second=batch * (1 if graph == STEP else length) / p50,
        runs=len(times),
    )
