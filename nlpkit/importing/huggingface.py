"""A folder as Hugging Face writes it: config.json, model.safetensors, tokenizer.json.

Its encoder is of a model type in FAMILIES, with or without a head. transformers is not needed.

Legend: D width, F inner width, T positions, V vocabulary.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError, quoted
from nlpkit.importing import Imported
from nlpkit.text import pretrained

if TYPE_CHECKING:
    import numpy as np

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
PREFIX = re.compile(r"^(?:bert|roberta|distilbert)\.")
OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}  # of layer normalisation, as TensorFlow has it
CONVERT = "load it with transformers where you trust it and store it again with save_pretrained"


@dataclass(frozen=True, kw_only=True)
class Family:
    """The names of a model type: settings in config.json, and tensors of layer `{}`."""

    width: str = "hidden_size"
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    feedforward: str = "intermediate_size"
    activation: str = "hidden_act"
    pad: int = 0  # if config.json leaves it out
    skips_pad: bool = False  # the first position of a text is pad + 1
    segments: bool = True
    layer: str = "encoder.layer.{}."
    qkv: tuple[str, ...] = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
    others: tuple[str, ...] = (
        *("attention.output.dense", "attention.output.LayerNorm"),
        *("intermediate.dense", "output.dense", "output.LayerNorm"),
    )


OURS = ("mix", "attention_norm", "widen", "narrow", "feedforward_norm")  # as `others`
ROBERTA = Family(pad=1, skips_pad=True)
FAMILIES = {
    "bert": Family(),
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "distilbert": Family(
        width="dim",
        layers="n_layers",
        heads="n_heads",
        feedforward="hidden_dim",
        activation="activation",
        segments=False,
        layer="transformer.layer.{}.",
        qkv=tuple(f"attention.{name}_lin" for name in "qkv"),
        others=("attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm"),
    ),
}


def reads(source: str) -> bool:
    """Tell whether a source is a folder with config.json."""
    return (Path(source) / CONFIG).is_file()


def read(source: str) -> Imported:
    """Read the encoder and the tokenizer of a folder.

    Raises:
        ModelError: a file is missing or damaged, the files do not fit each other, or the encoder
            has a part that nlpkit's architecture `bert` lacks.
    """
    folder = Path(source)
    config = _config(folder / CONFIG)
    family = FAMILIES[config["model_type"]]
    settings = _settings(folder / CONFIG, config, family)
    pad = _pad(folder / CONFIG, config, family)
    _check_weights(folder)
    tokens = _tokens(folder / TOKENIZER, pad)
    weights, ignored = _weights(folder, config, settings, family)
    rows = len(weights["embed.weight"])
    if tokens.last_id >= rows:
        raise ModelError(
            f"{quoted(folder)}: {TOKENIZER} has ids up to {tokens.last_id}, but the embedding has "
            f"only {rows} rows; take both files from the same model"
        )
    if family.skips_pad and pad is not None:
        weights["positions.weight"] = weights["positions.weight"][pad + 1 :]
        settings["positions"] -= pad + 1
    name = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-.") or "encoder"
    return Imported(
        architecture="bert",
        settings=settings,
        weights=weights,
        tokenizer=tokens.tree,
        pad=tokens.pad,
        unk=tokens.unk,
        bos=tokens.bos,
        eos=tokens.eos,
        origin={
            "name": name,
            "source": f"{name}, a {config['model_type']} encoder in Hugging Face's format",
            "licence": _licence(folder / "README.md"),
            "sha256": _sha256(folder / WEIGHTS),
        },
        ignored=ignored,
    )


def _config(path: Path) -> dict[str, Any]:
    """Return config.json. Raises ModelError if it is damaged or of another kind of model."""
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise ModelError(f"{quoted(path)}: damaged JSON ({problem}); get the file again") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in FAMILIES:
        raise ModelError(
            f"{quoted(path)}: its model_type is {kind!r}; nlpkit can import {', '.join(FAMILIES)}"
        )
    return {"type_vocab_size": 2, **config}


def _settings(path: Path, config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Return the settings of the architecture `bert`.

    Raises:
        ModelError: a number is missing or wrong, or the encoder works in another way.
    """
    only = {"is_decoder": False, family.activation: "gelu", "position_embedding_type": "absolute"}
    for name, value in only.items():
        if config.get(name, value) not in (value, None):
            raise ModelError(
                f"{quoted(path)}: {name} is {config[name]!r}, and nlpkit's bert has only "
                f"{value!r}; choose another model"
            )
    names = {each: getattr(family, each) for each in ("width", "layers", "heads", "feedforward")}
    names["positions"] = "max_position_embeddings"
    for name in (*names.values(), "vocab_size", "type_vocab_size"):
        value = config.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ModelError(
                f"{quoted(path)}: {name} is {value!r}, not a number from 1; get the file again"
            )
    epsilon = config.get("layer_norm_eps", 1e-12)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise ModelError(f"{quoted(path)}: layer_norm_eps is {epsilon!r}; get the file again")
    settings = {ours: config[theirs] for ours, theirs in names.items()}
    if settings["width"] % settings["heads"]:
        raise ModelError(
            f"{quoted(path)}: {family.width} is {settings['width']}, not a multiple of "
            f"{family.heads}, {settings['heads']}; get the file again"
        )
    return {**settings, "epsilon": epsilon}


def _pad(path: Path, config: Mapping[str, Any], family: Family) -> int | None:
    """Return the padding id, None if the tokenizer must have it. Raises ModelError if wrong."""
    pad = config.get("pad_token_id", family.pad)
    allowed = int if family.skips_pad else int | None
    if not isinstance(pad, allowed) or (pad or 0) < 0:
        raise ModelError(f"{quoted(path)}: pad_token_id is {pad!r}; get the file again")
    return pad


def _check_weights(folder: Path) -> None:
    """Raise ModelError if the weights are missing, in parts, or pickled."""
    if (folder / WEIGHTS).is_file():
        return
    where = f"{quoted(folder)}: "
    if (folder / f"{WEIGHTS}.index.json").is_file():
        raise ModelError(
            f"{where}the weights are in several files; {CONVERT}(..., max_shard_size='100GB')"
        )
    pickled = [path.name for pattern in PICKLED for path in sorted(folder.glob(pattern))]
    if pickled:
        raise ModelError(
            f"{where}has {pickled[0]} but no {WEIGHTS}, and such a file may run any code when it "
            f"is opened; {CONVERT}"
        )
    raise ModelError(f"{where}has no {WEIGHTS}; get the file too")


def _tokens(path: Path, pad: int | None) -> pretrained.Tokens:
    """Return the tokenizer. Raises ModelError if it is missing or cannot be used."""
    try:
        return pretrained.read(path.read_text(encoding="utf-8"), pad)
    except FileNotFoundError:
        raise ModelError(
            f"{quoted(path.parent)}: has no {TOKENIZER}; write it with transformers: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        ) from None
    except ValueError as problem:
        raise ModelError(f"{quoted(path)}: {problem}") from None


def _weights(
    folder: Path, config: Mapping[str, Any], settings: Mapping[str, Any], family: Family
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the tensors by the names of the architecture `bert`, and the names of the others.

    Raises:
        ModelError: the file is damaged, or a tensor is missing or has another shape.
    """
    import numpy as np
    from safetensors import SafetensorError, safe_open

    D, F, T = settings["width"], settings["feedforward"], settings["positions"]
    shapes = dict(zip(OURS, ([D, D], [D], [F, D], [D, F], [D]), strict=True))
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as stored:
            tensors = _Tensors(stored, folder)
            place = "embeddings.{}_embeddings.weight".format
            weights = {
                "embed.weight": tensors.take(place("word"), [config["vocab_size"], D]),
                "positions.weight": tensors.take(place("position"), [T, D]),
                "norm.weight": tensors.take("embeddings.LayerNorm.weight", [D]),
                "norm.bias": tensors.take("embeddings.LayerNorm.bias", [D]),
                "segment_D": np.zeros(D, np.float32),
            }
            if family.segments:
                types = config["type_vocab_size"]
                weights["segment_D"] = tensors.take(place("token_type"), [types, D])[0]
            for layer in range(settings["layers"]):
                theirs = family.layer.format(layer)
                ours = f"blocks.{layer}."
                for kind in ("weight", "bias"):
                    shape = [D, D] if kind == "weight" else [D]
                    parts = [tensors.take(f"{theirs}{n}.{kind}", shape) for n in family.qkv]
                    weights[f"{ours}qkv.{kind}"] = np.concatenate(parts)
                    for our, their in zip(OURS, family.others, strict=True):
                        shape = shapes[our] if kind == "weight" else shapes[our][:1]
                        array = tensors.take(f"{theirs}{their}.{kind}", shape)
                        weights[f"{ours}{our}.{kind}"] = array
            return weights, tensors.others()
    except SafetensorError as problem:
        raise ModelError(
            f"{quoted(folder / WEIGHTS)}: damaged ({problem}); get the file again"
        ) from None


class _Tensors:
    """The tensors of an open file by the names of an encoder without a head."""

    def __init__(self, stored: Any, folder: Path) -> None:
        self.stored, self.where = stored, quoted(folder / WEIGHTS)
        self.left = {}
        for name in stored.keys():  # noqa: SIM118
            plain = PREFIX.sub("", name)
            for old, new in OLD_NAMES.items():
                plain = plain.removesuffix(old) + new if plain.endswith(old) else plain
            self.left[plain] = name

    def take(self, name: str, shape: list[int]) -> np.ndarray:
        """Return a tensor as float32. Raises ModelError if it is missing or differs from config."""
        if name not in self.left:
            raise ModelError(f"{self.where}: lacks the tensor {name}; get the whole model again")
        tensor = self.stored.get_tensor(self.left.pop(name))
        if list(tensor.shape) != shape:
            raise ModelError(
                f"{self.where}: {name} is {list(tensor.shape)}, but {shape} by {CONFIG}; "
                "take both files from the same model"
            )
        if not tensor.is_floating_point():
            raise ModelError(
                f"{self.where}: {name} is {tensor.dtype}; get the model in float32 or float16"
            )
        array: np.ndarray = tensor.float().numpy()
        return array

    def others(self) -> tuple[str, ...]:
        """Return the names that were not taken, but for counters, which are no weights."""
        return tuple(sorted(n for plain, n in self.left.items() if "position_ids" not in plain))


def _licence(path: Path) -> str:
    """Return the licence in the front matter of a model card; empty if there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    head = re.match(r"\ufeff?---\s*\n(.*?)\n---", text, re.DOTALL)
    stated = re.search(r"^license:[ \t]*(?:\n[ \t]*-)?[ \t]*(\S.*)$", head[1] if head else "", re.M)
    return stated[1].strip(" \t'\"[]") if stated else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
