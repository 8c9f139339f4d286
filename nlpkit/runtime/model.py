"""A loaded model: a tokenizer, a task, and graphs that run in ONNX Runtime or torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from nlpkit.errors import ModelError
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.graphs import EMBEDDING, MAIN, Run
from nlpkit.text import encode
from nlpkit.text.documents import documents_of

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.answers import Answer
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Slide, Windows


class Steps(Protocol):
    """The protocol of preprocessing steps; `nlpkit.chain.Pipeline` implements it."""

    def texts(self, texts: Sequence[Any]) -> list[str]: ...


class Asked(Protocol):
    """The members of a task that prediction uses; `nlpkit.tasks.Task` has more, for training."""

    answers: type[Answer]
    columns: Any  # `columns.text` is the field to read: "text", or a field of lists of words
    OFFSETS: bool  # whether answers are positions in the text

    def answer(self, model: Any, documents: Sequence[Any], windows: Windows) -> list[Any]: ...


@runtime_checkable
class Framed(Protocol):
    """A task that changes how its documents are read."""

    def seen(self, documents: Sequence[Any]) -> Sequence[Any]:
        """Return the documents as the network reads them."""

    def framing(self, tokenizer: Tokenizer) -> tuple[int, int] | None:
        """Return the ids of bos and eos, which are put around a document; None for neither."""


def framing_of(task: Any, tokenizer: Tokenizer) -> tuple[int, int] | None:
    """Return the ids that a task puts around a document, or None."""
    return task.framing(tokenizer) if isinstance(task, Framed) else None


class Answerer(Protocol):
    """The members of a model that a stream of documents needs; a model without a network has them.

    `encode` returns what `answer` needs of the documents, such as their windows.
    """

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    @property
    def budget(self) -> int: ...

    @property
    def task(self) -> Any: ...

    @property
    def tally(self) -> Tally: ...

    def encode(self, documents: Sequence[Any]) -> Any: ...

    def answer(self, documents: Sequence[Any], windows: Any) -> list[Any]: ...


class Tally:
    """The number of documents that were truncated because the model reads `size` tokens only.

    `unread` names the part of them that was not read.
    """

    truncated = size = 0
    unread = "rest"


@dataclass(frozen=True)
class Model:
    """A model that answers documents, which are texts or lists of words.

    `steps` prepare texts as in training. `windows` cuts documents into the windows that a graph
    reads. `run` calls the network. `file_bytes` is the size of the loaded files. `budget` is the
    most tokens in a batch, padding included. `reopen` loads the model again, for pickling; it is
    None for a model that cannot be loaded again, such as a copy with changes.
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
        """Prepare and tokenize documents, and cut them into windows. Calls no network."""
        prepared = self.prepared(documents)
        if isinstance(self.task, Framed):
            prepared = self.task.seen(prepared)
        bounds = framing_of(self.task, self.tokenizer)
        encoded = encode(self.tokenizer, prepared, offsets=self.task.OFFSETS, bounds=bounds)
        windows = self.windows.cut(encoded)
        self.tally.truncated += windows.truncated
        self.tally.size = self.windows.size
        return windows

    def prepared(self, documents: Sequence[Any]) -> Sequence[Any]:
        """Return documents after the model's steps."""
        return documents if self.steps is None else self.steps.texts(documents)

    def reopened_by(self, reopen: Callable[[], Model]) -> Self:
        """Set the function that loads this model again, and return the model."""
        object.__setattr__(self, "reopen", reopen)
        return self

    def __reduce__(self) -> tuple[Callable[[], Model], tuple[()]]:
        """Pickle the function that loads the model, because sessions cannot be pickled.

        Raises:
            TypeError: the model has no such function.
        """
        if self.reopen is None:
            raise TypeError(
                f"the model {self.name} cannot be pickled, only models that nlpkit.load returned; "
                "load it in each process"
            )
        return self.reopen, ()

    def predict(self, documents: Iterable[Any]) -> Any:
        """Return a list with the answer for each document, in order; for one string, its answer.

        `documents` is any iterable: a list, a generator, a column of pandas, numpy or polars. A
        document is a text or a list of words; None and NaN are empty texts. The answer for an empty
        document is None.

        Raises:
            TypeError: a document is something else; the message has its position.
        """
        if isinstance(documents, str):
            return self.predict([documents])[0]
        items = documents_of(documents)
        return self.answer(items, self.encode(items))

    def answer(self, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the answers for documents, whose `windows` are those that `encode` returned."""
        answers: list[Any] = self.task.answer(self, documents, windows)
        return answers

    def embed(self, documents: Iterable[Any]) -> np.ndarray:
        """Return embeddings_ND (float32): the pooled states of N documents of width D.

        The embedding of a long document is the mean of its windows', weighted by their numbers of
        tokens; that of a document without tokens is zeros. `documents` are as for `predict`; for
        one string, return its embedding_D.

        Raises:
            TypeError: as `predict`.
            ModelError: the model has no pooled states, or an old bundle does not export them.
        """
        import numpy as np

        if isinstance(documents, str):
            return self.embed([documents])[0]
        items = documents_of(documents)
        main = self.run.signatures.get(MAIN)
        if main is None or EMBEDDING not in main.outputs:
            raise ModelError(f"{self.name} has no embeddings; export its run again")
        embeddings = onepass.embeddings(self, items)
        width = next((len(row) for row in embeddings if row is not None), 0)
        if not width:  # no document has tokens: run a random token to learn the width
            ids = self.tokenizer.random(np.random.default_rng(0), 1, 1)
            feeds = {"ids": ids, "mask": np.ones((1, 1), bool)}
            width = self.run(MAIN, feeds, (EMBEDDING,))[EMBEDDING].shape[1]
        zero = np.zeros(width, dtype=np.float32)
        rows = [zero if row is None else row for row in embeddings]
        return np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)
