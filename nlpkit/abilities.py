"""Abilities that only some tasks have, each a protocol that is checked by `isinstance`.

    Calibrated    scores are probabilities that a temperature calibrates
    Partial       files may lack labels that others have
    Inventoried   files may annotate only some types, and are not scored on the others
    Balanced      labels can be weighted, counted separately and shifted
    Distillable   the task can learn from the probabilities of other models
    Labelled      every gold answer is a label: a text, an integer or a boolean
    Equipped      answers need files of the task's own, such as a lexicon
    Taught        training documents are chosen and changed by their golds
    Writes        the models write texts
    Learned       answers need numbers that the head learns, outside of the graphs

`nlpkit.runtime.onepass.OnePass` and `nlpkit.runtime.model.Framed` are more of them.

Legend: N documents, C labels, B batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.runtime.onepass import Outputs
    from nlpkit.text import Tokenizer


@runtime_checkable
class Calibrated(Protocol):
    """A task whose scores are softmax(logits / temperature)."""

    temperature: float

    def fit_temperature(
        self,
        golds: Sequence[Any],
        outputs: Outputs,
        offsets: Sequence[np.ndarray] | None,
        weights: Any,
    ) -> float:
        """Return the calibrating temperature.

        `offsets` are those of each document's tokens if the task has OFFSETS; `weights` has one
        number a document, or is None.
        """

    def at_temperature(self, temperature: float) -> Any:
        """Return a copy of the task with another temperature."""


@runtime_checkable
class Partial(Protocol):
    """A task whose files may lack labels that others have."""

    def priors(self, golds: Sequence[Any], missing: float | None) -> Mapping[int, float]:
        """Return the weight of each label's index that is absent from a file's golds.

        `missing` is the weight that the recipe gives it, or None.
        """

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return the arrays that `loss` needs of the rows' priors, each with B rows."""


@runtime_checkable
class Inventoried(Protocol):
    """A task whose files may annotate only some of its types; others are not scored in them."""

    @staticmethod
    def check(fields: Mapping[str, Any]) -> object:
        """Raise InputError if a row's annotation is wrong."""

    def in_file(self, golds: Sequence[Any]) -> list[Any]:
        """Return the golds of one file as ones that know which types the file has."""

    def foreign(self, fields: Mapping[str, Any]) -> Sequence[str]:
        """Return the type of each annotation of a row that the task does not know."""


@runtime_checkable
class Balanced(Partial, Protocol):
    """A task with labels, some of which may be rare, or absent from a file."""

    labels: Sequence[str]
    shift: list[float]  # added to the labels' logits

    def shifted(self, shift: Sequence[float]) -> Any:
        """Return a copy of the task with another shift."""

    def group(self, gold: Any) -> Any:
        """Return the key by which `max_per_label` counts golds."""

    def class_weights(self, golds: Sequence[Any], scheme: str) -> list[float]:
        """Return the weight of each label in the loss."""

    def label_index(self, gold: Any) -> int:
        """Return the index of a gold's label."""


@runtime_checkable
class Distillable(Protocol):
    """A task that can learn from teachers' probabilities of its labels, probs_NC."""

    labels: Sequence[str]

    def probabilities(self, outputs: Outputs) -> np.ndarray:
        """Return the calibrated probabilities, probs_NC."""

    def distillation(self, outputs: Any, taught: Any, temperature: float) -> Any:
        """Return loss_B (torch), the distance from the teachers' probabilities, `taught` [B, C]."""


@runtime_checkable
class Labelled(Protocol):
    """A task whose gold answers are labels: texts, integers or booleans."""

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a label as text; raises InputError if it is of the wrong kind."""


@runtime_checkable
class Equipped(Protocol):
    """A task that may need files of its own to answer, which lie beside the network's weights."""

    needs: Mapping[str, str]  # file in a run or a bundle -> its path in the recipe
    files: Mapping[str, bytes]  # what it was equipped with

    def equip(self, files: Mapping[str, bytes]) -> None:
        """Take over the contents of the files that it needs. Raises ValueError if damaged."""


@runtime_checkable
class Taught(Protocol):
    """A task that chooses and changes its training documents by their golds."""

    def taught(self, documents: Sequence[Any], golds: Sequence[Any]) -> Sequence[Any]:
        """Return the documents as the network reads them in training."""

    def fits(
        self, ids: Sequence[Any], golds: Sequence[Any], tokenizer: Tokenizer, window: int
    ) -> list[bool]:
        """Return whether each document, given by its ids, is to be learned."""


@runtime_checkable
class Writes(Protocol):
    """A task whose models write texts."""

    def write(
        self,
        model: Model,
        documents: Sequence[str],
        numbers: Sequence[int],
        manner: Any,
        listener: Any = None,
    ) -> list[Any]:
        """Return a text for each document; see `nlpkit.tasks.generate`."""


@runtime_checkable
class Learned(Protocol):
    """A task that decodes with numbers which its head learns, outside of the graphs."""

    def learn(self, head: Any) -> None:
        """Take over the numbers of a head."""
