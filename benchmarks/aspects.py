"""Aspects of reviews of hotels: spans and polarity, beside nouns that are frequent.

    python benchmarks/aspects.py --data ../shared/data [MODEL]

Exact spans of absapt_hotels, dev. The baseline marks the nouns (by tagger-pt) that train has at
least k times, with the k of the best F1 on train.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import nlpkit
from nlpkit.records.rows import read_records

COUNTS = (1, 3, 5, 10, 20, 30, 50, 80, 120)
Spans = dict[tuple[int, int], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", default="aspects-pt")
    parser.add_argument("--data", type=Path, default=os.environ.get("NLPKIT_DATA"))
    given = parser.parse_args()
    train, dev = (gold(given.data, split) for split in ("train", "dev"))
    print("| system | precision | recall | F1 | polarity of what is found |")
    print("|---|--:|--:|--:|--:|")
    nouns = {split: nouns_of(list(rows)) for split, rows in (("train", train), ("dev", dev))}
    counts = Counter(lemma for own in nouns["train"] for *_, lemma in own)
    least = max(COUNTS, key=lambda k: score(frequent(nouns["train"], counts, k), train)[2])
    told = score(frequent(nouns["dev"], counts, least), dev)
    print(row(f"nouns that train has {least} times", told))
    answers = nlpkit.load(given.model, device="cpu").predict(list(dev))
    found = [{(s.start, s.end): s.label for s in a.spans} if a else {} for a in answers]
    pairs = [
        (label, own[span])
        for spans, own in zip(found, dev.values(), strict=True)
        for span, label in spans.items()
        if span in own
    ]
    print(row(given.model, score(found, dev), sum(a == b for a, b in pairs) / len(pairs)))


def gold(data: Path, split: str) -> dict[str, Spans]:
    """Return the aspects of each review."""
    spans: dict[str, Spans] = defaultdict(dict)
    for record in read_records(str(data / f"absa_pt/absapt_hotels/{split}.jsonl.xz"), "text"):
        spans[record["text"]][record["start"], record["end"]] = record["label"]
    return spans


def nouns_of(texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
    """Return (start, end, lemma) of the nouns of each text."""
    each = []
    for text, answer in zip(texts, nlpkit.load("tagger-pt").predict(texts), strict=True):
        place, own = 0, []
        for word, lemma, tag in zip(answer.words, *answer.layers, strict=True):
            start = text.find(word, place)
            if start < 0:
                break
            place = start + len(word)
            if tag == "NOUN":
                own.append((start, place, lemma.lower()))
        each.append(own)
    return each


def frequent(
    nouns: list[list[tuple[int, int, str]]], counts: Counter[str], least: int
) -> list[Spans]:
    return [{(a, b): "" for a, b, lemma in own if counts[lemma] >= least} for own in nouns]


def score(found: Sequence[Spans], gold: dict[str, Spans]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of exact spans."""
    hits = sum(len(a.keys() & b.keys()) for a, b in zip(found, gold.values(), strict=True))
    precision = hits / max(sum(map(len, found)), 1)
    recall = hits / sum(map(len, gold.values()))
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def row(name: str, numbers: tuple[float, float, float], polarity: float | None = None) -> str:
    cells = [*(f"{number:.3f}" for number in numbers), f"{polarity:.3f}" if polarity else ""]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
