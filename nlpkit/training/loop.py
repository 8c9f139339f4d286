"""The training loop: epochs of steps, a checkpoint now and then, the best epoch kept.

Everything that decides the weights (order, crops, dropout, rates, moments) follows from the seed
and the checkpoint, so a resumed run ends in the very same weights as an unbroken one.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nlpkit.errors import InputError, NlpkitError, UsageError
from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import numbers
from nlpkit.training import checkpoint
from nlpkit.training.data import Epoch, Split
from nlpkit.training.descent import LAST, REPORT_EVERY, Descent, Listener, rate
from nlpkit.training.distributed import Team
from nlpkit.training.interrupt import Interrupt
from nlpkit.training.judge import Judge, chosen_by

Variants = Callable[[int], list[Any]]


class Stop(Exception):
    """Raised by a listener: train no more, the best epoch so far is the run's."""


@dataclass
class State:
    """Where a run stands; stored as JSON in each checkpoint."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    finished: bool = False
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    data: str = ""
    world: int = 1


class Loop:
    """One training run of one network."""

    def __init__(
        self,
        *,
        recipe: Recipe,
        network: nn.Module,
        model: Model,
        train: tuple[Split, list[Any]],
        dev: Split,
        folder: Path,
        team: Team,
        listener: Listener,
        taught: Tensor | None = None,
        variants: Variants | None = None,
    ) -> None:
        """`taught[i]`: what teachers say of document i, or 0; `variants`: an epoch's noisy ids."""
        self.recipe, self.settings = recipe, recipe.train
        self.network, self.model = network, model
        self.split, self.ids = train
        self.taught, self.variants = taught, variants
        self.dev, self.folder, self.team, self.listener = dev, folder, team, listener
        self.choose_by = recipe.data.choose_by
        encoder: nn.Module = network.encoder
        self.descent = Descent(
            network, encoder, self.settings, team.device, recipe.init.layer_decay
        )
        self.state = State(data=self._digest(), world=team.world)
        self.class_weights = self._class_weights()
        self.steps = -(-len(self.ids) // self.settings.batch_size) // team.world
        if not self.steps:
            raise InputError(
                f"{len(self.ids)} documents make no step for {team.world} processes; "
                "lower train.batch_size or start fewer"
            )
        self.started = time.monotonic()

    def resume(self) -> None:
        """Continue from the folder's checkpoint.

        Raises:
            ModelError: it is damaged.
            UsageError: the data or the number of processes is not what it was.
        """
        path = self.folder / LAST
        tensors, stored = checkpoint.load_tensors(path)
        if stored.get("data") != self.state.data:
            raise UsageError(
                f"{path}: the training data has changed since; train into a new folder"
            )
        self.descent.restore(path, tensors, stored, self.team)
        self.state = State(**stored)

    def run(self) -> State:
        """Train until the epochs or the patience end; raises KeyboardInterrupt after saving."""
        wrapped = self.team.wrap(self.network)
        with Interrupt() as interrupt, suppress(Stop):
            while not self.state.finished:
                self._run_epoch(wrapped, interrupt)
        return self.state

    def _run_epoch(self, wrapped: nn.Module, interrupt: Interrupt) -> None:
        epoch = self._epoch(self.state.epoch)
        wrapped.train()
        reported = 0.0
        seen, since = 0, time.monotonic()
        for batch in epoch.batches(self.state.step, self.team.rank, self.team.world):
            self._set_rate()
            loss = self._step(wrapped, epoch, batch)
            if not math.isfinite(loss):
                raise NlpkitError(
                    f"the loss is {loss} at step {self.state.step + 1} of epoch "
                    f"{self.state.epoch + 1}: lower train.lr, or set train.clip"
                )
            self.state.loss_sum += loss
            self.state.step += 1
            seen += len(batch.rows) * self.team.world
            if time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                self._report(seen / (reported - since))
            if self.team.agree([float(interrupt.asked)])[0]:
                self._save()
                self._report(seen / (time.monotonic() - since))  # a listener may Stop instead
                raise KeyboardInterrupt
            if self.state.step % self.settings.checkpoint_steps == 0:
                self._save()
        self._end_epoch(seen / max(time.monotonic() - since, 1e-9))

    def _step(self, wrapped: nn.Module, epoch: Epoch, batch: Batch) -> float:
        device = self.team.device
        feeds = [torch.from_numpy(array).to(device) for array in batch.feeds().values()]
        with self.descent.autocast():
            outputs = wrapped(*feeds)
        loss = self._label_loss(outputs, [epoch.span(row) for row in batch.rows], batch.rows)
        if self.taught is not None:
            mixing, temperature = self.recipe.distill.mixing, self.recipe.distill.temperature
            taught = self.taught[batch.rows].to(device)
            task: Any = self.model.task
            has_N = taught.any(dim=1)
            far_N = task.distillation(outputs, taught, temperature) * has_N
            loss = (1 - mixing) * loss + mixing * far_N.sum() / has_N.sum().clamp_min(1)
        self.descent.step(loss)
        return float(loss.detach())

    def _label_loss(self, outputs: Tensor, spans: list[tuple[int, int]], rows: list[int]) -> Tensor:
        """Return the mean loss of the labelled rows; others weigh 0 and stand for label 0."""
        device, golds = self.team.device, [self.split.golds[row] for row in rows]
        known = [0 if gold is None else gold for gold in golds]
        priors = [self.split.priors[row] for row in rows]
        targets = {
            name: torch.from_numpy(array).to(device)
            for name, array in self.model.task.targets(known, priors, spans).items()
        }
        labelled = sum(gold is not None for gold in golds)
        weights_N = torch.tensor([self.split.weights[row] for row in rows], device=device)
        loss: Tensor = self.model.task.loss(
            outputs,
            targets,
            smoothing=self.settings.label_smoothing,
            weights=self.class_weights,
            rows=weights_N * (len(rows) / max(labelled, 1)),
        )
        return loss

    def _end_epoch(self, speed: float) -> None:
        state, name = self.state, chosen_by(self.model.task, self.choose_by)
        scores = self._evaluate() if self.team.leads else {name: 0.0}
        (score,) = self.team.agree([scores[name]])
        loss = state.loss_sum / state.step
        state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
        best = state.best is None or score > state.best
        if best:
            state.best, state.best_epoch = score, state.epoch
            if self.team.leads:
                path = self.folder / "model.safetensors"
                checkpoint.save_tensors(path, self.network.state_dict(), {"epoch": state.epoch})
        patience = self.settings.patience
        waited = state.epoch - state.best_epoch
        state.finished = state.epoch >= self.settings.epochs or 0 < patience <= waited
        event = {
            "event": "epoch",
            "epoch": state.epoch,
            "loss": round(loss, 6),
            "score": name,
            "best": best,
            "docs_per_second": round(speed, 1),
            "seconds": round(time.monotonic() - self.started, 1),
        }
        dev = {f"dev_{key}": value for key, value in numbers(scores).items()}
        state.history.append(event | dev)
        self._save()
        if self.team.leads:
            self.listener(state.history[-1])

    def _evaluate(self) -> dict[str, Any]:
        return Judge(self.model, self.dev, self.choose_by).scores(1.0)

    def _save(self) -> None:
        self.descent.save(self.folder, self.team, asdict(self.state))

    def _digest(self) -> str:
        """Return a hash of the examples: a run resumes bit for bit on the same data only."""
        told = [self.split.golds, self.split.weights, self.split.priors, self.dev.golds]
        digest = hashlib.sha256(repr([*told, self.dev.documents]).encode("utf-8", "replace"))
        if self.taught is not None:
            digest.update(self.taught.numpy().tobytes())
        for ids in self.ids:
            digest.update(ids.tobytes())
        return digest.hexdigest()

    def _report(self, speed: float) -> None:
        if not self.team.leads:
            return
        left = self.steps * (self.settings.epochs - self.state.epoch) - self.state.step
        self.listener(
            {
                "event": "step",
                "epoch": self.state.epoch + 1,
                "step": self.state.step,
                "steps": self.steps,
                "loss": self.state.loss_sum / self.state.step,
                "speed": f"{speed:,.0f} docs/s",
                "seconds_left": left * self.settings.batch_size * self.team.world / speed,
            }
        )

    def _set_rate(self) -> None:
        step = self.steps * self.state.epoch + self.state.step
        for group in self.descent.optimizer.param_groups:
            share = rate(step, self.steps * self.settings.epochs, self.settings)
            frozen = self.recipe.init.unfreeze and group["below"] > self.state.epoch
            group["lr"] = 0.0 if frozen else self.settings.lr * group["scale"] * share

    def _epoch(self, number: int) -> Epoch:
        return Epoch(
            self.variants(number) if self.variants else self.ids,
            batch_size=self.settings.batch_size,
            window=self.model.encoder.window,
            seed=self.settings.seed,
            epoch=number,
        )

    def _class_weights(self) -> Tensor | None:
        if self.settings.class_weights == "none":
            return None
        golds = [gold for gold in self.split.golds if gold is not None]
        weights = self.model.task.class_weights(golds, self.settings.class_weights)
        return torch.tensor(weights, device=self.team.device)
