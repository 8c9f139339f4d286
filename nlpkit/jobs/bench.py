"""How fast a model's network is on this machine: latency of one, throughput of many."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

from nlpkit import zoo
from nlpkit.errors import UsageError
from nlpkit.runtime import device as devices
from nlpkit.runtime.bundle import open_bundle, read_manifest
from nlpkit.runtime.model import Model

LENGTHS, BATCHES = (16, 64, 128), (1, 8, 32, 128)
SECONDS = 0.5  # for each shape
LEAST = 20  # runs of each shape, however long they take
DRAWN = 32  # batches of ids that take turns
WARM = 3  # runs that are not counted: the first of a shape plans its memory

Listener = Callable[[dict[str, Any]], None]


def bench(
    name: str,
    *,
    device: str = "auto",
    lengths: Sequence[int] = LENGTHS,
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
    listener: Listener = lambda row: None,
) -> list[dict[str, Any]]:
    """Return a row for each device, precision, length in tokens and batch that runs here.

    A row has milliseconds a batch (p50, p99) and documents and tokens a second by p50. The ids are
    random, and others each time: rows of a table that were just looked up would be in the cache.

    Raises:
        ModelError: there is no such bundle, or it is damaged.
        DeviceError, UsageError: the device does not run here.
    """
    folder = zoo.find_bundle(name)
    bundle = read_manifest(folder)
    if min(*lengths, *batches) < 1:
        raise UsageError("lengths and batches must be 1 or more")
    kinds = dict.fromkeys(kind for kind, _ in devices.candidates(device))
    lengths = sorted({min(length, bundle.manifest["window"]) for length in lengths})
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        for precision in bundle.manifest["precisions"]:
            model = open_bundle(folder, device=kind, precision=precision)
            for length in lengths:
                for batch in batches:
                    row = {"device": kind, "precision": precision, "length": length}
                    rows.append(row | _measured(model, batch, length, seconds))
                    listener(rows[-1])
    return rows


def _measured(model: Model, batch: int, length: int, seconds: float) -> dict[str, Any]:
    import numpy as np

    rng, mask = np.random.default_rng(0), np.ones((batch, length), dtype=bool)
    drawn = cycle([model.encoder.random(rng, batch, length) for _ in range(DRAWN)])
    for ids in islice(drawn, WARM):
        model.run({"ids": ids, "mask": mask})
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < LEAST:
        feeds = {"ids": next(drawn), "mask": mask}
        start = time.perf_counter()
        model.run(feeds)
        times.append(time.perf_counter() - start)
    p50, p99 = np.quantile(times, [0.5, 0.99]).tolist()
    return {
        "batch": batch,
        "p50_ms": p50 * 1e3,
        "p99_ms": p99 * 1e3,
        "documents_per_second": batch / p50,
        "tokens_per_second": batch * length / p50,
        "runs": len(times),
    }
