"""A model that is ready to answer: tokenizer, graphs and task, wherever the graphs run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from nlpkit.errors import ModelError
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.graphs import EMBEDDING, MAIN, Run
from nlpkit.text.documents import documents_of

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
    `reopen` loads the model anew, where that is possible; a changed copy (`replace`) has none.
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
    reopen: Callable[[], Model] | None = field(default=None, init=False, compare=False, repr=False)

    def encode(self, documents: Sequence[Any]) -> Windows:
        """Return the documents' windows: what of the work needs no network."""
        prepared = documents if self.steps is None else self.steps.texts(documents)
        encoded = self.tokenizer.encode(prepared, offsets=self.task.OFFSETS)
        windows = self.windows.cut(encoded)
        self.tally.truncated += windows.truncated
        return windows

    def reopened_by(self, reopen: Callable[[], Model]) -> Self:
        """Set what loads this very model anew, and return the model."""
        object.__setattr__(self, "reopen", reopen)
        return self

    def __reduce__(self) -> tuple[Callable[[], Model], tuple[()]]:
        """Pickle as what loads the model: sessions live in one process."""
        if self.reopen is None:
            raise TypeError(
                f"the model {self.name} cannot be pickled: only one that nlpkit.load returned can; "
                "load it in each process"
            )
        return self.reopen, ()

    def predict(self, documents: Iterable[Any]) -> Any:
        """Return a list of one answer for each document, in order; for one string, its answer.

        `documents` is any iterable: a list, a generator, a column of pandas, numpy or polars. A
        document is a text or a list of words; None and NaN are empty. An empty one's answer is
        None.

        Raises:
            TypeError: a document is something else; the message has its position.
        """
        if isinstance(documents, str):
            return self.predict([documents])[0]
        read = documents_of(documents)
        return self.answer(read, self.encode(read))

    def answer(self, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the answers for documents that `encode` has made windows of."""
        said: list[Any] = self.task.answer(self, documents, windows)
        return said

    def embed(self, documents: Iterable[Any]) -> np.ndarray:
        """Return embeddings_ND (float32): pooled states; zeros for a document without tokens.

        Windows of a long document are averaged, each weighed by its tokens. Documents are given as
        to `predict`; for one string, its embedding_D.

        Raises:
            TypeError: as `predict`.
            ModelError: the model pools nothing, or was exported before embeddings were kept.
        """
        import numpy as np

        if isinstance(documents, str):
            return self.embed([documents])[0]
        read = documents_of(documents)
        main = self.run.signatures.get(MAIN)
        if main is None or EMBEDDING not in main.outputs:
            raise ModelError(f"{self.name} gives no embeddings; export its run again")
        made = onepass.embeddings(self, read)
        width = next((len(row) for row in made if row is not None), 0)
        if not width:  # no document has tokens: ask for one, to know the width
            ids = self.tokenizer.random(np.random.default_rng(0), 1, 1)
            feeds = {"ids": ids, "mask": np.ones((1, 1), bool)}
            width = self.run(MAIN, feeds, (EMBEDDING,))[EMBEDDING].shape[1]
        zero = np.zeros(width, dtype=np.float32)
        rows = [zero if row is None else row for row in made]
        return np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)
