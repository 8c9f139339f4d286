"""Export a training run as a bundle, if it passes the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nlpkit import zoo
from nlpkit.errors import ModelError, UsageError
from nlpkit.settings import recipe as recipes


def export(
    run: str,
    folder: Path,
    *,
    overrides: Sequence[str],
    listener: Callable[[Any], None],
) -> dict[str, Any]:
    """Write the bundle of a run to `folder` and return its manifest.

    The bundle of a pretrained encoder embeds texts, and training can start from it.

    Raises:
        ModelError: `run` is not a finished training run.
        GateError: the exported model exceeds a limit of [export]; nothing was written.
        UsageError, InputError: an override or the dev data is wrong.
    """
    if not zoo.is_run(run):
        raise ModelError(
            f"{run}: not a training run (it has no recipe.toml); 'nlpkit train' makes one"
        )
    allowed = ("export.", "data.dev=", "data.exclude=")  # other keys were settled by the training
    if wrong := [item for item in overrides if not item.startswith(allowed)]:
        raise UsageError(
            f"--set {wrong[0]!r}: an export can set export.KEY only; train again for other keys"
        )
    from nlpkit.exporting import encoder
    from nlpkit.exporting.export import export as write
    from nlpkit.training.data import load_dev
    from nlpkit.training.opened import open_run

    if encoder.is_encoder(Path(run)):
        model, recipe, summary, dev = encoder.open_encoder(Path(run), overrides)
    else:
        model, _, summary = open_run(Path(run))
        recipe = recipes.load(Path(run) / "recipe.toml", overrides)
        dev = load_dev(recipe, model.task)
    return write(model, recipe, summary, dev, folder, limits=recipe.export, listener=listener)
