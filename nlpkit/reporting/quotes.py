"""Choose the texts that a report quotes: the surest, the most typical and the most mixed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from nlpkit.reporting.aspects import Mention
from nlpkit.reporting.contrast import terms
from nlpkit.reporting.report import SURE, Row

SHORTEST, LONGEST = 30, 400  # characters of a quote
EACH = 3  # quotes of a kind
TYPICAL = 5000  # most texts among which typical ones are looked for


def choose(
    rows: Sequence[Row],
    labels: Sequence[str],
    mentions: Iterable[Mention],
    stop_words: frozenset[str],
) -> dict[str, Any]:
    """Return indices of rows: surest and typical ones by label, and mixed ones.

    The first two are of texts of which the model is sure (a score of SURE or more).

    The surest have the highest score of the model. Typical ones, of those left, share the most
    words with the others of their label (the centre of their TF-IDF vectors). Mixed ones have
    aspects that they praise and aspects that they complain of; without aspects, two labels of
    almost equal score.
    """
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.answer and SHORTEST <= len(row.text) <= LONGEST:
            first.setdefault(row.text, index)
    kept = list(first.values())
    of_label = {
        label: [i for i in kept if _score(rows[i]) >= SURE and _label(rows[i]) == label]
        for label in labels
    }
    surest = {label: _surest(rows, own) for label, own in of_label.items()}
    typical = {
        label: _typical(rows, [i for i in own if i not in surest[label]], stop_words)
        for label, own in of_label.items()
    }
    return {"surest": surest, "typical": typical, "mixed": _mixed(rows, kept, mentions)}


def _label(row: Row) -> str:
    return row.answer.label if row.answer else ""


def _surest(rows: Sequence[Row], own: Sequence[int]) -> list[int]:
    return sorted(own, key=lambda i: (-_score(rows[i]), i))[:EACH]


def _score(row: Row) -> float:
    return (row.answer.score or 0.0) if row.answer else 0.0


def _typical(rows: Sequence[Row], own: Sequence[int], stop_words: frozenset[str]) -> list[int]:
    asked = own[:TYPICAL]
    each = {index: terms(rows[index].text, stop_words) for index in asked}
    counts = Counter(term for own_terms in each.values() for term in own_terms)
    weights = {
        term: count / len(asked) * math.log(len(asked) / count) ** 2
        for term, count in counts.items()
        if count > 1
    }

    def central(index: int) -> float:
        found = each[index]
        return sum(weights.get(term, 0.0) for term in found) / math.sqrt(len(found) + 1)

    return sorted(asked, key=lambda i: (-central(i), i))[:EACH]


def _mixed(rows: Sequence[Row], kept: Sequence[int], mentions: Iterable[Mention]) -> list[int]:
    polar: dict[int, Counter[str]] = {}
    for mention in mentions:
        polar.setdefault(mention.text, Counter())[mention.polarity] += 1

    def mixture(index: int) -> float:
        counts = polar.get(index)
        return min(counts["positive"], counts["negative"]) if counts else 0

    both = [index for index in kept if mixture(index)]
    if both:
        return sorted(both, key=lambda i: (-mixture(i), len(rows[i].text), i))[:EACH]
    return sorted(kept, key=lambda i: (_lead(rows[i]), i))[:EACH]


def _lead(row: Row) -> float:
    scores = sorted(row.answer.scores.values(), reverse=True) if row.answer else []
    return scores[0] - scores[1] if len(scores) > 1 else 1.0
