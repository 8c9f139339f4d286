"""Measure how wide networks run fastest on a CPU: float32, 8 and 4 bits by block, int8 by row.

Each RUN (a finished training of the architecture `bert`) is exported in memory in each form, and
all forms answer the same texts in alternating rounds, so that noise affects all alike: documents a
second through the graph only, the median of the rounds, and as a ratio to float32. The score is
macro-F1 on a sample of the run's dev rows. `rows8` is not a precision of nlpkit: MatMulInteger with
activations in 8 bits, scaled row by row.

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
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nlpkit import metrics
from nlpkit.blocks import is_wide
from nlpkit.exporting.onnx import to_onnx
from nlpkit.exporting.precision import PRECISIONS
from nlpkit.runtime import device
from nlpkit.runtime.session import SessionRun
from nlpkit.training.data import load_dev
from nlpkit.training.opened import open_run

FORMS = ("fp32", "int8", "int4", "rows8")
ROUNDS, SPEED_TEXTS = 5, 256


def by_rows(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with MatMulInteger in place of its wide products."""
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    constants = {"eps": 1e-9, "most": 127.0, "zero": 128.0}
    new = [numpy_helper.from_array(np.float32(v), f"rows8_{k}") for k, v in constants.items()]
    new.append(numpy_helper.from_array(np.uint8(128), "rows8_point"))
    new.append(numpy_helper.from_array(np.array([-1]), "rows8_axis"))
    nodes: list[NodeProto] = []
    scaled, gone = set(), set()
    for node in model.graph.node:
        name = node.input[1] if node.op_type == "MatMul" else ""
        if name not in arrays or not is_wide(arrays[name].dims[::-1]):
            nodes.append(node)
            continue
        states, out = node.input[0], node.output[0]
        if states not in scaled:
            scaled.add(states)
            nodes += _rounded(states)
        if name not in gone:
            gone.add(name)
            matrix = numpy_helper.to_array(arrays[name])
            scale = np.maximum(np.abs(matrix).max(0), 1e-9) / 127
            codes = np.rint(matrix / scale).astype(np.int8)
            new.append(numpy_helper.from_array(codes, f"{name}_codes"))
            new.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_by"))
        nodes += [
            helper.make_node(
                "MatMulInteger", [f"{states}_q", f"{name}_codes", "rows8_point"], [f"{out}_i"]
            ),
            helper.make_node("Cast", [f"{out}_i"], [f"{out}_f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}_f", f"{states}_scale"], [f"{out}_m"]),
            helper.make_node("Mul", [f"{out}_m", f"{name}_by"], [out]),
        ]
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:], copy.graph.initializer[:], copy.graph.value_info[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(t for t in model.graph.initializer if t.name not in gone)
    copy.graph.initializer.extend(new)
    return copy


def _rounded(states: str) -> list[NodeProto]:
    """Return the nodes that quantise the rows of an array to uint8, with a scale each."""
    steps = [
        ("Abs", [states], f"{states}_abs"),
        ("ReduceMax", [f"{states}_abs", "rows8_axis"], f"{states}_max"),
        ("Max", [f"{states}_max", "rows8_eps"], f"{states}_top"),
        ("Div", [f"{states}_top", "rows8_most"], f"{states}_scale"),
        ("Div", [states, f"{states}_scale"], f"{states}_in"),
        ("Round", [f"{states}_in"], f"{states}_round"),
        ("Add", [f"{states}_round", "rows8_zero"], f"{states}_up"),
    ]
    nodes = [helper.make_node(op, inputs, [out]) for op, inputs, out in steps]
    return [
        *nodes,
        helper.make_node("Cast", [f"{states}_up"], [f"{states}_q"], to=TensorProto.UINT8),
    ]


def forms(run: Any, tokenizer: Any) -> dict[str, bytes]:
    """Return the ONNX file of each form."""
    graph = to_onnx(run.network, tokenizer)["main"].model
    made: Mapping[str, Any] = {**PRECISIONS, "rows8": by_rows}
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
