"""Output of vectorize: N documents in, N rows out, in formats that can be read back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from vectorize_helpers import DOCUMENTS, FORMATS, Run, docs as docs, model as model, run as run


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("method", ["count", "tfidf", "hash"])
def test_every_format_can_be_read_back(
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
    """Read a file of vectors into an array with the usual library of its format."""
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


def test_svmlight_equals_sklearn_byte_for_byte(model: Path, run: Run, docs: Path) -> None:
    expected = io.BytesIO()
    dump_svmlight_file(TfidfVectorizer().fit_transform(DOCUMENTS), [0] * 5, expected)
    assert run("--with", model, docs).stdout_bytes == expected.getvalue()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("stdin", ["", "\n", "\n\n\n", "bom"])
def test_empty_documents_keep_their_rows(
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


def test_huge_line_is_vectorized(model: Path, run: Run) -> None:
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


def test_csv_column_can_be_chosen(model: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;review\n1;bom\n", encoding="utf-8")
    assert run("--with", model, "a.csv", "-c", "review").stdout == "0 0:1\n"
    done = run("--with", model, "a.csv", "-c", "reviw", code=3)
    assert "no column 'reviw'. Did you mean 'review'?" in done.stderr


def test_new_field_in_a_later_record_is_refused_for_parquet(
    model: Path, run: Run, tmp_path: Path
) -> None:
    rows = '{"text": "bom"}\n{"text": "dia", "new": 1}\n'
    (tmp_path / "v.parquet").write_bytes(b"old")
    args = ("--with", model, "--from", "jsonl", "-o", "v.parquet")
    assert "document 2 has a field 'new'" in run(*args, stdin=rows, code=3).stderr
    assert (tmp_path / "v.parquet").read_bytes() == b"old"


@pytest.mark.parametrize("format", FORMATS)
def test_error_keeps_the_old_files(
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


def test_rows_before_an_error_are_written_to_a_pipe(model: Path, run: Run) -> None:
    done = run("--with", model, stdin=b"bom\ndia\n\xff\n", code=3)
    assert done.stdout == "0 0:1\n0 1:1\n"


def test_too_large_npy_is_refused(run: Run, docs: Path, model: Path) -> None:
    done = run("--method", "hash", "--to", "npy", docs, code=2)
    assert "262,144 columns" in done.stderr and "--to npz" in done.stderr
