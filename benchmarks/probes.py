"""Probe models with our own sentences that are hard in known ways.

    python benchmarks/probes.py MODEL...   # bundles or runs

It prints, in Markdown, the number of correct answers of each kind (irony, negation, mixed opinions,
facts, comparisons, plain) and each wrong answer. The model cards' "Limits" come from here. The
sentences are too few, and too similar in style, to give a score.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from nlpkit.jobs.evaluate import open_model

PROBES = Path(__file__).with_name("probes.tsv")


def main() -> None:
    with PROBES.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if not row[0].startswith("#")]
    for name in sys.argv[1:]:
        print(report(name, rows))


def report(name: str, rows: list[list[str]]) -> str:
    answers = open_model(name, device="cpu", precision="auto").predict([text for *_, text in rows])
    asked, right = Counter(kind for _, kind, _ in rows), Counter[str]()
    wrong: dict[str, list[str]] = {}
    for (label, kind, text), answer in zip(rows, answers, strict=True):
        right[kind] += answer.label == label
        if answer.label != label:
            shown = f"*{text}* ({answer.label} {answer.score:.2f})"
            wrong.setdefault(kind, []).append(shown)
    counts = ", ".join(f"{kind} {right[kind]} of {asked[kind]}" for kind in asked)
    lines = [f"- {kind}: {'; '.join(texts)}" for kind, texts in wrong.items()]
    head = f"Right on sentences of our own (benchmarks/probes.tsv): {counts}. It errs on:"
    return "\n".join([f"# {Path(name).name}", "", head, "", *lines, ""])


if __name__ == "__main__":
    main()
