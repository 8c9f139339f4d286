"""Pretraining: every objective learns, and its corpus is filtered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import PATIENCE, environment, write_jsonl
from pretraining_helpers import folder as folder, learn, made, texts
from safetensors.torch import load_file

from nlpkit import catalog
from nlpkit.errors import InputError, UsageError
from nlpkit.jobs import pretrain as job
from nlpkit.settings import recipe as recipes


@pytest.mark.parametrize("objective", catalog.names("objectives"))
def test_objective_learns_with_every_architecture_it_accepts(objective: str, folder: Path) -> None:
    if objective == "skipgram":
        pytest.importorskip("gensim")
    suited = []
    for arch in catalog.names("architectures"):
        recipe = made(folder, arch, objective, "pretrain.steps=40")
        try:
            summary = job.pretrain(
                recipe, folder / arch, device="cpu", resume=False, listener=lambda event: None
            )
        except UsageError:
            continue
        suited.append(arch)
        weights = load_file(folder / arch / "model.safetensors")
        parts = {name.partition(".")[0] for name in weights}
        assert parts == ({"encoder", "head"} if objective == "denoise" else {"encoder"})
        assert summary
        if summary.steps:
            lines = (folder / arch / "metrics.jsonl").read_text().splitlines()
            losses = [json.loads(line)["dev_loss"] for line in lines]
            assert losses[-1] < losses[0]
            assert summary.dev["dev_loss"] == min(losses)
    assert suited, "no architecture suits it"
    assert "bow" not in suited, "characters are no pieces"


def test_skipgram_brings_related_pieces_closer(folder: Path) -> None:
    pytest.importorskip("gensim")
    recipe = made(folder, "atnet", "skipgram", "objective.epochs=60", "objective.subsample=0.01")
    learn(recipe, folder / "run")
    weights = load_file(folder / "run" / "model.safetensors")
    assert list(weights) == ["encoder.embed.weight"], "only learned weights are kept"
    vectors = weights["encoder.embed.weight"]
    pieces = json.loads((folder / "run" / "tokenizer.json").read_text())["model"]["vocab"]

    def cosine(a: str, b: str) -> float:
        return float(torch.cosine_similarity(vectors[pieces[a]], vectors[pieces[b]], dim=0))

    assert cosine("▁gato", "▁mia") > cosine("▁gato", "▁muge")
    assert not vectors[0].any(), "padding stays zero"


def test_clm_needs_a_network_that_reads_one_way(folder: Path) -> None:
    with pytest.raises(UsageError, match="one direction"):
        learn(made(folder, "atnet", "clm"), folder / "run")


def test_pretraining_on_two_processes(folder: Path) -> None:
    made(folder, "transformer", "mlm")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["--master-port=0", "--standalone", "-m", "nlpkit", "pretrain", "pretrain.toml"]
    done = subprocess.run(
        [*command, "-o", "run", "--device", "cpu", "--set", "pretrain.batch_tokens=256"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((folder / "run/run.json").read_text())["steps"] == 60
    assert {"rng.0", "rng.1"} <= load_file(folder / "run/last.safetensors").keys()


def test_excluded_and_repeated_texts_are_dropped(folder: Path) -> None:
    write_jsonl(folder / "test.jsonl", [{"text": text.upper()} for text in texts(300, 1)[:100]])
    lines = texts(300, 1) + texts(300, 1)[:50] + texts(40, 2)
    (folder / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    recipe = made(folder, "atnet", "mlm", 'corpus.exclude=["test.jsonl"]', "pretrain.steps=1")
    summary = learn(recipe, folder / "run")
    assert summary["data"]["train"][0]["rows"] == 200


def test_another_corpus_is_not_taken_for_the_one_that_lies_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="one direction"):  # leaves its corpus behind
        learn(made(folder, "atnet", "clm"), folder / "run")
    (folder / "other.txt").write_text("\n".join(texts(50, 9)), encoding="utf-8")
    recipe = made(folder, "atnet", "mlm", 'corpus.train=["other.txt"]', "pretrain.steps=1")
    assert learn(recipe, folder / "run")["data"]["train"][0]["rows"] == 50


def test_missing_dev_or_training_text_is_an_error(folder: Path) -> None:
    with pytest.raises(InputError, match="has no usable text"):
        learn(made(folder, "atnet", "mlm", "corpus.dev=[]"), folder / "a")
    (folder / "train.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(InputError, match="has no usable text"):
        learn(made(folder, "atnet", "mlm"), folder / "b")


def test_sampled_clm_reports_the_loss_over_the_whole_vocabulary(folder: Path) -> None:
    summary = learn(made(folder, "lstm", "clm", "objective.sample=20"), folder / "run")
    assert 0 < summary["dev"]["dev_loss"] < 5.3  # ln 200


def test_init_writes_a_valid_recipe(quick_cli: Any, tmp_path: Path) -> None:
    done = quick_cli("init", "recipe", "--arch", "lstm", "--objective", "clm")
    (tmp_path / "made.toml").write_bytes(done.stdout)
    assert recipes.load_pretraining(tmp_path / "made.toml").objective.name == "clm"
    done = quick_cli("init", "recipe", "--arch", "lstm")
    (tmp_path / "other.toml").write_bytes(done.stdout)
    assert recipes.load(tmp_path / "other.toml").augment == ()
    assert b"typos" in done.stdout


def test_command_prints_the_next_command(quick_cli: Any, folder: Path) -> None:
    made(folder, "atnet", "mlm")
    done = quick_cli(
        "pretrain", folder / "pretrain.toml", "-o", folder / "run", "--set", "pretrain.steps=20"
    )
    assert done.returncode == 0, done.stderr
    assert b"nlpkit train RECIPE --init" in done.stderr
    again = quick_cli("pretrain", folder / "pretrain.toml", "-o", folder / "run")
    assert again.returncode == 2
    assert again.stderr.count(b"\n") == 1
    assert quick_cli("evaluate", folder / "run", folder / "dev.txt").returncode in (2, 4)


def test_texts_of_control_characters_are_dropped(folder: Path) -> None:
    (folder / "dev.txt").write_bytes(b"\x01\x02\n\x03\n")
    with pytest.raises(InputError, match="finds no token"):
        learn(made(folder, "atnet", "mlm"), folder / "run")
