"""Inconsistent options of vectorize are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from vectorize_helpers import Run, docs as docs, model as model, run as run


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "tfidf needs a model: learn one with --fit MODEL.json"),
        (("--method", "count"), "--with MODEL.json"),
        (("--method", "tdidf"), "Did you mean 'tfidf'?"),
        (("--method", "hash", "--fit", "m"), "hash learns no model"),
        (("--method", "embed"), "name one with --model"),
        (("--method", "hash", "--with", "model.json"), "leave it out for hash"),
        (("--method", "hash", "--min-df", "2"), "--min-df is for count and tfidf, not hash"),
        (("--method", "hash", "--max-features", "2"), "--max-features is for"),
        (("--method", "count", "--norm", "l2", "--fit", "m"), "--norm is for tfidf and hash"),
        (("--method", "hash", "--sublinear-tf"), "--sublinear-tf is for tfidf, not hash"),
        (("--features", "9", "--fit", "m"), "--features is for hash, not tfidf"),
        (("--method", "hash", "--features", "0"), "must be from 1"),
        (("--method", "hash", "--model", "x"), "--model is for embed, not hash"),
        (("--method", "embed", "--model", "x", "--binary"), "for count, tfidf, hash, not embed"),
        (("--fit", "a", "--with", "b"), "give only one of the two"),
        (("--with", "model.json", "--ngrams", "1"), "model.json already sets --ngrams"),
        (("--with", "model.json", "--no-lowercase"), "already sets --no-lowercase"),
        (("--with", "model.json", "--to", "svmligth"), "Did you mean 'svmlight'?"),
        (
            ("--with", "model.json", "-o", "a.txt"),
            ".txt is not a format of vectors; use --to jsonl|npy",
        ),
        (("--with", "model.json", "-o", "a.npz.gz"), ".gz is not a format"),
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
        (("--fit", "m", "--analyzer", "char", "--pretokenized"), "needs --analyzer word"),
        (("--fit", "m", "--analyzer", "words"), "Did you mean 'word'?"),
        (("--fit", "m.gz"), "output is not compressed"),
    ],
)
def test_inconsistent_options_are_refused(
    args: tuple[str, ...], said: str, run: Run, model: Path, docs: Path, tmp_path: Path
) -> None:
    names = set(tmp_path.iterdir())
    assert said in run(*args, "docs.txt", code=2).stderr
    assert set(tmp_path.iterdir()) == names


def test_hash_ignores_the_model_of_the_environment(
    run: Run, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPKIT_MODEL", "mine")
    monkeypatch.setenv("NLPKIT_DEVICE", "cpu")
    run("--method", "hash", docs)
