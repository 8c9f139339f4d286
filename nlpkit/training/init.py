"""Start a run from another model: take its tokenizer and its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from nlpkit import abilities, catalog, tasks
from nlpkit.errors import ModelError, UsageError, near_match, quoted
from nlpkit.settings import declaration
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.training import checkpoint, sources
from nlpkit.training.network import Network
from nlpkit.training.sources import Source

EMBEDDING = "embed.weight"  # the name of the embedding in every pretrained encoder
DECODER = "decoder."  # the prefix of a decoder's weights in a head
OUTPUT = "output."  # the prefix of a head's layer with a row for each label


def complete(tree: dict[str, Any], folder: Path) -> None:
    """Fill in the settings that a recipe leaves out and its [init] run has.

    These are the sections of the architecture, the decoder, the tokenizer and the task, and the
    settings FINE_TUNING of the architecture's module, which suit a start from pretrained weights. A
    source that does not exist changes nothing; `of` reports it when training starts.
    """
    name = tree.get("init", {}).get("run")
    if not name or not isinstance(name, str):
        return
    try:
        found = sources.sections(sources.find(name, folder))
    except ModelError:
        return
    _suit_writer(tree, found)
    for kind in ("architecture", "decoder"):
        theirs = found.get(kind)
        if theirs is None:
            continue
        if tree.get(kind, {}).get("name", theirs["name"]) != theirs["name"]:
            return
        module = catalog.load(f"{kind}s", theirs["name"])
        tree[kind] = _known(module, theirs) | tree.get(kind, {})
    tree["tokenizer"] = found.get("tokenizer", {}) | tree.get("tokenizer", {})
    if "task" in found:
        own = tree.get("task", {})
        name = own.get("name", found["task"]["name"])
        tree["task"] = _known(catalog.load("tasks", name), found["task"]) | own
    name = tree.get("task", {}).get("name")
    has_labels = name and tasks.has(tasks.class_of(name), abilities.Balanced)
    architecture = tree.get("architecture", {}).get("name")
    network = catalog.load("architectures", architecture) if architecture else None
    for section, values in getattr(network, "FINE_TUNING", {}).items():
        suited = {k: v for k, v in values.items() if has_labels or k != "class_weights"}
        tree[section] = suited | tree.get(section, {})


def _suit_writer(tree: dict[str, Any], found: dict[str, Any]) -> None:
    """Remove the parts of a source that the recipe's network does not have."""
    name = tree.get("task", found.get("task", {})).get("name")
    if "decoder" in found and not (name and tasks.class_of(name).WRITES):
        del found["decoder"]
    if "decoder" in tree and "architecture" not in tree and "decoder" not in found:
        # A language model starts from an encoder that was pretrained to read in one direction.
        found["decoder"] = found.pop("architecture")
    if "architecture" in tree and "architecture" not in found and "task" in found:
        found["task"].pop("source", None)  # a language model becomes the decoder of a translator


def _known(module: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name and the values that are settings of a module's Config."""
    known = {key for key, *_ in declaration.described(module.Config)} | {"name"}
    return {key: value for key, value in values.items() if key in known}


def of(recipe: Recipe | Pretraining) -> Source | None:
    """Return the model that a recipe starts from; None if its weights start random.

    Raises:
        ModelError: there is no such model, or its files are damaged.
        UsageError: the recipe's tokenizer is of another kind.
    """
    if not recipe.init.run:
        return None
    source = sources.read(sources.find(recipe.init.run, recipe.folder))
    if recipe.tokenizer.kind != source.kind:
        raise UsageError(
            f"[tokenizer] kind = {recipe.tokenizer.kind!r}: {quoted(source.folder)} has a "
            f"tokenizer of kind {source.kind!r}; change the kind, or leave [init] out"
        )
    return source


def start(
    recipe: Recipe | Pretraining, folder: Path, resumed: bool, leads: bool
) -> tuple[Source | None, dict[str, Any] | None]:
    """Return the model to start from, and its entry for run.json, which the leader also stores.

    A resumed run no longer needs its source, which may have moved: the entry is read from the run's
    folder. Raises as `of`.
    """
    path = folder / "init.json"
    if resumed:
        return None, json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    source = of(recipe)
    entry = dict(source.entry) if source else None
    if leads and source:
        checkpoint.save_text(path, json.dumps(entry, ensure_ascii=False, indent=1))
    return source, entry


def load(source: Source | None, net: Network) -> None:
    """Load the weights of a model into a network: its encoder, and its decoder if it writes.

    Either side may lack weights of the other (skip-gram learns only the embedding, a deeper encoder
    has more layers); a bundle must have all of an encoder. Both must have the embedding, and shared
    weights must have equal shapes. The decoder of a language model may start from an encoder of the
    same name.

    Raises:
        UsageError: the weights do not fit the network.
    """
    if source is None:
        return
    decoder = getattr(net.head, "decoder", None)
    written = {
        name.removeprefix(DECODER): weight
        for name, weight in source.head.items()
        if name.startswith(DECODER)
    }
    if net.encoder is not None and (source.encoder or decoder is None):
        _load(source, source.encoder, net.encoder, whole=source.is_bundle)
    if decoder is not None and (written or net.encoder is None):
        _load(source, written or _ahead(source.encoder), decoder, whole=False)


def _ahead(encoder: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of an encoder's forward direction by the names of a decoder."""
    return {name.replace("forwards.", "cells."): weight for name, weight in encoder.items()}


def _load(source: Source, theirs: Mapping[str, Tensor], part: nn.Module, *, whole: bool) -> None:
    """Load weights into a part of a network; `whole` demands all of them."""
    own = part.state_dict()
    if whole and (lacking := sorted(own.keys() - theirs.keys())):
        raise UsageError(
            f"{quoted(source.folder)}: its file does not hold {lacking[0]} as the network has it, "
            "so training cannot start from this bundle; export its run again, or start from the run"
        )
    wrong = [
        f"{name} is {list(tensor.shape)}, here {list(own[name].shape)}"
        for name, tensor in theirs.items()
        if name in own and own[name].shape != tensor.shape
    ]
    if wrong or not {EMBEDDING} <= theirs.keys() & own.keys():
        reason = wrong[0] if wrong else f"they do not share {EMBEDDING}"
        raise UsageError(
            f"{quoted(source.folder)} does not fit the recipe's [architecture] or [decoder]: "
            f"{reason}; use the settings of the pretraining"
        )
    part.load_state_dict({**own, **{k: v for k, v in theirs.items() if k in own}})


def load_head(
    source: Source | None, head: nn.Module, labels: Sequence[str], pairs: Sequence[str]
) -> list[str]:
    """Load the weights of a model's head; return the labels whose outputs were taken over.

    A label takes the output of the source's label of that name, or of that in its pair OWN=SOURCE.
    Where the two heads differ in a layer, nothing is loaded.

    Raises:
        UsageError: a pair has a label that one of the models lacks.
    """
    split = [pair.partition("=") for pair in pairs]
    names = {own.strip(): theirs.strip() for own, _, theirs in split}
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UsageError(f"init.labels: {wrong[0]!r} is not of the form OWN=SOURCE")
    for own, theirs in names.items() if source else ():
        for label, known in ((own, labels), (theirs, source.labels if source else ())):
            if label not in known:
                raise UsageError(
                    f"init.labels: no label {label!r}.{near_match(label, known)} "
                    f"There are: {', '.join(known) or 'none'}"
                )
    weights = head.state_dict()
    if source is None or not source.labels or not _alike(source.head, weights):
        return []
    rows = {
        row: source.labels.index(names.get(label, label))
        for row, label in enumerate(labels)
        if names.get(label, label) in source.labels
    }
    if not rows:
        return []
    for name, tensor in source.head.items():
        if not name.startswith(OUTPUT):
            weights[name] = tensor
            continue
        for row, theirs_row in rows.items():
            weights[name][row] = tensor[theirs_row]
    head.load_state_dict(weights)
    return [labels[row] for row in rows]


def _alike(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Tell whether two heads have the same layers, apart from the number of labels."""
    return one.keys() == other.keys() and all(
        tensor.shape[1:] == other[name].shape[1:]
        and (name.startswith(OUTPUT) or tensor.shape == other[name].shape)
        for name, tensor in one.items()
    )
