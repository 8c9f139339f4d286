"""Measure `nlpkit batch` by its two engines: records a second, start-up, a cluster's bottleneck.

Real short texts, repeated up to --count, go through the command `nlpkit batch`, by each engine with
each number of workers, in alternating rounds. Two sizes are run to separate start-up (seconds, for
Ray) from speed: seconds = start + records / speed. Then the stages are timed separately in one
process: reading an input into shards (one reader), answering them (one actor), and collecting and
joining the parts (the first process).

    python benchmarks/cluster.py --data ../shared/data --python .venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from throughput import texts

MODEL = "sentiment"


def made(folder: Path, some: list[str], files: int) -> Path:
    """Write texts to files of equal numbers of lines; return the folder."""
    folder.mkdir()
    for number in range(files):
        path = folder / f"{number:03}.txt"
        path.write_text("\n".join(some[number::files]) + "\n", encoding="utf-8")
    return folder


def seconds(python: str, inputs: Path, engine: str, workers: int, shard: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "nlpkit", "batch", str(inputs), "-o", f"{folder}/out", "-q"]
        command += ["-m", MODEL, "--engine", engine, "-w", str(workers)]
        command += ["--shard-size", str(shard)]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        return time.perf_counter() - start


def stages(inputs: Path, shard: int) -> dict[str, float]:
    """Return the records a second of a reader, of an actor and of the first process."""
    from nlpkit.batch.actors import Predictor, Row, read
    from nlpkit.batch.job import Job, fingerprint
    from nlpkit.batch.manifest import Report
    from nlpkit.batch.plan import Settings, expand
    from nlpkit.batch.ray_engine import Input

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(model=MODEL, shard_size=shard, device="cpu")
        job = Job(folder, settings, 1, "", Report(), None, lambda event: None)
        items = expand([str(inputs)], folder=folder, source=None, to=None)
        rows, start = [], time.perf_counter()
        for item in items:
            rows += read({"row": pickle.dumps((item, set()))}, settings, Path.cwd())
        reading = time.perf_counter() - start
        predictor = Predictor(settings, fingerprint(MODEL), Path.cwd())
        start = time.perf_counter()
        answered = [predictor(row) for row in rows]
        answering = time.perf_counter() - start
        start = time.perf_counter()
        inputs_by_output = {item.output: Input.begun(item, job) for item in items}
        for row in map(Row.unpacked, answered):
            if row.problem:
                raise row.problem
            inputs_by_output[row.item.output].take(row)
        count = sum(each.join(job).records for each in inputs_by_output.values())
        keeping = time.perf_counter() - start
    spent = {"reader": reading, "actor": answering, "first process": keeping}
    return {stage: count / each for stage, each in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("NLPKIT_DATA", "../shared/data")
    )
    parser.add_argument("--python", default=sys.executable, help="the Python with nlpkit")
    parser.add_argument("--count", type=int, default=500_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--shard-size", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    some, _ = texts(args.data, args.count)
    some = list(islice(cycle(some), args.count))
    ways = [(engine, workers) for engine in ("local", "ray") for workers in args.workers]
    spent: dict[tuple[str, int], list[tuple[float, float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as name:
        many = made(Path(name) / "many", some, args.files)
        few = made(Path(name) / "few", some[: len(some) // 10], args.files)
        for number in range(args.rounds):
            for way in ways:
                each = [seconds(args.python, part, *way, args.shard_size) for part in (few, many)]
                spent[way].append((each[0], each[1]))
                print(number + 1, *way, each, file=sys.stderr, flush=True)
        alone = stages(many, args.shard_size)
    print(table(spent, alone, len(some)))
    if args.output:
        report: dict[str, Any] = {" ".join(map(str, way)): each for way, each in spent.items()}
        summary = {"documents": len(some), "seconds": report, "stages": alone}
        args.output.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def table(
    spent: dict[tuple[str, int], list[tuple[float, float]]], alone: dict[str, float], count: int
) -> str:
    lines = ["| engine | workers | seconds | start, s | records/s | core-hours a million |"]
    lines += ["|---|--:|--:|--:|--:|--:|"]
    for (engine, workers), rounds in spent.items():
        few, many = (median(each) for each in zip(*rounds, strict=True))
        speed = (count - count // 10) / (many - few)
        start = many - count / speed
        hours = workers / speed * 1e6 / 3600
        lines.append(
            f"| {engine} | {workers} | {many:.1f} | {start:.1f} | {speed:,.0f} | {hours:.4f} |"
        )
    lines += ["", *(f"{name} alone: {speed:,.0f} records/s" for name, speed in alone.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
