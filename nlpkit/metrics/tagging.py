"""Accuracy of tags, over the words whose tag is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import UNKNOWN, Tags

FITS = Tags


def measure(golds: Sequence[Tags], answers: Sequence[Tags]) -> dict[str, Any]:
    """Return `NAME_accuracy` of each layer and, of several, of all at once.

    Words of which the first layer is unknown are not counted there, nor in "n"; unknown tags of
    other layers are taken for right.
    """
    kind = type(golds[0])
    right, known = [0] * len(kind.NAMES), [0] * len(kind.NAMES)
    together = counted = 0
    for gold, answer in zip(golds, answers, strict=True):
        words = zip(zip(*gold.layers, strict=True), zip(*answer.layers, strict=True), strict=False)
        for wanted, said in words:
            hits = [tag == guess for tag, guess in zip(wanted, said, strict=True)]
            for layer, tag in enumerate(wanted):
                if tag != UNKNOWN:
                    known[layer] += 1
                    right[layer] += hits[layer]
            if wanted[0] != UNKNOWN:
                counted += 1
                pairs = zip(wanted, hits, strict=True)
                together += all(hit or tag == UNKNOWN for tag, hit in pairs)
    scores: dict[str, Any] = {"n": counted, "unit": "words"}
    for name, hits_, all_ in zip(kind.NAMES, right, known, strict=True):
        scores[f"{name}_accuracy"] = round(hits_ / max(all_, 1), 6)
    if len(kind.NAMES) > 1:
        scores["_".join(kind.NAMES)] = round(together / max(counted, 1), 6)
    return scores
