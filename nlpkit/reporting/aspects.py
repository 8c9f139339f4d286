"""Aspects over many texts: terms of one thing together, with counts, polarity and trend.

Terms are brought together in two steps. Plurals and accents first: `entregas` is `entrega`. Then
rare terms join a frequent one whose embedding is near, if their letters are near too: encoders
place misspellings beside the word (`atendimeto`), but also words that only look alike.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

if TYPE_CHECKING:
    import numpy as np

NEAR = 0.9  # least cosine of a term with the one that it joins
ALIKE = 0.9  # least share of equal letters
RARER = 5  # times that a term is as frequent as one that joins it
EMBEDDED = 3000  # most terms that are embedded, the most frequent ones
LONGEST = 40  # characters of a term
# Endings of plurals and their singulars, the longest first.
PLURALS = (
    ("ções", "ção"),
    ("sões", "são"),
    ("ães", "ão"),
    ("ões", "ão"),
    ("ais", "al"),
    ("éis", "el"),
    ("óis", "ol"),
    ("uis", "ul"),
    ("ens", "em"),
    ("ns", "m"),
    ("res", "r"),
    ("zes", "z"),
    ("s", ""),
)
SINGULARS = frozenset(
    ("país", "pais", "mais", "três", "ônibus", "lápis", "tênis", "vírus", "bônus")
)
_END = re.compile(r"[.!?…]+(?=\s|$)|\n")

Embed = Callable[[Sequence[str]], "np.ndarray"]


class Mention(NamedTuple):
    """An aspect in a text: the text's index, its place in it, its term and its polarity."""

    text: int
    start: int
    end: int
    term: str
    polarity: str
    score: float


def mentions(answers: Iterable[Any]) -> list[Mention]:
    """Return the mentions of all texts, from the answers of a model of aspects."""
    return [
        Mention(index, span.start, span.end, span.text, span.label, span.score or 0.0)
        for index, answer in enumerate(answers)
        for span in (answer.spans if answer else ())
        if len(span.text) <= LONGEST
    ]


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return [start, end) of the sentence of a mention, without white space at its ends."""
    before = max((match.end() for match in _END.finditer(text, 0, start)), default=0)
    after = _END.search(text, end)
    stop = after.end() if after else len(text)
    inside = text[before:stop]
    return before + len(inside) - len(inside.lstrip()), before + len(inside.rstrip())


def names(terms: Mapping[str, int], embed: Embed | None = None) -> dict[str, str]:
    """Return the name of the aspect of each term: the most frequent form of those together.

    `terms` has the count of each term; `embed` maps terms to embeddings, one row each.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for term, count in terms.items():
        forms[_key(term)][_shown(term)] += count
    totals = {key: counts.total() for key, counts in forms.items()}
    joins = _joins(totals, embed) if embed else {}
    heads: dict[str, Counter[str]] = defaultdict(Counter)
    for key, counts in forms.items():
        heads[joins.get(key, key)].update(counts)
    best = {key: min(counts, key=lambda f: (-counts[f], f)) for key, counts in heads.items()}
    return {term: best[joins.get(_key(term), _key(term))] for term in terms}


def _shown(term: str) -> str:
    """Return a term in small letters, its white space as single spaces."""
    return " ".join(normalize("NFC", term).lower().split())


def _key(term: str) -> str:
    """Return a term without plurals, accents and hyphens, by which its forms are one."""
    words = _shown(term).replace("-", " ").split()
    bare = normalize("NFD", " ".join(map(_singular, words)))
    return "".join(char for char in bare if not "\u0300" <= char <= "\u036f")


def _singular(word: str) -> str:
    if len(word) <= 3 or word in SINGULARS:
        return word
    for plural, singular in PLURALS:
        if word.endswith(plural) and len(word) > len(plural) + 1:
            return word[: -len(plural)] + singular
    return word


def _joins(totals: Mapping[str, int], embed: Embed) -> dict[str, str]:
    """Return the frequent term that each rare one joins."""
    import numpy as np

    ordered = sorted(totals, key=lambda key: (-totals[key], key))[:EMBEDDED]
    if len(ordered) < 2:
        return {}
    vectors_ND = embed(ordered).astype(np.float32)
    vectors_ND /= np.linalg.norm(vectors_ND, axis=1, keepdims=True).clip(min=1e-9)
    joins: dict[str, str] = {}
    for index in range(1, len(ordered)):
        term = ordered[index]
        near = vectors_ND[:index] @ vectors_ND[index]
        for other in np.flatnonzero(near >= NEAR)[np.argsort(-near[near >= NEAR])].tolist():
            head = ordered[other]
            if head in joins or totals[head] < RARER * totals[term]:
                continue
            if SequenceMatcher(None, term, head).ratio() >= ALIKE:
                joins[term] = head
                break
    return joins
