"""Documents that are lists of words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Words(tuple[str, ...]):
    """The words of one document, with the annotation style that its gold follows."""

    style: str

    def __new__(cls, words: Iterable[str], style: str = "") -> Self:
        self = super().__new__(cls, words)
        self.style = style
        return self
