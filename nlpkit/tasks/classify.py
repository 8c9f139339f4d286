"""One label for each document, chosen among those of the training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nlpkit.answers import Label
from nlpkit.errors import InputError, near_match
from nlpkit.runtime import onepass
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Slide
from nlpkit.wording import plural

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows


@dataclass(frozen=True, kw_only=True)
class Config:
    """The head. (Without a docstring dataclass writes one, which costs every start 1 ms.)"""

    pooling: Literal["auto", "attention", "max", "mean"] = setting(
        "auto", "how states become one vector; auto is what suits the architecture"
    )
    norm: bool = setting(False, "layer norm after pooling")
    hidden: int = setting(
        64,
        "units of the dense layer before the output; 0 leaves it out",
        0,
        10**5,
        tune=[0, 64, 128],
    )
    dropout: float = setting(
        0.3, "before the dense layer and before the output", 0, 1, tune=(0.0, 0.5)
    )


class Task:
    """Single-label classification by softmax over C labels, in logit order.

    Legend: N documents, B batch, C labels.
    """

    answers = Label
    score = "macro_f1"
    unit = "documents"
    columns = Columns()
    windows = Slide
    OFFSETS: ClassVar[bool] = False
    WRITES: ClassVar[bool] = False

    def __init__(
        self,
        config: Config,
        labels: Iterable[str],
        shift: Sequence[float] | None = None,
        temperature: float = 1.0,
    ) -> None:
        """`shift` is added to the logits, `temperature` divides them; raises ValueError."""
        if isinstance(labels, str):
            raise ValueError("labels must be a list of texts")
        self.config, self.temperature = config, temperature
        self.labels = self.shown = tuple(labels)
        if not all(isinstance(label, str) for label in self.labels):
            raise ValueError("labels must be texts")
        if len(set(self.labels)) != len(self.labels) or len(self.labels) < 2:
            raise ValueError(f"{plural(len(self.labels), 'label')}: two different ones are needed")
        self.shift = list(shift or [0.0] * len(self.labels))
        if len(self.shift) != len(self.labels):
            raise ValueError(
                f"{plural(len(self.shift), 'shift')} for {plural(len(self.labels), 'label')}"
            )
        if not 1e-3 < temperature < 1e3:
            raise ValueError(f"temperature {temperature} is not one")
        self.graphs = {"main": {"logits": len(self.labels)}}
        self._golds = {label: Label(label) for label in self.labels}
        self._places = {label: place for place, label in enumerate(self.labels)}

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Learn the labels. Raises InputError when there are fewer than two."""
        labels = sorted({str(row["label"]) for row in rows})
        if len(labels) < 2:
            raise InputError(
                f"the training files hold only the label {labels[0]!r}; a classifier needs two"
                if labels
                else "the training files hold no rows"
            )
        return cls(config, labels)

    def gold(self, fields: Mapping[str, Any]) -> Label:
        """Return the row's label. Raises InputError for a label that is not known."""
        label = str(fields["label"])
        if label not in self._golds:
            raise InputError(
                f"unknown label {label!r}.{near_match(label, self.labels)} "
                f"The labels are: {', '.join(self.labels)}"
            )
        return self._golds[label]

    def place(self, gold: Label) -> int:
        """Return which label a gold has."""
        return self._places[gold.label]

    def group(self, gold: Label) -> str:
        """Return the label."""
        return gold.label

    def priors(self, golds: Sequence[Label], missing: float) -> dict[int, float]:
        """Return the prior of each label that is not among a file's golds."""
        there = {self.place(gold) for gold in golds}
        return dict.fromkeys(set(range(len(self.labels))) - there, missing)

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return prior_BC, one but for the labels that a row's file never gives.

        A file without neutral rows mostly had them taken out; it must not teach that neutral
        does not exist. In the loss that label's probability counts by its prior: 0 leaves its
        logit alone, 1 pushes it down like any wrong label (a prior shift, Saerens et al. 2002).
        """
        import numpy as np

        prior_BC = np.ones((len(priors), len(self.labels)), dtype=np.float32)
        for row, missing in enumerate(priors):
            for place, prior in missing.items():
                prior_BC[row, place] = prior
        return {"prior_BC": prior_BC}

    def count(self, golds: Sequence[Label]) -> dict[str, int]:
        """Return how many rows have each label, for model cards."""
        places = [self.place(gold) for gold in golds]
        counts = {label: places.count(place) for place, label in enumerate(self.labels)}
        return {label: count for label, count in counts.items() if count}

    def targets(
        self, golds: Sequence[Label | None], reads: Reads, tokenizer: Tokenizer
    ) -> dict[str, Any]:
        """Return gold_B; an unlabelled row stands for the first label."""
        import numpy as np

        places = [0 if gold is None else self.place(gold) for gold in golds]
        return {"gold_B": np.asarray(places, dtype=np.int64)}

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the torch module states_BTD, mask_BT -> logits_BC."""
        from nlpkit.heads.pooled import PooledHead

        chosen = encoder.pooling if self.config.pooling == "auto" else self.config.pooling
        return PooledHead(
            width=encoder.width,
            outputs=len(self.labels),
            pooling=chosen,
            norm=self.config.norm,
            hidden=self.config.hidden,
            dropout=self.config.dropout,
        )

    def class_weights(self, golds: Sequence[Label], scheme: str) -> list[float]:
        """Weigh labels by 1/frequency ("balanced") or its root ("sqrt"), mean weight one."""
        places = [self.place(gold) for gold in golds]
        counts = [max(places.count(place), 1) for place in range(len(self.labels))]
        power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[scheme]
        weights = [(len(places) / (len(counts) * count)) ** power for count in counts]
        mean = sum(w * n for w, n in zip(weights, counts, strict=True)) / len(places)
        return [weight / mean for weight in weights]

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Cross-entropy under the priors, with label smoothing (Szegedy et al. 2016)."""
        import torch

        gold_B, prior_BC = targets["gold_B"], targets["prior_BC"]
        logits_BC = outputs["logits"].float()
        log_probs_BC = torch.log_softmax(logits_BC + prior_BC.clamp_min(1e-9).log(), dim=1)
        hit_B = log_probs_BC.gather(1, gold_B[:, None]).squeeze(1)
        spread_B = (log_probs_BC * prior_BC).sum(1) / prior_BC.sum(1)
        return -(1 - smoothing) * hit_B - smoothing * spread_B

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_B, the cross-entropy with the teachers' probs_BC, both sides softened.

        Times T squared, so that its gradient stays as large as that of the labels (Hinton et al.
        2015).
        """
        import torch

        target_BC = torch.softmax(taught.clamp_min(1e-9).log() / temperature, dim=1)
        log_probs_BC = torch.log_softmax(outputs["logits"].float() / temperature, dim=1)
        return -(target_BC * log_probs_BC).sum(1) * temperature**2

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Read each window once; average the logits of a long document's windows."""
        return onepass.answers(self, model, documents, windows)

    def combine(self, outputs: onepass.Outputs, spans: Sequence[onepass.Span]) -> np.ndarray:
        """Average the logits of a long document's windows, each weighed by its tokens."""
        return onepass.averaged(outputs, spans)

    def decode(
        self, documents: Sequence[Any], outputs: onepass.Outputs, offsets: Any = None
    ) -> list[Label]:
        """Turn each document's logits into labels with calibrated probabilities."""
        probs_NC = self.probabilities(outputs)
        labels = self.labels
        return [
            Label(labels[best], row[best], dict(zip(labels, row, strict=True)))
            for best, row in zip(probs_NC.argmax(axis=1).tolist(), probs_NC.tolist(), strict=True)
        ]

    def probabilities(self, outputs: onepass.Outputs) -> np.ndarray:
        """Softmax of (logits + shift) / temperature, in float64: probs_NC."""
        return self._softmax(outputs, self.temperature)

    def _softmax(self, outputs: onepass.Outputs, temperature: float) -> np.ndarray:
        import numpy as np

        scaled_NC = np.array(outputs, dtype=np.float64).reshape(-1, len(self.labels))
        scaled_NC = (scaled_NC + self.shift) / temperature
        scaled_NC -= scaled_NC.max(axis=1, keepdims=True)
        exp_NC = np.exp(scaled_NC)
        return np.asarray(exp_NC / exp_NC.sum(axis=1, keepdims=True))

    def fit_temperature(
        self, golds: Sequence[Label], outputs: onepass.Outputs, weights: Any = None
    ) -> float:
        """Return the temperature of least negative log-likelihood (Guo et al. 2017)."""
        import numpy as np

        places = [self.place(gold) for gold in golds]

        def loss(temperature: float) -> float:
            probs_NC = self._softmax(outputs, temperature)
            log_probs_N = np.log(probs_NC[np.arange(len(places)), places] + 1e-12)
            return float(-np.average(log_probs_N, weights=weights))

        return round(float(min(np.geomspace(0.25, 4.0, 81), key=loss)), 4)

    def at_temperature(self, temperature: float) -> Self:
        """Return the task with another temperature."""
        made = copy(self)
        made.temperature = temperature
        return made

    def shifted(self, shift: Sequence[float]) -> Self:
        """Return the task with another shift."""
        made = copy(self)
        made.shift = list(shift)
        return made

    def describe(self) -> dict[str, Any]:
        """Return what bundle.json keeps to rebuild the task without its data."""
        described: dict[str, Any] = {"labels": list(self.labels), "config": asdict(self.config)}
        if any(self.shift):
            described["shift"] = self.shift
        if self.temperature != 1.0:
            described["temperature"] = self.temperature
        return described
