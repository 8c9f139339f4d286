"""Training: it learns, it resumes bit for bit after a kill, it runs on several processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, corpus, tiny_recipe, tiny_tree, write_jsonl
from safetensors.torch import load_file

from nlpkit import catalog
from nlpkit.errors import InputError, ModelError, NlpkitError, UsageError
from nlpkit.records.rows import fingerprint
from nlpkit.settings import declaration
from nlpkit.training import data as training_data, run
from nlpkit.training.data import Epoch
from nlpkit.training.descent import rate

Cli = Callable[..., subprocess.CompletedProcess[bytes]]


def train(recipe: Any, folder: Path, **options: Any) -> dict[str, Any]:
    options = {"device": "cpu", "resume": False, "listener": lambda event: None} | options
    return run.train(recipe, folder, **options)


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("arch", catalog.names("architectures"))
def test_it_learns(arch: str, tiny_run: Callable[[str], Path]) -> None:
    summary = json.loads((tiny_run(arch) / "run.json").read_text())
    assert summary["dev"]["macro_f1"] > 0.9
    lines = (tiny_run(arch) / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0]


def test_a_killed_run_resumes_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("lstm", data, checkpoint_steps=3, epochs=3)
    train(recipe, tmp_path / "unbroken")
    (tmp_path / "recipe.toml").write_text(
        declaration.toml(recipe.to_dict() | {"folder": str(data)})
    )
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(tmp_path / "recipe.toml"),
        str(tmp_path / "killed"),
    ]
    process = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/run.json").exists()
    train(recipe, tmp_path / "killed", resume=True)
    assert same_weights(tmp_path / "unbroken", tmp_path / "killed")
    metrics = [
        [json.loads(line)["dev_macro_f1"] for line in path.read_text().splitlines()]
        for path in (tmp_path / "unbroken/metrics.jsonl", tmp_path / "killed/metrics.jsonl")
    ]
    assert metrics[0] == metrics[1]


def test_killed_at_any_moment_it_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    """By the command line, at random, from its first second on: reading, training, saving."""
    recipe = tiny_recipe("bow", data, checkpoint_steps=2, epochs=6)
    (tmp_path / "r.toml").write_text(declaration.toml(recipe.to_dict() | {"folder": str(data)}))
    command = [sys.executable, "-m", "nlpkit", "train", str(tmp_path / "r.toml"), "--device", "cpu"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def begin(name: str) -> subprocess.Popen[bytes]:
        whole = [*command, "-o", str(tmp_path / name), "--resume"]
        return subprocess.Popen(whole, env=environment, stderr=subprocess.DEVNULL)

    started = time.monotonic()
    assert begin("unbroken").wait() == 0
    took = time.monotonic() - started
    rng, kills = random.Random(4), 0
    for _ in range(4):
        process = begin("killed")
        try:
            process.wait(timeout=took * rng.uniform(0.5, 0.98))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    else:
        assert begin("killed").wait() == 0
    assert kills, "it was never killed"
    assert same_weights(tmp_path / "unbroken", tmp_path / "killed")


# Dies by its own hand at step 40, in the second epoch, between two checkpoints.
KILLED = """
import os, signal, sys
from pathlib import Path
from nlpkit.settings import recipe
from nlpkit.training import loop, run
steps = 0
original = loop.Loop._step
def step(self, *args):
    global steps
    steps += 1
    if steps == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *args)
loop.Loop._step = step
run.train(recipe.load(Path(sys.argv[1])), Path(sys.argv[2]), device="cpu", resume=False,
          listener=lambda event: None)
"""


def test_ctrl_c_saves_and_exits_130(data: Path, tmp_path: Path, cli: Cli) -> None:
    recipe = tiny_recipe("lstm", data, epochs=500)
    (tmp_path / "r.toml").write_text(declaration.toml(recipe.to_dict() | {"folder": str(data)}))
    command = [sys.executable, "-m", "nlpkit", "train", "r.toml", "-o", "run", "-q"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    )
    metrics = tmp_path / "run/metrics.jsonl"
    deadline = time.monotonic() + 60
    while not metrics.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert (tmp_path / "run/last.safetensors").exists()


def test_two_processes_train_as_one_with_a_teacher(
    data: Path, tiny_run: Callable[[str], Path], tmp_path: Path
) -> None:
    recipe = tiny_recipe("atnet", data, epochs=6)
    tree = recipe.to_dict() | {"folder": str(data)}
    tree["distill"]["teachers"] = [str(tiny_run("bow"))]
    (tmp_path / "r.toml").write_text(declaration.toml(tree))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["--master-port=0", "--standalone", "-m", "nlpkit", "train", "r.toml", "-o", "run"]
    done = subprocess.run(
        [*command, "--device", "cpu"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads((tmp_path / "run/run.json").read_text())
    assert summary["dev"]["macro_f1"] > 0.8
    tensors = load_file(tmp_path / "run/last.safetensors")
    assert {"rng.0", "rng.1"} <= tensors.keys()


def test_a_run_is_not_overwritten(data: Path, tiny_run: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="--resume"):
        train(tiny_recipe("bow", data), tiny_run("bow"))
    with pytest.raises(UsageError, match="not the recipe given"):
        train(tiny_recipe("bow", data, lr=0.5), tiny_run("bow"), resume=True)


def test_a_finished_run_resumes_to_itself(data: Path, tiny_run: Callable[[str], Path]) -> None:
    before = json.loads((tiny_run("atnet") / "run.json").read_text())
    after = train(tiny_recipe("atnet", data), tiny_run("atnet"), resume=True)
    assert after["dev"] == before["dev"]


def test_changed_data_does_not_resume(tmp_path: Path) -> None:
    rows = corpus(60, 5)
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", corpus(20, 6))
    train(tiny_recipe("bow", tmp_path, epochs=1), tmp_path / "run")
    write_jsonl(tmp_path / "train.jsonl", rows[:-1])
    with pytest.raises(UsageError, match="data has changed"):
        train(tiny_recipe("bow", tmp_path, epochs=1), tmp_path / "run", resume=True)


def test_one_step_moves_the_weights(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", corpus(10, 5))
    write_jsonl(tmp_path / "dev.jsonl", corpus(20, 6))
    kept = []
    for lr in (1e-6, 0.1):
        recipe = tiny_recipe("bow", tmp_path, epochs=1, batch_size=16, lr=lr)
        train(recipe, tmp_path / str(lr))
        kept.append(load_file(tmp_path / str(lr) / "model.safetensors")["head.output.bias"])
    assert not torch.allclose(*kept, atol=1e-3)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_the_rate_rises_falls_and_is_never_zero(schedule: str) -> None:
    settings = tiny_recipe("bow", Path(), schedule=schedule, warmup=0.1).train
    rates = [rate(step, 100, settings) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == 1 and min(rates) > 0
    assert rate(0, 1, settings) > 0


def test_the_gate_sees_the_dev_set_that_training_chose_by(tmp_path: Path) -> None:
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


def test_a_loss_that_is_no_number_stops(data: Path, tmp_path: Path) -> None:
    with pytest.raises(NlpkitError, match=r"lower train\.lr"):
        train(tiny_recipe("bow", data, lr=1e30, clip=0.0), tmp_path / "run")
    assert not (tmp_path / "run/run.json").exists()


def test_a_damaged_checkpoint_is_said(data: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("bow", data, epochs=1)
    train(recipe, tmp_path / "run")
    (tmp_path / "run/last.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="damaged"):
        train(recipe, tmp_path / "run", resume=True)


def test_texts_of_dev_and_excluded_files_are_not_trained_on(tmp_path: Path) -> None:
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
    targets = task.targets(split.golds[:1], split.priors[:1], [(0, 2)])
    assert targets["prior_NC"].tolist() == [[1, 0, 1]]


def test_a_masked_label_is_not_learned_away() -> None:
    from nlpkit.tasks import sentiment

    task = sentiment.Task(sentiment.Config(), sentiment.LABELS)
    logits = torch.zeros(1, 3, requires_grad=True)

    def neutral_gradient(weight: float) -> float:
        logits.grad = None
        arrays = task.targets([2], [{1: weight}], [(0, 2)])
        targets = {name: torch.from_numpy(array) for name, array in arrays.items()}
        task.loss(logits, targets).backward()
        assert logits.grad[0, 0] > 0 > logits.grad[0, 2]
        return float(logits.grad[0, 1])

    assert abs(neutral_gradient(0.0)) < 1e-6
    assert 0 < neutral_gradient(0.1) < neutral_gradient(1.0)


def test_one_label_is_refused(tmp_path: Path, cli: Cli) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": f"bom {n}", "label": "positive"} for n in range(9)])
    write_jsonl(tmp_path / "b.jsonl", [{"text": "ruim", "label": "negative"}])
    for dev, reason in (("b.jsonl", b"needs two"), ("a.jsonl", b"also stands in the dev")):
        done = cli("train", "--arch", "bow", "--train", "a.jsonl", "--dev", dev, "-o", "run")
        assert done.returncode == 3
        assert done.stderr.count(b"\n") == 1
        assert reason in done.stderr


def test_an_unknown_label_is_named_with_its_place(tmp_path: Path, cli: Cli) -> None:
    rows = [{"text": "bom", "label": "positive"}, {"text": "ruim", "label": "negativ"}]
    write_jsonl(tmp_path / "a.jsonl", rows)
    write_jsonl(tmp_path / "b.jsonl", [{"text": "mau", "label": "negative"}])
    done = cli("train", "--arch", "bow", "--train", "a.jsonl", "--dev", "b.jsonl", "-o", "run")
    assert done.returncode == 3
    assert b"a.jsonl: row 2: unknown label 'negativ'. Did you mean 'negative'?" in done.stderr


def test_an_epoch_holds_every_document_once() -> None:
    ids = [np.arange(1, 2 + n % 37) for n in range(1000)]
    epoch = Epoch(ids, batch_size=16, window=20, seed=1, epoch=0)
    seen = [row for batch in epoch.batches(0, 0, 1) for row in batch.rows]
    assert sorted(seen) == list(range(1000))
    assert max(batch.mask_BT.sum(axis=1).max() for batch in epoch.batches(0, 0, 1)) == 20
    shares = [{row for batch in epoch.batches(0, rank, 2) for row in batch.rows} for rank in (0, 1)]
    assert not shares[0] & shares[1]
    padding = [1 - batch.mask_BT.mean() for batch in epoch.batches(0, 0, 1)]
    assert np.mean(padding) < 0.25
    again = Epoch(ids, batch_size=16, window=20, seed=1, epoch=0)
    assert [b.rows for b in again.batches(30, 0, 1)] == [b.rows for b in epoch.batches(30, 0, 1)]


@pytest.mark.parametrize("kind", ["bpe", "unigram", "char"])
def test_the_tokenizer_reads_anything_and_specials_are_only_text(kind: str) -> None:
    import tokenizers

    from nlpkit.settings import recipe
    from nlpkit.training import tokenizer

    texts = ["Que filme ótimo!", "péssimo, nunca mais", "kkkkk adorei @ana http://x.br"] * 20
    settings = recipe.Tokenizer(kind=kind, vocab_size=200)
    made = tokenizers.Tokenizer.from_str(tokenizer.train(texts, settings))
    assert 0 not in made.encode("[PAD] [UNK] bom").ids
    assert made.encode("OTIMO\x00 👍 漢字 \u200d").ids
    assert made.encode("Que FILME").ids == made.encode("que   filme ").ids
    if kind != "char":
        assert made.encode("veja http://a.b/c").ids == made.encode("veja https://outro.com").ids
    assert made.encode("").ids in ([], made.encode(" ").ids)


def test_patterns_may_be_absolute_and_names_may_hold_brackets(tmp_path: Path) -> None:
    from nlpkit.settings.recipe import resolve

    for name in ("a[1].jsonl", "b1.jsonl", "b2.jsonl"):
        write_jsonl(tmp_path / name, [])
    assert [p.name for p in resolve(str(tmp_path / "a[1].jsonl"), tmp_path)] == ["a[1].jsonl"]
    assert len(resolve(str(tmp_path / "b*.jsonl"), Path("/nowhere"))) == 2


def test_the_data_error_names_the_files_looked_for(tmp_path: Path) -> None:
    from nlpkit.settings.recipe import resolve

    with pytest.raises(InputError, match="NLPKIT_DATA"):
        resolve("nothing.jsonl", tmp_path)
