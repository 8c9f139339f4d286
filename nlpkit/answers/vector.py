"""A document as a vector of numbers."""

from __future__ import annotations

import math
from operator import mul
from typing import Any, ClassVar, NamedTuple


class _Vector(NamedTuple):
    numbers: tuple[float, ...]


class Vector(_Vector):
    """A document as a vector."""

    __slots__ = ()
    SCORED: ClassVar[bool] = False
    NEAR: ClassVar[float] = 0.99  # cosine from which two vectors count as the same answer
    score: ClassVar[None] = None

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `embedding`, or `into`."""
        return (into or "embedding",)

    def cells(self) -> tuple[str, ...]:
        """Return the numbers, separated by spaces."""
        return (" ".join(f"{number:.6f}" for number in self.numbers),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the numbers, rounded to six places."""
        (field,) = cls.fields(into)
        return {field: [round(number, 6) for number in answer.numbers] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the numbers, rounded to four places."""
        return {"embedding": [round(number, 4) for number in self.numbers]}

    def at_least(self, least: float) -> Vector:
        """Return the answer unchanged: a vector has no confidence."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for a vector of almost the same direction, else (0, 1)."""
        return int(self.cosine(other) >= self.NEAR), 1

    def cosine(self, other: Vector) -> float:
        """Return the cosine of the angle between two vectors."""
        one, two = self.numbers, other.numbers
        squares = sum(map(mul, one, one)) * sum(map(mul, two, two))
        return sum(map(mul, one, two)) / math.sqrt(squares) if squares else 0.0
