"""How far counted shares of labels are from the true ones, over many kinds of texts.

    python benchmarks/shares.py --data ../shared/data [MODEL...]

Prints, for each model, the root mean square of the difference, that divided by the model's rate of
errors (`OFF` of nlpkit/reporting/shares.py), and the share of true values inside the intervals.
"""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from pathlib import Path
from statistics import fmean

import nlpkit
from nlpkit.records.rows import read_records
from nlpkit.reporting.shares import shares

LABELS = ("negative", "neutral", "positive")
FEWEST, MOST = 100, 500  # rows of a set


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", default=["sentiment", "sentiment-lstm"])
    parser.add_argument("--data", type=Path, default=os.environ.get("NLPKIT_DATA"))
    given = parser.parse_args()
    sets = {path.parent.name: rows(path) for path in given.data.glob("sentiment_pt/*/dev.jsonl.xz")}
    sets = {name: own for name, own in sets.items() if len(own) >= FEWEST}
    print("| model | sets | error rate | rms of shares | ratio | inside the interval |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in given.models:
        print(measured(name, list(sets.values())), flush=True)


def rows(path: Path) -> list[tuple[str, str]]:
    """Return the texts and labels of a set."""
    found = [(r["text"], str(r.get("label"))) for r in read_records(str(path), "text")]
    return [(text, label) for text, label in found if label in LABELS][:MOST]


def measured(name: str, sets: list[list[tuple[str, str]]]) -> str:
    """Return a row of the table."""
    model = nlpkit.load(name, device="cpu")
    given = [model.predict([text for text, _ in own]) for own in sets]
    right = [
        fmean(
            a is not None and a.label == label for a, (_, label) in zip(answers, own, strict=True)
        )
        for answers, own in zip(given, sets, strict=True)
    ]
    errors = 1 - fmean(right)
    off, inside = [], []
    for answers, own in zip(given, sets, strict=True):
        counts = Counter(answer.label for answer in answers if answer)
        true = Counter(label for _, label in own)
        told = shares({label: counts[label] for label in LABELS}, errors)
        for label, share in told.items():
            value = true[label] / len(own)
            off.append((share.share - value) ** 2)
            inside.append(share.low <= value <= share.high)
    rms = math.sqrt(fmean(off))
    numbers = (errors, rms, rms / errors, fmean(inside))
    return f"| {name} | {len(sets)} | {' | '.join(f'{number:.3f}' for number in numbers)} |"


if __name__ == "__main__":
    main()
