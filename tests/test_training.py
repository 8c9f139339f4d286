"""Training: every architecture learns, on one process and on two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from conftest import PATIENCE, ROOT, corpus, tiny_recipe, write_jsonl
from safetensors.torch import load_file
from training_helpers import train

from nlpkit import catalog
from nlpkit.errors import NlpkitError
from nlpkit.settings import declaration
from nlpkit.settings.sections import Tokenizer as Settings, Train
from nlpkit.tasks import Reads, sentiment
from nlpkit.text import Tokenizer
from nlpkit.training.descent import half_precision, rate

TEXTS = ["Que filme ótimo!", "péssimo, nunca mais", "kkkkk adorei @ana http://x.br"] * 20


def learned(kind: str) -> Tokenizer:
    made: Tokenizer = catalog.load("tokenizers", kind).learn(
        TEXTS, Settings(kind=kind, vocab_size=200)
    )
    return made


@pytest.mark.parametrize("arch", catalog.names("architectures"))
def test_architecture_learns(arch: str, tiny_run: Callable[[str], Path]) -> None:
    summary = json.loads((tiny_run(arch) / "run.json").read_text())
    assert summary["dev"]["macro_f1"] > 0.9
    lines = (tiny_run(arch) / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0]


def test_training_on_two_processes_with_a_teacher(
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
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads((tmp_path / "run/run.json").read_text())
    assert summary["dev"]["macro_f1"] > 0.8
    tensors = load_file(tmp_path / "run/last.safetensors")
    assert {"rng.0", "rng.1"} <= tensors.keys()


def test_one_step_changes_the_weights(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", corpus(10, 5))
    write_jsonl(tmp_path / "dev.jsonl", corpus(20, 6))
    kept = []
    for lr in (1e-6, 0.1):
        recipe = tiny_recipe("bow", tmp_path, epochs=1, batch_size=16, lr=lr)
        train(recipe, tmp_path / str(lr))
        kept.append(load_file(tmp_path / str(lr) / "model.safetensors")["head.output.bias"])
    assert not torch.allclose(*kept, atol=1e-3)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_learning_rate_warms_up_decays_and_is_never_zero(schedule: str) -> None:
    settings = tiny_recipe("bow", Path(), schedule=schedule, warmup=0.1).train
    rates = [rate(step, 100, settings) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == 1 and min(rates) > 0
    assert rate(0, 1, settings) > 0


@pytest.mark.parametrize(
    ("amp", "has", "dtype"),
    [
        ("fast", {"avx512_bf16": True}, torch.bfloat16),
        ("fast", {"amx_bf16": True}, torch.bfloat16),
        ("fast", {"avx512_bf16": False}, None),
        ("fast", {}, None),
        ("bf16", {}, torch.bfloat16),
        ("auto", {"avx512_bf16": True}, None),
        ("off", {"avx512_bf16": True}, None),
    ],
)
def test_precision_on_a_cpu(
    amp: str, has: dict[str, bool], dtype: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    assert half_precision(Train(amp=amp), torch.device("cpu")) is dtype


def test_nan_loss_stops_training(data: Path, tmp_path: Path) -> None:
    with pytest.raises(NlpkitError, match=r"lower train\.lr"):
        train(tiny_recipe("bow", data, lr=1e30, clip=0.0), tmp_path / "run")
    assert not (tmp_path / "run/run.json").exists()


def test_missing_label_gets_no_gradient() -> None:
    task = sentiment.Task(sentiment.Config(), sentiment.LABELS)
    gold, tokenizer = task.gold({"label": "positive"}), learned("char")
    logits = torch.zeros(1, 3, requires_grad=True)

    def neutral_gradient(weight: float) -> float:
        logits.grad = None
        arrays = task.targets([gold], Reads([(0, 2)]), tokenizer) | task.prior_targets(
            [{1: weight}]
        )
        targets = {name: torch.from_numpy(array) for name, array in arrays.items()}
        task.loss({"logits": logits}, targets, 0.0).mean().backward()
        assert logits.grad[0, 0] > 0 > logits.grad[0, 2]
        return float(logits.grad[0, 1])

    assert abs(neutral_gradient(0.0)) < 1e-6
    assert 0 < neutral_gradient(0.1) < neutral_gradient(1.0)


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece", "char"])
def test_tokenizer_reads_any_text_and_special_tokens_as_plain_text(kind: str) -> None:
    tokenizer = learned(kind)

    def ids(text: str) -> list[int]:
        return tokenizer.encode([text]).ids_S.tolist()

    assert 0 not in ids("[PAD] [UNK] bom")
    assert ids("OTIMO\x00 👍 漢字 \u200d")
    assert ids("Que FILME") == ids("que   filme ")
    if kind != "char":
        assert ids("veja http://a.b/c") == ids("veja https://outro.com")
    assert ids("") in ([], ids(" "))
