"""Turn each text into a vector: hashed n-grams, an embedding, or the terms of a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from nlpkit.errors import UsageError
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, no_models
from nlpkit.vectorizing import options as vector_options, vocabulary
from nlpkit.vectorizing.vectorizer import fitted, readable, stateless

TAKES = "text"
GIVES = "vector"
IDEMPOTENT = False
OUTSIDE = ("with_", "model")
EXAMPLES = (("--method hash --features 8 --norm none", "Bom dia", {"2": -1.0, "5": -1.0}),)


@dataclass(frozen=True, kw_only=True)
class Options:
    """A method without fitting, or a model that `nlpkit vectorize --fit` wrote."""

    method: Literal["hash", "embed"] | None = setting(None, "kind of vectors, without --with")
    with_: str = setting("", "MODEL.json that vectorize --fit wrote", flag="with")
    analyzer: Literal["word", "char", "char_wb"] = setting("word", "unit of the n-grams")
    ngrams: str = setting("1", "lengths of n-grams: 1-2 is words and pairs, 2 is pairs only")
    lowercase: bool = setting(True, "lowercase the text first")
    pretokenized: bool = setting(False, "split at spaces only, as after tokenize")
    binary: bool = setting(False, "count each term at most once in a text")
    norm: Literal["l2", "l1", "none"] = setting("l2", "scale each vector to this norm")
    features: int = setting(2**18, "number of columns, for hash", low=1, high=2**31 - 1)
    model: str = setting("", "bundle to embed with")
    device: str = setting("auto", "device of the bundle")


def build(options: Options, load: Load = no_models) -> Step:
    """Return a step whose results are {term or column: weight}, or lists of floats (embed).

    Raises:
        UsageError: the options contradict each other.
        ModelError, DeviceError: a model cannot be loaded.
        MissingExtra: scikit-learn is not installed.
    """
    chosen = {field.name: getattr(options, field.name) for field in fields(options)}
    given = {field.name for field in fields(options) if chosen[field.name] != field.default}
    path = chosen.pop("with_")
    if path and len(given) > 1:
        extra = ", ".join(sorted(vector_options.flag(name) for name in given - {"with_"}))
        raise UsageError(f"{path} already sets {extra}; leave {extra} out")
    if not path:
        if options.method is None:
            raise UsageError("vectorize needs --method hash or embed, or --with MODEL.json")
        vector_options.check_given(options.method, given)
    vectorizer = (
        fitted(vocabulary.load(path)) if path else stateless(vector_options.Options(**chosen), load)
    )

    def vectors(texts: Sequence[str]) -> list[Any]:
        if not texts:
            return []
        return readable(vectorizer.transform(texts), vectorizer.space)

    return vectors
