"""Small data: train every classifier with its defaults on 1,500 rows, beside TF-IDF regressions.

For each set and seed, 1,500 rows of the train split (fewer where the set is small) are drawn for
training and 200 for dev; all other rows of the train and dev splits measure macro-F1. Test splits
are not read. Each architecture trains twice: with its defaults, and with patience off. Each of
--starts, a run or a bundle, is fine-tuned with its own defaults and --set. Finished trainings are
kept in --output, so a killed script can be run again:

    python benchmarks/small_data.py --data ../shared/data --output runs/small_data.jsonl

The baselines see the same rows: TF-IDF of words under a logistic regression, both with
scikit-learn's defaults, and the one that quality.py tunes on dev (words and characters, balanced).
Everything takes about an hour and a half on one core.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import Any

from quality_baselines import tfidf
from quality_scores import Predict, Rows

from nlpkit.jobs import evaluate, train

SETS = ("play_shopping_apps", "olist_sample", "computer_br")
ARCHITECTURES = ("ngrams", "atnet", "bow", "lstm", "transformer")
BASELINES = ("tfidf plain", "tfidf tuned")
TRAIN, DEV = 1500, 200
PATIENCE = {"": [], " patience off": ["train.patience=0"]}


def sample(data: Path, name: str, seed: int) -> dict[str, Rows]:
    """Return the rows (text, label) of train, dev and held, drawn by the seed."""
    splits = {}
    for split in ("train", "dev"):
        with lzma.open(data / "sentiment_pt" / name / f"{split}.jsonl.xz", "rt") as lines:
            rows = [json.loads(line) for line in lines]
            splits[split] = [(row["text"], row["label"]) for row in rows]
    rows = splits["train"]
    random.Random(seed).shuffle(rows)
    count = min(TRAIN, len(rows) - 2 * DEV)
    held = rows[count + DEV :] + splits["dev"]
    return {"train": rows[:count], "dev": rows[count : count + DEV], "held": held}


def plain_tfidf(rows: Rows) -> Predict:
    """Fit TF-IDF and a logistic regression with the defaults of scikit-learn."""
    vectorizer = import_module("sklearn.feature_extraction.text").TfidfVectorizer()
    model = import_module("sklearn.linear_model").LogisticRegression(max_iter=1000)
    model.fit(vectorizer.fit_transform([text for text, _ in rows]), [label for _, label in rows])

    def predict(texts: Sequence[str]) -> Any:
        probs_NC = model.predict_proba(vectorizer.transform(texts))
        return [(model.classes_[row.argmax()], row.max()) for row in probs_NC]

    return predict


def macro_f1(predict: Predict, rows: Rows) -> float:
    """Return macro-F1 of a baseline over the labels of the rows."""
    score = import_module("sklearn.metrics").f1_score
    said = [label for label, _ in predict([text for text, _ in rows])]
    return round(float(score([label for _, label in rows], said, average="macro")), 4)


def network(
    arch: str | None,
    parts: dict[str, Rows],
    seed: int,
    settings: list[str],
    init: str | None = None,
) -> dict[str, Any]:
    """Train an architecture, or from `init`; return macro-F1 on held, the epochs and the time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, rows in parts.items():
            lines = (json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
            (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")
        recipe = train.recipe_from_files(
            parts={"task": "sentiment", "architecture": arch},
            init=init,
            train=[str(folder / "train.jsonl")],
            dev=[str(folder / "dev.jsonl")],
            fields={},
            overrides=[f"train.seed={seed}", *settings],
        )
        summary = train.train(
            recipe, folder / "run", device="cpu", resume=False, listener=lambda event: None
        )
        model = evaluate.open_model(str(folder / "run"), device="cpu", precision="auto")
        scores = evaluate.evaluate(model, [str(folder / "held.jsonl")]).scores
        epochs = {"epochs": summary.epochs, "best": summary.best_epoch, "s": summary.seconds}
        return {"f1": round(scores["macro_f1"], 4), **epochs}


def systems(
    archs: Sequence[str], starts: Sequence[str], settings: Sequence[str]
) -> dict[str, Callable[[dict[str, Rows], int], dict[str, Any]]]:
    """Return what is measured, by name: a function of the parts and the seed."""
    one_thread = ["train.threads=1"]
    made: dict[str, Any] = {
        "tfidf plain": lambda p, seed: {"f1": macro_f1(plain_tfidf(p["train"]), p["held"])},
        "tfidf tuned": lambda p, seed: {"f1": macro_f1(tfidf(p["train"], p["dev"])[0], p["held"])},
    }
    for arch in archs:
        for name, more in PATIENCE.items():
            made[arch + name] = lambda p, seed, a=arch, s=more: network(a, p, seed, one_thread + s)
    for start in starts:
        name = " ".join(["from", Path(start).name, *settings])
        made[name] = lambda p, seed, i=start: network(None, p, seed, list(settings), i)
    return made


def table(lines: Sequence[dict[str, Any]], archs: Sequence[str]) -> str:
    """Return the means over seeds as Markdown; each network with patience on and off."""
    scores: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        scores.setdefault((line["system"], line["set"]), []).append(line["f1"])

    def mean(system: str, name: str) -> str:
        values = scores.get((system, name))
        return f"{fmean(values):.3f}" if values else "-"

    rows = ["| | " + " | ".join(SETS) + " |", "|---|" + "--:|" * len(SETS)]
    for system in BASELINES:
        rows.append(f"| {system} | " + " | ".join(mean(system, name) for name in SETS) + " |")
    for arch in archs:
        cells = [f"{mean(arch, n)} ({mean(arch + ' patience off', n)})" for n in SETS]
        rows.append(f"| {arch} | " + " | ".join(cells) + " |")
    for system in dict.fromkeys(line["system"] for line in lines):
        if system.startswith("from "):
            rows.append(f"| {system} | " + " | ".join(mean(system, name) for name in SETS) + " |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("runs/small_data.jsonl"))
    parser.add_argument("--archs", nargs="*", default=list(ARCHITECTURES))
    parser.add_argument("--starts", nargs="*", default=[])
    parser.add_argument("--set", nargs="*", default=[], help="settings of the starts")
    parser.add_argument("--baselines", nargs="*", default=list(BASELINES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = parser.parse_args()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.touch()
    lines = [json.loads(line) for line in args.output.read_text(encoding="utf-8").splitlines()]
    done = {(line["system"], line["set"], line["seed"]) for line in lines}
    measured = systems(args.archs, args.starts, args.set)
    skipped = set(BASELINES) - set(args.baselines)
    for system, measure in measured.items():
        if system in skipped:
            continue
        for name in SETS:
            for seed in args.seeds:
                if (system, name, seed) in done:
                    continue
                result = measure(sample(args.data, name, seed), seed)
                lines.append({"system": system, "set": name, "seed": seed, **result})
                print(json.dumps(lines[-1]), flush=True)
                with args.output.open("a", encoding="utf-8") as output:
                    output.write(json.dumps(lines[-1]) + "\n")
    print(table(lines, args.archs), end="")


if __name__ == "__main__":
    main()
