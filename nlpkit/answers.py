"""What a model says of a document: a label, tags of its words, spans of its text, or a text.

Each kind knows how it is written: the fields and cells of a table, the values of JSON. It knows how
sure it is (`score`, None where it does not say), and how much of it another answer shares.
A document that holds nothing to read has no answer: None, written as empty fields.

`into` is the field that a person wants the answer in; None is the usual name of the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, Self

UNCERTAIN = "uncertain"  # the label of a document that the model is less sure of than asked for
UNKNOWN = "_"


class Answer(Protocol):
    """The contract of every kind of answer, for type checkers."""

    SCORED: ClassVar[bool]  # whether answers of this kind may have a score

    @property
    def score(self) -> float | None: ...

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return the fields of a table that the answer is written to."""

    def cells(self) -> tuple[str, ...]:
        """Return the texts of those fields."""

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return the fields of an answer, or of none, as JSON has them."""

    def plain(self) -> dict[str, Any]:
        """Return the answer as plain values, scores at four places: what golden.jsonl keeps."""

    def at_least(self, least: float) -> Any:
        """Return the answer without what it is less sure of than `least`."""

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many of its parts another answer has alike, and how many there are."""


def difference(one: Any, other: Any) -> float:
    """Return how far two plain answers are apart: the largest difference of two numbers in them.

    Infinity where anything else differs. A label beside its `scores` follows from them: where two
    are almost alike, another precision may give the other one.
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


class _Label(NamedTuple):  # a tuple, for there are millions of them
    label: str
    score: float | None = None
    scores: Mapping[str, float] = MappingProxyType({})


class Label(_Label):
    """One label of a document, with the probability of each label; a gold label has none."""

    __slots__ = ()
    SCORED: ClassVar[bool] = True

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `label` and `score`, or `into` and `into_score`."""
        return ("label", "score") if into in (None, "label") else (into, f"{into}_score")

    def cells(self) -> tuple[str, ...]:
        """Return the label and its score at four places."""
        return self.label, "" if self.score is None else f"{self.score:.4f}"

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return label, score and scores."""
        label, score = cls.fields(into)
        if answer is None:
            return {label: "", score: None, f"{score}s": {}}
        return {label: answer.label, score: answer.score, f"{score}s": dict(answer.scores)}

    def plain(self) -> dict[str, Any]:
        """Return label and scores."""
        scores = {name: round(p, 4) for name, p in self.scores.items()}
        return {"label": self.label, "scores": scores}

    def at_least(self, least: float) -> Label:
        """Return the answer, its label UNCERTAIN where its score is below `least`."""
        unsure = self.score is not None and self.score < least
        return self._replace(label=UNCERTAIN) if unsure else self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for the same label, else (0, 1)."""
        return int(self.label == other.label), 1


@dataclass(frozen=True)
class Tags:
    """One tag of each word, in one or more layers of the same length, and the words themselves.

    A task names its layers in a subclass: `LAYERS = ("lemmas", "upos")`. In a gold, UNKNOWN stands
    for a tag that nobody knows: it teaches and scores nothing.
    """

    layers: tuple[tuple[str, ...], ...]
    words: tuple[str, ...] = ()

    LAYERS: ClassVar[tuple[str, ...]] = ("tags",)
    NAMES: ClassVar[tuple[str, ...]] = ("tag",)  # of one tag of each layer, for metrics
    SCORED: ClassVar[bool] = False
    score: ClassVar[None] = None

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `words` and the layers' names, each with `into_` before it if that is given."""
        names = ("words", *cls.LAYERS)
        return names if into is None else tuple(f"{into}_{name}" for name in names)

    def cells(self) -> tuple[str, ...]:
        """Return the words and each layer, with spaces between; a space in a tag becomes `_`."""
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
        """Return the answer as it is: tags have no scores."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many words have the same tags in all layers."""
        ours, theirs = zip(*self.layers, strict=True), zip(*other.layers, strict=True)
        return sum(a == b for a, b in zip(ours, theirs, strict=False)), len(self.layers[0])


class Span(NamedTuple):
    """A stretch of a document's text: text[start:end], in characters, and what it is."""

    start: int
    end: int
    label: str
    text: str
    score: float | None = None


class _Spans(NamedTuple):
    spans: tuple[Span, ...]


class Spans(_Spans):
    """The spans that were found in a document, in their order."""

    __slots__ = ()
    SCORED: ClassVar[bool] = True

    @property
    def score(self) -> float | None:
        """The score of the span that the model is least sure of; None without any."""
        scores = [span.score for span in self.spans if span.score is not None]
        return min(scores, default=None)

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `spans`, or `into`."""
        return (into or "spans",)

    def cells(self) -> tuple[str, ...]:
        """Return `START-END:LABEL` of each span, with spaces between."""
        return (" ".join(f"{span.start}-{span.end}:{span.label}" for span in self.spans),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return a list of tables: start, end, label, text and, where there is one, score."""
        (field,) = cls.fields(into)
        return {field: [_table(span) for span in answer.spans] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the spans as tables, scores at four places."""
        tables = [_table(span) for span in self.spans]
        for table in tables:
            if "score" in table:
                table["score"] = round(table["score"], 4)
        return {"spans": tables}

    def at_least(self, least: float) -> Spans:
        """Return the spans with a score of `least` or more, and those without one."""
        sure = (span for span in self.spans if span.score is None or span.score >= least)
        return Spans(tuple(sure))

    def matches(self, other: Any) -> tuple[int, int]:
        """Return how many of the spans in either are in both."""
        ours, theirs = self.keys(), other.keys()
        return (len(ours & theirs), len(ours | theirs)) if ours | theirs else (1, 1)

    def keys(self) -> set[tuple[int, int, str]]:
        """Return (start, end, label) of each span: what makes two of them the same."""
        return {(span.start, span.end, span.label) for span in self.spans}


def _table(span: Span) -> dict[str, Any]:
    table = {"start": span.start, "end": span.end, "label": span.label, "text": span.text}
    return table if span.score is None else table | {"score": span.score}


class _Text(NamedTuple):
    text: str
    score: float | None = None


class Text(_Text):
    """A text that a model wrote, with the mean log-probability of its tokens if it is known."""

    __slots__ = ()
    SCORED: ClassVar[bool] = False  # a log-probability is no confidence to cut at

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `output`, or `into`: the record has a `text` of its own."""
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
        """Return the answer as it is."""
        return self

    def matches(self, other: Any) -> tuple[int, int]:
        """Return (1, 1) for the same text, else (0, 1)."""
        return int(self.text == other.text), 1
