"""Classification: one label for each document, out of the labels of the training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nlpkit.answers import Label
from nlpkit.errors import InputError, near_match
from nlpkit.runtime import onepass
from nlpkit.runtime.onepass import Outputs
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
    """Settings of the head."""  # without a docstring, dataclass spends 1 ms on writing one

    pooling: Literal["auto", "attention", "dot", "max", "mean"] = setting(
        "auto", "how states become one vector; auto is the architecture's own choice"
    )
    norm: bool = setting(False, "layer norm after pooling")
    hidden: int = setting(
        64,
        "units of the dense layer before the output; 0 omits the layer",
        0,
        10**5,
        tune=[0, 64, 128],
    )
    dropout: float = setting(
        0.3, "dropout before the dense layer and before the output", 0, 1, tune=(0.0, 0.5)
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
    ADVICE: ClassVar[str] = (
        """A recipe's [data] can rename labels: {path = "...", labels = {other = "name"}}, """
        "and evaluate by --rename OLD=NEW"
    )

    def __init__(
        self,
        config: Config,
        labels: Iterable[str],
        shift: Sequence[float] | None = None,
        temperature: float = 1.0,
    ) -> None:
        """Create a task whose probabilities are softmax((logits + shift) / temperature).

        Raises:
            ValueError: the labels, the shift or the temperature are not usable.
        """
        if isinstance(labels, str):
            raise ValueError("labels must be a list of texts")
        self.config, self.temperature = config, temperature
        self.labels = self.shown = tuple(labels)
        if not all(isinstance(label, str) for label in self.labels):
            raise ValueError("labels must be texts")
        if len(set(self.labels)) != len(self.labels) or len(self.labels) < 2:
            raise ValueError(
                f"{plural(len(self.labels), 'label')}: must be two or more, all different"
            )
        self.shift = list(shift or [0.0] * len(self.labels))
        if len(self.shift) != len(self.labels):
            raise ValueError(
                f"{plural(len(self.shift), 'shift')} for {plural(len(self.labels), 'label')}"
            )
        if not 1e-3 < temperature < 1e3:
            raise ValueError(f"temperature {temperature}: must be between 0.001 and 1000")
        self.graphs = {"main": {"logits": len(self.labels)}}
        self._golds = {label: Label(label) for label in self.labels}
        self._indices = {label: index for index, label in enumerate(self.labels)}

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the sorted labels of the rows.

        Raises:
            InputError: there are fewer than two labels, or a label is of the wrong kind.
        """
        labels = sorted({cls.label_of(row["label"]) for row in rows})
        if len(labels) < 2:
            raise InputError(
                f"the training files hold only the label {labels[0]!r}; a classifier needs two"
                if labels
                else "the training files hold no rows"
            )
        return cls(config, labels)

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a label as text. Raises InputError if it is of the wrong kind."""
        from nlpkit.records.rows import label_of  # inference needs no labels of rows

        return label_of(value)

    def gold(self, fields: Mapping[str, Any]) -> Label:
        """Return the row's label.

        Raises:
            InputError: the label is of the wrong kind, or is not one of the task's.
        """
        label = self.label_of(fields["label"])
        if label not in self._golds:
            raise InputError(
                f"unknown label {label!r}.{near_match(label, self.labels)} "
                f"The labels are: {', '.join(self.labels)}. {self.ADVICE}"
            )
        return self._golds[label]

    def label_index(self, gold: Label) -> int:
        """Return the index of a gold's label."""
        return self._indices[gold.label]

    def group(self, gold: Label) -> str:
        """Return the label."""
        return gold.label

    def priors(self, golds: Sequence[Label], missing: float | None) -> dict[int, float]:
        """Return {label index: `missing`, else 1} for each label absent from a file's golds."""
        present = {self.label_index(gold) for gold in golds}
        weight = 1.0 if missing is None else missing
        return dict.fromkeys(set(range(len(self.labels))) - present, weight)

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return prior_BC: 1, except for labels that a row's file never uses.

        A file without neutral rows usually had them removed, and must not teach that neutral
        texts do not exist. The loss scales that label's probability by its prior: with 0 its
        logit gets no gradient, with 1 it is pushed down like any wrong label (a prior shift,
        Saerens et al. 2002).
        """
        import numpy as np

        prior_BC = np.ones((len(priors), len(self.labels)), dtype=np.float32)
        for row, missing in enumerate(priors):
            for index, prior in missing.items():
                prior_BC[row, index] = prior
        return {"prior_BC": prior_BC}

    def count(self, golds: Sequence[Label]) -> dict[str, int]:
        """Return the number of rows of each label that occurs, for model cards."""
        indices = [self.label_index(gold) for gold in golds]
        counts = {label: indices.count(index) for index, label in enumerate(self.labels)}
        return {label: count for label, count in counts.items() if count}

    def targets(
        self, golds: Sequence[Label | None], reads: Reads, tokenizer: Tokenizer
    ) -> dict[str, Any]:
        """Return gold_B, label indices; unlabelled rows get index 0, a placeholder."""
        import numpy as np

        indices = [0 if gold is None else self.label_index(gold) for gold in golds]
        return {"gold_B": np.asarray(indices, dtype=np.int64)}

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the head, a torch module from states_BTD and mask_BT to logits_BC."""
        from nlpkit.heads.pooled import PooledHead

        pooling = encoder.pooling if self.config.pooling == "auto" else self.config.pooling
        return PooledHead(
            width=encoder.width,
            outputs=len(self.labels),
            pooling=pooling,
            norm=self.config.norm,
            hidden=self.config.hidden,
            dropout=self.config.dropout,
        )

    def class_weights(self, golds: Sequence[Label], scheme: str) -> list[float]:
        """Return label weights 1/frequency ("balanced"), its square root ("sqrt") or 1 ("none").

        Their mean over the rows is 1.
        """
        indices = [self.label_index(gold) for gold in golds]
        counts = [max(indices.count(index), 1) for index in range(len(self.labels))]
        power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[scheme]
        weights = [(len(indices) / (len(counts) * count)) ** power for count in counts]
        mean = sum(w * n for w, n in zip(weights, counts, strict=True)) / len(indices)
        return [weight / mean for weight in weights]

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B, the cross-entropy under the priors with label smoothing.

        Label smoothing: Szegedy et al. 2016.
        """
        import torch

        gold_B, prior_BC = targets["gold_B"], targets["prior_BC"]
        logits_BC = outputs["logits"].float()
        log_probs_BC = torch.log_softmax(logits_BC + prior_BC.clamp_min(1e-9).log(), dim=1)
        hit_B = log_probs_BC.gather(1, gold_B[:, None]).squeeze(1)
        spread_B = (log_probs_BC * prior_BC).sum(1) / prior_BC.sum(1)
        return -(1 - smoothing) * hit_B - smoothing * spread_B

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_B, the cross-entropy with the teachers' probs_BC (Hinton et al. 2015).

        Both sides are softened by the temperature. The loss is multiplied by its square, so that
        the gradient stays as large as that of the labels.
        """
        import torch

        target_BC = torch.softmax(taught.clamp_min(1e-9).log() / temperature, dim=1)
        log_probs_BC = torch.log_softmax(outputs["logits"].float() / temperature, dim=1)
        return -(target_BC * log_probs_BC).sum(1) * temperature**2

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Read each window once; average the logits of a long document's windows."""
        return onepass.answers(self, model, documents, windows)

    def combine(self, outputs: Outputs, spans: Sequence[onepass.Span]) -> np.ndarray:
        """Average the logits of a document's windows, weighted by their numbers of tokens."""
        return onepass.averaged(outputs, spans)

    def decode(
        self, documents: Sequence[Any], outputs: Outputs, offsets: Any = None
    ) -> list[Label]:
        """Return each document's label, with the calibrated probabilities of all labels."""
        probs_NC = self.probabilities(outputs)
        labels = self.labels
        return [
            Label(labels[best], row[best], dict(zip(labels, row, strict=True)))
            for best, row in zip(probs_NC.argmax(axis=1).tolist(), probs_NC.tolist(), strict=True)
        ]

    def probabilities(self, outputs: Outputs) -> np.ndarray:
        """Return probs_NC, softmax((logits + shift) / temperature) in float64."""
        return self._softmax(outputs, self.temperature)

    def _softmax(self, outputs: Outputs, temperature: float) -> np.ndarray:
        import numpy as np

        scaled_NC = np.array(outputs, dtype=np.float64).reshape(-1, len(self.labels))
        scaled_NC = (scaled_NC + self.shift) / temperature
        exp_NC = np.exp(scaled_NC - scaled_NC.max(axis=1, keepdims=True))
        return np.asarray(exp_NC / exp_NC.sum(axis=1, keepdims=True))

    def fit_temperature(
        self, golds: Sequence[Label], outputs: Outputs, offsets: Any = None, weights: Any = None
    ) -> float:
        """Return the temperature, from 0.25 to 4, with the lowest negative log-likelihood.

        Temperature scaling: Guo et al. 2017. `weights` has one number a document, or is None.
        """
        import numpy as np

        indices = [self.label_index(gold) for gold in golds]

        def loss(temperature: float) -> float:
            probs_NC = self._softmax(outputs, temperature)
            log_probs_N = np.log(probs_NC[np.arange(len(indices)), indices] + 1e-12)
            return float(-np.average(log_probs_N, weights=weights))

        return round(float(min(np.geomspace(0.25, 4.0, 81), key=loss)), 4)

    def at_temperature(self, temperature: float) -> Self:
        """Return a copy of the task with another temperature."""
        task = copy(self)
        task.temperature = temperature
        return task

    def shifted(self, shift: Sequence[float]) -> Self:
        """Return a copy of the task with another shift."""
        task = copy(self)
        task.shift = list(shift)
        return task

    def describe(self) -> dict[str, Any]:
        """Return the values of bundle.json from which the task is rebuilt without its data."""
        described: dict[str, Any] = {"labels": list(self.labels), "config": asdict(self.config)}
        if any(self.shift):
            described["shift"] = self.shift
        if self.temperature != 1.0:
            described["temperature"] = self.temperature
        return described
