"""Start from a run that was trained before: its tokenizer and its encoder's weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from nlpkit import text
from nlpkit.errors import ModelError, UsageError
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.training import checkpoint, summary as summaries
from nlpkit.training.summary import PretrainingSummary, RunSummary

SUBWORDS = ("bpe", "unigram")
EMBEDDING = "embed.weight"  # what every pretrained encoder has, under this name


@dataclass(frozen=True)
class Found:
    """What there is of a finished run. `summary` is its run.json."""

    folder: Path
    tokenizer: str
    summary: RunSummary | PretrainingSummary
    weights: dict[str, Tensor]


def of(recipe: Recipe | Pretraining) -> Found | None:
    """Return the run that a recipe starts from; None where it starts from chance.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
        UsageError: it, or the recipe, reads words or characters rather than pieces.
    """
    if not recipe.init.run:
        return None
    beside = recipe.folder / recipe.init.run
    folder = beside if beside.exists() else Path(recipe.init.run)
    if recipe.tokenizer.kind not in SUBWORDS:
        raise UsageError(f"[init]: [tokenizer] kind = {recipe.tokenizer.kind} is not of pieces")
    try:
        summary = summaries.read(folder)
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError:
        raise ModelError(
            f"{folder}: no finished run to start from; 'nlpkit pretrain RECIPE -o {folder}' or "
            "'nlpkit train' makes one, and --resume finishes one"
        ) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(f"{folder}/run.json: damaged ({problem}); make the run again") from None
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    rows = len(tensors.get(f"encoder.{EMBEDDING}", ()))
    _check_pieces(folder, recipe.tokenizer.kind, tokenizer, rows)
    return Found(folder, tokenizer, summary, checkpoint.part(tensors, "encoder"))


def _check_pieces(folder: Path, kind: str, tokenizer: str, rows: int) -> None:
    """Raises ModelError where the tokenizer is damaged, or is not that of the weights."""
    try:
        pieces = text.load(kind, tokenizer).vocab_size
    except ValueError as problem:
        raise ModelError(f"{folder}/tokenizer.json: damaged ({problem}); make it again") from None
    if rows not in (0, pieces):
        raise ModelError(
            f"{folder}: its tokenizer has {pieces} pieces, its weights {rows}; make the run again"
        )


def start(
    recipe: Recipe | Pretraining, folder: Path, resumed: bool, leads: bool
) -> tuple[Found | None, dict[str, Any] | None]:
    """Return the run to start from, and a line that tells of it.

    A resumed run needs its source no more, wherever that may be by now. Raises as `of`.
    """
    path = folder / "init.json"
    if resumed:
        return None, json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    found = of(recipe)
    if leads and found:
        checkpoint.save_text(path, json.dumps(told(found), ensure_ascii=False, indent=1))
    return found, told(found)


def load(found: Found | None, encoder: nn.Module) -> None:
    """Put a run's weights into an encoder.

    Weights may be missing (skip-gram knows the embedding only, another depth lacks layers), but
    the embedding must be there and none may be of another shape.

    Raises:
        UsageError: the run is of another architecture.
    """
    if found is None:
        return
    own = encoder.state_dict()
    wrong = [
        f"{name} is {list(tensor.shape)}, here {list(own[name].shape)}"
        for name, tensor in found.weights.items()
        if name in own and own[name].shape != tensor.shape
    ]
    if wrong or not {EMBEDDING} <= found.weights.keys() & own.keys():
        reason = wrong[0] if wrong else f"they do not share {EMBEDDING}"
        raise UsageError(
            f"{found.folder} does not fit the recipe's [architecture]: {reason}; "
            "use the settings it was pretrained with"
        )
    encoder.load_state_dict({**own, **{k: v for k, v in found.weights.items() if k in own}})


def told(found: Found | None) -> dict[str, Any] | None:
    """Return what run.json keeps of where a run started: names, objective, data, licences."""
    if found is None:
        return None
    kept = ("name", "objective", "architecture", "steps", "data", "init")
    stored = found.summary.to_dict()
    return {key: stored[key] for key in kept if key in stored}
