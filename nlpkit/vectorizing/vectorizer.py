"""Vectorizers from texts to rows, by scikit-learn or a bundle, for the command and the step.

Legend: N documents, D columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from nlpkit.errors import ModelError, UsageError
from nlpkit.text.unicode import visible, whole
from nlpkit.vectorizing import Space
from nlpkit.vectorizing.options import Options, for_sklearn, sklearn_text
from nlpkit.vectorizing.vocabulary import Vocabulary

Rows = Any  # scipy CSR [N, D], or for dense vectors a numpy array [N, D]


class Embedder(Protocol):
    """A model that turns N documents into embeddings [N, D]."""

    def embed(self, documents: Sequence[Any]) -> Any: ...


class LoadEmbedder(Protocol):
    """A function that opens a model by its name, such as `nlpkit.load`."""

    def __call__(self, name: str, *, device: str) -> Embedder: ...


@dataclass(frozen=True)
class Vectorizer:
    """A function `transform` from N >= 1 texts to rows [N, D], and the space of its columns.

    A row depends on its own text only.
    """

    space: Space
    transform: Callable[[Sequence[str]], Rows]


def stateless(options: Options, load: LoadEmbedder) -> Vectorizer:
    """Return the vectorizer of hash, or of embed with a model that `load` opens.

    Raises:
        UsageError: embed lacks options.model.
        MissingExtra: scikit-learn is not installed.
        ModelError, DeviceError: the bundle cannot be loaded.
    """
    vectorizer = _embedding(options, load) if options.method == "embed" else _hashing(options)
    return Vectorizer(
        vectorizer.space,
        lambda texts: vectorizer.transform([whole(visible(text)) for text in texts]),
    )


def fitted(vocabulary: Vocabulary) -> Vectorizer:
    """Return scikit-learn's vectorizer of a vocabulary, as if its own `fit` had learned it.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    import numpy as np

    options, terms = vocabulary.options, vocabulary.terms
    columns = {term: column for column, term in enumerate(terms)}
    settings = for_sklearn(options) | {"vocabulary": columns}
    if vocabulary.idf is None:
        counter = sklearn_text().CountVectorizer(**settings)
        space = Space(width=len(terms), dtype="int64", names=terms)
        return Vectorizer(space, _of_visible(counter.transform))
    weigher = sklearn_text().TfidfVectorizer(
        **settings, norm=_norm(options), sublinear_tf=options.sublinear_tf
    )
    weigher.idf_ = np.asarray(vocabulary.idf, np.float64)
    space = Space(width=len(terms), dtype="float64", names=terms)
    return Vectorizer(space, _of_visible(weigher.transform))


def _of_visible(transform: Callable[[Sequence[str]], Rows]) -> Callable[[Sequence[str]], Rows]:
    return lambda texts: transform([visible(text) for text in texts])


def _hashing(options: Options) -> Vectorizer:
    hasher = sklearn_text().HashingVectorizer(
        **for_sklearn(options), n_features=options.features, norm=_norm(options)
    )
    return Vectorizer(Space(width=options.features, dtype="float64"), hasher.transform)


def _norm(options: Options) -> str | None:
    return None if options.norm == "none" else options.norm


def _embedding(options: Options, load: LoadEmbedder) -> Vectorizer:
    import numpy as np

    if not options.model:
        raise UsageError("embed needs a bundle; name one with --model (nlpkit models lists them)")
    model = load(options.model, device=options.device)

    def embed(texts: Sequence[str]) -> np.ndarray:
        rows = np.asarray(model.embed(texts), np.float32)
        if not np.isfinite(rows).all():
            raise ModelError(f"{options.model}: an embedding is not finite; export the model again")
        return rows

    return Vectorizer(Space(width=embed([""]).shape[1], dtype="float32", dense=True), embed)


def readable(rows: Rows, space: Space) -> list[dict[str, float] | list[float]]:
    """Return rows [N, D] as plain values: {term or column: weight}, if dense lists of D floats."""
    if space.dense:
        # str gives the shortest digits that restore a float32, half as many as those of a float64.
        return [[float(str(value)) for value in row] for row in rows]
    names, columns, values = space.names, rows.indices.tolist(), rows.data.tolist()
    keys = [str(at) if names is None else names[at] for at in columns]
    spans = pairwise(rows.indptr.tolist())
    return [dict(zip(keys[i:j], values[i:j], strict=True)) for i, j in spans]


def heaviest(weights: Any, count: int) -> Any:
    """Return the columns of the `count` largest positive weights [D]; ties go by column."""
    import numpy as np

    order = np.argsort(-weights, kind="stable")[:count]
    return order[weights[order] > 0]
