"""Entities as people store them: tags of words (BIO, BIOES, IOB1, IO) and spans of characters.

A span is (start, end, type), the end exclusive. Tags are those of CoNLL-2003 and its kin (Ramshaw &
Marcus 1995); spans are written as Doccano ([0, 4, "PER"]), Label Studio ({"start": 0, "end": 4,
"labels": ["PER"]}) and nlpkit ({"start": 0, "end": 4, "type": "PER"}) write them.
"""

from __future__ import annotations

import json
from bisect import bisect, bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from nlpkit.errors import InputError
from nlpkit.language.patterns import EMAIL, EMOJI, NEEDS, NEGATION, URL, USERS, find

OUTSIDE = "O"
LEFT_OUT = ""  # the new name of a type that is not wanted


class Mention(NamedTuple):
    """A typed span of a text, in characters; the end is exclusive."""

    start: int
    end: int
    type: str


def mentions(value: Any, document: Any, names: Mapping[str, str] | None = None) -> list[Mention]:
    """Return the mentions of a record, sorted; overlapping ones lose against the longer.

    Args:
        value: tags of the words, or a list of spans; either may be JSON in a string.
        document: the text, or its words.
        names: new names of types; LEFT_OUT drops a type.

    Raises:
        InputError: the value is neither, or does not fit the document.
    """
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, list | tuple):
        raise InputError(f"entities are a list of tags or of spans, not {type(value).__name__}")
    text = document if isinstance(document, str) else " ".join(document)
    tagged = all(isinstance(item, str) for item in value) and not isinstance(document, str)
    found = _of_tags(value, document) if tagged else [_of_span(item, text) for item in value]
    renamed = (each._replace(type=(names or {}).get(each.type, each.type)) for each in found)
    return without_overlaps(each for each in renamed if each.type != LEFT_OUT)


def without_overlaps(found: Iterable[Mention]) -> list[Mention]:
    """Return mentions that do not overlap, sorted; the longer of two stays, then the first."""
    chosen: list[Mention] = []  # in the order of the text
    for each in sorted(found, key=lambda each: (each.start - each.end, each.start)):
        place = bisect(chosen, each)
        before, after = chosen[max(place - 1, 0) : place], chosen[place : place + 1]
        if all(other.end <= each.start for other in before) and all(
            each.end <= other.start for other in after
        ):
            chosen.insert(place, each)
    return chosen


def _json(value: str) -> Any:
    try:
        return json.loads(value or "[]")
    except ValueError:
        raise InputError(f"entities are not JSON: {value[:40]!r}") from None


def _of_tags(tags: Sequence[str], words: Sequence[str]) -> list[Mention]:
    if len(tags) != len(words):
        raise InputError(f"{len(tags)} tags for {len(words)} words; each word needs one")
    bounds = bounds_of(words)
    return [Mention(bounds[first][0], bounds[last][1], kind) for first, last, kind in _runs(tags)]


def bounds_of(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return [start, end) of each word in the text of words that are joined by spaces."""
    ends = accumulate(len(word) + 1 for word in words)
    return [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]


def _runs(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield (first word, last word, type) of each run of tags."""
    first, kind = -1, ""
    for row, tag in enumerate([*tags, OUTSIDE]):
        mark, name = _split(tag)
        continues = mark in "IE" and kind and name == kind
        if kind and not continues:
            yield first, row - 1, kind
            kind = ""
        if mark != OUTSIDE and not continues:
            first, kind = row, name


def _split(tag: str) -> tuple[str, str]:
    """Return the mark and the type of a tag: B-PER, or PER alone, which continues."""
    if tag in (OUTSIDE, "", "_"):
        return OUTSIDE, ""
    mark, dash, name = tag.partition("-")
    if dash and mark in ("B", "I", "E", "S", "L", "U"):
        return {"L": "E", "U": "S"}.get(mark, mark), name
    return "I", tag


def _of_span(item: Any, text: str) -> Mention:
    if isinstance(item, Mapping):
        kind = item.get("type", item.get("label", item.get("labels")))
        kind = kind[0] if isinstance(kind, list | tuple) and kind else kind
        start, end = item.get("start", item.get("start_offset")), item.get("end")
        item = (start, item.get("end_offset") if end is None else end, kind)
    if not isinstance(item, list | tuple) or len(item) != 3:
        raise InputError(f"{item!r} is no span; write [start, end, type]")
    start, end, kind = item
    if not (type(start) is type(end) is int and isinstance(kind, str)):
        raise InputError(f"{list(item)!r} is no span; start and end are integers, type is a text")
    if not 0 <= start < end <= len(text):
        raise InputError(f"span {start} to {end} is not in the text of {len(text)} characters")
    bare = text[start:end].strip()
    if not bare:
        raise InputError(f"span {start} to {end} is white space only")
    start = text.index(bare, start)
    return Mention(start, start + len(bare), kind)


def unnameable(text: str, words: Sequence[tuple[int, int]]) -> list[int]:
    """Return the indices of the words that no name holds: links, addresses, @users, emoji, don't.

    `words` are [start, end) of each word of the text.
    """
    # NEEDS are cheap tests that most texts fail.
    barred = [
        match.span()
        for pattern in (URL, EMAIL, USERS, EMOJI, NEGATION)
        if NEEDS[pattern](text)
        for match in find(pattern).finditer(text)
    ]
    if not barred:
        return []
    return [
        word
        for word, (start, end) in enumerate(words)
        if any(start < last and first < end for first, last in barred)
    ]


def tags_of(found: Iterable[Mention], words: Sequence[tuple[int, int]]) -> list[str]:
    """Return the BIO tag of each word, given [start, end) of the words."""
    tags = [OUTSIDE] * len(words)
    starts, ends = [start for start, _ in words], [end for _, end in words]
    for each in found:
        inside = covered(each.start, each.end, starts, ends)
        for row in inside:
            tags[row] = f"{'B' if row == inside.start else 'I'}-{each.type}"
    return tags


def covered(start: int, end: int, starts: Sequence[float], ends: Sequence[float]) -> range:
    """Return the indices of the words that a span touches; a word that it cuts counts too.

    `starts` and `ends` are the positions at which each word starts and ends.
    """
    return range(bisect(ends, start), bisect_left(starts, end))
