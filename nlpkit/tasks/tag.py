"""Tagging: the lemma and part of speech of each word, as an edit script and a UPOS tag.

Documents are lists of words. Golds are the fields "lemmas" and "upos", of the same length, as the
conllu reader yields them; an unknown lemma or tag ("_") is left out of the loss and the scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nlpkit.answers import UNKNOWN, Tags
from nlpkit.errors import InputError
from nlpkit.language.edit_scripts import apply, is_bold, script_of
from nlpkit.language.treebank import UPOS, irregular_forms, words_of
from nlpkit.runtime import onepass
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Slide

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.language.lemmas import Chooser
    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows

LEXICON = "lexicon.npz"
TRIED = 8  # most scripts to try for a word, best first, until one applies
IGNORED = -100  # the target that torch's cross_entropy ignores


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the head and of the edit scripts."""

    hidden: int = setting(
        128, "units of the dense layer before the scripts", 1, 10**5, tune=[64, 128, 256]
    )
    dropout: float = setting(
        0.3, "dropout on the states and before the scripts", 0, 1, tune=(0.0, 0.5)
    )
    min_count: int = setting(2, "fewest occurrences of an edit script in the training rows", 1)
    lexicon: str = setting(
        "", "file of the lemmas that known forms may have, as lexicon/ builds it; empty: any lemma"
    )


@dataclass(frozen=True)
class Analysis(Tags):
    """The lemma and the UPOS tag of each word."""

    LAYERS: ClassVar[tuple[str, ...]] = ("lemmas", "upos")
    NAMES: ClassVar[tuple[str, ...]] = ("lemma", "upos")


def _joined(parts: Sequence[Analysis]) -> Analysis:
    """Join the answers of the parts of a document."""
    lemmas, upos = zip(*(part.layers for part in parts), strict=True)
    layers = tuple(chain.from_iterable(lemmas)), tuple(chain.from_iterable(upos))
    return Analysis(layers, tuple(chain.from_iterable(part.words for part in parts)))


class Task:
    """Two softmaxes over each word, in logit order: UPOS tags, then edit scripts.

    Legend: B batch, T words, C = tags + scripts, S scripts, N all words of a batch.
    """

    answers = Analysis
    score = "lemma_upos"
    unit = "words"
    columns = Columns("words", "upos")
    windows = Slide
    OFFSETS: ClassVar[bool] = False
    WRITES: ClassVar[bool] = False

    def __init__(
        self, config: Config, labels: Iterable[str], irregular: Mapping[str, str] | None = None
    ) -> None:
        """Create a task whose labels are the UPOS tags, then the edit scripts.

        `irregular` maps a lower-case form to the indices, joined by spaces, of the irregular
        scripts that it may take.

        Raises:
            ValueError: the labels do not begin with the UPOS tags.
        """
        self.config = config
        self.irregular = {
            form: {int(index) for index in indices.split()}
            for form, indices in (irregular or {}).items()
        }
        self.labels = tuple(labels)
        if self.labels[: len(UPOS)] != UPOS:
            raise ValueError("the first labels must be the UPOS tags")
        self.shown = UPOS
        self.label_indices = {label: index for index, label in enumerate(self.labels)}
        self.graphs = {"main": {"logits": len(self.labels)}}
        self.needs = {LEXICON: config.lexicon} if config.lexicon else {}
        self.files: dict[str, bytes] = {}
        self.chooser: Chooser | None = None

    def equip(self, files: Mapping[str, bytes]) -> None:
        """Take over the lexicon. Raises ValueError if it is damaged."""
        from nlpkit.language.lemmas import Chooser
        from nlpkit.language.lexicon import Lexicon

        self.files = dict(files)
        self.chooser = Chooser(Lexicon.read(files[LEXICON]), self.labels[len(UPOS) :])

    def as_annotated(self) -> Task:
        """Return a copy of the task that keeps to the lemmas of its treebank, if they are words."""
        from nlpkit.language.lemmas import Chooser

        other = copy(self)
        if self.chooser:
            other.chooser = Chooser(self.chooser.lexicon, self.chooser.scripts, treebank=True)
        return other

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the edit scripts of the rows that occur `min_count` times.

        Raises:
            InputError: there are none.
        """
        counts = Counter[str]()
        for row in rows:
            counts.update(
                script_of(form, lemma) for form, lemma, _ in words_of(row) if lemma != UNKNOWN
            )
        scripts = [script for script, n in counts.most_common() if n >= config.min_count]
        if not scripts:
            raise InputError(
                f"no edit script occurs {config.min_count} times in the training files; give more "
                "rows with lemmas, or lower task.min_count"
            )
        return cls(config, [*UPOS, *scripts], irregular_forms(rows, scripts))

    def gold(self, fields: Mapping[str, Any]) -> Analysis:
        """Return the lemmas and tags of a row.

        Raises:
            InputError: the fields differ in length, or a tag is not of UPOS.
        """
        words = words_of(fields)
        for _, _, tag in words:
            if tag not in UPOS and tag != UNKNOWN:
                raise InputError(f"unknown UPOS tag {tag!r}; there are: {', '.join(UPOS)}")
        forms, lemmas, upos = (tuple(layer) for layer in zip(*words, strict=True))
        return Analysis((lemmas, upos), forms)

    def count(self, golds: Sequence[Analysis]) -> dict[str, int]:
        """Return the number of words, for model cards."""
        return {"words": sum(len(gold.words) for gold in golds)}

    def targets(
        self, golds: Sequence[Analysis], reads: Reads, tokenizer: Tokenizer
    ) -> dict[str, Any]:
        """Return the indices upos_BT and scripts_BT of the words read; IGNORED elsewhere."""
        import numpy as np

        upos_BT = np.full((len(golds), reads.width), IGNORED, dtype=np.int64)
        scripts_BT = upos_BT.copy()
        for row, (gold, (start, end)) in enumerate(zip(golds, reads.spans, strict=True)):
            read = slice(start, end)
            lemmas, tags = (layer[read] for layer in gold.layers)
            upos_BT[row, : end - start] = [self.label_indices.get(tag, IGNORED) for tag in tags]
            scripts_BT[row, : end - start] = [
                IGNORED if lemma == UNKNOWN else self._script(form, lemma)
                for form, lemma in zip(gold.words[read], lemmas, strict=True)
            ]
        return {"upos": upos_BT, "scripts": scripts_BT}

    def _script(self, form: str, lemma: str) -> int:
        index = self.label_indices.get(script_of(form, lemma))
        return IGNORED if index is None else index - len(UPOS)

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the head, a torch module from states_BTD and mask_BT to logits_BTC."""
        from nlpkit.heads.token import TwoHeads

        return TwoHeads(
            width=encoder.width,
            tags=len(UPOS),
            scripts=len(self.labels) - len(UPOS),
            hidden=self.config.hidden,
            dropout=self.config.dropout,
        )

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B, whose mean is the mean over words of the tags' and the scripts' losses.

        The two means are added; each counts the words whose target is known.
        """
        from nlpkit.heads.token import mean_by_word

        width = targets["upos"].shape[1]
        logits_BTC = outputs["logits"][:, :width].float()
        tags_BTC, scripts_BTC = logits_BTC.split([len(UPOS), len(self.labels) - len(UPOS)], dim=2)
        return mean_by_word(tags_BTC, targets["upos"], IGNORED, smoothing) + mean_by_word(
            scripts_BTC, targets["scripts"], IGNORED, smoothing
        )

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Read each window once; where two overlap, each answers for half of the overlap."""
        words = windows.encoded.words or documents
        return onepass.answers_by_part(self, model, words, windows, _joined)

    def combine(self, outputs: onepass.Outputs, spans: Sequence[onepass.Span]) -> np.ndarray:
        """Join the logits of a document's windows to logits_TC."""
        return onepass.joined(outputs, spans)

    def decode(
        self, documents: Sequence[Any], outputs: onepass.Outputs, offsets: Any = None
    ) -> list[Analysis]:
        """Return each document's lemmas and tags.

        A lexicon decides which lemmas a form may have. Without one, the best script that applies
        to the word gives its lemma.
        """
        return [
            self._decoded(words, output) for words, output in zip(documents, outputs, strict=True)
        ]

    def _decoded(self, forms: Sequence[str], logits_TC: np.ndarray) -> Analysis:
        if self.chooser:
            words = tuple(forms[: len(logits_TC)])
            return Analysis(self.chooser.choose(words, logits_TC), words)
        tags = logits_TC[:, : len(UPOS)].argmax(axis=1).tolist()
        scripts_TS = logits_TC[:, len(UPOS) :]
        best = scripts_TS.argmax(axis=1).tolist()
        lemmas = [
            self._applied(script, form) or self._next_best(form, scripts_TS[row])
            for row, (form, script) in enumerate(zip(forms, best, strict=False))
        ]
        words = tuple(forms[: len(lemmas)])
        return Analysis((tuple(lemmas), tuple(UPOS[tag] for tag in tags[: len(lemmas)])), words)

    def _next_best(self, form: str, scripts_S: np.ndarray) -> str:
        for script in scripts_S.argsort()[::-1][1:TRIED].tolist():
            if lemma := self._applied(script, form):
                return lemma
        return form.lower()

    def _applied(self, index: int, form: str) -> str | None:
        """Return the lemma, or None where the script does not apply to the form.

        A script that replaces most of a word applies only to forms seen with it in training.
        """
        if not any(map(str.isalpha, form)):  # marks, numbers and emoji are their own lemmas
            return form
        script = self.labels[len(UPOS) + index]
        if is_bold(script, form) and index not in self.irregular.get(form.lower(), ()):
            return None
        return apply(script, form)

    def describe(self) -> dict[str, Any]:
        """Return the values of bundle.json from which the task is rebuilt without its data."""
        irregular = {
            form: " ".join(map(str, sorted(indices))) for form, indices in self.irregular.items()
        }
        return {
            "labels": list(self.labels),
            "config": asdict(self.config),
            "irregular": irregular,
        }
