"""nlpkit import: its report, its errors, and the way from an import to a prediction."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from importing_helpers import CORPUS, model_of, wordpiece, write

pytest.importorskip("transformers")
Cli = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "model", "bert")
    (tmp_path / "model/README.md").write_text("---\nlicense: mit\n---\n")
    return tmp_path / "model"


def test_import_train_export_predict(
    quick_cli: Cli, model: Path, data: Path, tmp_path: Path
) -> None:
    """The command that the report names works as it stands, and its model predicts."""
    rows = (data / "train.jsonl").read_text(encoding="utf-8").splitlines()
    tokenizer = wordpiece([json.loads(row)["text"] for row in rows])
    network = model_of("bert", tokenizer.get_vocab_size(), untrained=True)
    write(model, "bert", network, tokenizer)
    (tmp_path / "social.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    texts = [data / "train.jsonl", tmp_path / "social.txt"]
    named = [part for file in texts for part in ("--keep-vocabulary", file)]
    done = quick_cli("import", model, "-o", "base", "--layers", "0,2", *named)
    assert done.returncode == 0, done.stderr
    (following,) = re.findall(r"next: nlpkit (.*)", done.stderr.decode())
    files = {"a.jsonl": data / "train.jsonl", "b.jsonl": data / "dev.jsonl", "runs/NAME": "run"}
    command = [files.get(word, word) for word in following.split()]
    quick = {"train.epochs": 4, "train.batch_size": 16, "train.lr": 0.01, "init.rate": 1.0}
    quick |= {"init.freeze": 0, "init.layer_decay": 1.0}
    for key, value in quick.items():
        command += ["--set", f"{key}={value}"]
    done = quick_cli(*command, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    recipe = (tmp_path / "run/recipe.toml").read_text(encoding="utf-8")
    assert 'name = "bert"' in recipe and "layers = 2" in recipe and 'run = "base"' in recipe
    done = quick_cli("export", "run", "--output", "bundle", "--set", "export.max_score_drop=0.05")
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "bundle/README.md").read_text(encoding="utf-8")
    assert "mit" in card and "in Hugging Face's format" in card
    done = quick_cli("evaluate", "bundle", data / "test.jsonl", "--to", "json")
    assert json.loads(done.stdout)["accuracy"] > 0.8


def test_report_says_what_was_imported_and_lost(quick_cli: Cli, model: Path) -> None:
    corpus = model.parent / "corpus.jsonl"
    rows = [{"text": line} for line in [*CORPUS[:3], ""]] + [{"text": None}]
    corpus.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = quick_cli("import", model, "-o", "run", "--keep-vocabulary", corpus)
    said = done.stderr.decode()
    assert done.returncode == 0 and not done.stdout, said
    assert "model: bert with 3 layers of width 16, " in said and "licence mit" in said
    assert "left out 2 tensors that the encoder has no use for: pooler.dense.bias, ..." in said
    kept = re.search(r"kept (\d+) of 193 pieces. In 3 texts, unknown tokens are (\S+)%", said)
    assert kept and int(kept[1]) < 193
    assert said.endswith("--init run --train a.jsonl --dev b.jsonl -o runs/NAME\n")
    assert not quick_cli("import", model, "-o", "again", "--quiet").stderr


def test_corpus_with_its_own_column_and_encoding(
    quick_cli: Cli, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes("id;opinião\n1;Péssimo café\n".encode("cp1252"))
    options = ["--keep-vocabulary", "a.csv", "--encoding", "cp1252", "--column", "opinião"]
    done = quick_cli("import", model, "-o", "run", *options)
    assert done.returncode == 0 and b"In 1 text, unknown tokens" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--layers", "a"], 2, "give numbers from 0"),
        (["--layers", ""], 2, "give numbers from 0"),
        (["--layers", "9"], 2, "the layers 0 to 2"),
        (["--min-count", "3"], 2, "--min-count needs --keep-vocabulary"),
        (["--keep-vocabulary", "none.txt"], 3, "none.txt"),
    ],
)
def test_errors_are_one_line(
    options: list[str], code: int, said: str, quick_cli: Cli, model: Path, tmp_path: Path
) -> None:
    done = quick_cli("import", model, "-o", "run", *options)
    assert done.returncode == code and said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1 and not (tmp_path / "run").exists()


def test_unsupported_models_exit_4_and_unknown_sources_2(quick_cli: Cli, model: Path) -> None:
    (model / "tokenizer.json").unlink()
    done = quick_cli("import", model, "-o", "run")
    assert done.returncode == 4 and done.stderr.count(b"\n") == 1
    done = quick_cli("import", "neuralmind/bert-base-portuguese-cased", "-o", "run")
    assert done.returncode == 2 and b"nlpkit downloads nothing" in done.stderr


def test_a_run_to_start_from_must_exist_and_fit(
    quick_cli: Cli, model: Path, data: Path, tmp_path: Path
) -> None:
    quick_cli("import", model, "-o", "base")
    files = ["--train", data / "train.jsonl", "--dev", data / "dev.jsonl"]
    done = quick_cli("train", "--init", "base", "--arch", "lstm", *files)
    assert done.returncode == 2 and b"base is of bert; leave --arch out" in done.stderr
    done = quick_cli("train", "--init", "nowhere", *files)
    assert done.returncode == 4 and b"to start from" in done.stderr
    assert done.stderr.count(b"\n") == 1
