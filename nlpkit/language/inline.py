"""Take inline mark-up out of a sentence, and put it back into its translation, pairs in order.

A tag or a mark of Markdown belongs to a word: an opening one stands before it, a closing one after
it. In a translation its word is the one in the same place: places are interpolated between the
words that both texts have, such as numbers and names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_TAG = re.compile(
    r"</?[A-Za-z][^<>]{0,1000}>|\*\*|~~|__(?=\S)|(?<=\S)__|\]\([^()\s]*\)|!?\[(?=[^\[\]\n]*\]\()"
)
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)


class Tag(NamedTuple):
    """A piece of mark-up, the index of its word, and whether it stands after it."""

    text: str
    word: int
    after: bool


def taken(text: str) -> tuple[str, list[Tag]]:
    """Return a sentence without its inline mark-up, and the mark-up in order."""
    if not _TAG.search(text):
        return text, []
    plain, tags, end = "", [], 0
    toggles = Counter[str]()
    for match in _TAG.finditer(text):
        plain += text[end : match.start()]
        end = match.end()
        toggles[match.group()] += 1
        closes = match.group().startswith(("</", "]("))
        closes |= match.group() in ("**", "~~", "__") and toggles[match.group()] % 2 == 0
        touches = bool(plain) and not plain[-1].isspace()
        after = closes and touches
        words = len(plain.split())
        tags.append(
            Tag(match.group(), words - 1 if after or _inside(plain, text, end) else words, after)
        )
    return " ".join((plain + text[end:]).split()), tags


def _inside(plain: str, text: str, end: int) -> bool:
    """Return whether mark-up stands inside a word."""
    return plain[-1:].isalnum() and text[end : end + 1].isalnum()


def restored(translation: str, plain: str, tags: Sequence[Tag]) -> str:
    """Return the translation of a sentence with its mark-up; `taken` returned the last two."""
    if not tags:
        return translation
    words = translation.split()
    if not words:
        return "".join(tag.text for tag in tags)
    places = _aligned(plain.split(), words)
    before, behind = [""] * len(words), [""] * len(words)
    last = (-1, False)
    for tag in tags:
        place = (len(words) - 1, True)  # mark-up after the last word
        if tag.word < len(places):
            place = (places[tag.word], tag.after)
        last = max(last, place)  # pairs stay in order
        (behind if last[1] else before)[last[0]] += tag.text
    return " ".join(map(_marked, words, before, behind))


def _marked(word: str, before: str, behind: str) -> str:
    """Return a word between its mark-up; quotes and punctuation stay outside."""
    core = _CORE.search(word)
    start, end = core.span() if core else (0, len(word))
    return f"{word[:start]}{before}{word[start:end]}{behind}{word[end:]}"


def _aligned(source: Sequence[str], target: Sequence[str]) -> list[int]:
    """Return the index of the target's word for each word of the source."""
    ours, theirs = ([_bare(word) for word in words] for words in (source, target))
    once = {w for w, n in Counter(ours).items() if n == 1 and w}
    once &= {w for w, n in Counter(theirs).items() if n == 1}
    anchors = [(-1, -1)]
    for index, word in enumerate(ours):
        if word in once and (place := theirs.index(word)) > anchors[-1][1]:
            anchors.append((index, place))
    anchors.append((len(source), len(target)))
    places = [0] * len(source)
    for (first, low), (last, high) in pairwise(anchors):
        for index in range(max(first, 0), last):
            share = (index - first) / (last - first)
            places[index] = min(max(low + round(share * (high - low)), 0), len(target) - 1)
    return places


def _bare(word: str) -> str:
    return "".join(filter(str.isalnum, word)).lower()
