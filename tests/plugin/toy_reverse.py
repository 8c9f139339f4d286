"""Write the words of a text in reverse: a task of another package whose answers are texts.

It takes any decoder, as `[decoder]` of its recipe names one, and nlpkit's loop that writes.

Legend: B batch, U tokens of the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nlpkit.answers import Text
from nlpkit.runtime import writing
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Truncate


@dataclass(frozen=True, kw_only=True)
class Config:
    longest: int = setting(40, "most tokens of a text that is written", 1)


class Task:
    """A source in, its words in reverse out."""

    answers = Text
    score = "exact_match"
    unit = "documents"
    columns = Columns("text", "target")
    windows = Truncate
    OFFSETS: ClassVar[bool] = False
    WRITES: ClassVar[bool] = True
    shown = ()
    graphs: ClassVar = {"encode": {}, "step": {"logits": None}, "take": {}}

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Task:
        return cls(config)

    def gold(self, fields: Mapping[str, Any]) -> Text:
        return Text(str(fields["label"]))

    def count(self, golds: Sequence[Text]) -> dict[str, int]:
        return {"texts": len(golds)}

    def head(self, encoder: Any, tokenizer: Any, decoder: Any) -> Any:
        from nlpkit.heads.written import Writer

        return Writer(decoder)

    def bounds(self, tokenizer: Any) -> tuple[int, int]:
        return tokenizer.bos, tokenizer.eos

    def targets(self, golds: Sequence[Text], reads: Reads, tokenizer: Any) -> dict[str, Any]:
        """Return what is to be written and, for teacher forcing, the token before each."""
        import numpy as np

        ids = tokenizer.encode([gold.text for gold in golds]).each()
        width = max(len(each) for each in ids) + 1
        wanted_BU = np.full((len(golds), width), writing.IGNORED, dtype=np.int64)
        previous_BU = np.zeros((len(golds), width), dtype=np.int64)
        for row, each in enumerate(ids):
            wanted_BU[row, : len(each) + 1] = [*each, tokenizer.eos]
            previous_BU[row, : len(each) + 1] = [tokenizer.bos, *each]
        return {"wanted": wanted_BU, "previous": previous_BU}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        from nlpkit.heads.written import written_loss

        return written_loss(outputs, smoothing)

    def answer(self, model: Any, documents: Sequence[Any], windows: Any) -> list[Any]:
        manner = writing.Manner(longest=self.config.longest)
        return writing.from_sources(model, windows, [0] * len(documents), manner)

    def describe(self) -> dict[str, Any]:
        return {"config": asdict(self.config)}
