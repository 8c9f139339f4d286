"""The course of a pretraining run: one objective over a corpus, with evaluations on dev."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.errors import InputError
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.recipe import Pretraining
from nlpkit.training import checkpoint
from nlpkit.training.corpus import Corpus, Plan
from nlpkit.training.course import Forward, Look
from nlpkit.training.descent import Descent
from nlpkit.training.distributed import Team
from nlpkit.training.events import Evaluated
from nlpkit.wording import plural


class SelfSupervised:
    """A `nlpkit.training.course.Course` of an objective; keeps the encoder with the lowest loss."""

    section, unit = "pretrain", "tokens"
    patience = 0
    decides, larger_is_better = "loss", False

    def __init__(
        self,
        recipe: Pretraining,
        objective: nn.Module,
        encoder: nn.Module,
        data: tuple[Corpus, Corpus],
        team: Team,
    ) -> None:
        """Create the course; `data` is the training corpus and the dev corpus.

        Raises:
            InputError: a corpus has no document of 4 tokens or more.
        """
        self.settings = recipe.pretrain
        self.objective, self.encoder, self.team = objective, encoder, team
        self.corpus, self.dev = data
        self.windows, self.dev_windows = (one.windows(recipe.tokenizer.window) for one in data)
        if not len(self.windows) or not len(self.dev_windows):
            raise InputError(
                "[corpus] every text of train or dev has fewer than 4 tokens; give longer texts"
            )
        self.steps, self.look_every = self.settings.steps, self.settings.eval_steps
        self.checkpoint_steps = self.settings.checkpoint_steps

    def descent(self, device: torch.device) -> Descent:
        """Return the optimizer of the objective and its encoder."""
        return Descent(self.objective, self.encoder, self.settings, device)

    def digest(self) -> str:
        """Return "": the corpus in the run's folder needs no check."""
        return ""

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Yield this process's batches of an epoch from step `first` on.

        Raises:
            InputError: the corpus has fewer batches than there are processes.
        """
        plan = Plan(
            self.corpus,
            self.windows,
            tokens=self.settings.batch_tokens,
            seed=self.settings.seed,
            epoch=epoch,
        )
        if len(plan.batches) < self.team.world:
            raise InputError(
                f"the corpus has {plural(len(plan.batches), 'batch', 'batches')} for "
                f"{plural(self.team.world, 'process', 'processes')}; "
                "lower pretrain.batch_tokens or start fewer processes"
            )
        for step in range(first, len(plan.batches) // self.team.world):
            yield plan.batch(step * self.team.world + self.team.rank)

    def count(self, batch: Batch) -> int:
        """Return the number of tokens, without padding."""
        return int(batch.mask_BT.sum())

    def loss(self, forward: Forward, batch: Batch, step: int) -> Tensor:
        """Return the loss of a batch; its random views follow from the seed, step and process."""
        seed = [self.settings.seed, step, self.team.rank]
        loss: Tensor = forward(**self._views(batch, np.random.default_rng(seed)))
        return loss

    @torch.inference_mode()
    def look(self, forward: Forward) -> Mapping[str, float]:
        """Return the loss and the objective's metrics on dev, with the same views every time."""
        self.objective.eval()
        sums: dict[str, float] = {}
        plan = Plan(self.dev, self.dev_windows, tokens=self.settings.batch_tokens, seed=0, epoch=0)
        tokens = int(self.dev_windows[:, 1].sum())
        for index in range(len(plan.batches)):
            batch = plan.batch(index)
            rng = np.random.default_rng([0, index])
            loss = forward(**self._views(batch, rng))
            share = int(batch.mask_BT.sum()) / tokens
            for name, value in {"loss": loss, **self.objective.metrics}.items():
                sums[name] = sums.get(name, 0.0) + float(value) * share
        self.objective.train()
        return sums

    def keep(self, folder: Path, look: Look) -> None:
        """Write the encoder's weights."""
        save_encoder(folder, self.encoder, look.step, head=getattr(self.objective, "head", None))

    def event(self, look: Look) -> Evaluated:
        """Return the event of an evaluation."""
        return Evaluated(
            step=look.step,
            loss=round(look.loss, 4),
            best=look.best,
            seconds=round(look.seconds, 1),
            scores={name: round(value, 4) for name, value in look.scores.items()},
        )

    def progress(self, step: int) -> tuple[int, int]:
        """Return (steps done, steps of the whole run)."""
        return step, self.steps

    def _views(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        views: Mapping[str, np.ndarray] = self.objective.views(batch, rng)
        return {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self.team.device)
            for name, array in views.items()
        }


def save_encoder(
    folder: Path, net: nn.Module, step: int, learned: str = "", head: nn.Module | None = None
) -> None:
    """Write model.safetensors with the encoder's weights whose names start with `learned`.

    `head` is what an objective learned beside it, to start from as well.
    """
    tensors = {
        f"encoder.{name}": value
        for name, value in net.state_dict().items()
        if name.startswith(learned)
    }
    if head is not None:
        tensors |= {f"head.{name}": value for name, value in head.state_dict().items()}
    checkpoint.save_tensors(folder / "model.safetensors", tensors, {"step": step})
