"""One label for each document, chosen among those of the training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from nlpkit.errors import InputError, near_match
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Prediction, averaged

if TYPE_CHECKING:
    import numpy as np


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

    Legend: N documents, C labels.
    """

    score = "macro_f1"
    command = "predict"
    unit = "documents"
    columns = ("text", "label")

    def __init__(
        self, config: Config, labels: Iterable[str], shift: Sequence[float] | None = None
    ) -> None:
        self.config = config
        self.labels = self.shown = tuple(labels)
        self.shift = list(shift or [0.0] * len(self.labels))  # added to the logits
        if len(self.shift) != len(self.labels):
            raise ValueError(f"{len(self.shift)} shifts for {len(self.labels)} labels")

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Task:
        """Learn the labels. Raises InputError when there are fewer than two."""
        labels = sorted({str(row["label"]) for row in rows})
        if len(labels) < 2:
            raise InputError(
                f"the training files hold only the label {labels[0]!r}; a classifier needs two"
                if labels
                else "the training files hold no rows"
            )
        return cls(config, labels)

    def target(self, row: Mapping[str, Any]) -> int:
        """Return the label's place. Raises InputError for a label that is not known."""
        label = str(row["label"])
        if label not in self.labels:
            raise InputError(
                f"unknown label {label!r}.{near_match(label, self.labels)} "
                f"The labels are: {', '.join(self.labels)}"
            )
        return self.labels.index(label)

    def priors(self, golds: Sequence[int], missing: float) -> dict[int, float]:
        """Return the prior of each label that is not among a file's golds."""
        return dict.fromkeys(set(range(len(self.labels))) - set(golds), missing)

    def count(self, golds: Sequence[int]) -> dict[str, int]:
        """Return how many rows have each label, for model cards."""
        counts = {label: golds.count(place) for place, label in enumerate(self.labels)}
        return {label: count for label, count in counts.items() if count}

    def group(self, gold: int) -> int:
        """Return the label."""
        return gold

    def targets(
        self,
        golds: Sequence[int],
        priors: Sequence[Mapping[int, float]],
        spans: Sequence[tuple[int, int]],
    ) -> dict[str, Any]:
        """Return gold_N and prior_NC, one but for the labels that a row's file never gives.

        A file without neutral rows mostly had them taken out; it must not teach that neutral
        does not exist. In the loss that label's probability counts by its prior: 0 leaves its
        logit alone, 1 pushes it down like any wrong label (a prior shift, Saerens et al. 2002).
        """
        import numpy as np

        prior_NC = np.ones((len(golds), len(self.labels)), dtype=np.float32)
        for row, missing in enumerate(priors):
            for place, prior in missing.items():
                prior_NC[row, place] = prior
        return {"gold_N": np.asarray(golds, dtype=np.int64), "prior_NC": prior_NC}

    def head(self, width: int, pooling: str) -> Any:
        """Return the torch module states_BTD, mask_BT -> logits_BC."""
        from nlpkit.heads.pooled import PooledHead

        chosen = pooling if self.config.pooling == "auto" else self.config.pooling
        return PooledHead(
            width=width,
            outputs=len(self.labels),
            pooling=chosen,
            norm=self.config.norm,
            hidden=self.config.hidden,
            dropout=self.config.dropout,
        )

    def class_weights(self, golds: list[int], scheme: str) -> list[float]:
        """Weigh labels by 1/frequency ("balanced") or its root ("sqrt"), mean weight one."""
        counts = [max(golds.count(place), 1) for place in range(len(self.labels))]
        power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[scheme]
        weights = [(len(golds) / (len(counts) * count)) ** power for count in counts]
        mean = sum(w * n for w, n in zip(weights, counts, strict=True)) / len(golds)
        return [weight / mean for weight in weights]

    def loss(
        self,
        outputs: Any,
        targets: Mapping[str, Any],
        *,
        smoothing: float = 0.0,
        weights: Any = None,
        rows: Any = None,
    ) -> Any:
        """Cross-entropy under the priors, with label smoothing (Szegedy et al. 2016)."""
        import torch

        gold_N, prior_NC = targets["gold_N"], targets["prior_NC"]
        log_probs_NC = torch.log_softmax(outputs.float() + prior_NC.clamp_min(1e-9).log(), dim=1)
        hit_N = log_probs_NC.gather(1, gold_N[:, None]).squeeze(1)
        spread_N = (log_probs_NC * prior_NC).sum(1) / prior_NC.sum(1)
        loss_N = -(1 - smoothing) * hit_N - smoothing * spread_N
        if weights is not None:
            loss_N = loss_N * weights[gold_N]
        if rows is not None:
            loss_N = loss_N * rows
        return loss_N.mean()

    def soften(self, outputs: Sequence[np.ndarray], temperature: float) -> np.ndarray:
        """Return the calibrated probabilities: probs_NC."""
        return self.probabilities(outputs, temperature)

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_N, the cross-entropy with the teachers' probs_NC, both sides softened.

        Times T squared, so that its gradient stays as large as that of the labels (Hinton et al.
        2015).
        """
        import torch

        target_NC = torch.softmax(taught.clamp_min(1e-9).log() / temperature, dim=1)
        log_probs_NC = torch.log_softmax(outputs.float() / temperature, dim=1)
        return -(target_NC * log_probs_NC).sum(1) * temperature**2

    def combine(
        self, outputs: Sequence[np.ndarray], spans: Sequence[tuple[int, int]]
    ) -> np.ndarray:
        """Average the logits of a long document's windows, each weighed by its tokens."""
        return averaged(outputs, spans)

    def decode(
        self,
        documents: Sequence[Any],
        outputs: Sequence[np.ndarray],
        temperature: float = 1.0,
    ) -> list[Prediction]:
        """Turn each document's logits into labels with calibrated probabilities."""
        probs_NC = self.probabilities(outputs, temperature)
        labels = self.labels
        return [
            Prediction(labels[best], row[best], dict(zip(labels, row, strict=True)))
            for best, row in zip(probs_NC.argmax(axis=1).tolist(), probs_NC.tolist(), strict=True)
        ]

    def agreement(self, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
        """Return the share of documents with one label in both."""
        import numpy as np

        first_N, second_N = (self.probabilities(side).argmax(axis=1) for side in (ours, theirs))
        return float(np.mean(first_N == second_N))

    def probabilities(self, logits: Sequence[np.ndarray], temperature: float = 1.0) -> np.ndarray:
        """Softmax of (logits + shift) / temperature, in float64: probs_NC."""
        import numpy as np

        scaled_NC = np.array(logits, dtype=np.float64).reshape(-1, len(self.labels))
        scaled_NC = (scaled_NC + self.shift) / temperature
        scaled_NC -= scaled_NC.max(axis=1, keepdims=True)
        exp_NC = np.exp(scaled_NC)
        return np.asarray(exp_NC / exp_NC.sum(axis=1, keepdims=True))

    def fit_temperature(
        self, golds: list[int], outputs: Sequence[np.ndarray], weights: Any = None
    ) -> float:
        """Return the temperature of least negative log-likelihood (Guo et al. 2017)."""
        import numpy as np

        def loss(temperature: float) -> float:
            probs_NC = self.probabilities(outputs, temperature)
            log_probs_N = np.log(probs_NC[np.arange(len(golds)), golds] + 1e-12)
            return float(-np.average(log_probs_N, weights=weights))

        return round(float(min(np.geomspace(0.25, 4.0, 81), key=loss)), 4)

    def metrics(
        self, golds: list[int], outputs: Sequence[np.ndarray], temperature: float = 1.0
    ) -> dict[str, Any]:
        """Report as `nlpkit.metrics.classification.classification` describes."""
        import numpy as np

        from nlpkit.metrics.classification import classification

        probs_NC = self.probabilities(outputs, temperature)
        return classification(np.asarray(golds), probs_NC, self.labels)

    def describe(self) -> dict[str, Any]:
        """Return what bundle.json keeps to rebuild the task without its data."""
        described = {"labels": list(self.labels), "config": asdict(self.config)}
        return described | ({"shift": self.shift} if any(self.shift) else {})
