"""The rows that all candidates of a search share, and the candidates' untrained models."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import torch

from nlpkit import tasks
from nlpkit.errors import InputError, UsageError
from nlpkit.exporting import gate, precision
from nlpkit.metrics import measure, numbers
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Tokenizer
from nlpkit.tasks import Task
from nlpkit.training import examples, network
from nlpkit.training.distributed import Team
from nlpkit.training.examples import Examples
from nlpkit.training.judge import chosen_by
from nlpkit.training.threads import torch_threads
from nlpkit.tuning.space import Branch

CACHE_SIZE = 4  # tokenizer settings whose examples stay in memory
PROBED = 500  # dev documents to measure speed on


class Corpus:
    """The rows of a recipe, read once and tokenised once for each [tokenizer] section.

    The tokenised rows of the last CACHE_SIZE sections stay in memory.
    """

    def __init__(self, recipe: Recipe, device: str) -> None:
        self.task, self.train, self.dev = examples.load(recipe)
        self.alone = Team(0, 1, torch.device(device))
        self.cache: dict[Tokenizer, Examples] = {}

    def suits(self, branch: Branch) -> bool:
        """Tell whether a branch's tokenizer can read the rows' documents, texts or words."""
        texts = all(isinstance(document, str) for document in self.train.documents)
        return texts or branch.base.tokenizer.kind == "words"

    def examples(self, recipe: Recipe) -> Examples:
        """Return the examples of a recipe, with its own [task] settings.

        Raises:
            InputError: the tokenizer cannot be learned from the rows.
        """
        key = recipe.tokenizer
        if key not in self.cache:
            if len(self.cache) == CACHE_SIZE:
                del self.cache[next(iter(self.cache))]
            rows = (self.task, dataclasses.replace(self.train), self.dev)
            with tempfile.TemporaryDirectory() as scratch:
                self.cache[key] = examples.read(recipe, rows, Path(scratch), self.alone)
        return dataclasses.replace(self.cache[key], task=self._task(recipe))

    def model(self, recipe: Recipe) -> Model:
        """Return a recipe's model with random weights, on the CPU."""
        data = self.examples(recipe)
        net = network.build(recipe, data.task, data.tokenizer).eval()
        settings = recipe.tokenizer
        return Model(
            name=recipe.name,
            task=data.task,
            tokenizer=data.tokenizer,
            windows=data.task.windows(settings.window, settings.overlap),
            run=network.TorchRun(net),
            steps=data.steps,
        )

    def speed(self, model: Model) -> float:
        """Return the speed of a model on one core, in documents a second."""
        # CPU time, so that load on the machine cannot reject a fast candidate.
        with torch_threads(1):
            documents = self.dev.documents[:PROBED]
            return gate.speed(model.run, model, documents, time.thread_time)

    def metric(self, recipe: Recipe, asked: str | None) -> str:
        """Return the metric to search by: `asked`, or the one that chooses the best epoch.

        Raises:
            UsageError: the task has no metric of the name `asked`.
            InputError: the tokenizer finds no token in the dev documents.
        """
        model = self.model(recipe)
        predicted = model.predict(self.dev.documents[:PROBED])
        pairs = [
            pair for pair in zip(self.dev.golds, predicted, strict=False) if pair[1] is not None
        ]
        if not pairs:
            raise InputError(
                "the tokenizer finds no token in the dev texts; check data.dev and the tokenizer"
            )
        default = chosen_by(model.task, recipe.data.choose_by)
        golds, answers = zip(*pairs, strict=True)
        names = [*numbers(measure(model.task.answers, golds, answers))]
        names += [] if default in names else [default]
        if asked and asked not in names:
            raise UsageError(f"--metric {asked}: not one of {', '.join(names)}")
        return asked or default

    def _task(self, recipe: Recipe) -> Task:
        described = self.task.describe() | {"config": dataclasses.asdict(recipe.task.config)}
        return tasks.build({"name": recipe.task.name} | described)


def size(model: Model, recipe: Recipe) -> int:
    """Return the estimated bytes of the smallest file that the recipe exports for a CPU."""
    precisions = recipe.export.precisions
    name = next(name for name in ("int4", "int8", "fp32", "fp16") if name in precisions)
    return precision.estimate(model.run.network, name)  # type: ignore[attr-defined]
