"""Find the capitalised words of a text: a task whose answers are spans.

Rows have a list of [start, end, label] under "spans".

Legend: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nlpkit.answers import Span, Spans
from nlpkit.errors import InputError
from nlpkit.runtime import onepass
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Slide

OUTSIDE, BEGINS, CONTINUES = range(3)
IGNORED = -100
LABEL = "CAPITAL"


@dataclass(frozen=True, kw_only=True)
class Config:
    dropout: float = setting(0.1, "on the states", 0, 1)


class Task:
    """One of three tags for each token: outside of a span, its first token, a later one."""

    answers = Spans
    score = "span_f1"
    unit = "documents"
    columns = Columns("text", "spans")
    windows = Slide
    OFFSETS: ClassVar[bool] = True
    WRITES: ClassVar[bool] = False
    shown = (LABEL,)
    graphs: ClassVar = {"main": {"logits": 3}}

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Task:
        return cls(config)

    def gold(self, fields: Mapping[str, Any]) -> Spans:
        text = fields["document"]
        try:
            found = [
                Span(start, end, label, text[start:end]) for start, end, label in fields["label"]
            ]
        except (TypeError, ValueError):
            raise InputError("spans are lists of [start, end, label]") from None
        return Spans(tuple(found))

    def count(self, golds: Sequence[Spans]) -> dict[str, int]:
        return {LABEL: sum(len(gold.spans) for gold in golds)}

    def head(self, encoder: Any, tokenizer: Any) -> Any:
        from nlpkit.heads.token import TokenHead

        return TokenHead(width=encoder.width, tags=3, dropout=self.config.dropout)

    def targets(self, golds: Sequence[Spans], reads: Reads, tokenizer: Any) -> dict[str, Any]:
        import numpy as np

        tags_BT = np.full((len(golds), reads.width), IGNORED, dtype=np.int64)
        for row, (gold, offsets) in enumerate(zip(golds, reads.offsets or (), strict=True)):
            tags_BT[row, : len(offsets)] = OUTSIDE
            for span in gold.spans:
                inside = (offsets[:, 0] >= span.start) & (offsets[:, 1] <= span.end)
                first = offsets[:, 0] == span.start
                tags_BT[row, : len(offsets)][inside] = CONTINUES
                tags_BT[row, : len(offsets)][inside & first] = BEGINS
        return {"tags": tags_BT}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        from nlpkit.heads.token import mean_by_word

        tags_BT = targets["tags"]
        return mean_by_word(outputs["logits"][:, : tags_BT.shape[1]], tags_BT, IGNORED, smoothing)

    def answer(self, model: Any, documents: Sequence[Any], windows: Any) -> list[Any]:
        return onepass.answers(self, model, documents, windows)

    def combine(self, outputs: onepass.Outputs, spans: Sequence[onepass.Span]) -> Any:
        return onepass.joined(outputs, spans)

    def decode(
        self, documents: Sequence[Any], outputs: onepass.Outputs, offsets: Any
    ) -> list[Spans]:
        return [
            _spans(text, logits_TC, offsets_T2)
            for text, logits_TC, offsets_T2 in zip(documents, outputs, offsets, strict=True)
        ]

    def describe(self) -> dict[str, Any]:
        return {"config": asdict(self.config)}


def _spans(text: str, logits_TC: Any, offsets_T2: Any) -> Spans:
    """Return the spans that a document's tags mark, each as sure as its least sure token."""
    import numpy as np

    probs_TC = np.exp(logits_TC - logits_TC.max(axis=1, keepdims=True))
    probs_TC /= probs_TC.sum(axis=1, keepdims=True)
    found: list[tuple[int, int, float]] = []
    before = OUTSIDE
    for tag, probs_C, (start, end) in zip(
        probs_TC.argmax(axis=1).tolist(), probs_TC, offsets_T2.tolist(), strict=False
    ):
        if tag == BEGINS or (tag == CONTINUES and before == OUTSIDE):
            found.append((start, end, float(probs_C[tag])))
        elif tag == CONTINUES:
            first, _, sure = found[-1]
            found[-1] = (first, end, min(sure, float(probs_C[tag])))
        before = tag
    return Spans(tuple(Span(s, e, LABEL, text[s:e], sure) for s, e, sure in found if s < e))
