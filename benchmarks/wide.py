"""Measure how wide networks run fastest on a CPU: float32, int8 by row, 8 and 4 bits by block.

Each RUN (a finished training of the architecture `bert`) is exported in memory in each form, and
all forms answer the same texts in alternating rounds, so that noise affects all alike: documents a
second through the graph only, the median of the rounds, and as a ratio to float32. The score is
macro-F1 on a sample of the run's dev rows. `blocks8` is not a precision of nlpkit: MatMulNBits with
8 bits, as int4 is with 4.

    python benchmarks/wide.py runs/best runs/six ... --data ../shared/data --output runs/wide.json

`--layers 12,6,4` measures only the speed, with a copy of the first run cut to so many layers.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nlpkit import metrics
from nlpkit.exporting.onnx import to_onnx
from nlpkit.exporting.precision import PRECISIONS
from nlpkit.exporting.wide import in_blocks
from nlpkit.runtime import device
from nlpkit.runtime.session import SessionRun
from nlpkit.training.data import load_dev
from nlpkit.training.opened import open_run

FORMS = ("fp32", "int8", "blocks8", "int4")
ROUNDS, SPEED_TEXTS = 5, 256


def forms(run: Any, tokenizer: Any) -> dict[str, bytes]:
    """Return the ONNX file of each form."""
    graph = to_onnx(run.network, tokenizer)["main"].model
    made: Mapping[str, Any] = {**PRECISIONS, "blocks8": partial(in_blocks, bits=8)}
    return {form: made[form](graph).SerializeToString() for form in FORMS}


def measured(model: Any, dev: Any, score: bool) -> list[dict[str, Any]]:
    """Return a line for each form of a model."""
    contents = forms(model.run, model.tokenizer)
    signatures = model.run.signatures
    models = {
        form: dataclasses.replace(
            model, run=SessionRun({"main": device.session(content, "cpu")}, signatures)
        )
        for form, content in contents.items()
    }
    texts = dev.documents[:SPEED_TEXTS]
    windows = model.encode(texts)
    times: dict[str, list[float]] = {form: [] for form in models}
    for _ in range(ROUNDS):
        for form, each in models.items():
            started = time.perf_counter()
            each.answer(texts, windows)
            times[form].append(time.perf_counter() - started)
    lines = []
    for form, each in models.items():
        ratios = [base / own for base, own in zip(times["fp32"], times[form], strict=True)]
        line: dict[str, Any] = {
            "form": form,
            "mb": round(len(contents[form]) / 1e6, 1),
            "docs_per_second": round(len(texts) / median(times[form]), 1),
            "ratio": round(median(ratios), 2),
        }
        if score:
            pairs = zip(dev.golds, each.predict(dev.documents), strict=True)
            golds, answers = zip(*((g, a) for g, a in pairs if a is not None), strict=True)
            line["macro_f1"] = metrics.measure(model.task.answers, golds, answers)["macro_f1"]
        lines.append(line)
    return lines


def sampled(split: Any, count: int) -> Any:
    """Return `count` rows spread over a split."""
    rows = np.linspace(0, len(split.documents) - 1, count).astype(int).tolist()
    picked = dataclasses.replace(split, documents=[split.documents[row] for row in rows])
    picked.golds = [split.golds[row] for row in rows]
    return picked


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", type=int, default=3000, help="dev rows to score")
    parser.add_argument("--layers", default="", help="measure only the speed at these depths")
    parser.add_argument("--output", type=Path, default=Path("runs/wide.json"))
    args = parser.parse_args()
    os.environ.setdefault("NLPKIT_DATA", str(args.data.resolve()))
    lines: list[dict[str, Any]] = []
    for folder in args.runs:
        model, recipe, _ = open_run(folder)
        dev = sampled(load_dev(recipe, model.task), args.rows)
        depths = [int(part) for part in args.layers.split(",") if part]
        network: Any = model.run
        blocks = network.network.encoder.blocks
        for depth in depths or [len(blocks)]:
            network.network.encoder.blocks = blocks[:depth]
            for line in measured(model, dev, not depths):
                lines.append({"run": folder.name, "layers": depth, **line})
                print(json.dumps(lines[-1]), flush=True)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
