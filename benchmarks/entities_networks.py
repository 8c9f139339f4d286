"""Train networks for entities on the same rows, export them, and score them side by side.

    python benchmarks/entities_networks.py --output runs/networks --data ../shared/data
        [NETWORK ...]

The rows are those of the recipe models/entities-pt-open, news and court decisions; the dev files
choose the epoch, and each network is scored on them with its own export. `lstm-viterbi` has no CRF:
its tags are independent, and decoding only forbids invalid sequences. All but `fine-tuned` start
from random weights. Finished runs in the output folder are not trained again.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from entities import SETS, rows_of, scores, texts_of

import nlpkit
from nlpkit.jobs.export import export
from nlpkit.jobs.train import train
from nlpkit.settings import recipe
from nlpkit.tasks.entities import Config, Task
from nlpkit.training.init import complete

ROOT = Path(__file__).parents[1]
SUBWORDS = {"kind": "bpe", "simple_words": True, "vocab_size": 12000}
ENCODER = {"kind": "unigram", "simple_words": True}
NETWORKS: dict[str, dict[str, Any]] = {
    "lstm-crf": {},  # the recipe as it is
    "lstm-viterbi": {"task": {"crf": False}},
    "lstm-subwords": {
        "architecture": {"name": "lstm", "embedding": 128, "hidden": 128, "dropout": 0.4},
        "tokenizer": SUBWORDS,
    },
    "atnet": {
        "architecture": {"name": "atnet", "kernels": [3, 5, 7], "filters": 128, "dropout": 0.3},
        "tokenizer": SUBWORDS,
    },
    "transformer": {
        "architecture": {"name": "transformer", "width": 192, "layers": 3, "dropout": 0.2},
        "tokenizer": SUBWORDS,
        "train": {"lr": 1e-3, "warmup": 0.1},
    },
    "fine-tuned": {  # six layers of the encoder `base`
        "architecture": {"name": "bert", "layers": 6},
        "init": {"run": "../../export/base", "rate": 0.1, "layer_decay": 0.9, "freeze": 1},
        "tokenizer": ENCODER,
        "train": {"epochs": 3, "lr": 1e-3, "warmup": 0.1, "amp": "fast"},
    },
}


def tree_of(name: str) -> dict[str, Any]:
    """Return the recipe's tables with those of a network."""
    tree = tomllib.loads((ROOT / "models/entities-pt-open/recipe.toml").read_text("utf-8"))
    tree["name"] = f"entities-{name}"
    own = NETWORKS[name]
    for section in ("architecture", "init"):
        if section in own:
            tree[section] = own[section]
    if "tokenizer" in own:
        tree["tokenizer"] = own["tokenizer"] | {"window": 128, "overlap": 32}
        for source in tree["data"]["train"]:
            del source["style"]  # only words have one
        tree["export"] = {"precisions": ["fp32", "int8"], "min_agreement": 0.96}
    for section in ("task", "train"):
        tree[section] |= own.get(section, {})
    return tree


def bundle_of(name: str, folder: Path) -> Path:
    """Return the bundle of a network, trained and exported if it is not there yet."""
    run, bundle = folder / name, folder / f"{name}-bundle"
    if not (run / "run.json").exists():
        where = ROOT / "models/entities-pt-open"
        made = recipe.from_dict(tree_of(name), folder=where, where=name, complete=complete)
        train(made, run, device="cpu", resume=run.exists(), listener=lambda event: None)
    if not bundle.exists():
        export(str(run), bundle, overrides=[], listener=lambda report: None)
    return bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=[*NETWORKS])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for name in args.networks:
        bundle = bundle_of(name, args.output)
        model = nlpkit.load(str(bundle), device="cpu")
        task = Task(Config(), model.task.types)
        line: dict[str, Any] = {"network": name}
        line["MB"] = round(min(f.stat().st_size for f in bundle.glob("*.onnx")) / 1e6, 1)
        for path in SETS["pt"][:2]:
            rows = rows_of(args.data / path / "dev.jsonl.xz")
            found = scores(task, rows, model.predict(texts_of(rows)))
            line[path.partition("/")[2]] = round(found["span_f1"], 3)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
