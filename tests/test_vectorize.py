"""Vectors: sklearn's own, from a stream; N documents in, N rows out; formats that read back."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import Cli, environment
from hypothesis import given, settings, strategies as st
from scipy import sparse
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from typer.testing import CliRunner

import nlpkit
from nlpkit import catalog, zoo
from nlpkit.cli.app import app
from nlpkit.errors import ModelError, NlpkitError, UsageError
from nlpkit.steps import vectorize as step
from nlpkit.vectorizing.options import Limits, Options
from nlpkit.vectorizing.vectorizer import fitted, heaviest, stateless
from nlpkit.vectorizing.vocabulary import learn, load, save

DOCUMENTS = ["Bom dia, bom filme!", "", "Péssimo filme", "dia ruim", "bom, bom, BOM"]
FORMATS = catalog.names("vector_formats")
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command line in this process, in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def call(*args: object, stdin: str | bytes = "", code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["vectorize", *map(str, args)], input=stdin)
        assert done.exit_code == code, (done.exit_code, done.stderr, done.exception)
        if code:
            assert done.stderr.count("\n") == 1 and done.stderr.startswith("nlpkit: ")
        return done

    return call


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    path = tmp_path / "docs.txt"
    path.write_text("".join(text + "\n" for text in DOCUMENTS), encoding="utf-8")
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save(learn(DOCUMENTS, Options(), Limits()), str(tmp_path / "model.json"))
    return tmp_path / "model.json"


# As scikit-learn does it

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
    """Return scikit-learn's vectorizer for the same options; its tokens are str.split's."""
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


@settings(deadline=None, max_examples=120)
@given(texts=TEXTS, others=TEXTS, chosen=choices())
def test_equal_to_sklearn_to_the_last_bit(
    texts: list[str],
    others: list[str],
    chosen: tuple[Options, Limits],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Learned from a stream, saved, loaded, transformed two at a time."""
    options, limits = chosen
    reference = direct(options, limits)
    try:
        expected = reference.fit_transform(texts)
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
        rows = reference.transform(asked)
        assert made.dtype == rows.dtype == vectorizer.space.dtype
        assert np.array_equal(made.toarray(), rows.toarray())
    # fit_transform adds up a row's norm in another order than transform does.
    made = vectorizer.transform(texts).toarray()
    assert np.allclose(made, expected.toarray(), rtol=1e-14, atol=0)


def test_ties_fall_as_in_sklearn_in_a_large_vocabulary() -> None:
    """argsort takes other paths for long arrays, and for floats."""
    texts = [" ".join(f"w{number * 7919 % 5003}" for number in range(at, 5003)) for at in (0, 9)]
    for method in ("count", "tfidf"):
        options, limits = Options(method=method, ngrams="1-1"), Limits(max_features=1500)  # type: ignore[arg-type]
        reference = direct(options, limits).fit(texts)
        assert learn(texts, options, limits).terms == list(reference.get_feature_names_out())


@settings(deadline=None, max_examples=60)
@given(
    texts=TEXTS, ngrams=st.sampled_from(["1", "1-2"]), norm=st.sampled_from(["l1", "l2", "none"])
)
def test_hash_is_sklearns(texts: list[str], ngrams: str, norm: Any) -> None:
    made = stateless(Options(method="hash", ngrams=ngrams, norm=norm, features=64), zoo.load)
    reference = HashingVectorizer(
        n_features=64,
        norm=None if norm == "none" else norm,
        ngram_range=(1, int(ngrams[-1])),
    )
    assert np.array_equal(made.transform(texts).toarray(), reference.transform(texts).toarray())


# The file that --fit writes


def test_the_model_is_json_that_says_everything(model: Path, run: Run, docs: Path) -> None:
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


def test_odd_terms_survive_the_file(tmp_path: Path) -> None:
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
def test_a_damaged_model_says_what_is_wrong(damage: Any, said: str, model: Path) -> None:
    tree = json.loads(model.read_text(encoding="utf-8"))
    model.write_text(json.dumps(damage(tree)), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load(model)
    assert str(model) in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PK\x03\x04", b"[" * 100_000, b'{"a": '])
def test_a_file_that_is_no_model(content: bytes, run: Run, docs: Path, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(content)
    assert "m.json is no model of vectorize" in run("--with", "m.json", docs, code=4).stderr


def test_a_model_that_is_not_there_or_of_another_method(
    model: Path, run: Run, docs: Path, tmp_path: Path
) -> None:
    assert "No such file" in run("--with", "none.json", docs, code=4).stderr
    assert "Is a directory" in run("--with", tmp_path, docs, code=4).stderr
    done = run("--with", model, "--method", "count", docs, code=4)
    assert "was fitted for tfidf, not count" in done.stderr


# What comes out


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("method", ["count", "tfidf", "hash"])
def test_every_format_reads_back(
    format: str, method: str, run: Run, docs: Path, tmp_path: Path
) -> None:
    how = ["--method", method] + (["--features", "32"] if method == "hash" else [])
    fit = ["--fit", "m.json"] if method != "hash" else []
    run(*how, *fit, docs, "--output", f"v.{format}")
    if fit:
        run("--with", "m.json", docs, "--output", f"again.{format}")
        assert (tmp_path / f"v.{format}").read_bytes() == (
            tmp_path / f"again.{format}"
        ).read_bytes()
    made = {"count": CountVectorizer(), "tfidf": TfidfVectorizer()}
    expected = made.get(method, HashingVectorizer(n_features=32)).fit_transform(DOCUMENTS)
    read = dense(tmp_path / f"v.{format}", expected.shape[1], made.get(method))
    assert np.array_equal(read, expected.toarray())


def dense(path: Path, width: int, vectorizer: Any) -> Any:
    """Read a file of vectors back as an array, with the tools that people use."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".npz":
        return sparse.load_npz(path).toarray()
    if path.suffix == ".svmlight":
        return load_svmlight_file(path, n_features=width, zero_based=True)[0].toarray()
    rows = np.zeros((len(DOCUMENTS), width))
    if path.suffix == ".parquet":
        table = pq.read_table(path).to_pylist()
        assert [row["text"] for row in table] == DOCUMENTS
        for at, row in enumerate(table):
            rows[at, row["indices"]] = row["values"]
        return rows
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        record = json.loads(line)
        assert record["text"] == DOCUMENTS[at]
        for key, value in record["vector"].items():
            rows[at, vectorizer.vocabulary_[key] if vectorizer else int(key)] = value
    return rows


def test_svmlight_is_byte_for_byte_sklearns(model: Path, run: Run, docs: Path) -> None:
    expected = io.BytesIO()
    dump_svmlight_file(TfidfVectorizer().fit_transform(DOCUMENTS), [0] * 5, expected)
    assert run("--with", model, docs).stdout_bytes == expected.getvalue()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("stdin", ["", "\n", "\n\n\n", "bom"])
def test_n_in_n_out_whatever_is_empty(
    format: str, stdin: str, model: Path, run: Run, tmp_path: Path
) -> None:
    run("--with", model, "--output", f"v.{format}", stdin=stdin)
    path = tmp_path / f"v.{format}"
    count = stdin.count("\n") or len(stdin) // 3
    if format == "npz":
        found = sparse.load_npz(path).shape[0]
    elif format == "npy":
        found = len(np.load(path))
    elif format == "parquet":
        found = len(pq.read_table(path))
    else:
        found = len(path.read_text(encoding="utf-8").splitlines())
    assert found == count


def test_many_batches_make_one_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlpkit.vectorizing.formats.parquet.GROUP", 1000)
    monkeypatch.setattr("nlpkit.vectorizing.formats.npy.SLICE", 10)
    texts = [f"palavra{number % 40} e outra" if number % 7 else "" for number in range(2500)]
    (tmp_path / "many.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    expected = CountVectorizer().fit(texts).transform(texts)
    run("--method", "count", "--fit", "m.json", "many.txt", "-o", "v.npz")
    assert (sparse.load_npz(tmp_path / "v.npz") != expected).nnz == 0
    run("--with", "m.json", "many.txt", "-o", "v.npy")
    assert np.array_equal(np.load(tmp_path / "v.npy"), expected.toarray())
    run("--with", "m.json", "many.txt", "-o", "v.parquet")
    table = pq.read_table(tmp_path / "v.parquet")
    assert table["text"].to_pylist() == texts
    assert np.array_equal(np.concatenate(table["indices"].to_numpy()), expected.indices)
    run("--with", "m.json", "many.txt", "-o", "v.svm", "--quiet")
    read, labels = load_svmlight_file(tmp_path / "v.svm", n_features=expected.shape[1])
    assert (read != expected).nnz == 0 and not labels.any()


def test_unseen_words_are_zeros(model: Path, run: Run) -> None:
    assert run("--with", model, stdin="xilofone zebra\n").stdout == "0 \n"


def test_a_huge_line(model: Path, run: Run) -> None:
    done = run("--with", model, "--to", "jsonl", stdin="bom dia " * 200_000 + "\ndia\n")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["vector"].keys() == {"bom", "dia"} and second["vector"] == {"dia": 1.0}


def test_records_keep_their_fields(model: Path, run: Run, tmp_path: Path) -> None:
    row = {"id": 7, "text": "bom \ud800", "tags": ["a"], "note": None, "indices": "mine"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (record,) = map(
        json.loads, run("--with", model, "a.jsonl", "--to", "jsonl").stdout.splitlines()
    )
    assert record == row | {"vector": {"bom": 1.0}}
    done = run("--with", model, "a.jsonl", "-o", "a.parquet")
    assert "the input's own 'indices' will be replaced" in done.stderr
    (read,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert read == {
        "id": "7",
        "text": "bom \\ud800",
        "tags": '["a"]',
        "note": None,
        "indices": [0],
        "values": [1.0],
    }


def test_columns_of_csv_and_tsv(model: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;review\n1;bom\n", encoding="utf-8")
    assert run("--with", model, "a.csv", "-c", "review").stdout == "0 0:1\n"
    done = run("--with", model, "a.csv", "-c", "reviw", code=3)
    assert "no column 'reviw'. Did you mean 'review'?" in done.stderr


def test_later_fields_do_not_fit_parquet(model: Path, run: Run, tmp_path: Path) -> None:
    rows = '{"text": "bom"}\n{"text": "dia", "new": 1}\n'
    (tmp_path / "v.parquet").write_bytes(b"old")
    args = ("--with", model, "--from", "jsonl", "-o", "v.parquet")
    assert "document 2 has a field 'new'" in run(*args, stdin=rows, code=3).stderr
    assert (tmp_path / "v.parquet").read_bytes() == b"old"


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_leaves_the_old_files(
    format: str, model: Path, run: Run, tmp_path: Path, docs: Path
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"bom\n" * 3000 + b"\xff\n")
    old, fitted_before = tmp_path / f"v.{format}", model.read_bytes()
    old.write_bytes(b"old")
    names = set(tmp_path.iterdir())
    for how in (("--with", model), ("--fit", model)):
        done = run(*how, docs, bad, "--output", old, code=3)
        assert "bad.txt:3001: not valid utf-8" in done.stderr
        assert old.read_bytes() == b"old" and model.read_bytes() == fitted_before
    assert set(tmp_path.iterdir()) == names


def test_what_came_before_an_error_is_written_to_a_pipe(model: Path, run: Run) -> None:
    done = run("--with", model, stdin=b"bom\ndia\n\xff\n", code=3)
    assert done.stdout == "0 0:1\n0 1:1\n"


def test_a_long_npy_is_refused(run: Run, docs: Path, model: Path) -> None:
    done = run("--method", "hash", "--to", "npy", docs, code=2)
    assert "262,144 columns" in done.stderr and "--to npz" in done.stderr


# Learning


def test_fit_alone_only_learns(run: Run, docs: Path, tmp_path: Path) -> None:
    done = run("--fit", "m.json", docs)
    assert done.stdout == "" and (tmp_path / "m.json").exists()
    assert run("--fit", "-", docs).stdout == (tmp_path / "m.json").read_text(encoding="utf-8")


def test_a_stream_is_learned_from_and_written(
    run: Run, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "kept"))
    expected = run("--fit", "a.json", docs, "--output", "-").stdout
    assert len(expected.splitlines()) == len(DOCUMENTS)
    assert run("--fit", "b.json", "--output", "-", stdin=docs.read_bytes()).stdout == expected
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    bad = run("--fit", "b.json", "--to", "svmlight", stdin=b"bom\n\xff\n", code=3)
    assert "stdin:2: not valid utf-8" in bad.stderr
    assert not list((tmp_path / "kept").iterdir())


def test_a_named_pipe_is_learned_from_and_written(run: Run, docs: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(docs.read_bytes()))
    writer.start()
    done = run("--fit", "a.json", "pipe", "--to", "svmlight")
    writer.join()
    assert done.stdout == run("--with", "a.json", docs).stdout


@pytest.mark.parametrize(
    ("stdin", "args", "code", "said"),
    [
        ("", (), 3, "there are no documents"),
        ("", ("--to", "svmlight"), 3, "stdin is empty"),
        ("\n\n", (), 3, "no words in 2 documents"),
        ("a b\n", (), 3, "no words in 1 documents"),
        ("bom dia\n", ("--min-df", "2"), 2, "none of 2 terms is in at least 2"),
        ("bom dia\n", ("--max-df", "0.5"), 2, "lower --min-df or raise --max-df"),
    ],
)
def test_nothing_to_learn(
    stdin: str, args: tuple[str, ...], code: int, said: str, run: Run, tmp_path: Path
) -> None:
    assert said in run("--fit", "m.json", *args, stdin=stdin, code=code).stderr
    assert not (tmp_path / "m.json").exists()


def test_pretokenized_is_what_spaces_separate(run: Run, tmp_path: Path) -> None:
    run("--fit", "m.json", "--pretokenized", "--ngrams", "1-2", stdin="Não gostei , : ) \n")
    assert load(tmp_path / "m.json").terms == sorted(
        [",", ", :", ":", ": )", ")", "gostei", "gostei ,", "não", "não gostei"]
    )


# Labels


def test_labels_have_the_same_numbers_in_every_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,y\nbom,pos\nruim,neg\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("text,y\nruim,neg\nbom,pos\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("text,y\nbom,poz\n", encoding="utf-8")
    (tmp_path / "d.csv").write_text("text,y\nbom,\n", encoding="utf-8")
    first = run("--fit", "m.json", "a.csv", "--label", "y", "--to", "svmlight").stdout
    assert first == "1 0:1\n0 1:1\n"
    assert load(tmp_path / "m.json").labels == ["neg", "pos"]
    again = ("--with", "m.json", "--label", "y")
    assert run(*again, "b.csv").stdout == "0 1:1\n1 0:1\n"
    assert "no label 'poz'. Did you mean 'pos'?" in run(*again, "c.csv", code=3).stderr
    assert "document 1 has no label in 'y'" in run(*again, "d.csv", code=3).stderr
    wrong = run("--with", "m.json", "--label", "z", "a.csv", code=3)
    assert "--label: no column 'z'" in wrong.stderr
    wrong = run("--method", "hash", "--label", "y", "a.csv", code=3)
    assert "label 'pos' is not a number" in wrong.stderr


def test_labels_that_are_numbers_stay_as_they_are(run: Run, tmp_path: Path) -> None:
    rows = '{"text": "bom", "y": 5}\n{"text": "ruim", "y": -0.5}\n'
    (tmp_path / "a.jsonl").write_text(rows, encoding="utf-8")
    done = run("--fit", "m.json", "a.jsonl", "--label", "y", "--to", "svmlight")
    assert done.stdout == "5 0:1\n-0.5 1:1\n"
    done = run("--method", "hash", "--features", "4", "a.jsonl", "--label", "y")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["5", "-0.5"]


def test_a_field_of_texts_is_no_label(run: Run, tmp_path: Path) -> None:
    lines = "".join(f'{{"text": "bom", "y": "{number} x"}}\n' for number in range(10_001))
    done = run("--fit", "m.json", "--label", "y", "--from", "jsonl", stdin=lines, code=3)
    assert "more than 10,000 different labels" in done.stderr


# The heaviest terms


def test_top_of_the_corpus_and_of_each_document(run: Run, docs: Path) -> None:
    done = run("--method", "count", "--fit", "m.json", "--top", "2", docs)
    assert done.stdout == "bom\t5\ndia\t2\n"  # of equals the first in the alphabet
    done = run("--with", "m.json", "--top", "1", "--top-by", "document", docs)
    assert done.stdout == "1\tbom\t2\n3\tfilme\t1\n4\tdia\t1\n5\tbom\t3\n"
    sums = TfidfVectorizer().fit_transform(DOCUMENTS).toarray().sum(axis=0)
    done = run("--fit", "m.json", "--top", "1", docs, "-o", "v.npz")
    assert done.stdout == f"bom\t{sums.max():.4f}\n"
    assert sparse.load_npz("v.npz").shape == (5, 5)


def test_top_keeps_terms_on_their_line(run: Run) -> None:
    done = run(
        *("--fit", "m.json", "--method", "count", "--analyzer", "char", "--top", "9"),
        *("--from", "jsonl"),
        stdin='{"text": "\\ta\\na\\"a\\u001b\\\\"}\n',
    )
    assert done.stdout == 'a\t3\n\\t\t1\n\\n\t1\n\x1b\t1\n"\t1\n\\\\\t1\n'


def test_top_is_bars_on_a_terminal(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nlpkit.cli.screen.bars import bars

    monkeypatch.setenv("COLUMNS", "60")
    bars(3, [("bom\x1b[2J\n" + "x" * 300, 4.0), ("é", 2.0), ("i", 1e-9)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "document 3" and len(lines) == 4
    assert all(len(line) <= 60 and "\x1b" not in line for line in lines)
    assert lines[1].startswith("bom [2J xxx") and lines[2].count("█") == 15
    assert lines[3].endswith("▏")
    bars(4, [])
    assert capsys.readouterr().out == "document 4\n"


def test_heaviest_are_positive_and_stable() -> None:
    assert heaviest(np.array([0.0, 2.0, -3.0, 2.0, 5.0]), 9).tolist() == [4, 1, 3]


# Options that make no sense together


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "tfidf needs its terms: learn them with --fit MODEL.json"),
        (("--method", "count"), "--with MODEL.json"),
        (("--method", "tdidf"), "Did you mean 'tfidf'?"),
        (("--method", "hash", "--fit", "m"), "hash learns nothing"),
        (("--method", "embed"), "name one with --model"),
        (("--method", "hash", "--with", "model.json"), "for hash leave it out"),
        (("--method", "hash", "--min-df", "2"), "--min-df is for count and tfidf, not hash"),
        (("--method", "hash", "--max-features", "2"), "--max-features is for"),
        (("--method", "count", "--norm", "l2", "--fit", "m"), "--norm is for tfidf and hash"),
        (("--method", "hash", "--sublinear-tf"), "--sublinear-tf is for tfidf, not hash"),
        (("--features", "9", "--fit", "m"), "--features is for hash, not tfidf"),
        (("--method", "hash", "--features", "0"), "must be from 1"),
        (("--method", "hash", "--model", "x"), "--model is for embed, not hash"),
        (("--method", "embed", "--model", "x", "--binary"), "for count, tfidf, hash, not embed"),
        (("--fit", "a", "--with", "b"), "give one of the two"),
        (("--with", "model.json", "--ngrams", "1"), "model.json settles --ngrams"),
        (("--with", "model.json", "--no-lowercase"), "settles --no-lowercase"),
        (("--with", "model.json", "--to", "svmligth"), "Did you mean 'svmlight'?"),
        (("--with", "model.json", "-o", "a.txt"), ".txt is no format of vectors; --to jsonl|npy"),
        (("--with", "model.json", "-o", "a.npz.gz"), ".gz is no format"),
        (("--with", "model.json", "--label", "y", "--to", "npz"), "jsonl and parquet keep"),
        (("--with", "model.json", "--top", "3", "--to", "npz"), "name a file for the vectors"),
        (("--with", "model.json", "--top", "-1"), "must be at least 1"),
        (("--with", "model.json", "--top", "1", "--top-by", "word"), "corpus, document"),
        (("--with", "model.json", "--top-by", "corpus"), "add --top"),
        (("--method", "hash", "--top", "3"), "columns of hash have no names"),
        (("--fit", "-", "--top", "3"), "--fit - prints the model"),
        (("--fit", "docs.txt"), "would overwrite"),
        (("--fit", "v.npz", "-o", "v.npz"), "would overwrite"),
        (("--with", "model.json", "-o", "./model.json", "--to", "npz"), "overwrite the model"),
        (("--fit", "m", "--ngrams", "2-1"), "--ngrams 2-1"),
        (("--fit", "m", "--ngrams", "9" * 5000), "--ngrams 999"),
        (("--fit", "m", "--min-df", "0"), "--min-df 0"),
        (("--fit", "m", "--max-df", "1.5"), "--max-df 1.5"),
        (("--fit", "m", "--max-df", "nan"), "--max-df nan"),
        (("--fit", "m", "--min-df", "few"), "--min-df few"),
        (("--fit", "m", "--max-features", "0"), "--max-features 0"),
        (("--fit", "m", "--analyzer", "char", "--pretokenized"), "goes with --analyzer word"),
        (("--fit", "m", "--analyzer", "words"), "Did you mean 'word'?"),
        (("--fit", "m.gz"), "output is not compressed"),
    ],
)
def test_what_makes_no_sense_is_refused(
    args: tuple[str, ...], said: str, run: Run, model: Path, docs: Path, tmp_path: Path
) -> None:
    names = set(tmp_path.iterdir())
    assert said in run(*args, "docs.txt", code=2).stderr
    assert set(tmp_path.iterdir()) == names


def test_the_environments_model_is_not_for_hash(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPKIT_MODEL", "mine")
    monkeypatch.setenv("NLPKIT_DEVICE", "cpu")
    run("--method", "hash", docs)


# Embeddings


class Fake:
    """A model whose embedding of a text is known: its length, thirds of it, and a constant."""

    def embed(self, texts: list[str]) -> Any:
        rows = [[len(text), len(text) / 3, 0.1] if text else [0.0] * 3 for text in texts]
        return np.array(rows, np.float32)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []

    def fake(name: str, *, device: str) -> Fake:
        asked.append((name, device))
        return Fake()

    monkeypatch.setattr("nlpkit.zoo.load", fake)
    return asked


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npz"])
def test_embeddings_in_every_dense_format(
    format: str, run: Run, docs: Path, embedder: list[object], tmp_path: Path
) -> None:
    how = ("--method", "embed", "--model", "mine", "--device", "cpu")
    run(*how, docs, "-o", f"v.{format}")
    assert embedder == [("mine", "cpu")]
    path, expected = tmp_path / f"v.{format}", Fake().embed(DOCUMENTS)
    if format == "npy":
        read = np.load(path)
        assert read.dtype == np.float32
    elif format == "svmlight":
        read = load_svmlight_file(path, n_features=3, zero_based=True)[0].toarray()
    elif format == "parquet":
        read = np.stack(pq.read_table(path)["vector"].to_numpy())
    else:
        read = [json.loads(line)["vector"] for line in path.read_text().splitlines()]
    assert np.array_equal(np.asarray(read, np.float32), expected)


def test_embeddings_are_not_sparse_and_finite(
    run: Run, docs: Path, embedder: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ("--method", "embed", "--model", "mine", docs)
    assert "use --to npy" in run(*how, "--to", "npz", code=2).stderr
    monkeypatch.setattr(Fake, "embed", lambda self, texts: np.full((len(texts), 2), math.nan))
    assert "not finite" in run(*how, code=4).stderr


# The step


def test_the_step_shares_the_core(
    model: Path, run: Run, docs: Path, embedder: list[object]
) -> None:
    vectors = step.build(step.Options(with_=str(model)))(DOCUMENTS)
    lines = run("--with", model, docs, "--to", "jsonl").stdout.splitlines()
    assert vectors == [json.loads(line)["vector"] for line in lines]
    assert step.build(step.Options(method="hash"))([]) == []
    (row,) = step.build(step.Options(method="embed", model="mine"), zoo.load)(["abc"])
    assert row == [3.0, 1.0, 0.1]
    with pytest.raises(UsageError, match="settles --binary, --method"):
        step.build(step.Options(with_=str(model), method="embed", binary=True))
    with pytest.raises(UsageError, match="--features is for hash"):
        step.build(step.Options(method="embed", model="mine", features=3))
    with pytest.raises(ModelError):
        step.build(step.Options(with_="none.json"))


def test_the_steps_example_and_flag_are_true() -> None:
    assert step.Options.__dataclass_fields__["with_"].metadata["flag"] == "with"
    ((_, before, after),) = step.EXAMPLES
    assert step.build(step.Options(method="hash", features=8, norm="none"))([before]) == [after]


# In a shell


def test_a_pipe_gets_binary_formats_whole(cli: Cli, model: Path, docs: Path) -> None:
    done = cli("vectorize", "--with", "model.json", "--to", "npy", stdin=docs.read_bytes())
    assert done.returncode == 0, done.stderr
    assert np.load(io.BytesIO(done.stdout)).shape == (5, 5)


def test_a_terminal_does_not_get_binary_formats(model: Path, docs: Path, tmp_path: Path) -> None:
    main, side = os.openpty()
    command = [sys.executable, "-m", "nlpkit", "vectorize", "--with", model, "--to", "npz", docs]
    done = subprocess.run(
        command, stdout=side, stderr=subprocess.PIPE, env=environment(), check=False
    )
    os.close(side), os.close(main)
    assert done.returncode == 2 and b"npz is binary; name a file with --output" in done.stderr


def test_a_reader_that_leaves_is_no_error(model: Path, tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("bom dia\n" * 100_000, encoding="utf-8")
    nlpkit_ = f"{sys.executable} -m nlpkit vectorize --with {model} many.txt"
    script = f"{nlpkit_} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, cwd=tmp_path, env=environment(), check=False
    )
    assert done.stdout.startswith(b"0 0:0.") and done.stdout.endswith(b"\n0\n")
    assert done.stdout.count(b"\n") == 2 and done.stderr == b""


def test_a_stream_is_answered_while_it_runs(model: Path) -> None:
    command = [sys.executable, "-m", "nlpkit", "vectorize", "--with", model]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"bom\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"0 0:1\n"
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("missing", "args", "said"),
    [
        ("sklearn", ("--fit", "m.json"), b"this needs scikit-learn"),
        ("sklearn", ("--method", "hash"), b"'nlpkit[vectors]'"),
        ("pyarrow", ("--method", "hash", "-o", "v.parquet"), b"this needs pyarrow"),
    ],
)
def test_a_missing_extra_is_one_line(
    missing: str, args: tuple[str, ...], said: bytes, cli: Cli, docs: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name='{missing}')")
    path = f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"
    done = cli("vectorize", *args, docs, PYTHONPATH=path)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert done.stderr.count(b"\n") == 1


def test_help_imports_nothing_heavy() -> None:
    check = (
        "import sys; from typer.testing import CliRunner; from nlpkit.cli.app import app\n"
        "done = CliRunner().invoke(app, ['vectorize', '--help'])\n"
        "assert done.exit_code == 0 and '--max-df' in done.stdout\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pyarrow'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True, env=environment())
