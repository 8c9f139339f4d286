"""A word-by-word dictionary from parallel texts: IBM model 1 (Brown et al. 1993).

Model 1 says that each target word comes from one source word of its sentence pair, or from none,
whatever their positions. Expectation maximisation finds the probabilities of the target words for
each source word; the dictionary keeps the likeliest. Here a word counts once in a sentence, and
rare words are left out of both languages.

Legend: S words of a source sentence and none, T words of a target sentence, P pairs of a source and
a target word in the sentences of a block, U distinct such pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
START = re.compile(r"(?:^|[.!?:]\s)\W*")  # ends where the first word of a sentence begins
LEAST = 3  # sentences that must have a word; the translation of a rarer one is mostly wrong
LONGEST = 80  # distinct words of a sentence; longer ones tell little, since all words are paired
BLOCK = 4_000_000  # pairs of words that are held in floating point at once
ITERATIONS = 5
Block = tuple[np.ndarray, np.ndarray]  # rank_P, and column_P: which target word of which sentence


class Entry(NamedTuple):
    """A source word as it is mostly written, and so its translation."""

    usual: str
    translation: str


def translated(text: str, dictionary: Mapping[str, Entry]) -> str:
    """Return the text with each word replaced by its translation.

    Unknown words, numbers, punctuation and spaces are copied.
    """
    starts = {found.end() for found in START.finditer(text)}

    def of(found: re.Match[str]) -> str:
        entry = dictionary.get(found[0].lower())
        return cased(found[0], entry, found.start() in starts) if entry else found[0]

    return WORD.sub(of, text)


def cased(word: str, entry: Entry, starts: bool) -> str:
    """Return the translation, with a capital where the source word has one that is not its own.

    Monday and I have capitals of their own, which their translations do not take over.
    """
    if entry.translation.lower() == word.lower():
        return word
    if word == entry.usual and not starts:
        return entry.translation
    if word.isupper() and len(word) > 1:
        return entry.translation.upper()
    capital = entry.translation[:1].upper() if word[0].isupper() else entry.translation[:1]
    return capital + entry.translation[1:]


def learned(
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    least: int = LEAST,
    iterations: int = ITERATIONS,
) -> dict[str, Entry]:
    """Return the likeliest translation of each frequent source word, by the word in lower case."""
    sides = [[set(WORD.findall(text.lower())) for text in side] for side in (sources, targets)]
    source_ids, target_ids = (vocabulary(side, least) for side in sides)
    sentences = [
        ([0, *ids(one, source_ids)], ids(other, target_ids))
        for one, other in zip(*sides, strict=True)
        if max(len(one), len(other)) <= LONGEST
    ]
    key_U, blocks = paired(sentences, len(target_ids) + 1)
    if not len(key_U):
        return {}
    source_U, target_U = np.divmod(key_U, len(target_ids) + 1)
    p_U = probabilities(blocks, source_U, iterations)
    ranked_U = np.lexsort((p_U, source_U))
    last_of_source = np.flatnonzero(np.diff(source_U[ranked_U], append=-1))
    best = {int(source_U[u]): int(target_U[u]) for u in ranked_U[last_of_source]}
    words = dict(zip(target_ids.values(), target_ids, strict=True))
    own, other = (usual(side) for side in (sources, targets))
    return {
        word: Entry(own[word], other[words[best[number]]])
        for word, number in source_ids.items()
        if number in best
    }


def usual(texts: Sequence[str]) -> dict[str, str]:
    """Return the form in which each word is mostly written, by the word in lower case."""
    forms = Counter(word for text in texts for word in WORD.findall(text))
    return {form.lower(): form for form, _ in reversed(forms.most_common())}


def vocabulary(sentences: Sequence[set[str]], least: int) -> dict[str, int]:
    """Return the ids of the words that enough sentences have, from 1; 0 is no word."""
    counts = Counter(word for words in sentences for word in words)
    frequent = sorted(word for word, count in counts.items() if count >= least)
    return {word: number for number, word in enumerate(frequent, start=1)}


def ids(words: set[str], known: Mapping[str, int]) -> list[int]:
    return sorted(known[word] for word in words if word in known)


def paired(
    sentences: Sequence[tuple[list[int], list[int]]], base: int
) -> tuple[np.ndarray, list[Block]]:
    """Return key_U, source * base + target of each distinct pair in order, and the blocks."""
    keys, columns = [], []
    for key_P, column_P in keyed(sentences, base):
        keys.append(key_P)
        columns.append(column_P)
    own = [np.unique(key_P) for key_P in keys]
    key_U = np.unique(np.concatenate(own)) if own else np.zeros(0, np.int64)
    ranks = (np.searchsorted(key_U, key_P).astype(np.int32) for key_P in keys)
    return key_U, list(zip(ranks, columns, strict=True))


def keyed(
    sentences: Sequence[tuple[list[int], list[int]]], base: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of sentences: key_P, and column_P, which numbers target words in the block."""
    keys, columns, pairs, column = [], [], 0, 0
    for source, target in sentences:
        key_ST = np.array(source, np.int64)[:, None] * base + np.array(target, np.int64)
        keys.append(key_ST.ravel())
        columns.append(
            np.tile(np.arange(column, column + len(target), dtype=np.int32), len(source))
        )
        pairs, column = pairs + key_ST.size, column + len(target)
        if pairs > BLOCK:
            yield np.concatenate(keys), np.concatenate(columns)
            keys, columns, pairs, column = [], [], 0, 0
    if pairs:
        yield np.concatenate(keys), np.concatenate(columns)


def probabilities(blocks: Sequence[Block], source_U: np.ndarray, iterations: int) -> np.ndarray:
    """Return p_U, the probability of each pair's target word, given its source word."""
    p_U = np.ones(len(source_U))
    for _ in range(iterations):
        expected_U = np.zeros(len(source_U))
        for rank_P, column_P in blocks:
            p_P = p_U[rank_P]
            p_P /= np.bincount(column_P, p_P)[column_P]
            expected_U += np.bincount(rank_P, p_P, len(p_U))
        p_U = expected_U / np.bincount(source_U, expected_U)[source_U]
    return p_U
