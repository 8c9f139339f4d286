"""Ablation: measure the gain of each part of the default model's recipe on dev, over several seeds.

Each line adds one part to the line before: from scratch, + pretraining, + distillation,
+ augmentation, + masking (files with two labels teach less about the third). The score is
macro-F1 by dev file, over the Portuguese files, which alone the runs train on. Nothing is
measured on test. Finished runs are not repeated, so a killed script can be run again:

    python benchmarks/ablation.py --runs runs/ablation --most 1000 --output runs/ablation.json

With --most, a sample of every file is used and the fifteen trainings take an hour or two.

It needs $NLPKIT_DATA and the runs that the recipe names: runs/pretrain-skipgram and the teachers.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from nlpkit.settings import declaration

CHECKOUT = Path(__file__).resolve().parents[1]
AUGMENT = {"typos": 0.05, "dropout": 0.05}  # for a recipe without [augment]
TEXTS = 3  # texts taken of a file without labels, as a multiple of --most


def variants(tree: dict[str, Any], most: int) -> dict[str, dict[str, Any]]:
    """Return the recipes by name, from the smallest to the full one."""
    full = copy.deepcopy(tree)
    full.setdefault("augment", AUGMENT)
    portuguese = [s for s in full["data"]["train"] if not s["path"].startswith("sentiment_en")]
    full["data"]["train"] = [s for s in portuguese if s.get("text") != "en"]
    full["data"]["dev"] = [p for p in full["data"]["dev"] if p.startswith("sentiment_pt")]
    full["distill"]["texts"] = [
        s for s in full["distill"]["texts"] if not s["path"].startswith("sentiment_en")
    ]
    if most:
        sample(full["data"]["train"], "max_per_label", most)
        sample(full["distill"]["texts"], "most", most * TEXTS)
    unmasked = copy.deepcopy(full)
    for source in unmasked["data"]["train"]:
        source.pop("missing_labels", None)
    plain = without(unmasked, "augment")
    taught_by_labels = without(plain, "distill")
    scratch = without(taught_by_labels, "init")
    return {
        "scratch": scratch,
        "+ pretraining": taught_by_labels,
        "+ distillation": plain,
        "+ augmentation": unmasked,
        "+ masking": full,
    }


def sample(sources: list[dict[str, Any]], key: str, most: int) -> None:
    for source in sources:
        source[key] = min(source.get(key) or most, most)


def without(tree: dict[str, Any], section: str) -> dict[str, Any]:
    return {key: value for key, value in copy.deepcopy(tree).items() if key != section}


def run(tree: dict[str, Any], folder: Path, seed: int, options: list[str]) -> dict[str, Any]:
    """Train a recipe unless its run is finished; return run.json."""
    if not (folder / "run.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        recipe = folder.with_suffix(".toml")
        recipe.write_text(declaration.toml(tree), encoding="utf-8")
        command = [sys.executable, "-m", "nlpkit", "train", str(recipe), "--output", str(folder)]
        command += ["--seed", str(seed), "--resume", *options]
        subprocess.run(command, check=True)
    summary: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return summary


def table(scores: dict[str, list[float]]) -> str:
    lines = ["| | dev macro-F1 by file | spread over seeds | seeds |", "|---|--:|--:|--:|"]
    for name, values in scores.items():
        spread = f"{stdev(values):.4f}" if len(values) > 1 else "-"
        lines.append(f"| {name} | {fmean(values):.4f} | {spread} | {len(values)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipe", type=Path, default=CHECKOUT / "models/sentiment/recipe.toml")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--most", type=int, default=0, help="most rows of each label and file; 0 takes all"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--output", type=Path, metavar="FILE.json", help="report; the table goes to FILE.md"
    )
    args = parser.parse_args()
    tree = tomllib.loads(args.recipe.read_text(encoding="utf-8"))
    options = [part for item in args.set for part in ("--set", item)]
    scores: dict[str, list[float]] = {}
    for seed in args.seeds:
        for name, recipe in variants(tree, args.most).items():
            slug = "".join(char if char.isalnum() else "-" for char in name).strip("-")
            recipe["name"] = f"ablation-{slug}"
            done = run(recipe, args.runs / f"{slug}-{seed}", seed, options)
            scores.setdefault(name, []).append(done["dev"]["macro_f1_by_file"])
            if args.output:
                report = {"seeds": args.seeds, "most": args.most, "set": args.set, "scores": scores}
                args.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
                args.output.with_suffix(".md").write_text(table(scores), encoding="utf-8")
    print(table(scores), end="")


if __name__ == "__main__":
    main()
