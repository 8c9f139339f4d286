"""Measure the cold start, from the command to the last of ten answers, against a lower bound.

The floor of `sentiment` is a bare script that imports ONNX Runtime and tokenizers, loads the same
bundle's files and scores the same ten lines; that of `--help` is `python -c "import typer"`. The
commands alternate, so that noise affects all of them alike.

    python benchmarks/coldstart.py --rounds 15
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from nlpkit import zoo
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.graphs import MAIN

FLOOR = """
import json, sys, os
import numpy, onnxruntime
from tokenizers import Tokenizer
folder, file, path = sys.argv[1:]
manifest = json.load(open(folder + "/bundle.json"))
tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = len(os.sched_getaffinity(0))
session = onnxruntime.InferenceSession(folder + "/" + file, options, ["CPUExecutionProvider"])
for line in open(path, encoding="utf-8"):
    ids = numpy.array([tokenizer.encode(line).ids])
    logits = session.run(["logits"], {"ids": ids, "mask": ids > 0})[0]
    print(manifest["task"]["labels"][int(logits.argmax())], line, end="", sep="\\t")
"""
LINES = "".join(f"Adorei o produto {n}, chegou antes do prazo!\n" for n in range(10))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ten.txt"
        path.write_text(LINES, encoding="utf-8")
        bundle = read_bundle(zoo.find_bundle(args.model))
        file = bundle.manifest.graphs[MAIN].files[bundle.manifest.cpu_precision]
        nlpkit = [sys.executable, "-m", "nlpkit"]
        commands = {
            "floor of sentiment": [
                sys.executable,
                "-c",
                FLOOR,
                str(bundle.folder),
                file,
                str(path),
            ],
            "nlpkit sentiment": [*nlpkit, "sentiment", "--model", args.model, str(path)],
            "floor of --help": [sys.executable, "-c", "import typer"],
            "nlpkit --help": [*nlpkit, "--help"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - start)
    medians = {name: median(times) for name, times in seconds.items()}
    ratios = {
        name: median(a / b for a, b in zip(seconds[name], seconds[floor], strict=True))
        for name, floor in (
            ("nlpkit sentiment", "floor of sentiment"),
            ("nlpkit --help", "floor of --help"),
        )
    }
    print("| command | median s | times its floor |\n|---|--:|--:|")
    for name, value in medians.items():
        print(
            f"| {name} | {value:.3f} | {ratios[name]:.2f} |"
            if name in ratios
            else f"| {name} | {value:.3f} | |"
        )
    if args.output:
        report = {"rounds": args.rounds, "medians": medians, "ratios": ratios}
        args.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
