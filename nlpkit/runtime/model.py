"""A model that is ready to answer: tokenizer, graphs and task, wherever the graphs run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nlpkit.errors import ModelError
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.graphs import EMBEDDING, MAIN, Run
from nlpkit.text import encode

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.answers import Answer
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Slide, Windows


class Steps(Protocol):
    """The steps that prepare texts, as `nlpkit.chain.Pipeline` does."""

    def texts(self, texts: Sequence[Any]) -> list[str]: ...


class Asked(Protocol):
    """What a model asks of its task; `nlpkit.tasks.Task` has more, for training."""

    answers: type[Answer]
    columns: Any  # `text` is the field that it reads: "text", or one that holds lists of words
    OFFSETS: bool  # whether its answers point into the text

    def answer(self, model: Any, documents: Sequence[Any], windows: Windows) -> list[Any]: ...


class Tally:
    """How many documents were cut because they are longer than the model reads."""

    truncated = 0


@dataclass(frozen=True)
class Model:
    """Everything between text and answers.

    Documents are texts, or lists of words. `steps` prepare texts, as they did in training.
    `windows` cuts documents into the pieces that a graph reads. `run` is the only place where a
    network is called.
    `file_bytes` is the size of the files that it was read from; `budget` is how many tokens,
    padding included, a graph is given at once.
    """

    name: str
    task: Any  # an Asked
    tokenizer: Tokenizer
    windows: Slide
    run: Run
    provider: str = "CPU"
    steps: Steps | None = None
    file_bytes: int = 0
    budget: int = TOKEN_BUDGET
    tally: Tally = field(default_factory=Tally, compare=False)

    def encode(self, documents: Sequence[Any]) -> Windows:
        """Return the documents' windows: what of the work needs no network."""
        prepared = documents if self.steps is None else self.steps.texts(documents)
        encoded = encode(self.tokenizer, prepared, offsets=self.task.OFFSETS)
        windows = self.windows.cut(encoded)
        self.tally.truncated += windows.truncated
        return windows

    def predict(self, documents: Sequence[Any]) -> list[Any]:
        """Return one answer for each document, in order; None for an empty one."""
        return self.answer(documents, self.encode(documents))

    def answer(self, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the answers for documents that `encode` has made windows of."""
        said: list[Any] = self.task.answer(self, documents, windows)
        return said

    def embed(self, documents: Sequence[Any]) -> np.ndarray:
        """Return embeddings_ND (float32): pooled states; zeros for a document without tokens.

        Windows of a long document are averaged, each weighed by its tokens.

        Raises:
            ModelError: the model pools nothing, or was exported before embeddings were kept.
        """
        import numpy as np

        main = self.run.signatures.get(MAIN)
        if main is None or EMBEDDING not in main.outputs:
            raise ModelError(f"{self.name} gives no embeddings; export its run again")
        made = onepass.embeddings(self, documents)
        width = next((len(row) for row in made if row is not None), 0)
        if not width:  # no document has tokens: ask for one, to know the width
            ids = self.tokenizer.random(np.random.default_rng(0), 1, 1)
            feeds = {"ids": ids, "mask": np.ones((1, 1), bool)}
            width = self.run(MAIN, feeds, (EMBEDDING,))[EMBEDDING].shape[1]
        zero = np.zeros(width, dtype=np.float32)
        rows = [zero if row is None else row for row in made]
        return np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)
