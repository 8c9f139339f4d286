r"""The escapes of Linear TSV: `\t`, `\n`, `\r` and `\\`, and nothing else."""

from __future__ import annotations

import re
from typing import Self

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_MEANING = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_SEQUENCE = re.compile(r"\\[\\tnr]")


class Verbatim(str):
    r"""A value that remembers how it stood in the file.

    Most files know nothing of escapes: `C:\temp` must go out as it came in, not as what
    reading and escaping make of it. Any change to the text gives a plain `str`, so `raw`
    can never be out of date.
    """

    __slots__ = ("raw",)
    raw: str

    def __new__(cls, value: str, raw: str) -> Self:
        self = super().__new__(cls, value)
        self.raw = raw
        return self

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.raw  # so that it survives the way to a worker process


def escape(value: str) -> str:
    """Return the value as it stands in a TSV file, on one line and free of tabs."""
    if isinstance(value, Verbatim):
        return value.raw
    # To look four times is fifty times as fast as to translate every letter of most texts in vain.
    if "\t" in value or "\\" in value or "\n" in value or "\r" in value:
        return value.translate(_ESCAPES)
    return value


def unescape(raw: str) -> str:
    r"""Return the value a field means; unknown sequences such as `\o` stay as they are."""
    if "\\" not in raw and "\r" not in raw:
        return raw
    return Verbatim(_SEQUENCE.sub(lambda found: _MEANING[found[0]], raw), raw)
