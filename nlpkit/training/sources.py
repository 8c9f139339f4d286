"""Read a model to start a training from: a finished run, a pretrained encoder, or a bundle.

A bundle's weights are those of its ONNX file, widened to float32.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlpkit import blocks, text, zoo
from nlpkit.errors import ModelError, quoted
from nlpkit.runtime.bundle import Bundle, read_bundle
from nlpkit.training import checkpoint, summary as summaries

SECTIONS = ("task", "architecture", "decoder", "tokenizer")  # what a start needs of its source
ENTRY = ("name", "objective", "architecture", "steps", "data", "init")


@dataclass(frozen=True)
class Source:
    """A model to start from.

    Attributes:
        folder: its run or bundle.
        kind: of its tokenizer.
        tokenizer: the contents of tokenizer.json.
        entry: its entry in run.json: name, data and licences.
        encoder: the encoder's weights by name.
        head: the head's weights by name; empty for a pretrained encoder.
        labels: of the head's outputs; empty if it has none.
        is_bundle: whether the weights are those of a bundle, which must be complete.
    """

    folder: Path
    kind: str
    tokenizer: str
    entry: Mapping[str, Any]
    encoder: Mapping[str, Tensor]
    head: Mapping[str, Tensor] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    is_bundle: bool = False


def find(name: str, folder: Path) -> Path:
    """Return the folder of a run or bundle, by its path from `folder` or from here, or by name.

    Raises:
        ModelError: there is none, or the folder must be imported first.
    """
    for path in (folder / name, Path(name)):
        if path.exists():
            if (path / "config.json").is_file() and not (path / "recipe.toml").is_file():
                raise ModelError(
                    f"{quoted(path)}: not a run, but perhaps an encoder in Hugging Face's format; "
                    f"first make a run of it with 'nlpkit import {quoted(path)} -o RUN'"
                )
            return path
    try:
        return zoo.find_bundle(name)
    except ModelError as problem:
        raise ModelError(
            f"{quoted(name)}: no finished run to start from, and {problem}. Make a run with "
            f"'nlpkit import', 'nlpkit pretrain RECIPE -o {quoted(name)}' or 'nlpkit train'"
        ) from None


def sections(folder: Path) -> dict[str, Any]:
    """Return the task, architecture and tokenizer of a run or bundle, as its recipe names them.

    Raises:
        ModelError: its recipe cannot be read, or it is a cascade.
    """
    try:
        if _is_bundle(folder):
            tree: Any = _training(read_bundle(folder))["recipe"]
        else:
            tree = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        return {name: dict(tree[name]) for name in SECTIONS if name in tree}
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            f"{quoted(folder)}: its recipe cannot be read ({problem}); make it again"
        ) from None


def read(folder: Path) -> Source:
    """Read a run or bundle to start from.

    Raises:
        ModelError: it is unfinished or damaged.
    """
    source = _bundle(folder) if _is_bundle(folder) else _run(folder)
    embeddings = (source.encoder.get("embed.weight"), source.head.get("decoder.embed.weight"))
    rows = next((len(each) for each in embeddings if each is not None), 0)
    try:
        pieces = text.load(source.kind, source.tokenizer).vocab_size
    except ValueError as problem:
        raise ModelError(
            f"{quoted(folder / 'tokenizer.json')}: damaged ({problem}); make it again"
        ) from None
    if rows not in (0, pieces):
        raise ModelError(
            f"{quoted(folder)}: the tokenizer has {pieces} pieces, the embedding {rows} rows; "
            "make it again"
        )
    return source


def _is_bundle(folder: Path) -> bool:
    return (folder / "bundle.json").is_file()


def _run(folder: Path) -> Source:
    try:
        summary = summaries.read(folder)
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError:
        raise ModelError(
            f"{quoted(folder)}: no finished run to start from; make one with "
            f"'nlpkit pretrain RECIPE -o {quoted(folder)}' or 'nlpkit train', "
            "or finish it with --resume"
        ) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            f"{quoted(folder / 'run.json')}: damaged ({problem}); make the run again"
        ) from None
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    stored = summary.to_dict()
    return Source(
        folder,
        sections(folder)["tokenizer"]["kind"],
        tokenizer,
        {key: stored[key] for key in ENTRY if key in stored},
        checkpoint.part(tensors, "encoder"),
        checkpoint.part(tensors, "head"),
        tuple(stored.get("task", {}).get("labels", ())),
    )


def _bundle(folder: Path) -> Source:
    bundle = read_bundle(folder)
    manifest = bundle.manifest
    training = _training(bundle)
    tensors = _weights(bundle)
    content = bundle.checked(manifest.tokenizer_file).read_text(encoding="utf-8")
    return Source(
        folder,
        manifest.tokenizer_kind,
        content,
        {"name": manifest.name, "data": training["data"], "init": training.get("init")},
        checkpoint.part(tensors, "encoder"),
        checkpoint.part(tensors, "head"),
        manifest.labels,
        is_bundle=True,
    )


def _training(bundle: Bundle) -> Any:
    """Return the manifest's entry of the training. Raises ModelError for a cascade."""
    if cascade := bundle.manifest.cascade:
        raise ModelError(
            f"{quoted(bundle.folder)}: a cascade has no weights of its own; start from "
            f"{cascade['best']}, its better model"
        )
    return bundle.manifest.tree["training"]


def _weights(bundle: Bundle) -> dict[str, Tensor]:
    """Return the weights of a bundle by the names of the network, from its file for training.

    That is fp32 if there is one. The matrices of int8 and int4 may be exact; fp16 comes last.

    Raises:
        ModelError: the file is damaged.
    """
    import onnx
    from onnx import numpy_helper

    arrays: dict[str, np.ndarray] = {}
    for each in bundle.manifest.graphs.values():
        best = next(name for name in ("fp32", "int8", "int4", "fp16") if name in each.files)
        path = bundle.checked(each.files[best])
        try:
            graph = onnx.load_model_from_string(path.read_bytes()).graph
        except Exception as problem:  # protobuf's errors share no class
            raise ModelError(f"{quoted(path)}: damaged ({problem}); install it again") from None
        arrays |= {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    # In the graphs of a network that writes, the decoder is not inside a head.
    return {
        f"head.{name}" if name.startswith("decoder.") else name: torch.from_numpy(array)
        for name, array in _widened(arrays).items()
    }


def _codes(array: np.ndarray, bits: int) -> np.ndarray:
    """Return codes_NK of a stored matrix: of type uint4, or bytes with 8 / `bits` codes each."""
    flat = array.reshape(len(array), -1)
    return flat.astype(np.uint8) if array.dtype != np.uint8 else blocks.unpacked(flat, bits)


def _widened(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the float arrays of a graph in float32 and untransposed, by the network's names."""
    widened: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        stem, _, suffix = name.rpartition("_")
        scales = arrays.get(f"{stem}_scales", arrays.get(f"{stem}_scale"))
        if suffix in ("q4", "q8") and scales is not None:
            bits = int(suffix[1])
            codes = _codes(array, bits)
            found = blocks.Blocks(codes, scales.reshape(len(array), -1).astype(np.float32))
            # A matrix is stored with its outputs as rows, as torch does.
            widened[stem.removesuffix(blocks.TRANSPOSED)] = blocks.restored(found, bits)
        elif suffix == "int8" and scales is not None:
            plain = array.astype(np.float32) * scales
            widened[stem.removesuffix(blocks.TRANSPOSED)] = (
                plain.T if stem.endswith(blocks.TRANSPOSED) else plain
            )
        elif array.dtype in (np.float32, np.float16) and suffix not in ("scale", "scales"):
            plain = array.T if name.endswith(blocks.TRANSPOSED) else array
            widened[name.removesuffix(blocks.TRANSPOSED)] = np.array(plain, dtype=np.float32)
    return widened
