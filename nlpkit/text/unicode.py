"""Normalise text for comparison: compose it (NFC) and remove invisible characters.

Steps and tokenizers read the normalised text. Records keep the original, and `spans_before` maps
positions in the normalised text to positions in the original.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from unicodedata import combining, normalize

# Unicode's Default_Ignorable_Code_Point and interlinear annotation characters. Joiners, variation
# selectors and tags are listed apart: inside an emoji they are visible, elsewhere they are not.
_HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
)
_EMOJI_PARTS = "\u200d\ufe0e\ufe0f"
# A text without a match is in NFC and has no invisible characters: it has Latin letters, dashes
# and quotes only.
_CANDIDATE = re.compile("[^\x00-\xac\xae-\u02ff\u2010-\u2027]")
_BASIC_PLANE = re.compile(f"[{_HIDDEN}{_EMOJI_PARTS}]")
_OTHER_PLANES = re.compile("[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
_ALWAYS_HIDDEN = re.compile(
    f"[{_HIDDEN}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)


def whole(text: str) -> str:
    """Return the text with "?" for each lone surrogate, which encoders refuse."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """Return the text in NFC without invisible characters: the same object if nothing changes.

    Joiners, variation selectors and tags inside an emoji stay.
    """
    if text.isascii() or _is_plain_latin(text):
        return text
    candidate = _CANDIDATE.search(text)
    if candidate is None:
        return text
    if _has_invisible(text, candidate.start()):
        text = _emoji_or_parts().sub(r"\1", _ALWAYS_HIDDEN.sub("", text))
    return normalize("NFC", text)


def _is_plain_latin(text: str) -> bool:
    """Tell whether a text is Latin-1 without soft hyphens: in NFC, without invisible characters.

    Encoding drops other characters, and is faster than a search for one.
    """
    return "\xad" not in text and len(text.encode("latin-1", "ignore")) == len(text)


def is_hidden(char: str) -> bool:
    """Tell whether `visible` removes a character outside of an emoji."""
    return not char.isascii() and bool(_BASIC_PLANE.match(char) or _OTHER_PLANES.match(char))


def invisible(text: str) -> str:
    """Return the first character that `visible` removes; an empty string if it removes none."""
    if text.isascii() or not _has_invisible(text):
        return ""
    positions = set(_visible_positions(text))
    return next((char for index, char in enumerate(text) if index not in positions), "")


def _has_invisible(text: str, start: int = 0) -> bool:
    """Tell whether a text has invisible characters, counting those inside an emoji."""
    return bool(_BASIC_PLANE.search(text, start) or _OTHER_PLANES.search(text, start))


@cache
def _emoji_or_parts() -> re.Pattern[str]:
    from nlpkit.language.patterns import EMOJI  # most texts need none

    return re.compile(f"({EMOJI})|[{_EMOJI_PARTS}\U000e0020-\U000e007f]")


def _visible_positions(text: str) -> list[int]:
    """Return the positions of the characters that `visible` keeps."""
    positions = [index for index, char in enumerate(text) if not _ALWAYS_HIDDEN.match(char)]
    rest = "".join(text[index] for index in positions)
    hidden = {match.start() for match in _emoji_or_parts().finditer(rest) if not match[1]}
    return [position for index, position in enumerate(positions) if index not in hidden]


def spans_before(text: str, spans: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the [start, end] in a text of each (start, end) in `visible(text)`.

    A span starts at its first visible character and ends after its last one.
    """
    shown, starts, ends = _pieces(text)
    first = [bisect_right(shown, start) - 1 for start, _ in spans]
    last = [bisect_right(shown, end - 1) - 1 for _, end in spans]
    return [
        [starts[one], ends[other]] if start < end else [starts[one]] * 2
        for (start, end), one, other in zip(spans, first, last, strict=True)
    ]


def _pieces(text: str) -> tuple[list[int], list[int], list[int]]:
    """Split a text into the pieces that NFC composes on their own.

    Return the start of each piece in `visible(text)`, its start in the text and its end there. The
    last item of each list is an empty piece at the end.
    """
    shown, starts, ends = [], [], []
    piece, length = "", 0
    for index in _visible_positions(text):
        char = text[index]
        together = normalize("NFC", piece + char)
        if not piece or (not combining(char) and together == piece + normalize("NFC", char)):
            length += len(piece)
            shown.append(length)
            starts.append(index)
            ends.append(index + 1)
            piece = normalize("NFC", char)
        else:
            piece = together
            ends[-1] = index + 1
    return [*shown, length + len(piece)], [*starts, len(text)], [*ends, len(text)]
