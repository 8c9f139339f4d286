"""How surprising a text is to a language model, word by word."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

SAME = 1e-3  # bits a byte: a smaller difference is rounding


class Word(NamedTuple):
    """A word of a document, document[start:end], and its surprise in bits, -log2 of its chance."""

    start: int
    end: int
    text: str
    bits: float


class _Surprise(NamedTuple):
    words: tuple[Word, ...]
    bits: float  # of the whole text and of its end
    bytes: int  # of the text in UTF-8, and one for its end
    tokens: int  # and one for its end


class Surprise(_Surprise):
    """The surprise of a document: bits by word, and in all."""

    __slots__ = ()
    SCORED: ClassVar[bool] = False
    WRITTEN: ClassVar[bool] = True
    score: ClassVar[None] = None

    @property
    def bits_per_byte(self) -> float:
        """The bits of the text, divided by its bytes."""
        return self.bits / max(self.bytes, 1)

    @property
    def oddest(self) -> str:
        """The word with the most bits; "" if there is none."""
        return max(self.words, key=lambda word: word.bits).text if self.words else ""

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `surprise` and `oddest`, or `into` and `into_oddest`."""
        return ("surprise", "oddest") if into in (None, "surprise") else (into, f"{into}_oddest")

    def cells(self) -> tuple[str, ...]:
        """Return the bits a byte, rounded to four places, and the oddest word."""
        return f"{self.bits_per_byte:.4f}", self.oddest

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the bits a byte, the oddest word, and a table of each word with its bits."""
        surprise, oddest = cls.fields(into)
        if answer is None:
            return {surprise: None, oddest: "", f"{surprise}_words": []}
        words = [word._asdict() | {"bits": round(word.bits, 2)} for word in answer.words]
        value = round(answer.bits_per_byte, 4)
        return {surprise: value, oddest: answer.oddest, f"{surprise}_words": words}

    def plain(self) -> dict[str, Any]:
        """Return the bits a byte."""
        return {"surprise": round(self.bits_per_byte, 4)}

    def at_least(self, least: float) -> Surprise:
        """Return the answer unchanged: a surprise has no confidence."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for the same bits a byte, up to SAME, else (0, 1)."""
        return int(abs(self.bits_per_byte - other.bits_per_byte) < SAME), 1
