"""Why a model gave an answer: the weight of each word for a label or an entity."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

STRONGEST = 5  # words in a cell of a table
SAME = 0.01  # a smaller difference between two weights is rounding


class Weight(NamedTuple):
    """A word or phrase of a document, document[start:end], and its weight; above 0 supports."""

    start: int
    end: int
    text: str
    weight: float


class Faithfulness(NamedTuple):
    """Whether the words with the largest weights decide (DeYoung et al. 2020, ERASER).

    Each is a mean over ten shares of the words, from 5% to 50%, of how much the score falls.

    Attributes:
        comprehensiveness: without these words; high is faithful.
        sufficiency: with these words only; low is faithful.
        random_comprehensiveness: the same without as many random words.
        random_sufficiency: the same with as many random words only.
    """

    comprehensiveness: float
    sufficiency: float
    random_comprehensiveness: float
    random_sufficiency: float


class Explanation(NamedTuple):
    """The weights of a document's words for one label, or for one entity, document[start:end].

    `score` is the model's for the label or the entity. `phrases` are words that weigh more together
    than each alone.
    """

    label: str
    score: float
    words: tuple[Weight, ...]
    phrases: tuple[Weight, ...] = ()
    faithfulness: Faithfulness | None = None
    start: int | None = None
    end: int | None = None
    text: str = ""

    def strongest(self, count: int = STRONGEST) -> list[Weight]:
        """Return the words with the largest weights, by size without sign, those of 0 left out."""
        weighty = [word for word in self.words if abs(word.weight) >= 0.5e-4]
        return sorted(weighty, key=lambda word: -abs(word.weight))[:count]

    def plain(self) -> dict[str, Any]:
        """Return the explanation as plain values, numbers rounded to four places."""
        values: dict[str, Any] = {"label": self.label, "score": round(self.score, 4)}
        if self.start is not None:
            values |= {"start": self.start, "end": self.end, "text": self.text}
        for name in ("words", "phrases"):
            parts = getattr(self, name)
            values[name] = [part._asdict() | {"weight": round(part.weight, 4)} for part in parts]
        if self.faithfulness:
            values |= {name: round(n, 4) for name, n in self.faithfulness._asdict().items()}
        return values


class _Explanations(NamedTuple):
    each: tuple[Explanation, ...]


class Explanations(_Explanations):
    """The explanations of a document: one of its label, or one of each entity."""

    __slots__ = ()
    SCORED: ClassVar[bool] = False
    OF_LINES: ClassVar[str] = "jsonl"  # the format that answers to plain lines are written in
    score: ClassVar[None] = None

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `explanation`, or `into`."""
        return (into or "explanation",)

    def cells(self) -> tuple[str, ...]:
        """Return `LABEL: WORD +0.51, WORD -0.20`, several separated by `; `."""
        return ("; ".join(map(summary, self.each)),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return a list of tables with the label, its score and the words with their weights."""
        (field,) = cls.fields(into)
        return {field: [each.plain() for each in answer.each] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the explanations as tables."""
        return {"explanation": [each.plain() for each in self.each]}

    def at_least(self, least: float) -> Explanations:
        """Return the answer unchanged: an explanation has no confidence."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many words have the same weight, up to SAME, and how many words there are."""
        ours, theirs = _weights(self), _weights(other)
        near = sum(abs(a - b) < SAME for a, b in zip(ours, theirs, strict=False))
        return near, max(len(ours), len(theirs), 1)


def _weights(explanations: Explanations) -> list[float]:
    return [word.weight for each in explanations.each for word in each.words]


def summary(explanation: Explanation) -> str:
    """Return the label, the entity if there is one, and the strongest words with their weights."""
    words = ", ".join(f"{word.text} {word.weight:+.2f}" for word in explanation.strongest())
    name = " ".join(part for part in (explanation.text, explanation.label) if part)
    return f"{name}: {words or '-'}"
