"""Embedding: one vector of length 1 for each document, near for texts of similar meaning.

A pretrained encoder is a model of this task; training teaches a network the vectors of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from nlpkit.answers.vector import Vector
from nlpkit.errors import InputError
from nlpkit.runtime import onepass
from nlpkit.runtime.graphs import EMBEDDING, MAIN
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Slide

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the head."""

    pooling: Literal["auto", "attention", "dot", "max", "mean"] = setting(
        "auto", "how states become one vector; auto is the architecture's own choice"
    )


class Task:
    """Vectors of D numbers; the loss is their cosine distance from the gold vectors.

    Legend: N documents, B batch, D numbers of a vector.
    """

    answers = Vector
    score = "cosine"
    unit = "documents"
    columns = Columns("text", "embedding")
    windows = Slide
    OFFSETS: ClassVar[bool] = False
    WRITES: ClassVar[bool] = False
    shown = ()

    def __init__(self, config: Config, size: int) -> None:
        """Create the task; `size` is D."""
        self.config, self.size = config, size
        self.graphs = {MAIN: {EMBEDDING: size}}

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the length of the first row's vector.

        Raises:
            InputError: there are no rows, or the first has no vector.
        """
        if not rows:
            raise InputError("the training files hold no rows")
        return cls(config, len(_vector(rows[0]["label"]).numbers))

    def gold(self, fields: Mapping[str, Any]) -> Vector:
        """Return the row's vector.

        Raises:
            InputError: it is not a list of D numbers, or all of them are 0.
        """
        vector = _vector(fields["label"])
        if len(vector.numbers) != self.size:
            raise InputError(f"a vector of {len(vector.numbers)} numbers, expected {self.size}")
        return vector

    def count(self, golds: Sequence[Vector]) -> dict[str, int]:
        """Return the number of vectors."""
        return {"vectors": len(golds)}

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the head, a torch module from states_BTD and mask_BT to vectors."""
        from nlpkit.heads.vector import VectorHead

        pooling = encoder.pooling if self.config.pooling == "auto" else self.config.pooling
        return VectorHead(width=encoder.width, size=self.size, pooling=pooling)

    def targets(
        self, golds: Sequence[Vector], reads: Reads, tokenizer: Tokenizer
    ) -> dict[str, Any]:
        """Return gold_BD."""
        import numpy as np

        return {"gold_BD": np.array([gold.numbers for gold in golds], dtype=np.float32)}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return loss_B, 1 - cosine; `smoothing` is of no use here."""
        import torch

        return 1 - torch.cosine_similarity(outputs[EMBEDDING].float(), targets["gold_BD"], dim=1)

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the unit vector of each document; that of a long one is the mean of its windows'.

        A document without tokens has none.
        """
        rows, vectors = onepass.by_document(model, windows, EMBEDDING, onepass.averaged)
        answers = [Vector(tuple(unit(vector).tolist())) for vector in vectors]
        return onepass.spread(rows, answers, len(documents))

    def describe(self) -> dict[str, Any]:
        """Return the values of bundle.json from which the task is rebuilt without its data."""
        return {"size": self.size, "config": asdict(self.config)}


def unit(vector_D: np.ndarray) -> np.ndarray:
    """Return a vector scaled to length 1."""
    import numpy as np

    return np.asarray(vector_D / max(float(np.linalg.norm(vector_D)), 1e-12))


def _vector(value: Any) -> Vector:
    if not isinstance(value, list) or not all(isinstance(n, int | float) for n in value):
        raise InputError("an embedding must be a list of numbers")
    if not any(value):
        raise InputError("an embedding of zeros has no direction; remove the row")
    return Vector(tuple(float(number) for number in value))
