"""Texts that a model wrote, with the chance of each piece if that is asked for."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from nlpkit.answers import Text


class Written(Text):
    """A text, the mean log-probability of its tokens, and each token with its own, if asked for."""

    OF_LINES: ClassVar[str] = "lines"  # the format that answers to plain lines are written in
    pieces: tuple[tuple[str, float], ...]

    def __new__(
        cls, text: str, score: float | None = None, pieces: tuple[tuple[str, float], ...] = ()
    ) -> Self:
        self = super().__new__(cls, text, score)
        self.pieces = pieces
        return self

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the text; with pieces, a list of [token, log-probability] and their mean."""
        values = super().values(answer, into)
        if answer is None or not answer.pieces:
            return values
        (field,) = cls.fields(into)
        logprobs = [[piece, round(logprob, 4)] for piece, logprob in answer.pieces]
        return values | {f"{field}_score": round(answer.score, 4), f"{field}_logprobs": logprobs}
