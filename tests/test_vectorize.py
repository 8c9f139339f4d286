"""nlpkit vectorize: fitting, labels and the heaviest terms."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from vectorize_helpers import DOCUMENTS, Run, docs as docs, run as run

from nlpkit.vectorizing.vectorizer import heaviest
from nlpkit.vectorizing.vocabulary import load


def test_fit_without_output_only_learns(run: Run, docs: Path, tmp_path: Path) -> None:
    done = run("--fit", "m.json", docs)
    assert done.stdout == "" and (tmp_path / "m.json").exists()
    assert run("--fit", "-", docs).stdout == (tmp_path / "m.json").read_text(encoding="utf-8")


def test_fit_and_transform_a_stream(
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


def test_fit_and_transform_a_named_pipe(run: Run, docs: Path, tmp_path: Path) -> None:
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
        ("a b\n", (), 3, "no words in 1 document"),
        ("bom dia\n", ("--min-df", "2"), 2, "none of 2 terms is in at least 2"),
        ("bom dia\n", ("--max-df", "0.5"), 2, "lower --min-df or raise --max-df"),
    ],
)
def test_nothing_to_learn_is_an_error(
    stdin: str, args: tuple[str, ...], code: int, said: str, run: Run, tmp_path: Path
) -> None:
    assert said in run("--fit", "m.json", *args, stdin=stdin, code=code).stderr
    assert not (tmp_path / "m.json").exists()


def test_pretokenized_splits_at_spaces(run: Run, tmp_path: Path) -> None:
    run("--fit", "m.json", "--pretokenized", "--ngrams", "1-2", stdin="Não gostei , : ) \n")
    assert load(tmp_path / "m.json").terms == sorted(
        [",", ", :", ":", ": )", ")", "gostei", "gostei ,", "não", "não gostei"]
    )


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


def test_numeric_labels_are_kept(run: Run, tmp_path: Path) -> None:
    rows = '{"text": "bom", "y": 5}\n{"text": "ruim", "y": -0.5}\n'
    (tmp_path / "a.jsonl").write_text(rows, encoding="utf-8")
    done = run("--fit", "m.json", "a.jsonl", "--label", "y", "--to", "svmlight")
    assert done.stdout == "5 0:1\n-0.5 1:1\n"
    done = run("--method", "hash", "--features", "4", "a.jsonl", "--label", "y")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["5", "-0.5"]


def test_too_many_labels_are_refused(run: Run, tmp_path: Path) -> None:
    lines = "".join(f'{{"text": "bom", "y": "{number} x"}}\n' for number in range(10_001))
    done = run("--fit", "m.json", "--label", "y", "--from", "jsonl", stdin=lines, code=3)
    assert "more than 10,000 different labels" in done.stderr


def test_top_of_the_corpus_and_of_each_document(run: Run, docs: Path) -> None:
    done = run("--method", "count", "--fit", "m.json", "--top", "2", docs)
    assert done.stdout == "bom\t5\ndia\t2\n"  # ties are in alphabetical order
    done = run("--with", "m.json", "--top", "1", "--top-by", "document", docs)
    assert done.stdout == "1\tbom\t2\n3\tfilme\t1\n4\tdia\t1\n5\tbom\t3\n"
    sums = TfidfVectorizer().fit_transform(DOCUMENTS).toarray().sum(axis=0)
    done = run("--fit", "m.json", "--top", "1", docs, "-o", "v.npz")
    assert done.stdout == f"bom\t{sums.max():.4f}\n"
    assert sparse.load_npz("v.npz").shape == (5, 5)


def test_top_escapes_terms(run: Run) -> None:
    done = run(
        *("--fit", "m.json", "--method", "count", "--analyzer", "char", "--top", "9"),
        *("--from", "jsonl"),
        stdin='{"text": "\\ta\\na\\"a\\u001b\\\\"}\n',
    )
    assert done.stdout == 'a\t3\n\\t\t1\n\\n\t1\n\x1b\t1\n"\t1\n\\\\\t1\n'


def test_top_draws_bars_on_a_terminal(
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


def test_heaviest_terms_are_positive_and_in_stable_order() -> None:
    assert heaviest(np.array([0.0, 2.0, -3.0, 2.0, 5.0]), 9).tolist() == [4, 1, 3]
