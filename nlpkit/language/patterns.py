"""What `clean` looks for in a text, as regular expressions, and the tools to replace it.

All are read with IGNORECASE and take linear time: whatever repeats either is possessive (`++`)
or can start at one place of a run only, which is what the lookbehinds are for.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Operation = Callable[[str], str]

# Where a domain needs no http:// or www. to be an address, if a path follows: bit.ly/x, g1.com/y.
_TLD = "app|be|blog|br|cc|co|com|edu|es|eu|fb|gl|gov|info|io|link|ly|me|net|online|org|pt|shop|site"
_TLD += "|st|store|tv|uk|us"
# "[" ends an address, so that a mask's tag stays out of it; a ")" belongs if its "(" does.
URL = (
    rf"(?:(?:https?|ftp)://|(?<![\w.@/-])(?:www\.|(?:[a-z0-9-]++\.)+(?:{_TLD})/))"
    r"(?:\([^\s()<>]*\)|[\w.~:/?#@!$&'*+,;=%|…-])+(?<![.,;:!?'*~])"
)
EMAIL = r"(?<!\w)\w[\w.+-]{0,63}+@(?:[\w-]++\.)+[^\W\d_]{2,}"
# A point goes on with a name only before a small letter: @ana.maria, but `oi @ana.Tudo bem?`
USERS = r"(?<![\w@])(?:@++\w++(?:\.(?-i:[a-z0-9_])\w*+)*+)+"
HASHTAGS = r"(?<![\w&#/])(?:#++[\d_]*+[^\W\d_]\w*+)+"
# With its currency, per cent or ordinal sign; a date, a time (15h30, 8h) or a score is one number.
# Digits in a word (covid-19, 4G) are none, nor is the 3 of a heart.
NUMBER = (
    r"(?<!\w)(?!(?:(?<=<)|(?<=</))3(?![\w]|[.,:/-]\d))(?<!\w-)(?<!\d[.,:/])(?:(?:R|US)?\$\s?|[€£]\s?)?[+-]?\d++(?:[.,:/-]\d++)*+"
    r"(?:\s?%|[ºª°]|(?<=\d)h(?:\d\d)?(?:min|m|s)?)?+(?![\w\ufe0f\u20e3])"
)
TAG = r"\[(?:CPF|CNPJ|TELEFONE|EMAIL|CEP)\]"

_PICTURE = (
    r"\u203c\u2049\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2"
    r"\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c"
    r"\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f004\U0001f0cf\U0001f170-\U0001f1e5"
    r"\U0001f200-\U0001f265\U0001f300-\U0001faff"
)
_ONE = rf"[{_PICTURE}][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]{{0,3}}+[\U000e0020-\U000e007f]{{0,8}}+"
# UTS 51 in short: a picture, with joiners a family of them; two letters are a flag; a keycap.
EMOJI = (
    rf"(?:{_ONE}(?:\u200d{_ONE}){{0,8}}+|[\U0001f1e6-\U0001f1ff]{{1,2}}|[0-9#*]\ufe0f?\u20e3"
    r"|[©®™]\ufe0f)"
)
EMOTICON = r"(?<![\d:;=<])(?:</?3|[:;=][-'^]?(?:[)(*|]+|[DPO3/\\]))(?![\w/])"

# What a text must have for a search to be worth it: true of all it matches, cheap to ask.
NEEDS: dict[str, Callable[[str], object]] = {
    TAG: lambda text: "[" in text,
    URL: lambda text: "/" in text or "w." in text or "W." in text,
    EMAIL: lambda text: "@" in text,
    USERS: lambda text: "@" in text,
    HASHTAGS: lambda text: "#" in text,
    NUMBER: re.compile(r"\d").search,
    EMOJI: re.compile(r"[^\x00-\u203b]").search,
    EMOTICON: re.compile("[:;=<]").search,
}
_CLOSING = (*".,;:!?…",)


def find(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def replace(pattern: str, word: str) -> Operation:
    """Put `word`, or a space for no word, in the place of each match.

    What is dropped takes its brackets along, and the space before it if a mark comes after:
    `fonte (www.g1.com).` is `fonte.` Between words it always leaves a space, or its neighbours
    would join.
    """
    search = find(pattern if word else rf"\s?(?:\({pattern}\)|{pattern})")
    return lambda text: search.sub(lambda match: apart(match, word), text)


def apart(match: re.Match[str], word: str) -> str:
    """Return `word` with a space to each side where a letter, digit or emoji would touch it."""
    text = match.string
    before = text[match.start() - 1 : match.start()]
    after = text[match.end() : match.end() + 1]
    if not word:
        return "" if after.isspace() or after in _CLOSING else " "
    return " " * _touches(before) + word + " " * _touches(after)


def _touches(neighbour: str) -> bool:
    return neighbour.isalnum() or neighbour > "\u203b"


def outside(kept: list[str], work: Operation, found: str = "") -> Operation:
    """Apply `work` to what lies between the matches of `kept`.

    A `work` that looks for `found`, one of the patterns above, is spared the texts without it.
    """
    shield, hints = find(f"({'|'.join(kept)})"), [NEEDS[pattern] for pattern in kept]
    needs = NEEDS.get(found, str)

    def run(text: str) -> str:
        if not needs(text):
            return text
        for hint in hints:
            if hint(text):
                return _joined(shield.split(text), work)
        return work(text)

    return run


def _joined(parts: list[str], work: Operation) -> str:
    """Apply `work` to every other part; a word it puts for a sign must not touch what is kept."""
    last = len(parts) - 1
    for at in range(0, len(parts), 2):
        part, done = parts[at], work(parts[at])
        before = at > 0 and done[:1].isalnum() and not part[:1].isalnum()
        after = at < last and done[-1:].isalnum() and not part[-1:].isalnum()
        parts[at] = " " * before + done + " " * after
    return "".join(parts)
