"""The kinds of answer of a model: a label, tags, spans of the text, a new text, a vector.

Each kind defines its fields and cells in a table and its values in JSON. It has a confidence
(`score`, None if the kind has none) and counts its agreement with another answer. A document
without anything to read has the answer None, which is written as empty fields.

`into` is the name of the output field that a user asks for; None is the default name of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, Self

UNCERTAIN = "uncertain"  # the label that replaces one whose score is too low
UNKNOWN = "_"  # a gold tag that is not known


class Answer(Protocol):
    """The protocol of every kind of answer."""

    SCORED: ClassVar[bool]  # whether answers of this kind may have a score

    @property
    def score(self) -> float | None: ...

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return the names of the answer's columns in a table."""

    def cells(self) -> tuple[str, ...]:
        """Return the text of each of these columns."""

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the JSON fields of an answer; None gives empty fields."""

    def plain(self) -> dict[str, Any]:
        """Return the answer as plain values for golden.jsonl, scores rounded to four places."""

    def at_least(self, least: float) -> Any:
        """Return the answer without its parts whose score is below `least`."""

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many parts are equal in `other`, and how many parts there are."""


def difference(one: Any, other: Any) -> float:
    """Return the largest difference between the numbers of two plain answers.

    Return infinity if anything else differs. A label that stands beside its `scores` is not
    compared: when two scores are nearly equal, another precision may choose the other label.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = one.keys() | other.keys()
        if one.keys() != other.keys():
            return float("inf")
        decided = {"label"} if one.get("scores") else set()
        return max((difference(one[key], other[key]) for key in keys - decided), default=0.0)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return float("inf")
        return max(map(difference, one, other), default=0.0)
    if isinstance(one, float) and isinstance(other, int | float):
        return abs(one - other)
    return 0.0 if one == other else float("inf")


class _Label(NamedTuple):  # a tuple takes less memory: a stream has millions of labels
    label: str
    score: float | None = None
    scores: Mapping[str, float] = MappingProxyType({})


class Label(_Label):
    """The label of a document and the probability of each label; a gold label has no scores."""

    __slots__ = ()
    SCORED: ClassVar[bool] = True

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `label` and `score`, or `into` and `into_score`."""
        return ("label", "score") if into in (None, "label") else (into, f"{into}_score")

    def cells(self) -> tuple[str, ...]:
        """Return the label, and its score rounded to four places."""
        return self.label, "" if self.score is None else f"{self.score:.4f}"

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the label, its score, and the score of each label, rounded to four places."""
        label, score = cls.fields(into)
        if answer is None:
            return {label: "", score: None, f"{score}s": {}}
        return {
            label: answer.label,
            score: _rounded(answer.score),
            f"{score}s": {name: _rounded(p) for name, p in answer.scores.items()},
        }

    def plain(self) -> dict[str, Any]:
        """Return the label and the score of each label, rounded to four places."""
        return {"label": self.label, "scores": {n: _rounded(p) for n, p in self.scores.items()}}

    def at_least(self, least: float) -> Label:
        """Return the answer, with the label UNCERTAIN if its score is below `least`."""
        unsure = self.score is not None and self.score < least
        return self._replace(label=UNCERTAIN) if unsure else self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for the same label, else (0, 1)."""
        return int(self.label == other.label), 1


@dataclass(frozen=True)
class Tags:
    """The words of a document and their tags, in one or more layers of one tag a word.

    A task names its layers in a subclass: `LAYERS = ("lemmas", "upos")`. A gold tag UNKNOWN is
    ignored in training and in scores.
    """

    layers: tuple[tuple[str, ...], ...]
    words: tuple[str, ...] = ()

    LAYERS: ClassVar[tuple[str, ...]] = ("tags",)
    NAMES: ClassVar[tuple[str, ...]] = ("tag",)  # the singular of each layer, for metrics
    SCORED: ClassVar[bool] = False
    score: ClassVar[None] = None

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `words` and the names of the layers, prefixed with `into_` if it is given."""
        names = ("words", *cls.LAYERS)
        return names if into is None else tuple(f"{into}_{name}" for name in names)

    def cells(self) -> tuple[str, ...]:
        """Return the words and each layer, separated by spaces; a space in a tag becomes `_`."""
        rows = (self.words, *self.layers)
        return tuple(" ".join("_".join(item.split()) or "_" for item in row) for row in rows)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the words and each layer as lists."""
        rows = (answer.words, *answer.layers) if answer else ((),) * (1 + len(cls.LAYERS))
        return dict(zip(cls.fields(into), map(list, rows), strict=True))

    def plain(self) -> dict[str, Any]:
        """Return each layer as a list."""
        return dict(zip(self.LAYERS, map(list, self.layers), strict=True))

    def at_least(self, least: float) -> Self:
        """Return the answer unchanged: tags have no scores."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many words have the same tags in all layers, and how many words there are."""
        ours, theirs = zip(*self.layers, strict=True), zip(*other.layers, strict=True)
        return sum(a == b for a, b in zip(ours, theirs, strict=False)), len(self.layers[0])


class Span(NamedTuple):
    """A labelled span of a document: its text is document[start:end], in characters."""

    start: int
    end: int
    label: str
    text: str
    score: float | None = None


class _Spans(NamedTuple):
    spans: tuple[Span, ...]


class Spans(_Spans):
    """The spans of a document, in the order of the text."""

    __slots__ = ()
    SCORED: ClassVar[bool] = True

    @property
    def score(self) -> float | None:
        """The lowest score of a span; None if no span has a score."""
        scores = [span.score for span in self.spans if span.score is not None]
        return min(scores, default=None)

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `spans`, or `into`."""
        return (into or "spans",)

    def cells(self) -> tuple[str, ...]:
        """Return `START-END:LABEL` of each span, separated by spaces."""
        return (" ".join(f"{span.start}-{span.end}:{span.label}" for span in self.spans),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return a list of tables with start, end, label, text and, if there is one, score.

        Scores are rounded to four places.
        """
        (field,) = cls.fields(into)
        return {field: [table(span) for span in answer.spans] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the spans as tables, scores rounded to four places."""
        return {"spans": [table(span) for span in self.spans]}

    def at_least(self, least: float) -> Self:
        """Return the spans whose score is `least` or more, and the spans without a score."""
        spans = (span for span in self.spans if span.score is None or span.score >= least)
        return type(self)(tuple(spans))

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many spans are in both answers, and how many are in either."""
        ours, theirs = self.keys(), other.keys()
        return (len(ours & theirs), len(ours | theirs)) if ours | theirs else (1, 1)

    def keys(self) -> set[tuple[int, int, str]]:
        """Return (start, end, label) of each span; equal spans have equal keys."""
        return {(span.start, span.end, span.label) for span in self.spans}

    def judges(self, label: str) -> bool:
        """Tell whether these spans, as a gold answer, hold all spans with this label."""
        return True


def table(span: Span, label: str = "label") -> dict[str, Any]:
    """Return a span as plain values; `label` is the name of its label's field."""
    values = {"start": span.start, "end": span.end, label: span.label, "text": span.text}
    return values if span.score is None else values | {"score": _rounded(span.score)}


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


class _Text(NamedTuple):
    text: str
    score: float | None = None


class Text(_Text):
    """A text that a model wrote, and the mean log-probability of its tokens if it is known."""

    __slots__ = ()
    SCORED: ClassVar[bool] = False  # a mean log-probability is not a calibrated confidence
    WRITTEN: ClassVar[bool] = True  # one other token changes all that follow it

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `output`, or `into`; `text` is the field of the input."""
        return (into or "output",)

    def cells(self) -> tuple[str, ...]:
        """Return the text."""
        return (self.text,)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the text."""
        (field,) = cls.fields(into)
        return {field: answer.text if answer else ""}

    def plain(self) -> dict[str, Any]:
        """Return the text."""
        return {"output": self.text}

    def at_least(self, least: float) -> Text:
        """Return the answer unchanged: a text has no confidence."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for the same text, else (0, 1)."""
        return int(self.text == other.text), 1
