"""Pretrain an encoder from a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlpkit import catalog
from nlpkit.errors import MissingExtra, UsageError
from nlpkit.jobs.train import find_recipe
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Pretraining
from nlpkit.text.vocabulary import SUBWORDS

if TYPE_CHECKING:
    from nlpkit.training.events import Listener
    from nlpkit.training.summary import PretrainingSummary


def load_recipe(name: str, overrides: Sequence[str]) -> Pretraining:
    """Read a recipe of `nlpkit pretrain` and apply `section.key=value` overrides.

    Raises:
        InputError, UsageError: as `recipe.load_pretraining`.
    """
    return recipes.load_pretraining(find_recipe(name), overrides)


def pretrain(
    recipe: Pretraining,
    folder: Path,
    *,
    device: str,
    resume: bool,
    listener: Listener,
) -> PretrainingSummary | None:
    """Pretrain into `folder` and return the summary.

    Raises:
        UsageError: the architecture or the tokenizer cannot be pretrained, or as
            `nlpkit.training.pretrain.pretrain`.
        MissingExtra: torch is not installed.
    """
    network = catalog.load("architectures", recipe.architecture.name)
    if (
        getattr(network, "TOKENIZER", {}).get("kind", recipe.tokenizer.kind)
        != recipe.tokenizer.kind
    ):
        raise UsageError(
            f"{recipe.architecture.name} cannot be pretrained: it does not read subword pieces"
        )
    if recipe.tokenizer.kind not in SUBWORDS:
        raise UsageError(
            f"[tokenizer] kind = {recipe.tokenizer.kind}: pretraining needs {' or '.join(SUBWORDS)}"
        )
    try:
        from nlpkit.training import pretrain as training
    except ModuleNotFoundError as problem:
        raise MissingExtra("train", str(problem.name)) from None
    return training.pretrain(recipe, folder, device=device, resume=resume, listener=listener)
