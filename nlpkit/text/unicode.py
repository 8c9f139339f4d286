"""The one rule of how texts are compared: composed (NFC), without characters that nobody sees.

It runs before any step and before any tokenizer. Text stays as it came wherever it is only passed
on: a position in the text that was read is led back to the text as it came by `spans_before`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from unicodedata import combining, normalize

from nlpkit.language.patterns import EMOJI

# Unicode's Default_Ignorable_Code_Point and the marks of annotations. Those of emoji apart: a
# joiner, a selector and a tag are part of an emoji, and invisible anywhere else.
_HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
)
_OF_EMOJI = "\u200d\ufe0e\ufe0f"
# Latin letters, dashes and quotes are none of them: one quick search is enough for most texts.
_PERHAPS = re.compile("[^\x00-\xac\xae-\u034e\u2010-\u2027]")
_IN_FIRST_PLANE = re.compile(f"[{_HIDDEN}{_OF_EMOJI}]")
_BEYOND = re.compile("[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
_HIDDEN_ANYWHERE = re.compile(
    f"[{_HIDDEN}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)


def whole(text: str) -> str:
    """Return the text with each half of a surrogate pair replaced: encoders refuse it."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """Return the text in NFC without invisible characters; one that is so is the same object.

    The joiners, selectors and tags inside an emoji stay.
    """
    if text.isascii() or _is_plain_latin(text):
        return text
    if _has_invisible(text):
        text = _emoji_or_its_parts().sub(r"\1", _HIDDEN_ANYWHERE.sub("", text))
    return normalize("NFC", text)


def _is_plain_latin(text: str) -> bool:
    """Tell whether a text is Latin-1 without soft hyphens: then it is in NFC, all of it visible.

    Encoding is the fastest search for a character beyond Latin-1.
    """
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return "\xad" not in text


def invisible(text: str) -> str:
    """Return the first character that `visible` takes out; nothing where there is none."""
    if text.isascii() or not _has_invisible(text):
        return ""
    places = set(_seen_places(text))
    return next((char for place, char in enumerate(text) if place not in places), "")


def _has_invisible(text: str) -> bool:
    """Tell whether a text has characters that are invisible, or parts of an emoji."""
    first = _PERHAPS.search(text)
    if first is None:
        return False
    start = first.start()
    return bool(_IN_FIRST_PLANE.search(text, start) or _BEYOND.search(text, start))


@cache
def _emoji_or_its_parts() -> re.Pattern[str]:
    return re.compile(f"({EMOJI})|[{_OF_EMOJI}\U000e0020-\U000e007f]")


def _seen_places(text: str) -> list[int]:
    """Return the places of the characters that `visible` does not take out."""
    places = [place for place, char in enumerate(text) if not _HIDDEN_ANYWHERE.match(char)]
    rest = "".join(text[place] for place in places)
    hidden = {found.start() for found in _emoji_or_its_parts().finditer(rest) if not found[1]}
    return [place for at, place in enumerate(places) if at not in hidden]


def spans_before(text: str, spans: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the spans in a text of (start, end) spans in `visible(text)`.

    A span begins at its first visible character and ends behind its last one.
    """
    seen, starts, ends = _pieces(text)
    first = [bisect_right(seen, start) - 1 for start, _ in spans]
    last = [bisect_right(seen, end - 1) - 1 for _, end in spans]
    return [
        [starts[one], ends[other]] if start < end else [starts[one]] * 2
        for (start, end), one, other in zip(spans, first, last, strict=True)
    ]


def _pieces(text: str) -> tuple[list[int], list[int], list[int]]:
    """Cut a text into the pieces that NFC composes, and the place behind the last one.

    Return where each begins in `visible(text)`, where it begins in the text, and where it ends.
    """
    seen, starts, ends = [], [], []
    piece, length = "", 0
    for place in _seen_places(text):
        char = text[place]
        together = normalize("NFC", piece + char)
        if not piece or (not combining(char) and together == piece + normalize("NFC", char)):
            length += len(piece)
            seen.append(length)
            starts.append(place)
            ends.append(place + 1)
            piece = normalize("NFC", char)
        else:
            piece = together
            ends[-1] = place + 1
    return [*seen, length + len(piece)], [*starts, len(text)], [*ends, len(text)]
