"""The word tokenizer of every step that reads tokens.

spaCy's rules split each white-space chunk by itself, so the tokens of a chunk are cached. Tokens
are split again until nothing changes. Tokenizing is therefore idempotent: a step gives the same
result for a text as for the output of `nlpkit tokenize`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from nlpkit.language import spacy_rules
from nlpkit.language.detect import Lang, language_of
from nlpkit.language.patterns import ALIAS, EMOJI, NEEDS, find

LONGEST = 500  # longest chunk for spaCy's patterns, in characters; _PIECE splits longer ones
ASKED = 1 << 12  # chunks in a call of spaCy, whose rules for whole words take quadratic time
CACHED = 1 << 18  # most cached chunks; a full cache is cleared
_EMOJI, _ALIAS = re.compile(f"({EMOJI})"), find(f"({ALIAS})")
_PIECE = re.compile(rf"{EMOJI}|(?:\w[\u0300-\u036f]*)+|[^\w\s]")
Span = tuple[str, int, int]


def each_in_its_language(
    langs: Sequence[str], documents: Sequence[Any], of: Callable[[str], Callable[[Any], Any]]
) -> list[tuple[str, Any]]:
    """Return (language, result) of each document.

    `of` maps a language to a function from documents to results, which is called once for all
    documents of that language.
    """
    results: list[Any] = [None] * len(documents)
    for lang in sorted(set(langs)):
        rows = [row for row, other in enumerate(langs) if other == lang]
        for row, result in zip(rows, of(lang)([documents[row] for row in rows]), strict=True):
            results[row] = result
    return list(zip(langs, results, strict=True))


def spans_of(text: str, tokens: Sequence[str]) -> list[Span]:
    """Return (token, start, end) for the tokens of a text, in characters.

    Raises:
        ValueError: a token is not in the text, or not in this order.
    """
    spans, start = [], 0
    for token in tokens:
        start = text.index(token, start)
        spans.append((token, start, start + len(token)))
        start += len(token)
    return spans


class Words:
    """Split texts into words: a callable from texts to (language, tokens) pairs.

    `pretokenized` splits at white space only.
    """

    def __init__(self, lang: Lang, *, pretokenized: bool = False) -> None:
        self.language = language_of(lang)
        self.pretokenized = pretokenized

    def __call__(self, texts: Sequence[str]) -> list[tuple[str, list[str]]]:
        langs = [self.language(text) for text in texts]
        if self.pretokenized:
            return [(lang, text.split()) for lang, text in zip(langs, texts, strict=True)]
        return each_in_its_language(langs, texts, lambda lang: splitter(lang).split_all)


class Splitter:
    """Split texts of one language, with a cache of white-space chunks."""

    def __init__(self, lang: str) -> None:
        self.spacy, self.whole = spacy_rules.blank(lang)
        self.known: dict[str, tuple[str, ...]] = {}

    def split_all(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the tokens of each text; many texts in a call are faster than one by one."""
        split = [text.split() for text in texts]
        seen = {chunk for chunks in split for chunk in chunks}
        self._learn(seen)
        known = self.known
        tokens = [[token for chunk in chunks for token in known[chunk]] for chunks in split]
        for chunk in [chunk for chunk in seen if len(chunk) > LONGEST]:
            del known[chunk]  # bounds the memory of the cache
        return tokens

    def spans_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return (token, start, end) of each token, with text[start:end] == token."""
        split = zip(texts, self.split_all(texts), strict=True)
        return [spans_of(text, tokens) for text, tokens in split]

    def _learn(self, chunks: set[str]) -> None:
        """Add the tokens of new chunks to `known`, in a few calls of spaCy."""
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
        """Return the tokens of each chunk after one pass of the rules."""
        tokens_of: dict[str, list[str]] = {}
        remaining = []
        for chunk in chunks:
            if chunk in self.whole or not _encodes(chunk):
                tokens_of[chunk] = [chunk]
            elif NEEDS[ALIAS](chunk) and _ALIAS.search(chunk):
                tokens_of[chunk] = [part for part in _ALIAS.split(chunk) if part]
            elif NEEDS[EMOJI](chunk) and _EMOJI.search(chunk):
                tokens_of[chunk] = [part for part in _EMOJI.split(chunk) if part]
            elif len(chunk) > LONGEST:
                tokens_of[chunk] = _PIECE.findall(chunk)
            else:
                remaining.append(chunk)
        for start in range(0, len(remaining), ASKED):
            part = remaining[start : start + ASKED]
            # The zone frees the strings and lexemes of these chunks, so that memory stays flat.
            with self.spacy.memory_zone():
                # Unlike a space, a newline is a token of its own, and no rule matches across it.
                tokens = [token.text for token in self.spacy.tokenizer("\n".join(part))]
            groups = (list(group) for end, group in groupby(tokens, "\n".__eq__) if not end)
            tokens_of |= dict(zip(part, groups, strict=True))
        return tokens_of


def _settled(chunk: str, once: dict[str, list[str]]) -> list[str]:
    pieces = once[chunk]
    if len(pieces) == 1:
        return pieces
    return [token for piece in pieces for token in _settled(piece, once)]


def _encodes(text: str) -> bool:
    """Tell whether a text encodes as UTF-8; a lone surrogate, as in a cut JSON string, does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def splitter(lang: str) -> Splitter:
    """Return the splitter of a language; all callers share one."""
    return Splitter(lang)


def joined(value: Any) -> str:
    """Return a document as the string that steps read; joins a list of tokens by spaces."""
    return " ".join(value) if isinstance(value, list | tuple) else value
