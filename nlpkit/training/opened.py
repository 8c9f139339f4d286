"""A finished run, opened to evaluate it, to export it, or to teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlpkit import tasks, text, zoo
from nlpkit.chain import Pipeline
from nlpkit.errors import ModelError
from nlpkit.runtime.model import Model
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Recipe
from nlpkit.training import checkpoint, network, summary as summaries
from nlpkit.training.folder import torch_device
from nlpkit.training.summary import PretrainingSummary, RunSummary

READ = ("model.safetensors", "tokenizer.json")  # what answering needs


def open_run(
    folder: Path, device: str = "cpu", *, threads: int = 0
) -> tuple[Model, Recipe, RunSummary]:
    """Return a finished run as a torch-backed model, its recipe and its summary.

    `threads` on the CPU; 0 uses as many as torch is set to.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
    """
    try:
        summary = summaries.read(folder)
        if isinstance(summary, PretrainingSummary):
            raise ModelError(
                f"{folder}: a pretrained encoder answers nothing yet; "
                f"'nlpkit train RECIPE --init {folder}' goes on from it"
            )
        recipe = recipes.load(folder / "recipe.toml")
        task = tasks.build(_task(summary))
        content = (folder / "tokenizer.json").read_text(encoding="utf-8")
        tokenizer = text.load(recipe.tokenizer.kind, content, recipe.data.languages)
        net = network.build(recipe, task, tokenizer)
        tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
        net.load_state_dict(tensors)
    except FileNotFoundError as problem:
        raise ModelError(
            f"{folder}: no finished run here ({Path(problem.filename).name} is missing); "
            "'nlpkit train --resume' finishes one"
        ) from None
    except (KeyError, TypeError, ValueError, RuntimeError) as problem:
        reason = str(problem).splitlines()[0]
        raise ModelError(f"{folder}: damaged run ({reason}); train it again") from None
    place = torch_device(device)
    run = network.TorchRun(net.eval().to(place), place, threads=threads)
    model = Model(
        name=summary.name,
        task=task,
        tokenizer=tokenizer,
        windows=task.windows(recipe.tokenizer.window, recipe.tokenizer.overlap),
        run=run,
        provider=f"torch {place}",
        steps=steps_of(recipe),
        file_bytes=sum((folder / name).stat().st_size for name in READ),
    )
    return model, recipe, summary


def steps_of(recipe: Recipe) -> Pipeline | None:
    """Return the steps that prepare a recipe's texts; None where there are none."""
    return zoo.pipeline(*recipe.preprocess.steps) if recipe.preprocess.steps else None


def _task(summary: RunSummary) -> dict[str, Any]:
    """Return the task; runs of before keep its temperature beside it, where 1 is no calibration."""
    temperature = summary.temperature
    beside = "temperature" not in summary.task and temperature != 1.0
    return {**summary.task, **({"temperature": temperature} if beside else {})}
