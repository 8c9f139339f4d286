"""The vocabulary of count and tfidf: learned from a stream of texts, stored as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit import records
from nlpkit.errors import InputError, ModelError, NlpkitError, UsageError
from nlpkit.settings import declaration
from nlpkit.text.unicode import visible
from nlpkit.vectorizing.options import LEARNED, NO_LIMITS, USED_BY, Limits, Options, analyzer
from nlpkit.version import __version__
from nlpkit.wording import plural

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
_FIX = "fit it again with nlpkit vectorize --fit"


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Terms in column order, with their idf (tfidf only) and the sorted labels of --label.

    `labels` is empty without --label, and where all labels are numbers. `documents` is the number
    of documents that the terms were learned from.
    """

    options: Options
    terms: Sequence[str]
    idf: Sequence[float] | None = None
    documents: int
    limits: Limits = NO_LIMITS
    labels: Sequence[str] = ()


def learn(texts: Iterable[str], options: Options, limits: Limits) -> Vocabulary:
    """Learn the same vocabulary as scikit-learn's `fit`, in memory of terms and counts only.

    Raises:
        InputError: the documents have no terms.
        UsageError: no term is within the limits.
        MissingExtra: scikit-learn is not installed.
    """
    analyze = analyzer(options)
    in_documents: Counter[str] = Counter()
    in_all: Counter[str] = Counter()
    ranked = limits.max_features is not None and not options.binary
    documents = 0
    for text in texts:
        terms = analyze(visible(text))
        in_documents.update(set(terms))
        if ranked:
            in_all.update(terms)
        documents += 1
    if not in_documents:
        problem = (
            "there are no documents"
            if not documents
            else f"no words in {plural(documents, 'document')}"
        )
        raise InputError(
            f"{problem}: nothing to learn from; check --column, or try --analyzer char for short "
            "texts"
        )
    vocabulary, df = _limited(
        in_documents, in_all if ranked else in_documents, documents, options, limits
    )
    idf = _idf(df, documents) if options.method == "tfidf" else None
    return Vocabulary(
        options=options, limits=limits, terms=vocabulary, idf=idf, documents=documents
    )


def _limited(
    in_documents: Counter[str], in_all: Counter[str], n: int, options: Options, limits: Limits
) -> tuple[list[str], np.ndarray]:
    """Return the sorted terms within the limits and their numbers of documents (int64)."""
    import numpy as np

    terms = sorted(in_documents)
    df = np.fromiter((in_documents[term] for term in terms), np.int64, len(terms))
    least = limits.min_df if isinstance(limits.min_df, int) else limits.min_df * n
    most = limits.max_df if isinstance(limits.max_df, int) else limits.max_df * n
    indices = np.flatnonzero((df <= most) & (df >= least))
    if not len(indices):
        raise UsageError(
            f"none of {plural(len(terms), 'term')} is in at least {least:g} and at most {most:g} "
            f"of {plural(n, 'document')}; lower --min-df or raise --max-df"
        )
    if limits.max_features is not None and len(indices) > limits.max_features:
        # scikit-learn's argsort is not stable and depends on the dtype: use the same, for its ties.
        dtype = np.float64 if options.method == "tfidf" else np.int64
        tf = np.fromiter((in_all[terms[index]] for index in indices), dtype, len(indices))
        indices = np.sort(indices[(-tf).argsort()[: limits.max_features]])
    return [terms[index] for index in indices], df[indices]


def _idf(df: np.ndarray, documents: int) -> list[float]:
    """Return scikit-learn's smoothed idf, by the same operations in the same order."""
    import numpy as np

    idf = np.full(len(df), documents + 1, np.float64)
    idf /= df.astype(np.float64) + 1.0
    np.log(idf, out=idf)
    idf += 1.0
    values: list[float] = idf.tolist()
    return values


def save(vocabulary: Vocabulary, path: str) -> None:
    """Write the vocabulary as JSON, whole or not at all; `load` restores its numbers exactly."""
    options = dataclasses.asdict(vocabulary.options)
    method = options.pop("method")
    used = {name: value for name, value in options.items() if method in USED_BY[name]}
    tree = {
        "format": FORMAT,
        "nlpkit": __version__,
        "method": method,
        "options": used,
        "limits": dataclasses.asdict(vocabulary.limits),
        "documents": vocabulary.documents,
        "labels": list(vocabulary.labels),
        "vocabulary": list(vocabulary.terms),
        "idf": vocabulary.idf,
    }
    with records.write_output(path) as stream:
        lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in tree.items())
        stream.write("{\n" + ",\n".join(lines) + "\n}\n")


def load(path: str | os.PathLike[str]) -> Vocabulary:
    """Read and check a file that `save` wrote.

    Raises:
        ModelError: the file cannot be read or is damaged; the message says why.
    """
    tree = _tree(path)
    if tree.get("format") != FORMAT:
        raise ModelError(
            f"{path}: format {tree.get('format')!r}, this nlpkit reads {FORMAT}; "
            f"{_FIX}, or use the nlpkit that wrote it"
        )
    try:
        return _checked(tree)
    except (NlpkitError, ValueError, OverflowError) as problem:
        raise ModelError(f"{path} is damaged: {problem}; {_FIX}") from None


def _tree(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        tree = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise ModelError(f"{path}: {err.strerror or err}; {_FIX} {path}") from None
    except (ValueError, RecursionError) as err:  # also: not UTF-8, a NUL in the name
        why = str(err) or "nested too deeply"
        raise ModelError(f"{path} is not a model of vectorize: {why}; {_FIX}") from None
    if not isinstance(tree, dict):
        raise ModelError(f"{path} is not a model of vectorize: not a JSON object; {_FIX}")
    return tree


def _checked(tree: dict[str, Any]) -> Vocabulary:
    options = _options(tree.get("method"), tree.get("options"))
    terms = _texts(tree, "vocabulary")
    if not terms:
        raise ValueError("'vocabulary' is empty")
    documents = tree.get("documents")
    if type(documents) is not int or documents < 1:
        raise ValueError(f"'documents' is {documents!r}, not a number from 1 up")
    return Vocabulary(
        options=options,
        terms=terms,
        idf=_checked_idf(tree.get("idf"), len(terms)) if options.method == "tfidf" else None,
        documents=documents,
        labels=_texts(tree, "labels"),
    )


def _options(method: Any, table: Any) -> Options:
    if method not in LEARNED:
        raise ValueError(f"'method' is {method!r}, not one of {', '.join(LEARNED)}")
    if not isinstance(table, dict):
        raise ValueError("'options' is not an object")
    problems: list[str] = []
    options: Options = declaration.build(Options, {"method": method} | table, "options", problems)
    if problems:
        raise ValueError("; ".join(problems))
    return options


def _texts(tree: dict[str, Any], key: str) -> list[str]:
    values = tree.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key!r} is not a list of texts")
    if len(set(values)) != len(values):
        raise ValueError(f"{key!r} names a text twice")
    return values


def _checked_idf(values: Any, width: int) -> list[float]:
    if not isinstance(values, list) or len(values) != width:
        raise ValueError(f"'idf' is not a list of {width:,} numbers, one for each term")
    for value in values:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"'idf' holds {value!r}, which is not a finite number")
    return values
