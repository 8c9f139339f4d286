"""Unicode normalization of every text that is read: NFC, without invisible characters.

It runs before any step and before any tokenizer. Output keeps the original text: `spans_before`
maps positions in the normalized text back to the original.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from unicodedata import combining, normalize

from nlpkit.language.patterns import EMOJI

# Unicode's Default_Ignorable_Code_Point and the interlinear annotation marks, but for the joiners,
# selectors and tags that are parts of emoji and invisible anywhere else.
_HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
)
_OF_EMOJI = "\u200d\ufe0e\ufe0f"
# A quick first test: it matches none of the Latin letters, dashes and quotes.
_PERHAPS = re.compile("[^\x00-\xac\xae-\u034e\u2010-\u2027]")
_IN_FIRST_PLANE = re.compile(f"[{_HIDDEN}{_OF_EMOJI}]")
_BEYOND = re.compile("[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
_HIDDEN_ANYWHERE = re.compile(
    f"[{_HIDDEN}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)


def whole(text: str) -> str:
    """Return the text with each lone surrogate replaced by "?", so that it encodes as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """Return the text in NFC without invisible characters; unchanged text is the same object.

    The joiners, selectors and tags inside an emoji stay.
    """
    if text.isascii():
        return text
    if _has_invisible(text):
        text = _emoji_or_its_parts().sub(r"\1", _HIDDEN_ANYWHERE.sub("", text))
    return normalize("NFC", text)


def invisible(text: str) -> str:
    """Return the first character that `visible` removes, or ""."""
    if text.isascii() or not _has_invisible(text):
        return ""
    indices = set(_visible_indices(text))
    return next((char for index, char in enumerate(text) if index not in indices), "")


def _has_invisible(text: str) -> bool:
    """Tell whether a text has invisible characters or parts of emoji sequences."""
    first = _PERHAPS.search(text)
    if first is None:
        return False
    start = first.start()
    return bool(_IN_FIRST_PLANE.search(text, start) or _BEYOND.search(text, start))


@cache
def _emoji_or_its_parts() -> re.Pattern[str]:
    return re.compile(f"({EMOJI})|[{_OF_EMOJI}\U000e0020-\U000e007f]")


def _visible_indices(text: str) -> list[int]:
    """Return the indices of the characters that `visible` does not remove."""
    indices = [index for index, char in enumerate(text) if not _HIDDEN_ANYWHERE.match(char)]
    rest = "".join(text[index] for index in indices)
    hidden = {match.start() for match in _emoji_or_its_parts().finditer(rest) if not match[1]}
    return [index for at, index in enumerate(indices) if at not in hidden]


def spans_before(text: str, spans: Sequence[Sequence[int]]) -> list[list[int]]:
    """Map (start, end) spans in `visible(text)` to spans in `text`, in characters.

    A span starts at its first visible character and ends after its last one.
    """
    seen, starts, ends = _pieces(text)
    first = [bisect_right(seen, start) - 1 for start, _ in spans]
    last = [bisect_right(seen, end - 1) - 1 for _, end in spans]
    return [
        [starts[one], ends[other]] if start < end else [starts[one]] * 2
        for (start, end), one, other in zip(spans, first, last, strict=True)
    ]


def _pieces(text: str) -> tuple[list[int], list[int], list[int]]:
    """Cut a text into the character groups that NFC composes, and add the end of the text.

    Return three lists: the start of each group in `visible(text)`, its start and its end in `text`.
    """
    seen, starts, ends = [], [], []
    piece, length = "", 0
    for index in _visible_indices(text):
        char = text[index]
        composed = normalize("NFC", piece + char)
        if not piece or (not combining(char) and composed == piece + normalize("NFC", char)):
            length += len(piece)
            seen.append(length)
            starts.append(index)
            ends.append(index + 1)
            piece = normalize("NFC", char)
        else:
            piece = composed
            ends[-1] = index + 1
    return [*seen, length + len(piece)], [*starts, len(text)], [*ends, len(text)]
