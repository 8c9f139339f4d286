"""The lemma and the part of speech of each word: an edit script and a UPOS tag, chosen in context.

Documents are lists of words. Gold comes from fields "lemmas" and "upos" of the same length, as the
conllu reader gives them; a lemma or tag that is not known ("_") teaches and scores nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nlpkit.errors import InputError, UsageError
from nlpkit.language.edit_scripts import apply, is_bold, script_of
from nlpkit.language.treebank import IGNORED, UNKNOWN, UPOS, Gold, irregular_forms, words_of
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Tagged

if TYPE_CHECKING:
    import numpy as np

TRIED = 8  # scripts tried for a word, best first, until one fits


@dataclass(frozen=True, kw_only=True)
class Config:
    hidden: int = setting(
        128, "units of the dense layer before the scripts", 1, 10**5, tune=[64, 128, 256]
    )
    dropout: float = setting(0.3, "on the states and before the scripts", 0, 1, tune=(0.0, 0.5))
    min_count: int = setting(2, "edit scripts seen fewer times in training are left out", 1)


class Task:
    """Two softmaxes over each word: UPOS tags, then edit scripts, in logit order.

    Legend: B batch, T words, C = tags + scripts, N all words of some documents.
    """

    score = "lemma_upos"
    command = "lemmatize"
    unit = "words"
    columns = ("words", "upos")

    def __init__(
        self, config: Config, labels: Iterable[str], irregular: Mapping[str, str] | None = None
    ) -> None:
        """`irregular`: the scripts, by place and joined by spaces, that a form alone allows."""
        self.config = config
        self.irregular = {
            form: {int(place) for place in places.split()}
            for form, places in (irregular or {}).items()
        }
        self.labels = tuple(labels)
        if self.labels[: len(UPOS)] != UPOS:
            raise ValueError("the first labels must be the UPOS tags")
        self.shown = UPOS
        self.places = {label: place for place, label in enumerate(self.labels)}

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Task:
        """Learn the edit scripts. Raises InputError when there are none."""
        counts = Counter[str]()
        for row in rows:
            counts.update(
                script_of(form, lemma) for form, lemma, _ in words_of(row) if lemma != UNKNOWN
            )
        scripts = [script for script, n in counts.most_common() if n >= config.min_count]
        if not scripts:
            raise InputError("the training files hold no lemmas")
        return cls(config, [*UPOS, *scripts], irregular_forms(rows, scripts))

    def target(self, row: Mapping[str, Any]) -> Gold:
        """Return the gold of a row. Raises InputError where its fields do not belong together."""
        words = words_of(row)
        for _, _, upos in words:
            if upos not in UPOS and upos != UNKNOWN:
                raise InputError(f"unknown UPOS tag {upos!r}; there are: {', '.join(UPOS)}")
        return Gold(
            forms=tuple(form for form, _, _ in words),
            lemmas=tuple(lemma for _, lemma, _ in words),
            upos=tuple(self.places.get(upos, IGNORED) for _, _, upos in words),
            scripts=tuple(
                IGNORED if lemma == UNKNOWN else self._script(form, lemma)
                for form, lemma, _ in words
            ),
        )

    def _script(self, form: str, lemma: str) -> int:
        place = self.places.get(script_of(form, lemma))
        return IGNORED if place is None else place - len(UPOS)

    def group(self, gold: Gold) -> str:
        """Return what `max_per_label` counts by: there is one kind of document."""
        return "sentences"

    def priors(self, golds: Sequence[Gold], missing: float) -> dict[int, float]:
        """Return nothing: no tag is left out of a file on purpose."""
        return {}

    def count(self, golds: Sequence[Gold]) -> dict[str, int]:
        """Return how many words there are, for model cards."""
        return {"words": sum(len(gold.forms) for gold in golds)}

    def targets(
        self,
        golds: Sequence[Gold],
        priors: Sequence[Mapping[int, float]],
        spans: Sequence[tuple[int, int]],
    ) -> dict[str, Any]:
        """Return upos_BT and scripts_BT of the words that were read, IGNORED elsewhere."""
        import numpy as np

        width = max(end - start for start, end in spans)
        arrays = {
            name: np.full((len(golds), width), IGNORED, dtype=np.int64)
            for name in ("upos", "scripts")
        }
        for row, (gold, (start, end)) in enumerate(zip(golds, spans, strict=True)):
            for name, array in arrays.items():
                array[row, : end - start] = getattr(gold, name)[start:end]
        return arrays

    def head(self, width: int, pooling: str) -> Any:
        """Return the torch module states_BTD, mask_BT -> logits_BTC."""
        from nlpkit.heads.token import TwoHeads

        return TwoHeads(
            width=width,
            tags=len(UPOS),
            scripts=len(self.labels) - len(UPOS),
            hidden=self.config.hidden,
            dropout=self.config.dropout,
        )

    def class_weights(self, golds: list[Gold], scheme: str) -> list[float]:
        """Raises UsageError: words are not weighed by their tags."""
        raise UsageError('train.class_weights: the lemma task knows only "none"')

    def loss(
        self,
        outputs: Any,
        targets: Mapping[str, Any],
        *,
        smoothing: float = 0.0,
        weights: Any = None,
        rows: Any = None,
    ) -> Any:
        """Cross-entropy of the tags plus that of the scripts, means over the words that count."""
        from torch.nn.functional import cross_entropy

        width = targets["upos"].shape[1]
        logits_NC = outputs[:, :width].float().flatten(0, 1)
        tags, scripts = logits_NC[:, : len(UPOS)], logits_NC[:, len(UPOS) :]
        total = logits_NC.sum() * 0.0
        for part, name in ((tags, "upos"), (scripts, "scripts")):
            gold_N = targets[name].flatten()
            if (gold_N != IGNORED).any():
                total = total + cross_entropy(
                    part, gold_N, ignore_index=IGNORED, label_smoothing=smoothing
                )
        return total

    def combine(
        self, outputs: Sequence[np.ndarray], spans: Sequence[tuple[int, int]]
    ) -> np.ndarray:
        """Return logits_TC of a document; where windows overlap each gives half.

        The first half of what two windows share comes from the earlier one: a word is tagged
        where it has more context on both sides.
        """
        import numpy as np

        parts = []
        for place, (output, (start, end)) in enumerate(zip(outputs, spans, strict=True)):
            first = start if not place else (start + spans[place - 1][1]) // 2
            after = place + 1 < len(spans)
            last = (spans[place + 1][0] + end) // 2 if after else end
            parts.append(output[first - start : last - start])
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def decode(
        self,
        documents: Sequence[Any],
        outputs: Sequence[np.ndarray],
        temperature: float = 1.0,
    ) -> list[Tagged]:
        """Return lemmas and tags; a script that does not fit its word yields to the next best."""
        return [
            self._decoded(_forms(document), output)
            for document, output in zip(documents, outputs, strict=True)
        ]

    def _decoded(self, forms: Sequence[str], logits_TC: np.ndarray) -> Tagged:
        tags = logits_TC[:, : len(UPOS)].argmax(axis=1).tolist()
        scripts_TS = logits_TC[:, len(UPOS) :]
        best = scripts_TS.argmax(axis=1).tolist()
        lemmas = [
            self._applied(script, form) or self._next_best(form, scripts_TS[place])
            for place, (form, script) in enumerate(zip(forms, best, strict=True))
        ]
        return Tagged(tuple(lemmas), tuple(UPOS[tag] for tag in tags))

    def _next_best(self, form: str, scripts_S: np.ndarray) -> str:
        for script in scripts_S.argsort()[::-1][1:TRIED].tolist():
            if lemma := self._applied(script, form):
                return lemma
        return form.lower()

    def _applied(self, place: int, form: str) -> str | None:
        """Return the lemma; None where the script does not fit, or is another word's own."""
        if not any(map(str.isalpha, form)):  # marks, numbers and emoji are their own lemmas
            return form
        script = self.labels[len(UPOS) + place]
        if is_bold(script, form) and place not in self.irregular.get(form.lower(), ()):
            return None
        return apply(script, form)

    def agreement(self, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
        """Return the share of words with one tag and one script in both."""
        import numpy as np

        ours_N2, theirs_N2 = (_choices(np.concatenate(side)) for side in (ours, theirs))
        return float((ours_N2 == theirs_N2).all(axis=1).mean())

    def fit_temperature(
        self, golds: list[Gold], outputs: Sequence[np.ndarray], weights: Any = None
    ) -> float:
        """Return 1: lemmas and tags come without probabilities."""
        return 1.0

    def metrics(
        self, golds: list[Gold], outputs: Sequence[np.ndarray], temperature: float = 1.0
    ) -> dict[str, Any]:
        """Report accuracies over the words with a known lemma, of tags, and of both at once."""
        right, tagged, both, words, scored = 0, 0, 0, 0, 0
        for gold, output in zip(golds, outputs, strict=True):
            said = self._decoded(gold.forms, output)
            for place, lemma in enumerate(gold.lemmas):
                tag_right = gold.upos[place] == self.places[said.upos[place]]
                words += gold.upos[place] != IGNORED
                tagged += tag_right
                if lemma != UNKNOWN:
                    scored += 1
                    right += said.lemmas[place] == lemma
                    unknown = gold.upos[place] == IGNORED
                    both += (tag_right or unknown) and said.lemmas[place] == lemma
        return {
            "n": scored,
            "unit": self.unit,
            "lemma_accuracy": round(right / max(scored, 1), 6),
            "upos_accuracy": round(tagged / max(words, 1), 6),
            "lemma_upos": round(both / max(scored, 1), 6),
        }

    def describe(self) -> dict[str, Any]:
        """Return what bundle.json keeps to rebuild the task without its data."""
        irregular = {
            form: " ".join(map(str, sorted(places))) for form, places in self.irregular.items()
        }
        return {
            "labels": list(self.labels),
            "config": asdict(self.config),
            "irregular": irregular,
        }


def _choices(logits_NC: np.ndarray) -> np.ndarray:
    """Return the best tag and the best script of each word."""
    import numpy as np

    parts = (logits_NC[:, : len(UPOS)], logits_NC[:, len(UPOS) :])
    return np.stack([part.argmax(axis=1) for part in parts], axis=1)


def _forms(document: Any) -> Sequence[str]:
    return document.split() if isinstance(document, str) else document
