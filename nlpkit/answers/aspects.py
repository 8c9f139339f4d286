"""Aspects: the things that a review judges, with the polarity of each."""

from __future__ import annotations

from typing import ClassVar

from nlpkit.answers.entities import Entities


class Aspects(Entities):
    """The aspects of a document, in the order of the text; their labels are polarities."""

    __slots__ = ()
    FIELD: ClassVar[str] = "aspects"
    KIND: ClassVar[str] = "polarity"
