"""Regular expressions of links, numbers and emoji, and functions that replace their matches.

All are compiled with IGNORECASE and take linear time: a repeated part either is possessive (`++`)
or has a lookbehind that lets it start only at the beginning of a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Operation = Callable[[str], str]

# Top-level domains of addresses without http:// or www. if a path follows: bit.ly/x, g1.com/y.
_TLD = "app|be|blog|br|cc|co|com|edu|es|eu|fb|gl|gov|info|io|link|ly|me|net|online|org|pt|shop|site"
_TLD += "|st|store|tv|uk|us"
# "[" ends an address, so that it never contains a mask's tag; ")" is part of it only after "(".
URL = (
    rf"(?:(?:https?|ftp)://|(?<![\w.@/-])(?:www\.|(?:[a-z0-9-]++\.)+(?:{_TLD})/))"
    r"(?:\([^\s()<>]*\)|[\w.~:/?#@!$&'*+,;=%|…-])+(?<![.,;:!?'*~])"
)
EMAIL = r"(?<!\w)\w[\w.+-]{0,63}+@(?:[\w-]++\.)+[^\W\d_]{2,}"
# A name continues after a point only with a small letter: @ana.maria, but `oi @ana.Tudo bem?`
USERS = r"(?<![\w@])(?:@++\w++(?:\.(?-i:[a-z0-9_])\w*+)*+)+"
HASHTAGS = r"(?<![\w&#/])(?:#++[\d_]*+[^\W\d_]\w*+)+"
# A number includes its currency, per cent or ordinal sign; a date, a time (15h30, 8h) or a score is
# one number. Digits in a word (covid-19, 4G) and the 3 of a heart (<3) are not numbers.
NUMBER = (
    r"(?<!\w)(?!(?:(?<=<)|(?<=</))3(?![\w]|[.,:/-]\d))(?<!\w-)(?<!\d[.,:/])(?:(?:R|US)?\$\s?|[€£]\s?)?[+-]?\d++(?:[.,:/-]\d++)*+"
    r"(?:\s?%|[ºª°]|(?<=\d)h(?:\d\d)?(?:min|m|s)?)?+(?![\w\ufe0f\u20e3])"
)
NEGATION = r"(?<!\w)\w{1,8}['’]t(?!\w)"  # don't, can't
# An alias is the tag of a name with letters that tell it from others: [PESSOA-KDTRMB]. It has no
# digits, so that it is never part of a number, and no vowels, so that it is never a word.
ALIAS = r"\[[A-Z0-9_]++-[BCDFGHJKLMNPQRST]{6,}+\]"
TAG = rf"(?:\[(?:CPF|CNPJ|TELEFONE|EMAIL|CEP|PESSOA|LOCAL|ORGANIZACAO)\]|{ALIAS})"

_PICTURE = (
    r"\u203c\u2049\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2"
    r"\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c"
    r"\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f004\U0001f0cf\U0001f170-\U0001f1e5"
    r"\U0001f200-\U0001f265\U0001f300-\U0001faff"
)
_ONE = rf"[{_PICTURE}][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]{{0,3}}+[\U000e0020-\U000e007f]{{0,8}}+"
# UTS 51, simplified: a picture or several with joiners; a flag (two regional letters); a keycap.
EMOJI = (
    rf"(?:{_ONE}(?:\u200d{_ONE}){{0,8}}+|[\U0001f1e6-\U0001f1ff]{{1,2}}|[0-9#*]\ufe0f?\u20e3"
    r"|[©®™]\ufe0f)"
)
EMOTICON = r"(?<![\d:;=<])(?:</?3|[:;=][-'^]?(?:[)(*|]+|[DPO3/\\]))(?![\w/])"

# Cheap tests for each pattern: a text that fails the test has no match.
NEEDS: dict[str, Callable[[str], object]] = {
    TAG: lambda text: "[" in text,
    ALIAS: lambda text: "[" in text and "-" in text,
    URL: lambda text: "/" in text or "w." in text or "W." in text,
    EMAIL: lambda text: "@" in text,
    USERS: lambda text: "@" in text,
    HASHTAGS: lambda text: "#" in text,
    NUMBER: re.compile(r"\d").search,
    NEGATION: re.compile("['’]t", re.IGNORECASE).search,
    EMOJI: re.compile(r"[^\x00-\u203b]").search,
    EMOTICON: re.compile("[:;=<]").search,
}
_CLOSING = (*".,;:!?…",)


def find(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def replace(pattern: str, word: str) -> Operation:
    """Return an operation that replaces each match by `word`, or by a space if `word` is empty.

    A dropped match takes its brackets along, and the space before it if a mark follows:
    `fonte (www.g1.com).` becomes `fonte.` Between words a space stays, so that they do not join.
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


def outside(kept: list[str], work: Operation, target: str = "") -> Operation:
    """Return an operation that applies `work` to the text between the matches of `kept`.

    If `work` replaces a pattern of this file, pass it as `target`: texts without it are skipped.
    """
    shield, hints = find(f"({'|'.join(kept)})"), [NEEDS.get(pattern, bool) for pattern in kept]
    needs = NEEDS.get(target, str)

    def run(text: str) -> str:
        if not needs(text):
            return text
        for hint in hints:
            if hint(text):
                return _joined(shield.split(text), work)
        return work(text)

    return run


def _joined(parts: list[str], work: Operation) -> str:
    """Apply `work` to every other part, and put a space where a new word would touch its neighbour.

    A word is new if it replaces a sign at the part's start or end.
    """
    last = len(parts) - 1
    for index in range(0, len(parts), 2):
        part, result = parts[index], work(parts[index])
        before = index > 0 and result[:1].isalnum() and not part[:1].isalnum()
        after = index < last and result[-1:].isalnum() and not part[-1:].isalnum()
        parts[index] = " " * before + result + " " * after
    return "".join(parts)
