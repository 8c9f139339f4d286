"""The document type for text that is already split into words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Words(tuple[str, ...]):
    """The words of one document and the annotation style of its gold labels."""

    style: str

    def __new__(cls, words: Iterable[str], style: str = "") -> Self:
        self = super().__new__(cls, words)
        self.style = style
        return self
