"""From texts to rows: what the command and the step share. scikit-learn does the work.

Shapes: N documents, D columns.
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
    """What `embed` asks of a model."""

    def embed(self, documents: Sequence[Any]) -> Any: ...


class LoadEmbedder(Protocol):
    """What opens a model by its name, as `nlpkit.load` does."""

    def __call__(self, name: str, *, device: str) -> Embedder: ...


@dataclass(frozen=True)
class Vectorizer:
    """`transform` makes rows [N, D] of N >= 1 texts; each follows from its own text alone."""

    space: Space
    transform: Callable[[Sequence[str]], Rows]


def stateless(options: Options, load: LoadEmbedder) -> Vectorizer:
    """Return the vectorizer of a method that learns nothing: hash or embed, which asks `load`.

    Raises:
        UsageError: embed has no model.
        MissingExtra: scikit-learn is not installed.
        ModelError, DeviceError: the bundle cannot be loaded.
    """
    made = _embedding(options, load) if options.method == "embed" else _hashing(options)
    return Vectorizer(
        made.space, lambda texts: made.transform([whole(visible(text)) for text in texts])
    )


def fitted(vocabulary: Vocabulary) -> Vectorizer:
    """Return the vectorizer of a vocabulary: sklearn's, as if its own fit had learned it.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    import numpy as np

    options, terms = vocabulary.options, vocabulary.terms
    places = {term: place for place, term in enumerate(terms)}
    settings = for_sklearn(options) | {"vocabulary": places}
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
        raise UsageError("embed reads a bundle: name one with --model; nlpkit models lists them")
    model = load(options.model, device=options.device)

    def embed(texts: Sequence[str]) -> np.ndarray:
        rows = np.asarray(model.embed(texts), np.float32)
        if not np.isfinite(rows).all():
            raise ModelError(f"{options.model}: an embedding is not finite; export the model again")
        return rows

    return Vectorizer(Space(width=embed([""]).shape[1], dtype="float32", dense=True), embed)


def readable(rows: Rows, space: Space) -> list[dict[str, float] | list[float]]:
    """Return rows [N, D] as plain values: {term or column: weight}, or lists of D floats."""
    if space.dense:
        # By way of str: the shortest digits that bring a float32 back, half as many as float64's.
        return [[float(str(value)) for value in row] for row in rows]
    names, columns, values = space.names, rows.indices.tolist(), rows.data.tolist()
    keys = [str(at) if names is None else names[at] for at in columns]
    spans = pairwise(rows.indptr.tolist())
    return [dict(zip(keys[i:j], values[i:j], strict=True)) for i, j in spans]


def heaviest(weights: Any, count: int) -> Any:
    """Return the places of the `count` largest positive weights [D], the first of equals first."""
    import numpy as np

    order = np.argsort(-weights, kind="stable")[:count]
    return order[weights[order] > 0]
