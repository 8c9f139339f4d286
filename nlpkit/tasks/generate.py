"""Write texts: from a source, as translations and titles are, or without one (a language model).

Training forces the right tokens upon the decoder (teacher forcing). A model with a source answers
a document with the text that it writes; a language model answers with the document's surprise, and
`nlpkit generate` continues prompts with it.

Legend: B batch, T time, U tokens of the target, N documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nlpkit.answers import Text
from nlpkit.answers.surprise import Surprise
from nlpkit.answers.written import Written
from nlpkit.errors import InputError, UsageError
from nlpkit.language import copied
from nlpkit.runtime import surprise, writing
from nlpkit.runtime.graphs import ENCODE, LOGITS, STEP, SURPRISE, TAKE
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.documents import whole_text
from nlpkit.text.windows import Consecutive, Truncate

if TYPE_CHECKING:
    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows

# Texts are written as they are read: with case, accents and every sign.
TOKENIZER = {"kind": "bytelevel", "lowercase": False, "social": False, "vocab_size": 8000}


@dataclass(frozen=True, kw_only=True)
class Config:
    source: bool = setting(
        True, "whether texts are written from a source; false without [architecture]"
    )
    longest: int = setting(128, "with a source: most tokens of a text that is written", 1)
    copies: bool = setting(
        False, "copy addresses, mark-up and numbers of the source to the text, as they are"
    )
    tied: bool = setting(True, "one embedding for encoder and decoder, if they have one width")
    whole: bool = setting(
        False, "learn only pairs that are read and written whole, as a translation must be"
    )
    beams: int = setting(1, "beams of the search; 1 takes the likeliest token each time", 1, 64)

    @property
    def columns(self) -> Columns:
        """The fields of a row: a language model learns the text itself."""
        return Columns("text", "target") if self.source else Columns("text", "text")


class Taught(Text):
    """A text to be written, and the form of it that a network learns to write."""

    taught: str

    def __new__(cls, text: str, taught: str) -> Self:
        self = super().__new__(cls, text)
        self.taught = taught
        return self


class Task:
    """A text for each source; without a source, the surprise of each text."""

    answers: type[Any] = Written
    score = "chrf"
    scale = 100.0  # the best value of the score
    unit = "documents"
    columns = Columns("text", "target")
    windows: type[Any] = Truncate
    OFFSETS: bool = False
    WRITES: ClassVar[bool] = True
    shown = ()

    def __init__(self, config: Config, ends: Sequence[int] = ()) -> None:
        """Create the task; `ends` are the ids of bos and eos if the tokenizer names none."""
        self.config, self.ends, self.columns = config, tuple(ends), config.columns
        self.graphs: Mapping[str, Mapping[str, int | None]] = {
            ENCODE: {},
            STEP: {LOGITS: None},
            TAKE: {},
        }
        if not config.source:
            self.answers, self.score, self.windows = Surprise, "bits_per_byte", Consecutive
            self.scale = 1.0
            self.OFFSETS = True
            self.graphs = {STEP: {LOGITS: None, SURPRISE: None}, TAKE: {}}

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Self:
        """Build the task; it learns nothing from its rows."""
        return cls(config)

    def gold(self, fields: Mapping[str, Any]) -> Text:
        """Return the text to be written; that of a language model is its document.

        Raises:
            InputError: the target is not a text.
        """
        if not self.config.source:
            return Text("")
        if not isinstance(fields["label"], str):
            raise InputError("the target is not a text")
        text = fields["label"]
        if not self.config.copies:
            return Text(text)
        return Taught(text, copied.hidden_in_both(whole_text(fields["document"]), text)[1])

    def count(self, golds: Sequence[Text]) -> dict[str, int]:
        """Return {}: texts have no labels to count."""
        return {}

    def head(self, encoder: Any, tokenizer: Tokenizer, decoder: Any) -> Any:
        """Return the torch module of the decoder.

        Raises:
            UsageError: neither the tokenizer nor the encoder has ids for the ends of a text.
        """
        from nlpkit.heads.written import LanguageHead, Writer

        if tokenizer.bos is None or tokenizer.eos is None:
            self.ends = (getattr(encoder, "bos", -1), getattr(encoder, "eos", -1))
            if min(self.ends) < 0:
                raise UsageError(
                    f"the tokenizer ({tokenizer.kind}) has no ids for the beginning and the end "
                    'of a text; use [tokenizer] kind = "bytelevel", bpe, unigram or wordpiece'
                )
        if not self.config.source:
            return LanguageHead(decoder)
        embed = getattr(encoder, "embed", None)
        if self.config.tied and getattr(embed, "weight", decoder.embed.weight[:0]).shape == (
            decoder.embed.weight.shape
        ):
            decoder.embed = embed
        return Writer(decoder)

    def bounds(self, tokenizer: Tokenizer) -> tuple[int, int]:
        """Return the ids of bos and eos."""
        if tokenizer.bos is None or tokenizer.eos is None:
            bos, eos = self.ends
            return bos, eos
        return tokenizer.bos, tokenizer.eos

    def framing(self, tokenizer: Tokenizer) -> tuple[int, int] | None:
        """Return the ids to put around what is read: a language model predicts the end as well."""
        return None if self.config.source else self.bounds(tokenizer)

    def seen(self, documents: Sequence[Any]) -> Sequence[Any]:
        """Return documents as the network reads them: with marks for what is to be copied."""
        if not self.config.copies:
            return documents
        return [copied.hidden(whole_text(document))[0] for document in documents]

    def taught(self, documents: Sequence[Any], golds: Sequence[Text]) -> Sequence[Any]:
        """Return training documents as the network reads them, with marks that the gold has too."""
        if not self.config.copies:
            return documents
        pairs = zip(documents, golds, strict=True)
        return [copied.hidden_in_both(whole_text(one), gold.text)[0] for one, gold in pairs]

    def fits(
        self, ids: Sequence[Any], golds: Sequence[Text], tokenizer: Tokenizer, window: int
    ) -> list[bool]:
        """Return whether each training pair is to be learned; it may be too long."""
        if not self.config.whole:
            return [True] * len(golds)
        lengths = tokenizer.encode([_taught(gold) for gold in golds]).lengths_N
        return [
            len(source) <= window and 0 < length <= self.config.longest
            for source, length in zip(ids, lengths.tolist(), strict=True)
        ]

    def targets(self, golds: Sequence[Text], reads: Reads, tokenizer: Tokenizer) -> dict[str, Any]:
        """Return previous_BU and wanted_BU; a language model's targets are what it reads."""
        import numpy as np

        if not self.config.source:
            return {}
        bos, eos = self.bounds(tokenizer)
        each = tokenizer.encode([_taught(gold) for gold in golds]).each()
        # A text that is cut must not teach the network to end there.
        ends = [eos if len(ids) <= self.config.longest else writing.IGNORED for ids in each]
        each = [ids[: self.config.longest] for ids in each]
        width = max(map(len, each)) + 1
        wanted_BU = np.full((len(golds), width), writing.IGNORED, dtype=np.int64)
        previous_BU = np.zeros((len(golds), width), dtype=np.int64)
        for row, (ids, end) in enumerate(zip(each, ends, strict=True)):
            wanted_BU[row, : len(ids) + 1] = [*ids, end]
            previous_BU[row, : len(ids) + 1] = [bos, *ids]
        return {"previous": previous_BU, "wanted": wanted_BU}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B, the mean cross-entropy of the batch's tokens with label smoothing."""
        from nlpkit.heads.written import written_loss

        return written_loss(outputs, smoothing)

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the text written for each document, or its surprise; None for an empty one."""
        if not self.config.source:
            return surprise.answers(model, documents, windows)
        manner = writing.Manner(longest=self.config.longest, beams=self.config.beams)
        numbers = [0] * len(documents)
        written = writing.from_sources(model, windows, numbers, manner, marks=self._marks)
        return self._restored(model, documents, written)

    def write(
        self,
        model: Model,
        documents: Sequence[str],
        numbers: Sequence[int],
        manner: writing.Manner,
        listener: writing.Listener | None = None,
    ) -> list[Any]:
        """Return the text written from each document, or its continuation as a prompt.

        `numbers` has a number for each document, so that equal ones have different chances.
        """
        if not self.config.source:
            return writing.from_prompts(model, documents, numbers, manner, listener)
        windows = model.encode(documents)
        if listener and self.config.copies:
            hear, parts = listener, self._copies(model, documents)

            def listener(index: int, text: str) -> None:
                hear(index, copied.shown(text, parts[index]))

        written = writing.from_sources(model, windows, numbers, manner, listener, self._marks)
        return self._restored(model, documents, written)

    def _restored(
        self, model: Model, documents: Sequence[Any], written: Sequence[Any]
    ) -> list[Any]:
        """Return texts with what they copy from their documents."""
        if not self.config.copies:
            return list(written)
        pairs = zip(self._copies(model, documents), written, strict=True)
        return [
            each and Written(copied.shown(each.text, parts), each.score, each.pieces)
            for parts, each in pairs
        ]

    @property
    def _marks(self) -> Sequence[str]:
        return copied.MARKS if self.config.copies else ()

    def _copies(self, model: Model, documents: Sequence[Any]) -> list[list[str]]:
        """Return the parts that the text of each document copies."""
        prepared = model.prepared(documents)
        return [copied.hidden(whole_text(document))[1] for document in prepared]

    def describe(self) -> dict[str, Any]:
        """Return the values of bundle.json from which the task is rebuilt without its data."""
        return {"config": asdict(self.config)} | ({"ends": list(self.ends)} if self.ends else {})


def _taught(gold: Text) -> str:
    """Return the form of a text that a network learns to write."""
    return gold.taught if isinstance(gold, Taught) else gold.text
