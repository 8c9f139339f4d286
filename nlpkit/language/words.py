"""The word tokenizer that every step with tokens shares.

spaCy's rules split white-space chunks one by one, so a chunk's tokens are kept in a cache. Each
token is split again until nothing changes: then tokens joined by spaces are split into the very
same tokens, and a step gives the same result for a text as for the output of `nlpkit tokenize`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from nlpkit.language import spacy_rules
from nlpkit.language.detect import Lang, language_of
from nlpkit.language.patterns import EMOJI, NEEDS

LONGEST = 500  # characters of a chunk that spaCy's patterns are asked about
ASKED = 1 << 12  # chunks in a call of spaCy, whose rules for whole words take quadratic time
CACHED = 1 << 18  # chunks remembered; then the cache starts anew
_EMOJI = re.compile(f"({EMOJI})")
_PIECE = re.compile(rf"{EMOJI}|(?:\w[\u0300-\u036f]*)+|[^\w\s]")
Span = tuple[str, int, int]


def each_in_its_language(
    langs: Sequence[str], documents: Sequence[Any], of: Callable[[str], Callable[[Any], Any]]
) -> list[tuple[str, Any]]:
    """Return (language, result) of each document, asking each language's function once."""
    results: list[Any] = [None] * len(documents)
    for lang in sorted(set(langs)):
        rows = [row for row, other in enumerate(langs) if other == lang]
        for row, result in zip(rows, of(lang)([documents[row] for row in rows]), strict=True):
            results[row] = result
    return list(zip(langs, results, strict=True))


def spans_of(text: str, tokens: Sequence[str]) -> list[Span]:
    """Return (token, start, end) for each token of a text, in their order."""
    spans, start = [], 0
    for token in tokens:
        start = text.index(token, start)
        spans.append((token, start, start + len(token)))
        start += len(token)
    return spans


class Words:
    """Split texts into words: a callable from texts to (language, tokens) pairs."""

    def __init__(self, lang: Lang, *, pretokenized: bool = False) -> None:
        self.language = language_of(lang)
        self.pretokenized = pretokenized

    def __call__(self, texts: Sequence[str]) -> list[tuple[str, list[str]]]:
        langs = [self.language(text) for text in texts]
        if self.pretokenized:
            return [(lang, text.split()) for lang, text in zip(langs, texts, strict=True)]
        return each_in_its_language(langs, texts, lambda lang: splitter(lang).split_all)


class Splitter:
    """The rules of one language."""

    def __init__(self, lang: str) -> None:
        self.spacy = spacy_rules.blank(lang)
        self.whole = spacy_rules.extend(self.spacy)
        self.known: dict[str, tuple[str, ...]] = {}

    def split_all(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the tokens of each text; many at once are faster than one by one."""
        split = [text.split() for text in texts]
        seen = {chunk for chunks in split for chunk in chunks}
        self._learn(seen)
        known = self.known
        tokens = [[token for chunk in chunks for token in known[chunk]] for chunks in split]
        for chunk in [chunk for chunk in seen if len(chunk) > LONGEST]:
            del known[chunk]  # a text of one endless chunk must not stay in memory
        return tokens

    def spans_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return (token, start, end) for each token: text[start:end] is the token."""
        split = zip(texts, self.split_all(texts), strict=True)
        return [spans_of(text, tokens) for text, tokens in split]

    def _learn(self, chunks: set[str]) -> None:
        """Put the tokens of new chunks into `known`, all of them in a few calls of spaCy."""
        if len(self.known) > CACHED:
            self.known.clear()
        new = todo = {chunk for chunk in chunks if chunk not in self.known}
        once: dict[str, list[str]] = {}
        while todo:
            once |= self._once(todo)
            pieces = {p for chunk in todo if len(once[chunk]) > 1 for p in once[chunk]}
            todo = pieces - once.keys()
        for chunk in new:
            self.known[chunk] = tuple(_settled(chunk, once))

    def _once(self, chunks: set[str]) -> dict[str, list[str]]:
        """Return what one pass of the rules makes of each chunk."""
        made: dict[str, list[str]] = {}
        asked = []
        for chunk in chunks:
            if chunk in self.whole or not _encodes(chunk):
                made[chunk] = [chunk]
            elif NEEDS[EMOJI](chunk) and _EMOJI.search(chunk):
                made[chunk] = [part for part in _EMOJI.split(chunk) if part]
            elif len(chunk) > LONGEST:
                made[chunk] = _PIECE.findall(chunk)
            else:
                asked.append(chunk)
        for start in range(0, len(asked), ASKED):
            part = asked[start : start + ASKED]
            # What a zone's strings and lexemes take is given back: memory stays flat.
            with self.spacy.memory_zone():
                # A newline is a token of its own, over which no rule reaches; a space is not.
                tokens = [token.text for token in self.spacy.tokenizer("\n".join(part))]
            groups = (list(group) for end, group in groupby(tokens, "\n".__eq__) if not end)
            made |= dict(zip(part, groups, strict=True))
        return made


def _settled(chunk: str, once: dict[str, list[str]]) -> list[str]:
    pieces = once[chunk]
    if len(pieces) == 1:
        return pieces
    return [token for piece in pieces for token in _settled(piece, once)]


def _encodes(text: str) -> bool:
    """Whether a text is Unicode: half of a surrogate pair, as a cut JSON string holds, is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def splitter(lang: str) -> Splitter:
    """Return the splitter of a language, made once."""
    return Splitter(lang)


def joined(value: Any) -> str:
    """Return a document as the string that steps read: tokens are joined by spaces."""
    return " ".join(value) if isinstance(value, list | tuple) else value
