"""The training loop: epochs of steps, a checkpoint now and then, the best epoch kept.

Everything that decides the weights (order, crops, dropout, rates, moments) follows from the seed
and the checkpoint, so a resumed run ends in the very same weights as an unbroken one.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nlpkit.recipe import Train
from nlpkit.runtime.model import Model
from nlpkit.training import checkpoint
from nlpkit.training.data import Epoch, Split
from nlpkit.training.distributed import Team
from nlpkit.training.interrupt import Interrupt

Listener = Callable[[dict[str, Any]], None]
REPORT_EVERY = 0.25  # seconds between two reports to the listener


@dataclass
class State:
    """Where a run stands; stored as JSON in each checkpoint."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    since_best: int = 0
    finished: bool = False
    scaler: dict[str, Any] = field(default_factory=dict)


class Loop:
    """One training run of one network."""

    def __init__(
        self,
        *,
        settings: Train,
        network: nn.Module,
        model: Model,
        train: tuple[Split, list[Any]],
        dev: Split,
        folder: Path,
        team: Team,
        listener: Listener,
    ) -> None:
        self.settings, self.network, self.model = settings, network, model
        self.split, self.ids = train
        self.dev, self.folder, self.team, self.listener = dev, folder, team, listener
        self.optimizer = optimizer_for(network, settings)
        self.half = half_precision(settings, team.device)
        self.scaler = torch.amp.GradScaler(enabled=self.half is torch.float16)
        self.state = State()
        self.weights = self._class_weights()
        self.steps = len(self._epoch(0)) // team.world
        self.started = time.monotonic()

    def resume(self) -> None:
        """Continue from the folder's checkpoint. Raises ModelError when it is damaged."""
        tensors, stored = checkpoint.load_tensors(self.folder / "last.safetensors")
        checkpoint.unpack(tensors, self.network, self.optimizer)
        self.state = State(**stored)
        if self.state.scaler:
            self.scaler.load_state_dict(self.state.scaler)
        rng = tensors.get(f"rng.{self.team.rank}", tensors["rng.0"])
        checkpoint.set_random_state(rng, self.team.device)
        if self.team.leads:
            self._forget_later_metrics()

    def run(self) -> State:
        """Train until the epochs or the patience end; raises KeyboardInterrupt after saving."""
        wrapped = self.team.wrap(self.network)
        with Interrupt() as interrupt:
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
            self.state.loss_sum += self._step(wrapped, batch)
            self.state.step += 1
            seen += len(batch.rows) * self.team.world
            if time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                self._report(seen / (reported - since))
            if self.team.agree([float(interrupt.asked)])[0]:
                self._save()
                raise KeyboardInterrupt
            if self.state.step % self.settings.checkpoint_steps == 0:
                self._save()
        self._end_epoch(seen / max(time.monotonic() - since, 1e-9))

    def _step(self, wrapped: nn.Module, batch: Any) -> float:
        device = self.team.device
        feeds = [torch.from_numpy(array).to(device) for array in batch.feeds().values()]
        golds = [self.split.golds[row] for row in batch.rows]
        weights = [self.split.weights[row] for row in batch.rows]
        targets = {
            name: torch.from_numpy(array).to(device)
            for name, array in self.model.task.targets(golds, weights).items()
        }
        half = torch.autocast(device.type, self.half) if self.half else nullcontext()
        with half:
            outputs = wrapped(*feeds)
        loss = self.model.task.loss(
            outputs, targets, smoothing=self.settings.label_smoothing, weights=self.weights
        )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.settings.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return float(loss.detach())

    def _end_epoch(self, speed: float) -> None:
        state = self.state
        scores = self._evaluate() if self.team.leads else {"macro_f1": 0.0}
        (macro_f1,) = self.team.agree([scores["macro_f1"]])
        loss = state.loss_sum / max(state.step, 1)
        state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
        state.since_best += 1
        if macro_f1 > state.best:
            state.best, state.best_epoch, state.since_best = macro_f1, state.epoch, 0
            if self.team.leads:
                best = self.folder / "model.safetensors"
                checkpoint.save_tensors(best, self.network.state_dict(), {"epoch": state.epoch})
        patience = self.settings.patience
        state.finished = state.epoch >= self.settings.epochs or 0 < patience <= state.since_best
        event = {
            "event": "epoch",
            "epoch": state.epoch,
            "loss": round(loss, 6),
            "dev_macro_f1": macro_f1,
            "best": macro_f1 == state.best,
            "docs_per_second": round(speed, 1),
            "seconds": round(time.monotonic() - self.started, 1),
        }
        if self.team.leads:
            event |= {"dev_accuracy": scores["accuracy"], "dev_ece": scores["ece"]}
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as out:
                out.write(json.dumps(event) + "\n")
            self.listener(event)
        self._save()

    def _evaluate(self) -> dict[str, Any]:
        return self.model.task.metrics(*self.model.scored(self.dev.texts, self.dev.golds), 1.0)

    def _save(self) -> None:
        rngs = self.team.gather(checkpoint.random_state(self.team.device))
        if self.team.leads:
            self.state.scaler = self.scaler.state_dict()
            tensors = checkpoint.pack(self.network, self.optimizer, rngs)
            checkpoint.save_tensors(self.folder / "last.safetensors", tensors, asdict(self.state))

    def _forget_later_metrics(self) -> None:
        """Drop the lines of epochs that ended after the checkpoint: they are run again."""
        path = self.folder / "metrics.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["epoch"] <= self.state.epoch]
            part = path.with_suffix(".part")
            part.write_text("".join(kept), encoding="utf-8")
            os.replace(part, path)

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
                "docs_per_second": speed,
                "seconds_left": left * self.settings.batch_size * self.team.world / speed,
            }
        )

    def _set_rate(self) -> None:
        total = max(self.steps * self.settings.epochs, 1)
        done = (self.steps * self.state.epoch + self.state.step) / total
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * rate(done, self.settings)

    def _epoch(self, number: int) -> Epoch:
        return Epoch(
            self.ids,
            batch_size=self.settings.batch_size,
            window=self.model.encoder.window,
            seed=self.settings.seed,
            epoch=number,
        )

    def _class_weights(self) -> Tensor | None:
        if self.settings.class_weights == "none":
            return None
        weights = self.model.task.class_weights(self.split.golds, self.settings.class_weights)
        return torch.tensor(weights, device=self.team.device)


def rate(done: float, settings: Train) -> float:
    """Return the share of the peak rate when `done` (0 to 1) of all steps are behind."""
    if done < settings.warmup:
        return done / settings.warmup
    left = (1 - done) / max(1 - settings.warmup, 1e-9)
    if settings.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (1 - left)))
    return left if settings.schedule == "linear" else 1.0


def optimizer_for(network: nn.Module, settings: Train) -> torch.optim.Optimizer:
    """Return AdamW; weight decay pulls on matrices only."""
    decayed = [p for p in network.parameters() if p.ndim >= 2]
    free = [p for p in network.parameters() if p.ndim < 2]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=(0.9, 0.98))


def half_precision(settings: Train, device: torch.device) -> torch.dtype | None:
    """Return the autocast type on a GPU, None for float32."""
    if device.type != "cuda" or settings.amp == "off":
        return None
    if settings.amp == "auto":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if settings.amp == "bf16" else torch.float16
