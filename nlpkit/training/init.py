"""Start a run from a finished run: take its tokenizer and its encoder's weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from nlpkit import text
from nlpkit.errors import ModelError, UsageError, quoted
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.text.vocabulary import SUBWORDS
from nlpkit.training import checkpoint, summary as summaries
from nlpkit.training.summary import PretrainingSummary, RunSummary

EMBEDDING = "embed.weight"  # the name of the embedding in every pretrained encoder


@dataclass(frozen=True)
class FinishedRun:
    """The contents of a finished run's folder; `tokenizer` is the text of tokenizer.json."""

    folder: Path
    tokenizer: str
    summary: RunSummary | PretrainingSummary
    weights: dict[str, Tensor]


def of(recipe: Recipe | Pretraining) -> FinishedRun | None:
    """Return the run that a recipe starts from; None if its weights start random.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
        UsageError: the recipe's tokenizer does not read subword pieces.
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
            f"{quoted(folder)}: no finished run to start from; make one with "
            f"'nlpkit pretrain RECIPE -o {quoted(folder)}' or 'nlpkit train', "
            "or finish it with --resume"
        ) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            f"{quoted(folder / 'run.json')}: damaged ({problem}); make the run again"
        ) from None
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    rows = len(tensors.get(f"encoder.{EMBEDDING}", ()))
    _check_pieces(folder, recipe.tokenizer.kind, tokenizer, rows)
    return FinishedRun(folder, tokenizer, summary, checkpoint.part(tensors, "encoder"))


def _check_pieces(folder: Path, kind: str, tokenizer: str, rows: int) -> None:
    """Check that the tokenizer has as many pieces as the embedding has rows.

    Raises:
        ModelError: the numbers differ, or the tokenizer is damaged.
    """
    try:
        pieces = text.load(kind, tokenizer).vocab_size
    except ValueError as problem:
        raise ModelError(
            f"{quoted(folder / 'tokenizer.json')}: damaged ({problem}); make the run again"
        ) from None
    if rows not in (0, pieces):
        raise ModelError(
            f"{quoted(folder)}: the tokenizer has {pieces} pieces, the embedding {rows} rows; "
            "make the run again"
        )


def start(
    recipe: Recipe | Pretraining, folder: Path, resumed: bool, leads: bool
) -> tuple[FinishedRun | None, dict[str, Any] | None]:
    """Return the run to start from, and its entry for run.json, which the leader also stores.

    A resumed run no longer needs its source, which may have moved: the entry is read from the run's
    folder. Raises as `of`.
    """
    path = folder / "init.json"
    if resumed:
        return None, json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    source = of(recipe)
    entry = provenance(source)
    if leads and source:
        checkpoint.save_text(path, json.dumps(entry, ensure_ascii=False, indent=1))
    return source, entry


def load(source: FinishedRun | None, encoder: nn.Module) -> None:
    """Load a run's weights into an encoder.

    Either side may lack weights of the other (skip-gram learns only the embedding, a deeper encoder
    has more layers). Both must have the embedding, and shared weights must have equal shapes.

    Raises:
        UsageError: the weights do not fit the encoder.
    """
    if source is None:
        return
    own = encoder.state_dict()
    wrong = [
        f"{name} is {list(tensor.shape)}, here {list(own[name].shape)}"
        for name, tensor in source.weights.items()
        if name in own and own[name].shape != tensor.shape
    ]
    if wrong or not {EMBEDDING} <= source.weights.keys() & own.keys():
        reason = wrong[0] if wrong else f"they do not share {EMBEDDING}"
        raise UsageError(
            f"{quoted(source.folder)} does not fit the recipe's [architecture]: {reason}; "
            "use the settings of the pretraining"
        )
    encoder.load_state_dict({**own, **{k: v for k, v in source.weights.items() if k in own}})


def provenance(source: FinishedRun | None) -> dict[str, Any] | None:
    """Return the entry of a source run for run.json: name, objective, data and licences."""
    if source is None:
        return None
    keys = ("name", "objective", "architecture", "steps", "data", "init")
    stored = source.summary.to_dict()
    return {key: stored[key] for key in keys if key in stored}
