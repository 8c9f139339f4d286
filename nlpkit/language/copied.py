"""Parts of a text that a translation copies: addresses, mark-up, numbers, emoji, other scripts.

A network reads a mark in place of each, so that it cannot change them, and writes the mark where
the part belongs. A number of one digit stays, because words agree with it: 1 casa, 2 casas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlpkit.language.patterns import EMAIL, URL

# Control characters that no text has for a purpose; each is one byte.
MARKS = tuple(map(chr, range(0x0E, 0x1A)))
# A letter or sign that is not of the Latin script, nor a mark of punctuation or a currency.
_OTHER = r"[^\x00-\u024f\u0300-\u036f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf]"
_PARTS = re.compile(
    "|".join(
        (
            URL,
            EMAIL,
            r"</?[A-Za-z][^<>]{0,200}>",  # tags of HTML and XML
            r"&(?:[A-Za-z]{2,8}|#\d{1,6});",
            r"%\(\w+\)[sd]|%[sd]|\$?\{[\w.]{1,40}\}",  # fields of messages
            r"`[^`\n]{1,80}`",
            r"\d[\d.,:/'’\xa0-]*\d",  # numbers, dates, times, versions
            rf"{_OTHER}(?:[\s\u200d]*{_OTHER})*",
        )
    )
)
_MARK = re.compile(f"[{MARKS[0]}-{MARKS[-1]}]")
_DIGITS = re.compile(r"\D")


def hidden(text: str) -> tuple[str, list[str]]:
    """Return the text with marks, and the parts that they stand for; at most len(MARKS)."""
    parts: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if len(parts) == len(MARKS):
            return match.group()
        parts.append(match.group())
        return MARKS[len(parts) - 1]

    return _PARTS.sub(mark, _MARK.sub("", text)), parts


def enough_marks(text: str) -> bool:
    """Tell whether there is a mark for each part of a text that is to be copied."""
    return sum(1 for _ in _PARTS.finditer(text)) <= len(MARKS)


def shown(text: str, parts: Sequence[str]) -> str:
    """Return the text with its parts in place of the marks; a mark without a part is left out."""
    known = dict(zip(MARKS, parts, strict=False))
    return _MARK.sub(lambda match: known.get(match.group(), ""), text)


def hidden_in_both(source: str, target: str) -> tuple[str, str]:
    """Return a pair of training with marks for the parts that both texts have.

    Numbers are equal if their digits are, since languages group and point them differently.
    """
    target = _MARK.sub("", target)
    theirs = [(match.span(), _key(match.group())) for match in _PARTS.finditer(target)]
    taken: dict[int, str] = {}
    count = 0

    def mark(match: re.Match[str]) -> str:
        nonlocal count
        key = _key(match.group())
        free = (place for place, (_, each) in enumerate(theirs) if each == key)
        place = next((place for place in free if place not in taken), None)
        if place is None or count == len(MARKS):
            return match.group()
        taken[place] = MARKS[count]
        count += 1
        return taken[place]

    source = _PARTS.sub(mark, _MARK.sub("", source))
    for place in sorted(taken, reverse=True):
        (start, end), _ = theirs[place]
        target = target[:start] + taken[place] + target[end:]
    return source, target


def _key(part: str) -> str:
    """Return the form in which the part of a source and of a target are compared."""
    return _DIGITS.sub("", part) if part[0].isdigit() and part[-1].isdigit() else part
