"""Open a finished run to evaluate it, export it or use it as a teacher."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from nlpkit import tasks, text, zoo
from nlpkit.chain import Pipeline
from nlpkit.errors import ModelError, quoted
from nlpkit.runtime.model import Model
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Recipe
from nlpkit.training import checkpoint, network, summary as summaries
from nlpkit.training.folder import torch_device
from nlpkit.training.summary import PretrainingSummary, RunSummary

READ = ("model.safetensors", "tokenizer.json")  # the files that inference reads


def open_run(
    folder: Path, device: str = "cpu", *, threads: int = 0
) -> tuple[Model, Recipe, RunSummary]:
    """Return a finished run as a torch-backed model, its recipe and its summary.

    `threads` is for the CPU; 0 uses torch's setting.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
    """
    try:
        summary = summaries.read(folder)
        if isinstance(summary, PretrainingSummary):
            raise ModelError(
                f"{quoted(folder)}: a pretrained encoder without a head; "
                f"train one from it with 'nlpkit train RECIPE --init {quoted(folder)}'"
            )
        recipe = recipes.load(folder / "recipe.toml")
        task = tasks.build(_task(summary), read=lambda file: (folder / file).read_bytes())
        content = (folder / "tokenizer.json").read_text(encoding="utf-8")
        tokenizer = text.load(recipe.tokenizer.kind, content, recipe.data.languages)
        net = network.build(recipe, task, tokenizer)
        tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
        net.load_state_dict(tensors)
    except FileNotFoundError as problem:
        raise ModelError(
            f"{quoted(folder)}: no finished run here ({Path(problem.filename).name} is missing); "
            f"to continue one: nlpkit train --resume --output {shlex.quote(str(folder))}"
        ) from None
    except (KeyError, TypeError, ValueError, RuntimeError) as problem:
        reason = str(problem).splitlines()[0]
        raise ModelError(f"{quoted(folder)}: damaged run ({reason}); train it again") from None
    resolved = torch_device(device)
    run = network.TorchRun(net.eval().to(resolved), resolved, threads=threads)
    model = Model(
        name=summary.name,
        task=task,
        tokenizer=tokenizer,
        windows=task.windows(recipe.tokenizer.window, recipe.tokenizer.overlap),
        run=run,
        provider=f"torch {resolved}",
        steps=steps_of(recipe),
        file_bytes=sum((folder / name).stat().st_size for name in READ),
    )
    return model, recipe, summary


def steps_of(recipe: Recipe) -> Pipeline | None:
    """Return the preprocessing steps of a recipe, or None if it has none."""
    return zoo.pipeline(*recipe.preprocess.steps) if recipe.preprocess.steps else None


def _task(summary: RunSummary) -> dict[str, Any]:
    """Return the task's description; older runs store its temperature outside of it."""
    temperature = summary.temperature
    separate = "temperature" not in summary.task and temperature != 1.0
    return {**summary.task, **({"temperature": temperature} if separate else {})}
