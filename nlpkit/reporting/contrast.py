"""Words and phrases that set one group of texts apart from the others.

The log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008,
"Fightin' Words", section 3.5.1), over texts that have a word, not over its occurrences. The prior
is the word's share of all texts, and each ratio is divided by its standard error, so that neither
frequent nor rare words win by chance.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
LEAST = 3.0  # z score of a word that is told
FREQUENT = 5  # least texts with the word
PRIOR, SHARE = 500.0, 0.1  # texts that the prior is worth: PRIOR, or this share of few texts
SAME = 0.8  # a word in this share of a phrase's texts is told by the phrase


class Distinct(NamedTuple):
    """A word or phrase, how many texts of the group and of the others have it, and its z score."""

    text: str
    here: int
    elsewhere: int
    z: float


def terms(text: str, stop_words: frozenset[str]) -> set[str]:
    """Return the words of a text in small letters, and pairs of words, without stop words.

    A pair may begin with a stop word that negates: `não funciona`.
    """
    words = _WORD.findall(text.lower())
    single = {word for word in words if word not in stop_words and len(word) > 1}
    joined = {
        f"{a} {b}" for a, b in pairwise(words) if b in single and (a in single or a in NEGATIONS)
    }
    return single | joined


NEGATIONS = frozenset(("não", "nao", "nunca", "sem", "nem", "not", "never", "no", "without"))


def distinct(
    groups: Sequence[Iterable[set[str]]], most: int = 15, least: float = LEAST
) -> list[list[Distinct]]:
    """Return the terms that set each group apart, the clearest first.

    `groups` have the terms of each text. A term counts once a text. Of a phrase and a word that
    stands mostly in it, only the clearer one is told.
    """
    each = [list(group) for group in groups]
    counts = [Counter(term for text in group for term in text) for group in each]
    total = sum(counts, Counter[str]())
    common = {term for term, count in total.items() if count >= FREQUENT}
    sizes = [len(group) for group in each]
    texts = sum(sizes)
    worth = min(PRIOR, SHARE * texts)
    found = []
    for count, size in zip(counts, sizes, strict=True):
        scored = []
        for term in common:
            here, elsewhere = count[term], total[term] - count[term]
            z = _z(here, size, elsewhere, texts - size, worth * total[term] / texts, worth)
            if z >= least:
                scored.append(Distinct(term, here, elsewhere, z))
        scored.sort(key=lambda one: (-one.z, one.text))
        found.append(_unlike(scored, most))
    return found


def _z(here: int, size: int, elsewhere: int, others: int, prior: float, worth: float) -> float:
    one, two = here + prior, elsewhere + prior
    rest_one, rest_two = size + worth - one, others + worth - two
    if rest_one <= 0 or rest_two <= 0:
        return 0.0
    return (math.log(one / rest_one) - math.log(two / rest_two)) / math.sqrt(1 / one + 1 / two)


def _unlike(scored: Sequence[Distinct], most: int) -> list[Distinct]:
    """Return the first terms, without those that another one tells already."""
    chosen: list[Distinct] = []
    for one in scored:
        if len(chosen) == most:
            break
        if not any(_tells(other, one) for other in chosen):
            chosen.append(one)
    return chosen


def _tells(known: Distinct, new: Distinct) -> bool:
    one, two = f" {known.text} ", f" {new.text} "
    few, many = sorted((known.here, new.here))
    return (one in two or two in one) and few >= SAME * many
