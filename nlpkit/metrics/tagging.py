"""Accuracy of tags, over the words whose tag is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers import UNKNOWN, Tags

FITS = Tags


def measure(golds: Sequence[Tags], answers: Sequence[Tags]) -> dict[str, Any]:
    """Return `NAME_accuracy` of each layer and, with several layers, the joint accuracy NAME_NAME.

    The joint accuracy and "n" leave out words whose first layer is unknown, and count unknown tags
    of other layers as correct.
    """
    kind = type(golds[0])
    correct, known = [0] * len(kind.NAMES), [0] * len(kind.NAMES)
    joint = counted = 0
    for gold, answer in zip(golds, answers, strict=True):
        words = zip(zip(*gold.layers, strict=True), zip(*answer.layers, strict=True), strict=False)
        for gold_tags, tags in words:
            hits = [tag == guess for tag, guess in zip(gold_tags, tags, strict=True)]
            for layer, tag in enumerate(gold_tags):
                if tag != UNKNOWN:
                    known[layer] += 1
                    correct[layer] += hits[layer]
            if gold_tags[0] != UNKNOWN:
                counted += 1
                pairs = zip(gold_tags, hits, strict=True)
                joint += all(hit or tag == UNKNOWN for tag, hit in pairs)
    scores: dict[str, Any] = {"n": counted, "unit": "words"}
    for name, hit_count, known_count in zip(kind.NAMES, correct, known, strict=True):
        scores[f"{name}_accuracy"] = round(hit_count / max(known_count, 1), 6)
    if len(kind.NAMES) > 1:
        scores["_".join(kind.NAMES)] = round(joint / max(counted, 1), 6)
    return scores
