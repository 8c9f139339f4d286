"""Initialisation from a finished run: its tokenizer and its encoder's weights."""

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
EMBEDDING = "embed.weight"  # the name of the embedding in every pretrained encoder


@dataclass(frozen=True)
class Found:
    """The files of a finished run: tokenizer.json, run.json and the encoder's weights."""

    folder: Path
    tokenizer: str
    summary: RunSummary | PretrainingSummary
    weights: dict[str, Tensor]


def of(recipe: Recipe | Pretraining) -> Found | None:
    """Return the run that a recipe starts from, or None if its weights start random.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
        UsageError: the recipe's tokenizer is not of pieces (bpe, unigram).
    """
    if not recipe.init.run:
        return None
    relative = recipe.folder / recipe.init.run
    folder = relative if relative.exists() else Path(recipe.init.run)
    if recipe.tokenizer.kind not in SUBWORDS:
        raise UsageError(
            f"[init]: needs [tokenizer] kind = {' or '.join(SUBWORDS)}, "
            f"not {recipe.tokenizer.kind}; change the kind, or leave [init] out"
        )
    try:
        summary = summaries.read(folder)
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError:
        raise ModelError(
            f"{folder}: no finished run to start from; make one with "
            f"'nlpkit pretrain RECIPE -o {folder}' or 'nlpkit train', or finish it with --resume"
        ) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(f"{folder}/run.json: damaged ({problem}); make the run again") from None
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    rows = len(tensors.get(f"encoder.{EMBEDDING}", ()))
    _check_pieces(folder, recipe.tokenizer.kind, tokenizer, rows)
    return Found(folder, tokenizer, summary, checkpoint.part(tensors, "encoder"))


def _check_pieces(folder: Path, kind: str, tokenizer: str, rows: int) -> None:
    """Check that the tokenizer has as many pieces as the embedding has rows.

    Raises:
        ModelError: it has not, or it is damaged.
    """
    try:
        pieces = text.load(kind, tokenizer).vocab_size
    except ValueError as problem:
        raise ModelError(
            f"{folder}/tokenizer.json: damaged ({problem}); make the run again"
        ) from None
    if rows not in (0, pieces):
        raise ModelError(
            f"{folder}: the tokenizer has {pieces} pieces, the embedding {rows} rows; make the run "
            "again"
        )


def start(
    recipe: Recipe | Pretraining, folder: Path, resumed: bool, leads: bool
) -> tuple[Found | None, dict[str, Any] | None]:
    """Return the run to start from, and its entry for run.json, which the leader also stores.

    A resumed run no longer needs its source, which may have moved: the entry is read from the run's
    folder. Raises as `of`.
    """
    path = folder / "init.json"
    if resumed:
        return None, json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    found = of(recipe)
    if leads and found:
        checkpoint.save_text(path, json.dumps(told(found), ensure_ascii=False, indent=1))
    return found, told(found)


def load(found: Found | None, encoder: nn.Module) -> None:
    """Load a run's weights into an encoder.

    Weights may be missing on either side (skip-gram learns the embedding only, a deeper encoder has
    more layers), but both must have the embedding, and shared weights must have equal shapes.

    Raises:
        UsageError: the weights do not fit the encoder.
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
            "use the settings of the pretraining"
        )
    encoder.load_state_dict({**own, **{k: v for k, v in found.weights.items() if k in own}})


def told(found: Found | None) -> dict[str, Any] | None:
    """Return the entry of run.json on a run's source: names, objective, data, licences."""
    if found is None:
        return None
    keys = ("name", "objective", "architecture", "steps", "data", "init")
    stored = found.summary.to_dict()
    return {key: stored[key] for key in keys if key in stored}
