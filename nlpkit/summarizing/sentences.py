"""Split documents into sentences and each sentence into the terms that say what it is about."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from nlpkit.language.detect import Lang, language_of
from nlpkit.language.sentences import sentences
from nlpkit.language.words import Span, each_in_its_language, splitter
from nlpkit.steps import stopwords
from nlpkit.text.unicode import visible

SHORT = 0.5  # a line shorter than this share of the longest ends a block: a heading, a list item
CACHED = 1 << 16  # most cached terms
_LETTER = re.compile(r"[^\W_]")
_ENDED = re.compile(r"""[.!?…:;]["'”’»)\]]*$""")
_ITEM = re.compile(r"\s*[-*•–—]\s")
_RULE = re.compile(r"\s*([-=*_~#+])(?:\s*\1){2,}\s*$")  # a line across the page, below a heading


class Sentence(NamedTuple):
    """A sentence, its terms in lower case, and whether it is a fragment, such as a heading."""

    text: str
    terms: list[str]
    fragment: bool


def documents_in_sentences(texts: Sequence[str], lang: Lang) -> list[list[Sentence]]:
    """Return the sentences of each text; none for a blank one.

    Terms are words without stop words. Sentences are in NFC and have single spaces for white space.
    """
    detect = language_of(lang)
    documents = [blocks(visible(text)) for text in texts]
    langs = [detect(text) for text in texts]
    of_block = [lang for lang, document in zip(langs, documents, strict=True) for _ in document]
    flat = [block for document in documents for block in document]
    spans = iter(each_in_its_language(of_block, flat, lambda lang: splitter(lang).spans_all))
    return [
        _sentences(document, list(itertools.islice(spans, len(document)))) for document in documents
    ]


def blocks(text: str) -> list[str]:
    """Return the blocks of a text, which `block_spans` finds."""
    return [text[start:end] for start, end in block_spans(text)]


def block_spans(text: str) -> list[tuple[int, int]]:
    r"""Split a text where no sentence goes on: at blank lines and rules, list items, short lines.

    A short line ends a block. Other line breaks may be those of a text that is wrapped, as an
    e-mail is at 72 columns. Return (start, end) of each block, without the blanks around it.
    """
    if "\n" not in text:
        return [(0, len(text))]
    lines = text.splitlines()
    least = SHORT * max(map(len, lines))
    cuts, end = [0], 0
    for line, ended in zip(lines, text.splitlines(keepends=True), strict=True):
        is_rule = bool(_RULE.match(line))
        if not line.strip() or is_rule or _ITEM.match(line):
            cuts.append(end)
        end += len(ended)
        if is_rule or len(line) < least:
            cuts.append(end)
    spans = []
    for first, last in itertools.pairwise([*cuts, end]):
        block = text[first:last]
        start = first + len(block) - len(block.lstrip())
        if start < last:
            spans.append((start, first + len(block.rstrip())))
    return spans


def _sentences(document: Sequence[str], split: Sequence[tuple[str, list[Span]]]) -> list[Sentence]:
    """Return the sentences of a document, whose blocks are split into words of a language."""
    several = len(document) > 1
    return [
        Sentence(text, terms, several and not _ENDED.search(text))
        for block, (lang, spans) in zip(document, split, strict=True)
        for text, terms in _of_block(block, lang, spans)
    ]


def _of_block(block: str, lang: str, spans: list[Span]) -> Iterator[tuple[str, list[str]]]:
    for first, last in sentences(spans):
        text = block[spans[first][1] : spans[last - 1][2]]
        terms = [term for token, _, _ in spans[first:last] if (term := _term(lang, token))]
        yield " ".join(text.split()), terms


@lru_cache(CACHED)
def _term(lang: str, token: str) -> str:
    """Return a word in lower case, or "" for a stop word and for punctuation."""
    word = token.lower()
    return word if _LETTER.search(word) and word not in _stop_words(lang) else ""


@cache
def _stop_words(lang: str) -> frozenset[str]:
    return stopwords.words_of(stopwords.Options(keep="none"), lang)
