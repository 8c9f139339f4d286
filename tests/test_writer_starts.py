"""Starts of networks that write: from language models, pretrained runs, bundles and encoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import write_jsonl
from pretraining_helpers import learn, made as pretraining, texts
from safetensors.torch import load_file

from nlpkit.errors import UsageError
from nlpkit.jobs import train as job
from nlpkit.jobs.export import export
from nlpkit.settings import recipe as recipes
from nlpkit.training import run, sources
from nlpkit.training.init import complete

Weights = dict[str, torch.Tensor]
TRAIN = {"epochs": 1, "batch_size": 8, "threads": 1, "patience": 0}
SIZES = {"width": 16, "layers": 1, "heads": 2, "feedforward": 32}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with texts and pairs."""
    made = tmp_path_factory.mktemp("starts")
    for name, rows, seed in (("train", 40, 1), ("dev", 8, 2)):
        lines = texts(rows, seed)
        (made / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
        pairs = [{"text": line, "target": line.upper()} for line in lines]
        write_jsonl(made / f"{name}.jsonl", pairs)
    return made


def recipe_of(folder: Path, *, start: str = "", source: bool = False, **sections: Any) -> Any:
    """Return a recipe; with a start, it learns nothing, so that its weights are those it took."""
    ending = "jsonl" if source else "txt"
    tree: dict[str, Any] = {
        "name": "x",
        "task": {"name": "generate"},
        "data": {"train": [f"train.{ending}"], "dev": [f"dev.{ending}"]},
        "train": TRAIN | ({"lr": 0.0, "steps": 1} if start else {"lr": 0.01}),
    }
    if start:
        tree["init"] = {"run": start}
    for name, values in sections.items():
        tree[name] = tree.get(name, {}) | values
    return recipes.from_dict(tree, folder=folder, where="test", complete=complete)


def trained(recipe: Any, folder: Path) -> Weights:
    job.check(recipe)
    run.train(recipe, folder, device="cpu", resume=False, listener=lambda event: None)
    weights: Weights = load_file(folder / "model.safetensors")
    return weights


def part(weights: Weights, prefix: str) -> Weights:
    start = len(prefix)
    return {name[start:]: each for name, each in weights.items() if name.startswith(prefix)}


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def language_model(folder: Path) -> Weights:
    """The weights of a language model, whose run is the folder `lm`."""
    recipe = recipe_of(
        folder,
        decoder={"name": "transformer"} | SIZES,
        tokenizer={"vocab_size": 280, "window": 16, "overlap": 4},
    )
    return trained(recipe, folder / "lm")


@pytest.fixture(scope="module")
def bundle(folder: Path, language_model: Weights) -> Path:
    options = ['export.precisions=["fp32", "int8"]', "export.max_score_drop=1"]
    export(str(folder / "lm"), folder / "bundle", overrides=options, listener=lambda report: None)
    return folder / "bundle"


def test_language_model_starts_from_another(folder: Path, language_model: Weights) -> None:
    """Its decoder, sizes and tokenizer are those of the source."""
    recipe = recipe_of(folder, start="lm", data={"train": ["dev.txt"], "dev": ["train.txt"]})
    assert recipe.decoder.settings() | SIZES == recipe.decoder.settings()
    assert recipe.architecture is None and not recipe.task.config.source
    assert (recipe.tokenizer.kind, recipe.tokenizer.window) == ("bytelevel", 16)
    assert equal(trained(recipe, folder / "lm-2"), language_model)
    one, other = ((folder / name / "tokenizer.json").read_text() for name in ("lm", "lm-2"))
    assert one == other
    summary = json.loads((folder / "lm-2/run.json").read_text())
    assert summary["init"]["name"] == "x"


def test_started_run_continues_without_its_source(folder: Path, language_model: Weights) -> None:
    recipe = recipe_of(folder, start="lm", train={"lr": 0.01, "steps": 0, "epochs": 2})

    def interrupt(event: object) -> None:
        if type(event).__name__ == "EpochEnded":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train(recipe, folder / "lm-3", device="cpu", resume=False, listener=interrupt)
    (folder / "lm").rename(folder / "moved")
    options: Any = {"device": "cpu", "resume": True, "listener": lambda event: None}
    summary = run.train(recipe, folder / "lm-3", **options)
    (folder / "moved").rename(folder / "lm")
    assert summary and summary.init and summary.epochs == 2


def test_language_model_starts_from_a_bundle(
    folder: Path, bundle: Path, language_model: Weights
) -> None:
    assert equal(trained(recipe_of(folder, start="bundle"), folder / "lm-4"), language_model)
    kept = json.loads((bundle / "bundle.json").read_text())
    assert kept["architecture"]["name"] == "transformer"


def test_weights_of_a_small_bundle_are_close(folder: Path, language_model: Weights) -> None:
    options = ['export.precisions=["int8"]', "export.max_score_drop=1"]
    export(str(folder / "lm"), folder / "small", overrides=options, listener=lambda report: None)
    source = sources.read(folder / "small")
    assert source.head.keys() == part(language_model, "head.").keys()
    for name, weight in part(language_model, "head.").items():
        spread = float(weight.abs().max())
        assert (source.head[name] - weight).abs().max() <= 0.01 * spread, name
    trained(recipe_of(folder, start="small"), folder / "lm-5")


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_language_model_starts_from_a_pretrained_encoder(folder: Path, name: str) -> None:
    """Pretrained by clm; an LSTM's forward direction becomes the decoder."""
    sizes = SIZES if name == "transformer" else {"embedding": 16, "hidden": 16, "layers": 1}
    given = [f"architecture.{key}={value}" for key, value in sizes.items()]
    base = pretraining(folder, name, "clm", "pretrain.steps=1", *given)
    learn(base, folder / f"clm-{name}")
    encoder = part(load_file(folder / f"clm-{name}/model.safetensors"), "encoder.")
    recipe = recipe_of(folder, start=f"clm-{name}", decoder={"name": name})
    assert recipe.decoder.settings() | sizes == recipe.decoder.settings()
    assert recipe.tokenizer.kind == "bpe"
    decoder = part(trained(recipe, folder / f"lm-{name}"), "head.decoder.")
    for key, weight in encoder.items():
        key = key.replace("forwards.", "cells.")
        if not key.startswith("backwards."):
            assert torch.equal(decoder[key], weight), key
    assert len(decoder) > 3


def test_translator_takes_its_decoder_from_a_language_model(
    folder: Path, language_model: Weights
) -> None:
    recipe = recipe_of(
        folder, start="lm", source=True, architecture={"name": "transformer"} | SIZES
    )
    assert recipe.task.config.source and recipe.decoder.name == "transformer"
    weights = trained(recipe, folder / "mt")
    decoder, theirs = part(weights, "head.decoder."), part(language_model, "head.decoder.")
    assert all(torch.equal(decoder[name], weight) for name, weight in theirs.items())
    assert any("cross" in name for name in decoder.keys() - theirs.keys())
    assert torch.equal(weights["encoder.embed.weight"], decoder["embed.weight"]), "tied"
    again = recipe_of(folder, start="mt", source=True)
    assert equal(trained(again, folder / "mt-2"), weights)


def test_translator_takes_encoder_and_decoder_from_a_denoiser(folder: Path) -> None:
    sizes = [f"architecture.{key}={value}" for key, value in SIZES.items()]
    base = pretraining(
        folder, "transformer", "denoise", "pretrain.steps=1", "objective.layers=1", *sizes
    )
    learn(base, folder / "denoise")
    theirs = load_file(folder / "denoise/model.safetensors")
    decoder = {"name": "transformer", "width": 16, "layers": 1}
    recipe = recipe_of(
        folder, start="denoise", source=True, architecture={"name": "transformer"}, decoder=decoder
    )
    assert recipe.architecture.config.feedforward == 32
    weights = trained(recipe, folder / "mt-3")
    assert equal(part(weights, "encoder."), part(theirs, "encoder."))
    assert equal(part(weights, "head."), part(theirs, "head."))


def test_decoder_learns_above_a_frozen_encoder_of_another_tokenizer(folder: Path) -> None:
    """Its tokenizer has no bos and eos; the encoder says their ids, as an imported one does."""
    sizes = [f"architecture.{key}={value}" for key, value in SIZES.items()]
    bounds = ["architecture.bos=2", "architecture.eos=3"]
    learn(pretraining(folder, "bert", "mlm", "pretrain.steps=1", *sizes, *bounds), folder / "bert")
    theirs = load_file(folder / "bert/model.safetensors")
    recipe = recipe_of(
        folder,
        start="bert",
        source=True,
        architecture={"name": "bert"},
        decoder={"name": "lstm", "embedding": 16, "hidden": 16},
        init={"freeze": 2},
        train={"lr": 0.01, "steps": 3},
    )
    assert recipe.architecture.config.bos == 2 and recipe.tokenizer.kind == "bpe"
    weights = trained(recipe, folder / "mt-4")
    assert equal(part(weights, "encoder."), part(theirs, "encoder."))
    assert torch.equal(weights["head.decoder.embed.weight"], weights["encoder.embed.weight"])
    summary = json.loads((folder / "mt-4/run.json").read_text())
    assert summary["task"]["ends"] == [2, 3]
    assert weights["head.decoder.bias_V"].any(), "the decoder has learned"


def test_encoder_without_ids_for_the_ends_is_refused(folder: Path) -> None:
    sizes = [f"architecture.{key}={value}" for key, value in SIZES.items()]
    learn(pretraining(folder, "transformer", "mlm", "pretrain.steps=1", *sizes), folder / "mlm")
    recipe = recipe_of(
        folder,
        start="mlm",
        source=True,
        architecture={"name": "transformer"},
        decoder={"name": "lstm"},
    )
    with pytest.raises(UsageError, match=r"the tokenizer \(bpe\) has no ids for the beginning"):
        trained(recipe, folder / "mt-5")


def test_start_of_another_size_or_kind_is_refused(folder: Path, language_model: Weights) -> None:
    with pytest.raises(
        UsageError, match=r"does not fit .* or \[decoder\]: .* is \[16\], here \[8\]"
    ):
        trained(recipe_of(folder, start="lm", decoder={"width": 8}), folder / "lm-6")
    with pytest.raises(UsageError, match="change the kind, or leave"):
        trained(recipe_of(folder, start="lm", tokenizer={"kind": "bpe"}), folder / "lm-7")


def test_command_line_continues_a_language_model(folder: Path, language_model: Weights) -> None:
    """`nlpkit train --init RUN --train FILE` needs no name of a task."""

    def recipe(**parts: str | None) -> Any:
        return job.recipe_from_files(
            parts=parts,
            init=str(folder / "lm"),
            train=[str(folder / "train.txt")],
            dev=[],
            fields={},
            overrides=[],
        )

    for parts in ({}, {"decoder": "transformer"}, {"task": "generate"}):
        made = recipe(**parts)
        assert made.task.name == "generate" and not made.task.config.source
        assert made.decoder.config.width == 16 and made.architecture is None
        job.check(made)
