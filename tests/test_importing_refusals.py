"""Folders that cannot be imported are refused in one sentence that says why and what to do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from importing_helpers import byte_level, change, model_of, unigram, wordpiece, write
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from nlpkit.errors import InputError, ModelError, UsageError
from nlpkit.importing import Imported, huggingface
from nlpkit.jobs.importing import import_run
from nlpkit.jobs.pruning import Corpus

pytest.importorskip("transformers")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "model", "bert")
    return tmp_path / "model"


def refusal(model: Path, **options: Any) -> str:
    """Return the message of a refused import, which leaves no trace."""
    before = sorted(model.parent.iterdir())
    with pytest.raises(ModelError) as problem:
        import_run(str(model), model.parent / "run", **options)
    assert sorted(model.parent.iterdir()) == before
    message = str(problem.value)
    assert "\n" not in message and str(model) in message
    return message


@pytest.mark.parametrize(
    ("change_weights", "said"),
    [
        (lambda weights: weights.pop("norm.bias"), "norm.bias is missing"),
        (lambda weights: weights.update({"norm.bias": np.zeros(3)}), r"norm.bias is \(3,\)"),
        (lambda weights: weights.update(extra=np.zeros(3)), r"in bert it is missing"),
    ],
)
def test_an_importer_must_give_each_weight_of_the_encoder(
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    change_weights: Callable[[dict[str, Any]], Any],
    said: str,
) -> None:
    read = huggingface.read

    def changed(source: str) -> Imported:
        found = read(source)
        weights = dict(found.weights)
        change_weights(weights)
        return dataclasses.replace(found, weights=weights)

    monkeypatch.setattr(huggingface, "read", changed)
    with pytest.raises(ModelError, match=said):
        import_run(str(model), model.parent / "run")
    assert not (model.parent / "run").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": "t5"}, "'t5'; nlpkit can import bert, roberta, xlm-roberta, distilbert"),
        ({"model_type": ...}, "None; nlpkit can import bert"),
        ({"model_type": ["bert"]}, "nlpkit can import bert"),
        ({"is_decoder": True}, "is_decoder is True"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"hidden_act": "gelu_new"}, "only 'gelu'"),
        ({"position_embedding_type": "relative_key"}, "only 'absolute'"),
        ({"num_hidden_layers": ...}, "num_hidden_layers is None"),
        ({"hidden_size": "16"}, "hidden_size is '16'"),
        ({"vocab_size": True}, "vocab_size is True"),
        ({"type_vocab_size": 0}, "type_vocab_size is 0"),
        ({"num_attention_heads": 3}, "not a multiple of num_attention_heads, 3"),
        ({"layer_norm_eps": "x"}, "layer_norm_eps is 'x'"),
        ({"pad_token_id": -1}, "pad_token_id is -1"),
        ({"num_hidden_layers": 4}, "lacks the tensor encoder.layer.3.attention.self.query.weight"),
        ({"intermediate_size": 25}, "is [24, 16], but [25, 16] by config.json"),
        ({"hidden_size": 18}, "word_embeddings.weight is [193, 16], but [193, 18] by config.json"),
        ({"max_position_embeddings": 41}, "position_embeddings.weight is [40, 16]"),
        ({"vocab_size": 194}, "word_embeddings.weight is [193, 16], but [194, 16]"),
    ],
)
def test_config_is_refused(settings: dict[str, Any], said: str, model: Path) -> None:
    change(model, **settings)
    assert said in refusal(model)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'"bert"', b"[" * 100_000])
def test_damaged_config_is_refused(content: bytes, model: Path) -> None:
    (model / "config.json").write_bytes(content)
    refusal(model)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"])
def test_pickled_weights_are_refused(name: str, model: Path) -> None:
    (model / "model.safetensors").rename(model / name)
    message = refusal(model)
    assert f"has {name} but no model.safetensors" in message and "save_pretrained" in message


def test_weights_in_several_files_are_refused(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    (model / "model.safetensors.index.json").write_text("{}")
    (model / "pytorch_model.bin").touch()
    assert "several files" in refusal(model)


def test_missing_weights_are_refused(model: Path) -> None:
    (model / "model.safetensors").unlink()
    assert "has no model.safetensors" in refusal(model)


@pytest.mark.parametrize("size", [0, 5, 2000])
def test_damaged_weights_are_refused(size: int, model: Path) -> None:
    content = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(content[:size])
    assert "damaged" in refusal(model)


def test_a_missing_tensor_and_whole_numbers_are_refused(model: Path) -> None:
    tensors = load_file(model / "model.safetensors")
    name = "encoder.layer.1.output.dense.bias"
    bias = tensors.pop(name)
    save_file(tensors, model / "model.safetensors")
    assert f"lacks the tensor {name}" in refusal(model)
    save_file(tensors | {name: bias.to(torch.int8)}, model / "model.safetensors")
    assert f"{name} is torch.int8" in refusal(model)


def test_missing_tokenizer_is_refused(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    assert "has no tokenizer.json" in refusal(model)


def saved(change: Callable[[dict[str, Any]], None]) -> str:
    tree = json.loads(wordpiece().to_str())
    change(tree)
    return json.dumps(tree)


def without_end(tree: dict[str, Any]) -> None:
    single = (
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    )
    tokens = {"[CLS]": {"id": "[CLS]", "ids": [3], "tokens": ["[CLS]"]}}
    tree["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [*single],
        "pair": [*single],
        "special_tokens": tokens,
    }


def words() -> str:
    made = Tokenizer(models.WordLevel({"[UNK]": 0, "oi": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made.to_str()


def without_unknown() -> str:
    made = Tokenizer(models.Unigram([("<pad>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("a", -1.0)]))
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return made.to_str()


def without_padding() -> str:
    tree = json.loads(byte_level().to_str())
    tree["model"]["vocab"]["<pat>"] = tree["model"]["vocab"].pop("<pad>")
    tree["added_tokens"] = [e for e in tree["added_tokens"] if e["content"] != "<pad>"]
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"model": null}', "damaged"),
        ('{"model": {"type": "WordPiece"}}', "cannot be read"),
        (words(), "its model is WordLevel; nlpkit reads Unigram, BPE, WordPiece"),
        (saved(lambda tree: tree.update(post_processor=None)), "puts 0 tokens around a text"),
        (saved(without_end), "puts 1 tokens around a text"),
        (saved(lambda tree: tree["model"].update(unk_token="[OTHER]")), "has no unknown token"),
        (without_unknown(), "has no unknown token"),
    ],
)
def test_tokenizer_is_refused(content: str, said: str, model: Path) -> None:
    (model / "tokenizer.json").write_text(content, encoding="utf-8")
    assert said in refusal(model)


def test_tokenizer_without_padding_is_refused(model: Path) -> None:
    (model / "tokenizer.json").write_text(without_padding(), encoding="utf-8")
    change(model, pad_token_id=None)
    assert "has no token for padding" in refusal(model)


def test_fewer_rows_than_ids_are_refused(model: Path) -> None:
    tokenizer = unigram()
    rows = tokenizer.get_vocab_size() - 1
    write(model, "bert", model_of("bert", rows), tokenizer)
    assert f"has ids up to {rows}, but the embedding has only {rows} rows" in refusal(model)


def test_an_encoder_of_few_positions_is_refused(model: Path) -> None:
    path = model / "model.safetensors"
    name = "embeddings.position_embeddings.weight"
    tensors = load_file(path)
    save_file(tensors | {name: tensors[name][:5].clone()}, path)
    change(model, max_position_embeddings=5)
    with pytest.raises(ModelError, match="only 5 positions"):
        import_run(str(model), model.parent / "run")


def test_wrong_options_are_refused(model: Path, tmp_path: Path) -> None:
    run, empty = tmp_path / "run", tmp_path / "empty.txt"
    empty.write_text("\n \n")
    refused: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"layers": (0, 3)}, UsageError, "--layers 3: the encoder has the layers 0 to 2"),
        ({"layers": (1, 1)}, UsageError, "names a layer twice"),
        ({"keep_vocabulary": Corpus(["-"])}, UsageError, "must be a file"),
        ({"keep_vocabulary": Corpus([str(tmp_path)])}, UsageError, "must be a file"),
        ({"keep_vocabulary": Corpus([str(tmp_path / "no.txt")])}, InputError, "no.txt"),
        ({"keep_vocabulary": Corpus([str(empty)])}, InputError, "has no text"),
    ]
    for options, kind, said in refused:
        with pytest.raises(kind, match=said):
            import_run(str(model), run, **options)
        assert not run.exists()
    with pytest.raises(UsageError, match="not a source of weights"):
        import_run(str(tmp_path), run)
    with pytest.raises(UsageError, match="not an empty folder"):
        import_run(str(model), model)
    run.mkdir()
    import_run(str(model), run)  # an empty folder is as good as none
    assert sorted(path.name for path in run.iterdir()) == [
        "model.safetensors",
        "recipe.toml",
        "run.json",
        "tokenizer.json",
    ]
    assert {path.stat().st_mode & 0o777 for path in run.iterdir()} == {0o666 & ~umask()}


def umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask
