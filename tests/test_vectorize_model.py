"""The file that vectorize --fit writes: it is complete, and damage is reported."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from vectorize_helpers import DOCUMENTS, Run, docs as docs, model as model, run as run

import nlpkit
from nlpkit.errors import ModelError
from nlpkit.vectorizing.options import Limits, Options
from nlpkit.vectorizing.vectorizer import fitted
from nlpkit.vectorizing.vocabulary import learn, load, save


def test_model_file_is_complete_json(model: Path, run: Run, docs: Path) -> None:
    tree = json.loads(model.read_text(encoding="utf-8"))
    reference = TfidfVectorizer().fit(DOCUMENTS)
    assert tree["format"] == 1 and tree["nlpkit"] == nlpkit.__version__
    assert tree["method"] == "tfidf" and tree["documents"] == len(DOCUMENTS)
    assert tree["vocabulary"] == list(reference.get_feature_names_out())
    assert tree["idf"] == reference.idf_.tolist()
    assert tree["options"]["ngrams"] == "1" and tree["limits"]["min_df"] == 1
    before = model.read_bytes()
    run("--fit", model, docs)
    assert model.read_bytes() == before


def test_unusual_terms_round_trip(tmp_path: Path) -> None:
    odd = ['a"b', "a\\b", "\ud800", "ação", "😀", "\x00", "\\ud83d"]
    options = Options(method="tfidf", pretokenized=True)
    save(learn(odd, options, Limits()), str(tmp_path / "m.json"))
    vocabulary = load(tmp_path / "m.json")
    assert sorted(vocabulary.terms) == sorted(set(" ".join(odd).split()))
    assert (fitted(vocabulary).transform(odd).toarray().sum(axis=1) > 0).all()


def damaged(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda tree: tree | changes


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda tree: [], "not a JSON object"),
        (damaged(format=2), "format 2, this nlpkit reads 1"),
        (damaged(method="hash"), "'method' is 'hash'"),
        (damaged(method=["tfidf"]), "'method' is ['tfidf']"),
        (damaged(options=3), "'options' is not an object"),
        (damaged(options={"ngrams": "2-1"}), "--ngrams 2-1"),
        (damaged(options={"lowercase": "no"}), "must be bool"),
        (damaged(options={"lowercas": True}), "Did you mean 'lowercase'?"),
        (damaged(vocabulary=[]), "'vocabulary' is empty"),
        (damaged(vocabulary={"a": 0}), "'vocabulary' is not a list of texts"),
        (damaged(vocabulary=["a", 1]), "'vocabulary' is not a list of texts"),
        (damaged(vocabulary=["a", "a"]), "'vocabulary' names a text twice"),
        (damaged(idf=[1.0]), "one for each term"),
        (damaged(idf=None), "one for each term"),
        (damaged(vocabulary=["a"], idf=[math.nan]), "nan, which is not a finite number"),
        (damaged(vocabulary=["a"], idf=["1"]), "'1', which is not a finite number"),
        (damaged(vocabulary=["a"], idf=[10**400]), "is damaged"),
        (damaged(documents=0), "'documents' is 0"),
        (damaged(labels=None), "'labels' is not a list of texts"),
    ],
)
def test_damaged_model_is_explained(damage: Any, said: str, model: Path) -> None:
    tree = json.loads(model.read_text(encoding="utf-8"))
    model.write_text(json.dumps(damage(tree)), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load(model)
    assert str(model) in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PK\x03\x04", b"[" * 100_000, b'{"a": '])
def test_file_that_is_no_model_is_refused(
    content: bytes, run: Run, docs: Path, tmp_path: Path
) -> None:
    (tmp_path / "m.json").write_bytes(content)
    assert "m.json is not a model of vectorize" in run("--with", "m.json", docs, code=4).stderr


def test_missing_model_or_model_of_another_method_is_refused(
    model: Path, run: Run, docs: Path, tmp_path: Path
) -> None:
    assert "No such file" in run("--with", "none.json", docs, code=4).stderr
    assert "Is a directory" in run("--with", tmp_path, docs, code=4).stderr
    done = run("--with", model, "--method", "count", docs, code=4)
    assert "was fitted for tfidf, not count" in done.stderr
