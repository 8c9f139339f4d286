"""The loop of a pretraining: steps of one objective over a corpus, checkpoints, looks at dev."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.errors import InputError, NlpkitError
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.recipe import Pretraining
from nlpkit.training import checkpoint
from nlpkit.training.corpus import Corpus, Plan
from nlpkit.training.descent import LAST, REPORT_EVERY, Descent, Listener, rate
from nlpkit.training.distributed import Team
from nlpkit.training.interrupt import Interrupt


@dataclass
class State:
    """Where a run stands; stored as JSON in each checkpoint."""

    step: int = 0
    epoch: int = 0
    place: int = 0
    loss_sum: float = 0.0
    losses: int = 0
    seconds: float = 0.0
    best: float | None = None
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    world: int = 1


class Loop:
    """Steps of one objective; all that is random follows from the seed and the step."""

    def __init__(
        self,
        recipe: Pretraining,
        objective: nn.Module,
        encoder: nn.Module,
        data: tuple[Corpus, Corpus],
        folder: Path,
        members: Team,
        listener: Listener,
    ) -> None:
        self.settings, self.window = recipe.pretrain, recipe.tokenizer.window
        self.objective, self.encoder = objective, encoder
        self.folder, self.team = folder, members
        self.corpus, self.dev = data
        self.listener = listener
        self.descent = Descent(objective, encoder, self.settings, members.device)
        self.state = State(world=members.world)
        self.windows = self.corpus.windows(self.window)
        self.dev_windows = self.dev.windows(self.window)
        self.started, self.first = time.monotonic(), 0
        if not len(self.windows) or not len(self.dev_windows):
            raise InputError("[corpus] the texts are too short to learn from: none has 4 tokens")

    def resume(self) -> None:
        """Continue from the folder's checkpoint. Raises ModelError, UsageError."""
        path = self.folder / LAST
        tensors, stored = checkpoint.load_tensors(path)
        self.descent.restore(path, tensors, stored, self.team)
        self.state = State(**stored)
        self.first = self.state.step

    def run(self) -> tuple[int, dict[str, float]]:
        """Train until the steps end; return them and the scores of the encoder that was kept.

        Raises:
            KeyboardInterrupt: after saving.
        """
        wrapped = self.team.wrap(self.objective)
        plan = self._plan()
        reported, seen = time.monotonic(), 0
        with Interrupt() as interrupt:
            while self.state.step < self.settings.steps:
                if (self.state.place + 1) * self.team.world > len(plan.batches):
                    self.state.epoch, self.state.place = self.state.epoch + 1, 0
                    plan = self._plan()
                batch = plan.batch(self.state.place * self.team.world + self.team.rank)
                loss = self._step(wrapped, batch)
                self.state.loss_sum += loss
                self.state.losses += 1
                seen += int(batch.mask_BT.sum()) * self.team.world
                self.state.step += 1
                self.state.place += 1
                now = time.monotonic()
                if now - reported > REPORT_EVERY:
                    self._report(loss, seen / (now - reported))
                    reported, seen = now, 0
                if self.state.step % self.settings.eval_steps == 0 or self._done:
                    self._end_stretch()
                stop = bool(self.team.agree([float(interrupt.asked)])[0])
                if stop or self.state.step % self.settings.checkpoint_steps == 0 or self._done:
                    self._save()
                if stop and not self._done:
                    raise KeyboardInterrupt
        kept = next(event for event in reversed(self.state.history) if event["best"])
        return self.state.step, {k: v for k, v in kept.items() if k[:4] in ("step", "dev_")}

    @property
    def seconds(self) -> float:
        """How long it took so far, in all attempts."""
        return self.state.seconds + time.monotonic() - self.started

    @property
    def _done(self) -> bool:
        return self.state.step >= self.settings.steps

    def _plan(self) -> Plan:
        plan = Plan(
            self.corpus,
            self.windows,
            tokens=self.settings.batch_tokens,
            seed=self.settings.seed,
            epoch=self.state.epoch,
        )
        if len(plan.batches) < self.team.world:
            raise InputError(
                f"the corpus makes {len(plan.batches)} batches for {self.team.world} processes; "
                "lower pretrain.batch_tokens or start fewer"
            )
        return plan

    def _step(self, wrapped: nn.Module, batch: Batch) -> float:
        share = rate(self.state.step, self.settings.steps, self.settings)
        for group in self.descent.optimizer.param_groups:
            group["lr"] = self.settings.lr * share
        wrapped.train()
        with self.descent.autocast():
            seed = [self.settings.seed, self.state.step, self.team.rank]
            loss = wrapped(**self._views(batch, np.random.default_rng(seed)))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NlpkitError(
                f"the loss is {value} at step {self.state.step + 1}: lower pretrain.lr, or set "
                "pretrain.clip"
            )
        self.descent.step(loss)
        return value

    def _views(self, batch: Batch, rng: np.random.Generator) -> dict[str, Tensor]:
        views: Mapping[str, np.ndarray] = self.objective.views(batch, rng)
        return {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self.team.device)
            for name, array in views.items()
        }

    def _end_stretch(self) -> None:
        """Look at the dev texts, always masked alike; keep the encoder if it is the best."""
        scores = self._evaluate() if self.team.leads else {"loss": 0.0}
        (dev_loss,) = self.team.agree([scores["loss"]])
        best = self.state.best is None or dev_loss < self.state.best
        if best:
            self.state.best = dev_loss
            if self.team.leads:
                save_encoder(self.folder, self.encoder, self.state.step)
        event = {
            "event": "evaluation",
            "step": self.state.step,
            "loss": round(self.state.loss_sum / self.state.losses, 4),
            "best": best,
            "seconds": round(self.seconds, 1),
        }
        self.state.loss_sum, self.state.losses = 0.0, 0
        self.state.history.append(event | {f"dev_{k}": round(v, 4) for k, v in scores.items()})
        if self.team.leads:
            self.listener(self.state.history[-1])

    @torch.inference_mode()
    def _evaluate(self) -> dict[str, float]:
        self.objective.eval()
        sums: dict[str, float] = {}
        plan = Plan(self.dev, self.dev_windows, tokens=self.settings.batch_tokens, seed=0, epoch=0)
        tokens = int(self.dev_windows[:, 1].sum())
        for place in range(len(plan.batches)):
            batch = plan.batch(place)
            rng = np.random.default_rng([0, place])  # masked alike in every run
            with self.descent.autocast():
                loss = self.objective(**self._views(batch, rng))
            share = int(batch.mask_BT.sum()) / tokens
            for name, value in {"loss": loss, **self.objective.metrics}.items():
                sums[name] = sums.get(name, 0.0) + float(value) * share
        return sums

    def _report(self, loss: float, speed: float) -> None:
        if not self.team.leads:
            return
        pace = (self.state.step - self.first) / (time.monotonic() - self.started)
        self.listener(
            {
                "event": "step",
                "epoch": self.state.epoch + 1,
                "step": self.state.step,
                "steps": self.settings.steps,
                "loss": loss,
                "speed": f"{speed:,.0f} tokens/s",
                "seconds_left": (self.settings.steps - self.state.step) / pace,
            }
        )

    def _save(self) -> None:
        state = asdict(self.state) | {"seconds": self.seconds}
        self.descent.save(self.folder, self.team, state)


def save_encoder(folder: Path, net: nn.Module, step: int, learned: str = "") -> None:
    """Write the encoder's weights whose names begin so, as a training starts from them."""
    tensors = {
        f"encoder.{name}": value
        for name, value in net.state_dict().items()
        if name.startswith(learned)
    }
    checkpoint.save_tensors(folder / "model.safetensors", tensors, {"step": step})
