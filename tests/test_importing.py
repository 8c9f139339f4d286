"""Imported encoders compute what transformers computes, and read texts as their tokenizers do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from importing_helpers import (
    CORPUS,
    NASTY,
    TOKENIZERS,
    TYPES,
    byte_level,
    model_of,
    opened,
    unigram,
    wordpiece,
    write,
)
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer

from nlpkit import text
from nlpkit.jobs.importing import import_run
from nlpkit.jobs.pruning import Corpus
from nlpkit.text.unicode import visible

pytest.importorskip("transformers")
TEXTS = ["O hotel é ótimo!", "água fria 😍", "a"]  # of different lengths


def differences(model: Any, folder: Path, run: Path, texts: list[str]) -> list[float]:
    """Return the largest difference of a text's states, for the texts alone and in a batch."""
    encoder, tokenizer = opened(run)
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = text.encode(tokenizer, texts).each()
    found = []
    with torch.inference_mode():
        ids_BT, mask_BT = map(torch.from_numpy, padded(rows))
        ours_BTD = encoder(ids_BT, mask_BT)
        for row, (ids, line) in enumerate(zip(rows, texts, strict=True)):
            framed = torch.tensor([theirs.encode(line).ids])
            states_TD = model(input_ids=framed).last_hidden_state[0, 1:-1]
            alone = encoder(torch.tensor(ids)[None], torch.ones(1, len(ids), dtype=torch.bool))
            for ours_TD in (alone[0], ours_BTD[row, : len(ids)]):
                assert ours_TD.shape == states_TD.shape
                found.append(float((ours_TD - states_TD).abs().max()))
        framed_BT, seen_BT = padded(
            [np.array(theirs.encode(line).ids) for line in texts], model.config.pad_token_id
        )
        both = {"input_ids": framed_BT, "attention_mask": seen_BT.astype(np.int64)}
        tensors = {name: torch.from_numpy(array) for name, array in both.items()}
        states_BTD = model(**tensors).last_hidden_state
        for row, ids in enumerate(rows):
            theirs_TD = states_BTD[row, 1 : len(ids) + 1]
            found.append(float((ours_BTD[row, : len(ids)] - theirs_TD).abs().max()))
    return found


def padded(rows: list[np.ndarray], value: int = 0) -> tuple[np.ndarray, np.ndarray]:
    longest = max(map(len, rows)) + 3
    ids_BT = np.full((len(rows), longest), value, dtype=np.int64)
    for row, ids in enumerate(rows):
        ids_BT[row, : len(ids)] = ids
    lengths_B = np.array([len(ids) for ids in rows])
    return ids_BT, np.arange(longest) < lengths_B[:, None]


@pytest.mark.parametrize("kind", TYPES)
def test_states_equal_those_of_transformers(kind: str, tmp_path: Path) -> None:
    model = write(tmp_path / "model", kind)
    report = import_run(str(tmp_path / "model"), tmp_path / "run")
    assert (report.layers, report.width, report.licence) == (3, 16, "")
    assert max(differences(model, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5


@pytest.mark.parametrize("kind", TYPES)
def test_tokens_equal_those_of_the_tokenizer(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "model", kind)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    _, ours = opened(tmp_path / "run")
    theirs = Tokenizer.from_file(str(tmp_path / "model/tokenizer.json"))
    for line in NASTY:
        seen = visible(line)
        ids = theirs.encode(seen, add_special_tokens=False).ids
        tokens = [theirs.id_to_token(id) for id in ids]
        for encoded in (text.encode(ours, [line]), text.encode(ours, [line], offsets=True)):
            assert ours.pieces(encoded.ids_S.tolist()) == tokens, line
    many = text.encode(ours, NASTY * 10).ids_S  # beyond the size from which words are cached
    assert many.tolist() == text.encode(ours, NASTY).ids_S.tolist() * 10
    assert (ours.pad, ours.unk) == (0, 1)
    bos, eos = (theirs.id_to_token(id) for id in theirs.encode("").ids)
    assert ours.pieces([2, 3]) == [bos, eos]


@pytest.mark.parametrize("kind", TYPES)
def test_special_tokens_in_a_text_are_plain_text(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "model", kind)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    _, ours = opened(tmp_path / "run")
    marks = "[CLS] [SEP] [PAD] [UNK] <s> </s> <pad> <unk>"
    ids = set(text.encode(ours, [marks]).ids_S.tolist())
    assert not ids & {0, 2, 3} and len(ids) > 3


@pytest.mark.parametrize("kind", TYPES)
def test_ids_decode_to_the_text(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "model", kind)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    _, ours = opened(tmp_path / "run")
    line = "O hotel é ótimo, mas o café não valeu! 😍"
    ids = [*text.encode(ours, [line]).ids_S.tolist(), 0]
    assert ours.text(ids) == line


@pytest.mark.parametrize("kind", TYPES)
def test_a_head_is_left_out_and_its_tensors_are_named(kind: str, tmp_path: Path) -> None:
    made = TOKENIZERS[kind]()
    model = model_of(kind, made.get_vocab_size(), head=True)
    write(tmp_path / "model", kind, model, made)
    names = load_file(tmp_path / "model/model.safetensors")
    prefix = kind.removeprefix("xlm-")
    assert f"{prefix}.embeddings.word_embeddings.weight" in names
    report = import_run(str(tmp_path / "model"), tmp_path / "run")
    assert report.ignored and not any(name.startswith(f"{prefix}.") for name in report.ignored)
    base = getattr(model, prefix)
    assert max(differences(base, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5


def test_old_names_of_layer_norm_are_read(tmp_path: Path) -> None:
    model = write(tmp_path / "model", "bert")
    path = tmp_path / "model/model.safetensors"
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in load_file(path).items()
    }
    renamed["embeddings.position_ids"] = torch.arange(40)[None]
    save_file(renamed, path)
    report = import_run(str(tmp_path / "model"), tmp_path / "run")
    assert report.ignored == ("pooler.dense.bias", "pooler.dense.weight")
    assert max(differences(model, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype, tmp_path: Path) -> None:
    tokenizer = wordpiece()
    model = model_of("bert", tokenizer.get_vocab_size()).to(dtype)
    write(tmp_path / "model", "bert", model, tokenizer)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    stored = load_file(tmp_path / "run/model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}
    found = differences(model.float(), tmp_path / "model", tmp_path / "run", TEXTS)
    assert max(found) < 1e-5


def test_layers_are_picked_in_the_given_order(tmp_path: Path) -> None:
    model = write(tmp_path / "model", "bert")
    import_run(str(tmp_path / "model"), tmp_path / "run", layers=(2, 0))
    blocks = model.encoder.layer
    model.encoder.layer = torch.nn.ModuleList([blocks[2], blocks[0]])
    assert max(differences(model, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5
    entry = json.loads((tmp_path / "run/run.json").read_text())["data"]["train"][0]
    assert entry["layers"] == [2, 0] and len(entry["sha256"]) == 64


@pytest.mark.parametrize("make", [wordpiece, byte_level, unigram])
@pytest.mark.parametrize("token", ["<USER>", "hotel"])  # the second is a piece of some models
def test_tokens_that_the_file_adds_are_kept(
    make: Callable[[], Tokenizer], token: str, tmp_path: Path
) -> None:
    tokenizer = make()
    tokenizer.add_tokens([AddedToken(token, normalized=False)])
    tokenizer.add_special_tokens(["<silent>"])
    kind = next(kind for kind in TYPES if TOKENIZERS[kind] is make)
    model = write(tmp_path / "model", kind, None, tokenizer)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(CORPUS[:3]), encoding="utf-8")
    line = f"o {token}é {token} <silent>"
    for options in ({}, {"keep_vocabulary": Corpus([str(corpus)])}):
        run = tmp_path / f"run{len(options)}"
        import_run(str(tmp_path / "model"), run, **options)
        _, ours = opened(run)
        ids = text.encode(ours, [line]).ids_S.tolist()
        assert ours.pieces(ids).count(token) == 2
        assert "<silent>" not in ours.pieces(range(ours.vocab_size))
    texts = [f"{token} ótimo", token]
    assert max(differences(model, tmp_path / "model", tmp_path / "run0", texts)) < 1e-5


def test_padding_of_the_tokenizer_counts_before_that_of_the_config(tmp_path: Path) -> None:
    """multilingual-e5-small is a BERT with the tokenizer of XLM-R, whose padding has another id."""
    tokenizer = unigram()
    model = model_of("bert", tokenizer.get_vocab_size() + 7)  # spare rows, as it has
    write(tmp_path / "model", "bert", model, tokenizer)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    encoder, ours = opened(tmp_path / "run")
    assert ours.pieces([0, 1, 2, 3]) == ["<pad>", "<unk>", "<s>", "</s>"]
    assert len(encoder.embed.weight) == ours.vocab_size == tokenizer.get_vocab_size()
    assert max(differences(model, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5


def test_one_token_may_serve_several_ends(tmp_path: Path) -> None:
    tokenizer = byte_level()
    tree = json.loads(tokenizer.to_str())
    for gone in ("<unk>", "<mask>"):
        place = tree["model"]["vocab"].pop(gone)
        tree["model"]["vocab"][f"x{place}"] = place
    tree["added_tokens"] = [e for e in tree["added_tokens"] if e["content"] in ("<s>", "<pad>")]
    tree["post_processor"] |= {"sep": ["<s>", 0]}
    again = Tokenizer.from_str(json.dumps(tree))
    model = write(tmp_path / "model", "roberta", None, again)
    import_run(str(tmp_path / "model"), tmp_path / "run")
    _, ours = opened(tmp_path / "run")
    assert ours.pieces(range(4)) == ["<pad>", "<pad>", "<s>", "<s>"]
    assert ours.vocab_size == again.get_vocab_size() + 2
    assert max(differences(model, tmp_path / "model", tmp_path / "run", TEXTS)) < 1e-5


def test_ids_may_have_gaps(tmp_path: Path) -> None:
    tree = json.loads(wordpiece().to_str())
    last = max(tree["model"]["vocab"], key=lambda piece: tree["model"]["vocab"][piece])
    tree["model"]["vocab"][last] += 5
    model = model_of("bert", len(tree["model"]["vocab"]) + 5)
    write(tmp_path / "model", "bert", model, Tokenizer.from_str(json.dumps(tree)))
    import_run(str(tmp_path / "model"), tmp_path / "run")
    encoder, ours = opened(tmp_path / "run")
    row = ours.tokenizer.token_to_id(last)
    theirs = model.get_input_embeddings().weight[tree["model"]["vocab"][last]]
    assert torch.equal(encoder.embed.weight[row], theirs)


def test_social_tokens_are_read_as_one(tmp_path: Path) -> None:
    write(tmp_path / "model", "bert")
    import_run(str(tmp_path / "model"), tmp_path / "run", social=True)
    _, ours = opened(tmp_path / "run")
    one, other = text.encode(ours, ["kkkkkkkk http://a.b/c", "kkk http"]).each()
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("---\nlanguage: pt\nlicense: mit\n---\n", "mit"),
        ("---\nlicense:\n- cc-by-4.0\ntags: x\n---\n", "cc-by-4.0"),
        ("---\r\nlicense: 'apache-2.0'\r\n---\r\n", "apache-2.0"),
        ("---\nlanguage: pt\n---\nlicense: no front matter", ""),
        ("license: mit\n", ""),
        ("---\nlicense:\nlanguage: pt\n---\n", ""),
    ],
)
def test_licence_is_that_of_the_model_card(head: str, licence: str, tmp_path: Path) -> None:
    write(tmp_path / "model", "bert")
    (tmp_path / "model/README.md").write_bytes(head.encode())
    assert import_run(str(tmp_path / "model"), tmp_path / "run").licence == licence
