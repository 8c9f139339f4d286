"""The word tokenizer that every step with tokens shares.

spaCy's rules split white-space chunks one by one, so a chunk's tokens are kept in a cache. Each
token is split again until nothing changes: then tokens joined by spaces are split into the very
same tokens, and a step makes no difference between a text and what `nlpkit tokenize` made of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from nlpkit.steps._language import Lang, language_of

LONGEST = 500  # characters of a chunk that spaCy's patterns are asked about
CACHED = 1 << 18  # chunks remembered; then the cache starts anew
_CHUNK = re.compile(r"\S+")
_PIECE = re.compile(r"\w+|[^\w\s]")
Span = tuple[str, int, int]


class Words:
    """Split texts into words: a callable from texts to (language, tokens) pairs."""

    def __init__(self, lang: Lang, *, pretokenized: bool = False) -> None:
        self.language = language_of(lang)
        self.pretokenized = pretokenized

    def __call__(self, texts: Sequence[str]) -> list[tuple[str, list[str]]]:
        found = []
        for text in texts:
            lang = self.language(text)
            found.append((lang, text.split() if self.pretokenized else splitter(lang).split(text)))
        return found


class Splitter:
    """The rules of one language."""

    def __init__(self, lang: str) -> None:
        from nlpkit.steps._spacy import blank

        self.spacy = blank(lang)
        rules = self.spacy.tokenizer.rules
        # "don't" becomes "do" and "n't", which the rules would split otherwise when alone.
        self.whole = {
            piece["ORTH" if "ORTH" in piece else 65]
            for pieces in rules.values()
            if len(pieces) > 1
            for piece in pieces
        }
        self.known: dict[str, tuple[str, ...]] = {}

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        known = self.known
        tokens: list[str] = []
        for chunk in text.split():
            tokens += known.get(chunk) or self._learn(chunk)
        return tokens

    def spans(self, text: str) -> list[Span]:
        """Return (token, start, end) for each token: text[start:end] is the token."""
        found = []
        for match in _CHUNK.finditer(text):
            start = match.start()
            for token in self.known.get(match[0]) or self._learn(match[0]):
                found.append((token, start, start + len(token)))
                start += len(token)
        return found

    def _learn(self, chunk: str) -> tuple[str, ...]:
        tokens = tuple(self._tokens(chunk))
        if len(chunk) <= LONGEST:
            if len(self.known) >= CACHED:
                self.known.clear()
            self.known[chunk] = tokens
        return tokens

    def _tokens(self, chunk: str) -> list[str]:
        if chunk in self.whole:
            return [chunk]
        pieces = self._once(chunk)
        if len(pieces) == 1:
            return pieces
        return [token for piece in pieces for token in self._tokens(piece)]

    def _once(self, chunk: str) -> list[str]:
        if len(chunk) > LONGEST:
            return _PIECE.findall(chunk)
        try:
            # What a zone's strings and lexemes take is given back: memory stays flat.
            with self.spacy.memory_zone():
                return [token.text for token in self.spacy.tokenizer(chunk)]
        except UnicodeEncodeError:  # half of a surrogate pair, as a cut JSON string holds
            return [chunk]


@cache
def splitter(lang: str) -> Splitter:
    """Return the splitter of a language, made once."""
    return Splitter(lang)


def joined(value: Any) -> str:
    """Return a document as the string that steps read: tokens are joined by spaces."""
    return " ".join(value) if isinstance(value, list) else value
