"""Pretraining: every objective learns, resumes bit for bit, and gives a training its start."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import environment, tiny_tree, write_jsonl
from safetensors.torch import load_file

from nlpkit import catalog
from nlpkit.errors import InputError, ModelError, UsageError
from nlpkit.heads.pieces import Words
from nlpkit.jobs import pretrain as job
from nlpkit.lock import held
from nlpkit.objectives.mlm import second_halves_swapped
from nlpkit.runtime.batcher import pad
from nlpkit.settings import recipe as recipes
from nlpkit.training import corpus, pretrain, run

ANIMALS = ["o gato", "a vaca", "o pato", "a cabra"]
SOUNDS = ["mia no telhado", "muge no pasto", "grasna no lago", "bale no morro"]


def texts(rows: int, seed: int) -> list[str]:
    """Return sentences whose second half follows from the first."""
    rng = random.Random(seed)
    made = []
    for number in range(rows):
        place = rng.randrange(len(ANIMALS))
        made.append(f"{ANIMALS[place]} número {number} de {seed} {SOUNDS[place]}.")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("\n".join(texts(300, 1)), encoding="utf-8")
    (tmp_path / "dev.txt").write_text("\n".join(texts(40, 2)), encoding="utf-8")
    return tmp_path


def made(folder: Path, arch: str, objective: str, *overrides: str) -> recipes.Pretraining:
    sizes = {k: v for k, v in tiny_tree(arch)["architecture"].items() if k != "name"}
    settings = "\n".join(f"{key} = {json.dumps(value)}" for key, value in sizes.items())
    text = f"""
[objective]
name = "{objective}"
[architecture]
name = "{arch}"
{settings}
[tokenizer]
vocab_size = 200
window = 16
overlap = 4
[corpus]
train = ["train.txt"]
dev = ["dev.txt"]
[pretrain]
steps = 60
eval_steps = 20
batch_tokens = 512
lr = 1e-2
checkpoint_steps = 7
"""
    (folder / "pretrain.toml").write_text(text, encoding="utf-8")
    return recipes.load_pretraining(folder / "pretrain.toml", overrides)


def learn(recipe: recipes.Pretraining, folder: Path, **options: Any) -> dict[str, Any]:
    options = {"device": "cpu", "resume": False, "listener": lambda event: None} | options
    return pretrain.pretrain(recipe, folder, **options)


@pytest.mark.parametrize("objective", catalog.names("objectives"))
def test_it_learns_with_what_it_does_not_refuse(objective: str, folder: Path) -> None:
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
        assert {name.partition(".")[0] for name in weights} == {"encoder"}
        if summary["steps"]:
            lines = (folder / arch / "metrics.jsonl").read_text().splitlines()
            losses = [json.loads(line)["dev_loss"] for line in lines]
            assert losses[-1] < losses[0]
            assert summary["dev"]["dev_loss"] == min(losses)
    assert suited, "no architecture suits it"
    assert "bow" not in suited, "characters are no pieces"


def test_skipgram_puts_related_pieces_together(folder: Path) -> None:
    pytest.importorskip("gensim")
    recipe = made(folder, "atnet", "skipgram", "objective.epochs=60", "objective.subsample=0.01")
    learn(recipe, folder / "run")
    weights = load_file(folder / "run" / "model.safetensors")
    assert list(weights) == ["encoder.embed.weight"], "what was not learned is not kept"
    vectors = weights["encoder.embed.weight"]
    pieces = json.loads((folder / "run" / "tokenizer.json").read_text())["model"]["vocab"]

    def cosine(a: str, b: str) -> float:
        return float(torch.cosine_similarity(vectors[pieces[a]], vectors[pieces[b]], dim=0))

    assert cosine("▁gato", "▁mia") > cosine("▁gato", "▁muge")
    assert not vectors[0].any(), "padding stays zero"


def test_clm_needs_a_network_that_reads_one_way(folder: Path) -> None:
    with pytest.raises(UsageError, match="one way"):
        learn(made(folder, "atnet", "clm"), folder / "run")


@pytest.mark.parametrize("arch", ["lstm", "transformer"])
def test_causal_states_never_see_what_they_guess(arch: str) -> None:
    module = catalog.load("architectures", arch)
    sizes = {k: v for k, v in tiny_tree(arch)["architecture"].items() if k != "name"}
    sizes |= {"vocab_size": 50} | ({"max_length": 16} if arch == "transformer" else {})
    encoder = module.Encoder(module.Config(**sizes, **({"layers": 2} if arch == "lstm" else {})))
    encoder.eval()
    ids_BT = torch.randint(2, 50, (2, 9))
    mask_BT = torch.ones(2, 9, dtype=torch.bool)
    changed_BT = ids_BT.clone()
    changed_BT[:, 5] = (changed_BT[:, 5] - 1) % 48 + 2
    before, after = encoder.causal(ids_BT, mask_BT), encoder.causal(changed_BT, mask_BT)
    assert torch.equal(before[0][:, :5], after[0][:, :5])
    assert not torch.equal(before[0][:, 5:], after[0][:, 5:])
    for back, again in zip(before[1:], after[1:], strict=True):
        assert torch.equal(back[:, 6:], again[:, 6:])
        assert not torch.equal(back[:, :6], again[:, :6])


class Stop(Exception):
    pass


def test_a_stopped_run_resumes_to_the_same_weights(folder: Path) -> None:
    recipe = made(folder, "lstm", "mlm", "objective.next_sentence=true")
    learn(recipe, folder / "unbroken")

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "evaluation" and event["step"] == 40:
            raise Stop

    with pytest.raises(Stop):
        learn(recipe, folder / "stopped", listener=stop)
    with pytest.raises(UsageError, match="--resume"):
        learn(recipe, folder / "stopped")
    learn(recipe, folder / "stopped", resume=True)
    one, other = (
        load_file(folder / name / "model.safetensors") for name in ("unbroken", "stopped")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_pretrain_as_one(folder: Path) -> None:
    made(folder, "transformer", "mlm")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["--master-port=0", "--standalone", "-m", "nlpkit", "pretrain", "pretrain.toml"]
    done = subprocess.run(
        [*command, "-o", "run", "--device", "cpu", "--set", "pretrain.batch_tokens=256"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((folder / "run/run.json").read_text())["steps"] == 60
    assert {"rng.0", "rng.1"} <= load_file(folder / "run/last.safetensors").keys()


def test_excluded_and_repeated_texts_are_not_seen(folder: Path) -> None:
    write_jsonl(folder / "test.jsonl", [{"text": text.upper()} for text in texts(300, 1)[:100]])
    lines = texts(300, 1) + texts(300, 1)[:50] + texts(40, 2)
    (folder / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    recipe = made(folder, "atnet", "mlm", 'corpus.exclude=["test.jsonl"]', "pretrain.steps=1")
    summary = learn(recipe, folder / "run")
    assert summary["data"]["train"][0]["rows"] == 200


def test_another_corpus_is_not_taken_for_the_one_that_lies_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="one way"):  # leaves its corpus behind
        learn(made(folder, "atnet", "clm"), folder / "run")
    (folder / "other.txt").write_text("\n".join(texts(50, 9)), encoding="utf-8")
    recipe = made(folder, "atnet", "mlm", 'corpus.train=["other.txt"]', "pretrain.steps=1")
    assert learn(recipe, folder / "run")["data"]["train"][0]["rows"] == 50


def test_no_dev_and_no_text_are_one_line(folder: Path) -> None:
    with pytest.raises(InputError, match="no texts left"):
        learn(made(folder, "atnet", "mlm", "corpus.dev=[]"), folder / "a")
    (folder / "train.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(InputError, match="no texts left"):
        learn(made(folder, "atnet", "mlm"), folder / "b")


def test_training_starts_from_a_run(folder: Path, data: Path) -> None:
    learn(made(folder, "lstm", "clm"), folder / "pretrained")
    start = {"run": str(folder / "pretrained"), "layer_decay": 0.5, "unfreeze": True}
    tree = tiny_tree("lstm", epochs=2) | {"init": start}
    tree["data"] = {"train": [str(data / "train.jsonl")], "dev": [str(data / "dev.jsonl")]}
    recipe = recipes.from_dict(tree, folder=data, where="test")
    options: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
    summary = run.train(recipe, folder / "run", **options)
    assert summary["init"]["objective"] == "clm"
    assert summary["init"]["data"]["train"][0]["file"] == "train.txt"
    pretrained = load_file(folder / "pretrained" / "model.safetensors")
    trained = load_file(folder / "run" / "last.safetensors")
    same = [name for name in pretrained if torch.equal(pretrained[name], trained[f"model.{name}"])]
    assert "encoder.embed.weight" in same, "two epochs do not reach the lowest stage"
    assert len(same) < len(pretrained)
    tokenizers = [(folder / name / "tokenizer.json").read_text() for name in ("pretrained", "run")]
    assert tokenizers[0] == tokenizers[1]


def test_a_start_that_does_not_fit_is_refused(folder: Path, data: Path) -> None:
    learn(made(folder, "lstm", "clm", "pretrain.steps=1"), folder / "pretrained")
    tree = tiny_tree("lstm") | {"init": {"run": str(folder / "pretrained")}}
    tree["architecture"]["hidden"] = 12
    tree["data"] = {"train": [str(data / "train.jsonl")], "dev": [str(data / "dev.jsonl")]}
    options: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
    with pytest.raises(UsageError, match="does not fit"):
        run.train(recipes.from_dict(tree, folder=data, where="t"), folder / "run", **options)
    tree["init"] = {"run": "nowhere"}
    with pytest.raises(ModelError, match="nlpkit pretrain"):
        run.train(recipes.from_dict(tree, folder=data, where="t"), folder / "other", **options)


def test_whole_words_are_hidden() -> None:
    pieces = ["[PAD]", "[UNK]", "▁ga", "to", "▁mia", ".", "x"]
    words = Words(pieces)
    ids_BT = np.array([[2, 3, 4, 5, 6, 3]] * 200)
    mask_BT = np.ones_like(ids_BT, dtype=bool)
    mask_BT[:, 5] = False
    hidden_BT = words.hidden(ids_BT, mask_BT, 0.5, np.random.default_rng(1))
    assert (hidden_BT[:, 0] == hidden_BT[:, 1]).all(), "two pieces of a word go together"
    assert not hidden_BT[:, 5].any(), "padding is never hidden"
    for one, other in ((1, 2), (2, 3), (3, 4)):
        assert (hidden_BT[:, one] != hidden_BT[:, other]).any(), "words go alone"
    assert 0.4 < hidden_BT[:, :5].mean() < 0.6


def test_swapped_halves_are_tokens_and_told() -> None:
    rows = [np.arange(2, 2 + length) for length in (9, 8, 9, 6)]
    batch = pad(rows, [0, 1, 2, 3], 16)
    for seed in range(20):
        ids_BT, mask_BT, follows_B = second_halves_swapped(
            batch.ids_BT, batch.mask_BT, np.random.default_rng(seed)
        )
        assert ((ids_BT > 0) == mask_BT).all()
        assert (np.diff(mask_BT.astype(int), axis=1) <= 0).all(), "padding is at the end"
        for row, follows in enumerate(follows_B):
            if follows:
                assert (ids_BT[row] == batch.ids_BT[row]).all()
    alone = pad(rows[:1], [0], 16)
    assert second_halves_swapped(alone.ids_BT, alone.mask_BT, np.random.default_rng(3))[2][0] == 1


def test_sampled_clm_is_measured_over_all_pieces(folder: Path) -> None:
    summary = learn(made(folder, "lstm", "clm", "objective.sample=20"), folder / "run")
    assert 0 < summary["dev"]["dev_loss"] < 5.3  # ln 200


def test_a_source_may_go_once_training_began(folder: Path) -> None:
    learn(made(folder, "lstm", "mlm", "pretrain.steps=5"), folder / "first")
    recipe = made(folder, "lstm", "clm", f'init.run="{folder / "first"}"')

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "evaluation" and event["step"] == 20:
            raise Stop

    with pytest.raises(Stop):
        learn(recipe, folder / "second", listener=stop)
    (folder / "first").rename(folder / "gone")
    summary = learn(recipe, folder / "second", resume=True)
    assert summary["init"]["objective"] == "mlm"


def test_a_finished_skipgram_run_is_a_run(folder: Path) -> None:
    pytest.importorskip("gensim")
    learn(made(folder, "atnet", "skipgram"), folder / "run")
    with pytest.raises(UsageError, match="already holds a run"):
        learn(made(folder, "atnet", "skipgram"), folder / "run")


def test_threads_may_differ_on_resume_and_settings_that_decide_may_not(folder: Path) -> None:
    learn(made(folder, "atnet", "mlm", "pretrain.steps=3"), folder / "run")
    learn(
        made(folder, "atnet", "mlm", "pretrain.steps=3", "pretrain.threads=1"),
        folder / "run",
        resume=True,
    )
    with pytest.raises(UsageError, match="not the recipe"):
        learn(made(folder, "atnet", "mlm", "pretrain.steps=4"), folder / "run", resume=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Callable[[list[int]], corpus.Corpus]]:
    def make(lengths: list[int]) -> corpus.Corpus:
        ids = np.arange(sum(lengths), dtype=np.uint16)
        return corpus.Corpus(tmp_path, ids, np.cumsum([0, *lengths]))

    yield make


def test_a_pass_reads_every_window_once(small: Callable[[list[int]], corpus.Corpus]) -> None:
    made = small([3, 4, 10, 25, 8, 31])
    windows = made.windows(10)
    assert windows.tolist() == [
        [3, 4], [7, 10], [17, 10], [27, 10], [37, 5], [42, 8], [50, 10], [60, 10], [70, 10]
    ]  # fmt: skip
    plan = corpus.Plan(made, windows, tokens=32, seed=1, epoch=0)
    rows = np.concatenate(plan.batches)
    assert sorted(rows.tolist()) == list(range(len(windows)))
    seen = []
    for place in range(len(plan.batches)):
        batch = plan.batch(place)
        assert batch.ids_BT.size <= 32
        seen += batch.ids_BT[batch.mask_BT].tolist()
    assert len(seen) == len(set(seen)) == int(windows[:, 1].sum())
    again = corpus.Plan(made, windows, tokens=32, seed=1, epoch=1)
    assert np.concatenate(again.batches).tolist() != rows.tolist()


def test_init_writes_a_recipe_that_loads(cli: Any, tmp_path: Path) -> None:
    done = cli("init", "recipe", "--arch", "lstm", "--objective", "clm")
    (tmp_path / "made.toml").write_bytes(done.stdout)
    assert recipes.load_pretraining(tmp_path / "made.toml").objective.name == "clm"
    done = cli("init", "recipe", "--arch", "lstm")
    (tmp_path / "other.toml").write_bytes(done.stdout)
    assert recipes.load(tmp_path / "other.toml").augment == ()
    assert b"typos" in done.stdout


def test_the_command_says_what_is_next(cli: Any, folder: Path) -> None:
    made(folder, "atnet", "mlm")
    done = cli(
        "pretrain", folder / "pretrain.toml", "-o", folder / "run", "--set", "pretrain.steps=20"
    )
    assert done.returncode == 0, done.stderr
    assert b"nlpkit train RECIPE --init" in done.stderr
    again = cli("pretrain", folder / "pretrain.toml", "-o", folder / "run")
    assert again.returncode == 2
    assert again.stderr.count(b"\n") == 1
    assert cli("evaluate", folder / "run", folder / "dev.txt").returncode in (2, 4)


def test_damaged_starts_are_models_that_are_refused(folder: Path) -> None:
    learn(made(folder, "lstm", "mlm", "pretrain.steps=1"), folder / "first")
    whole = (folder / "first/tokenizer.json").read_text()
    start = f'init.run="{folder / "first"}"'
    for number, text in enumerate(("", whole[:300], "{}")):
        (folder / "first/tokenizer.json").write_text(text)
        with pytest.raises(ModelError, match="damaged"):
            learn(made(folder, "lstm", "mlm", start), folder / f"second{number}")
    (folder / "first/tokenizer.json").write_text(whole)
    (folder / "first/run.json").write_text("[]")
    with pytest.raises(ModelError, match="damaged"):
        learn(made(folder, "lstm", "mlm", start), folder / "third")


def test_two_at_once_are_one_too_many(folder: Path) -> None:
    with held(folder / "run"), pytest.raises(UsageError, match="at work"):
        learn(made(folder, "atnet", "mlm"), folder / "run")


def test_texts_of_controls_are_no_text(folder: Path) -> None:
    (folder / "dev.txt").write_bytes(b"\x01\x02\n\x03\n")
    with pytest.raises(InputError, match="keeps nothing"):
        learn(made(folder, "atnet", "mlm"), folder / "run")


def test_an_empty_option_is_not_no_option(cli: Any, folder: Path) -> None:
    made(folder, "atnet", "mlm")
    done = cli("pretrain", folder / "pretrain.toml", "--init", "")
    assert done.returncode == 2
    assert b"empty" in done.stderr
    assert cli("train", "sentiment", "--teacher", ",").returncode == 2
