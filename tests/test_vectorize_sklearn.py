"""Vectors from a stream equal those of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

from nlpkit import zoo
from nlpkit.errors import NlpkitError
from nlpkit.text.unicode import visible
from nlpkit.vectorizing.options import Limits, Options
from nlpkit.vectorizing.vectorizer import fitted, stateless
from nlpkit.vectorizing.vocabulary import learn, load, save

WORDS = st.sampled_from(["bom", "Bom", "ruim", "filme", "É", "não", "a", "ﬁm", "İ", "𝐀b", "x-y"])
TEXTS = st.lists(
    st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=12), min_size=1, max_size=9
)
THRESHOLDS = st.integers(1, 3) | st.floats(0, 1)


@st.composite
def choices(draw: st.DrawFn) -> tuple[Options, Limits]:
    analyzer = draw(st.sampled_from(["word", "char", "char_wb"]))
    low = draw(st.integers(1, 3))
    options = Options(
        method=draw(st.sampled_from(["count", "tfidf"])),
        analyzer=analyzer,
        ngrams=f"{low}-{low + draw(st.integers(0, 2))}",
        lowercase=draw(st.booleans()),
        pretokenized=analyzer == "word" and draw(st.booleans()),
        binary=draw(st.booleans()),
        sublinear_tf=draw(st.booleans()),
        norm=draw(st.sampled_from(["l1", "l2", "none"])),
    )
    return options, Limits(
        min_df=draw(st.just(1) | THRESHOLDS),
        max_df=draw(st.just(1.0) | THRESHOLDS),
        max_features=draw(st.none() | st.integers(1, 8)),
    )


def direct(options: Options, limits: Limits) -> Any:
    """Return scikit-learn's vectorizer for the same options; it must read `visible` texts."""
    low, high = options.ngrams.split("-")
    told: dict[str, Any] = {
        "analyzer": options.analyzer,
        "ngram_range": (int(low), int(high)),
        "lowercase": options.lowercase,
        "binary": options.binary,
        "min_df": limits.min_df,
        "max_df": limits.max_df,
        "max_features": limits.max_features,
    }
    if options.pretokenized:
        told |= {"tokenizer": str.split, "token_pattern": None}
    if options.method == "count":
        return CountVectorizer(**told)
    norm = None if options.norm == "none" else options.norm
    return TfidfVectorizer(**told, norm=norm, sublinear_tf=options.sublinear_tf)


@settings(max_examples=120)
@given(texts=TEXTS, others=TEXTS, chosen=choices())
def test_vectors_equal_sklearn_exactly(
    texts: list[str],
    others: list[str],
    chosen: tuple[Options, Limits],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """After fitting on a stream, saving, loading and transforming two texts at a time."""
    options, limits = chosen
    reference = direct(options, limits)
    try:
        expected = reference.fit_transform(map(visible, texts))
    except ValueError:
        with pytest.raises(NlpkitError):
            learn(iter(texts), options, limits)
        return
    path = tmp_path_factory.getbasetemp() / "drawn.json"
    save(learn(iter(texts), options, limits), str(path))
    vectorizer = fitted(load(path))
    assert list(vectorizer.space.names or ()) == list(reference.get_feature_names_out())
    for asked in (texts, others):
        pairs = [asked[at : at + 2] for at in range(0, len(asked), 2)]
        made = sparse.vstack([vectorizer.transform(pair) for pair in pairs], "csr")
        rows = reference.transform(map(visible, asked))
        assert made.dtype == rows.dtype == vectorizer.space.dtype
        assert np.array_equal(made.toarray(), rows.toarray())
    # fit_transform sums the norm of a row in another order than transform.
    made = vectorizer.transform(texts).toarray()
    assert np.allclose(made, expected.toarray(), rtol=1e-14, atol=0)


def test_ties_are_broken_as_in_sklearn() -> None:
    """argsort uses other algorithms for long arrays and for floats."""
    texts = [" ".join(f"w{number * 7919 % 5003}" for number in range(at, 5003)) for at in (0, 9)]
    for method in ("count", "tfidf"):
        options, limits = Options(method=method, ngrams="1-1"), Limits(max_features=1500)  # type: ignore[arg-type]
        reference = direct(options, limits).fit(texts)
        assert learn(texts, options, limits).terms == list(reference.get_feature_names_out())


@settings(max_examples=60)
@given(
    texts=TEXTS, ngrams=st.sampled_from(["1", "1-2"]), norm=st.sampled_from(["l1", "l2", "none"])
)
def test_hashing_equals_sklearn(texts: list[str], ngrams: str, norm: Any) -> None:
    made = stateless(Options(method="hash", ngrams=ngrams, norm=norm, features=64), zoo.load)
    reference = HashingVectorizer(
        n_features=64,
        norm=None if norm == "none" else norm,
        ngram_range=(1, int(ngrams[-1])),
    )
    rows = reference.transform(map(visible, texts))
    assert np.array_equal(made.transform(texts).toarray(), rows.toarray())
