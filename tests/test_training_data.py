"""Training data: selection of rows, epochs, file patterns and errors with positions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Cli, corpus, tiny_tree, write_jsonl

from nlpkit import catalog
from nlpkit.errors import InputError
from nlpkit.records.rows import fingerprint
from nlpkit.text.windows import Slide
from nlpkit.training import data as training_data
from nlpkit.training.epoch import Epoch


@pytest.fixture
def cli(quick_cli: Cli) -> Cli:
    return quick_cli


def test_gate_and_training_use_the_same_dev_set(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", corpus(50, 5))
    rows = corpus(60, 6)
    write_jsonl(tmp_path / "dev.jsonl", rows + rows)
    write_jsonl(tmp_path / "test.jsonl", rows[:7])
    tree = tiny_tree("bow")
    tree["data"]["dev"] = [{"path": "dev.jsonl", "max_per_label": 12}]
    tree["data"]["exclude"] = ["test.jsonl"]
    from nlpkit.settings import recipe

    made = recipe.from_dict(tree, folder=tmp_path, where="test")
    task, _, dev = training_data.load(made, catalog.load("tasks", "sentiment").Task)
    assert training_data.load_dev(made, task).documents == dev.documents
    assert len(dev.documents) == 36


def test_texts_of_dev_and_excluded_files_are_dropped(tmp_path: Path) -> None:
    rows = [{"text": f"frase {n}", "label": ["negative", "positive"][n % 2]} for n in range(40)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", [{**row, "text": row["text"].upper()} for row in rows[:5]])
    write_jsonl(tmp_path / "test.jsonl", [{"text": row["text"] + "!!"} for row in rows[5:9]])
    tree = {
        "name": "x",
        "task": {"name": "sentiment"},
        "architecture": {"name": "bow"},
        "data": {
            "train": [{"path": "train.jsonl", "missing_labels": 0.0, "max_per_label": 10}],
            "dev": ["dev.jsonl"],
            "exclude": ["te*.jsonl"],
        },
    }
    from nlpkit.settings import recipe

    made = recipe.from_dict(tree, folder=tmp_path, where="test")
    task, split, dev = training_data.load(made, catalog.load("tasks", "sentiment").Task)
    held = {fingerprint(row["text"]) for row in rows[:9]}
    assert not held & {fingerprint(text) for text in split.documents}
    assert len(split.documents) == 20
    assert len(dev.documents) == 5
    assert task.prior_targets(split.priors[:1])["prior_BC"].tolist() == [[1, 0, 1]]


def test_training_with_one_label_is_refused(tmp_path: Path, cli: Cli) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": f"bom {n}", "label": "positive"} for n in range(9)])
    write_jsonl(tmp_path / "b.jsonl", [{"text": "ruim", "label": "negative"}])
    for dev, reason in (("b.jsonl", b"needs two"), ("a.jsonl", b"also in the dev")):
        done = cli("train", "--arch", "bow", "--train", "a.jsonl", "--dev", dev, "-o", "run")
        assert done.returncode == 3
        assert done.stderr.count(b"\n") == 1
        assert reason in done.stderr


def test_unknown_label_is_reported_with_its_row(tmp_path: Path, cli: Cli) -> None:
    rows = [{"text": "bom", "label": "positive"}, {"text": "ruim", "label": "negativ"}]
    write_jsonl(tmp_path / "a.jsonl", rows)
    write_jsonl(tmp_path / "b.jsonl", [{"text": "mau", "label": "negative"}])
    done = cli("train", "--arch", "bow", "--train", "a.jsonl", "--dev", "b.jsonl", "-o", "run")
    assert done.returncode == 3
    assert b"a.jsonl:2: unknown label 'negativ'. Did you mean 'negative'?" in done.stderr


def test_epoch_holds_every_document_once() -> None:
    ids = [np.arange(1, 2 + n % 37) for n in range(1000)]
    epoch = Epoch(ids, batch_size=16, windows=Slide(20, 4), seed=1, epoch=0)
    batches = [batch for batch, _ in epoch.batches(0, 0, 1)]
    assert sorted(row for batch in batches for row in batch.rows) == list(range(1000))
    assert max(batch.mask_BT.sum(axis=1).max() for batch in batches) == 20
    shares = [{row for b, _ in epoch.batches(0, rank, 2) for row in b.rows} for rank in (0, 1)]
    assert not shares[0] & shares[1]
    assert np.mean([1 - batch.mask_BT.mean() for batch in batches]) < 0.25
    again = Epoch(ids, batch_size=16, windows=Slide(20, 4), seed=1, epoch=0)
    assert [b.rows for b, _ in again.batches(30, 0, 1)] == [b.rows for b in batches[30:]]


def test_patterns_can_be_absolute_and_names_can_hold_brackets(tmp_path: Path) -> None:
    from nlpkit.settings.files import resolve

    for name in ("a[1].jsonl", "b1.jsonl", "b2.jsonl"):
        write_jsonl(tmp_path / name, [])
    assert [p.name for p in resolve(str(tmp_path / "a[1].jsonl"), tmp_path)] == ["a[1].jsonl"]
    assert len(resolve(str(tmp_path / "b*.jsonl"), Path("/nowhere"))) == 2


def test_missing_data_error_mentions_the_environment_variable(tmp_path: Path) -> None:
    from nlpkit.settings.files import resolve

    with pytest.raises(InputError, match="NLPKIT_DATA"):
        resolve("nothing.jsonl", tmp_path)
