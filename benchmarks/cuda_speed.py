"""Compare nlpkit's networks on CUDA in ONNX Runtime and torch, then time lines to labels by stage.

All contestants run one network with one set of weights:

  torch eager      fp32, and fp16 by .half()
  torch compile    the same, torch.compile(dynamic=True): one set of kernels for all shapes, since
                   batches differ from call to call; --static compiles each shape separately with
                   CUDA graphs (mode="reduce-overhead"), the best case of fixed shapes
  ort plain        nlpkit's export, fp32 and fp16, by InferenceSession.run
  ort bound        the same by I/O binding, which nlpkit uses on CUDA
  ort apart        the same with inputs and outputs on the device, to time copies and kernels apart

Inputs and outputs are arrays on the host, so copies count for all. Contestants alternate in rounds;
p50 and p99 are over all calls, ratios are medians over the rounds. Ids are random, since speed does
not depend on them, and so are weights unless MODEL is a run's folder. float32 products may use TF32
in both (ONNX Runtime's default; set for torch). The runs of ONNX Runtime pad a batch to a multiple
of 4 rows, as nlpkit does; those of torch do not.

Then lines of text go to labels in the way of `nlpkit sentiment FILE` (cuda_lines.py): in all, for
several chunk sizes, and without a network, which is the limit of the host.

    python benchmarks/cuda_speed.py sentiment-transformer --device cpu --batches 1,8 --lengths 16
    python benchmarks/cuda_speed.py sentiment --device cuda --texts FILE --output FILE

benchmarks/cuda_speed.sh runs it on another machine; its head lists the calls. (This script cannot
be named cuda.py, which would shadow a package that torch imports.)
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nlpkit  # noqa: F401 - before onnxruntime: turns off its telemetry

# isort: split

import numpy as np
import onnxruntime
import torch
from cuda_contest import Call, Feeds, OrtApart, contestants, measured, placed
from cuda_lines import lines_to_labels, synthetic, table as lines_table

from nlpkit import catalog, text, zoo
from nlpkit.exporting.onnx import to_onnx
from nlpkit.exporting.precision import as_fp16
from nlpkit.runtime import device as devices
from nlpkit.runtime.graphs import MAIN, Signature
from nlpkit.runtime.model import Model
from nlpkit.runtime.session import budget_of, run_of
from nlpkit.settings import recipe as recipes
from nlpkit.training import network
from nlpkit.training.opened import open_run, steps_of

TOKENIZER = zoo.CHECKOUT / "export" / "sentiment" / "tokenizer.json"
LABELS = ("negative", "neutral", "positive")
clock = time.perf_counter
say = partial(print, file=sys.stderr, flush=True)


def opened(name: str, tokenizer: Path) -> Model:
    """Return a run's model, or a recipe's with random weights, on torch; `name` may be a path."""
    if (Path(name) / "run.json").is_file():
        return open_run(Path(name))[0]
    path = Path(name) if name.endswith(".toml") else zoo.recipe_folder() / name / "recipe.toml"
    recipe = recipes.load(path)
    task = catalog.load("tasks", recipe.task.name).Task.from_rows(
        [{"label": label} for label in LABELS], recipe.task.config
    )
    pieces = text.load(recipe.tokenizer.kind, tokenizer.read_text(encoding="utf-8"))
    torch.manual_seed(0)
    return Model(
        name=name,
        task=task,
        tokenizer=pieces,
        windows=task.windows(recipe.tokenizer.window, recipe.tokenizer.overlap),
        run=network.TorchRun(network.build(recipe, task, pieces).eval()),
        steps=steps_of(recipe),
    )


def exported(model: Model) -> tuple[dict[str, bytes], Signature]:
    """Return the exported file of each precision, and the signature.

    Raises:
        SystemExit: the model has more than one graph.
    """
    run: Any = model.run
    graphs = to_onnx(run.network, model.tokenizer)
    if [*graphs] != [MAIN]:
        raise SystemExit(f"{model.name}: has the graphs {', '.join(graphs)}; one, {MAIN}, is timed")
    onnx = graphs[MAIN].model
    files = {"fp32": onnx.SerializeToString(), "fp16": as_fp16(onnx).SerializeToString()}
    return files, graphs[MAIN].signature


def feeds_of(model: Model, batch: int, length: int) -> Feeds:
    ids = model.tokenizer.random(np.random.default_rng(0), batch, length)
    return {"ids": ids, "mask": np.ones((batch, length), dtype=bool)}


def networks(
    model: Model, callers: dict[str, Call], args: argparse.Namespace, end: float
) -> list[dict[str, Any]]:
    """Return the rows of the table for all shapes, smallest first, until the time `end`."""
    longest = model.windows.size
    shapes = {(batch, min(length, longest)) for batch in args.batches for length in args.lengths}
    rows = []
    for batch, length in sorted(shapes, key=lambda shape: (shape[0] * shape[1], shape)):
        if clock() > end:
            say(f"{model.name}: no time left for {batch} x {length} and larger")
            break
        rows += measured(callers, feeds_of(model, batch, length), args.rounds, args.seconds)
        say(f"{model.name}: {batch} x {length} done")
    return rows


def table(name: str, rows: Sequence[dict[str, Any]]) -> str:
    lines = [f"### {name}: the network alone", ""]
    lines += [
        "| batch | tokens | | p50 ms | p99 ms | docs/s | times eager fp32 | in, kernels, out ms |"
    ]
    lines += ["|--:|--:|---|--:|--:|--:|--:|---|"]
    for row in rows:
        shape = f"| {row['batch']} | {row['length']} | {row['name']} |"
        if "failed" in row:
            lines.append(f"{shape} {row['failed']} | | | | |")
            continue
        parts = ", ".join(f"{part:.3f}" for part in row.get("parts_ms", []))
        lines.append(
            f"{shape} {row['p50_ms']:.3f} | {row['p99_ms']:.3f} | {row['docs_per_second']:,.0f} "
            f"| {row['times_eager']:.2f} | {parts} |"
        )
    worst: dict[str, float] = {}
    for row in rows:
        worst[row["name"]] = max(worst.get(row["name"], 0.0), row.get("difference", 0.0))
    differences = ", ".join(f"{who} {most:.1e}" for who, most in worst.items())
    return "\n".join([*lines, "", f"Largest difference from torch eager fp32: {differences}"])


def machine(kind: str) -> dict[str, Any]:
    versions = {"python": platform.python_version(), "torch": torch.__version__, "device": kind}
    versions |= {"onnxruntime": onnxruntime.__version__, "cores": str(devices.cores())}
    return versions | ({"gpu": torch.cuda.get_device_name()} if kind == "cuda" else {})


def save(report: dict[str, Any], path: Path | None) -> None:
    """Write the report so far, which survives if the script is killed."""
    if path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+", help="runs' folders, or recipes by name or path")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument(
        "--tokenizer", type=Path, default=TOKENIZER, help="tokenizer of recipes (%(default)s)"
    )
    parser.add_argument("--batches", type=numbers, default=[1, 8, 64, 512, 4096])
    parser.add_argument("--lengths", type=numbers, default=[16, 32, 64, 128])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=0.05, help="a contestant's time in a round"
    )
    parser.add_argument("--minutes", type=float, default=9.0, help="start no shape after that")
    parser.add_argument(
        "--without",
        metavar="WORD",
        help="leave out contestants whose name has this, such as compile",
    )
    parser.add_argument("--static", action="store_true", help="also torch.compile each shape")
    parser.add_argument(
        "--texts", type=Path, help="file with one text a line; default: synthetic sentences"
    )
    parser.add_argument("--count", type=int, default=100_000, help="most lines")
    parser.add_argument("--chunks", type=numbers, default=[1024, 8192, 32768])
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    end = clock() + args.minutes * 60
    texts = args.texts.read_text(encoding="utf-8").split("\n") if args.texts else synthetic()
    report: dict[str, Any] = {"machine": machine(args.device), "models": []}
    report["texts"] = str(args.texts) if args.texts else "synthetic"
    print(", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for number, name in enumerate(args.models):
        model = opened(name, args.tokenizer)
        files, signature = exported(model)
        sessions = {each: devices.session(file, args.device) for each, file in files.items()}
        feeds = feeds_of(model, 4, 16)
        entry: dict[str, Any] = {"name": name}
        entry["elsewhere"] = {each: placed(files[each], sessions[each], feeds) for each in sessions}
        print(f"Nodes of {name} that {args.device} does not run: {entry['elsewhere']}")
        report["models"].append(entry)
        # Lines first, which take a few minutes; then shapes, in an equal share of the time left.
        ready = {precision: served(model, each, signature) for precision, each in sessions.items()}
        apart = {each: OrtApart(sessions[each], signature, args.device) for each in sessions}
        entry["lines"] = lines_to_labels(
            ready, apart, texts[: args.count], chunks=args.chunks, rounds=min(args.rounds, 3)
        )
        print(lines_table(name, entry["lines"]), flush=True)
        save(report, args.output)
        run: Any = model.run
        callers = contestants(run.graphs[MAIN], signature, sessions, args.device, args.static)
        if args.without:
            callers = {who: call for who, call in callers.items() if args.without not in who}
        share = clock() + (end - clock()) / (len(args.models) - number)
        entry["network"] = networks(model, callers, args, share)
        print(table(name, entry["network"]), flush=True)
        save(report, args.output)


def served(model: Model, session: onnxruntime.InferenceSession, signature: Signature) -> Model:
    """Return the model with a session as its run, as `open_bundle` sets it up."""
    sessions = {MAIN: session}
    return replace(model, run=run_of(sessions, {MAIN: signature}), budget=budget_of(sessions))


if __name__ == "__main__":
    main()
