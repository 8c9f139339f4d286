"""Update the weights: learning rate, optimizer, mixed precision, checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nlpkit.errors import UsageError, quoted
from nlpkit.settings.sections import Init, Pretrain, Train
from nlpkit.training import checkpoint
from nlpkit.training.distributed import Team
from nlpkit.wording import plural, rounded

FROM_SCRATCH = Init()


class Descent:
    """AdamW with gradient scaling and clipping, saved in checkpoints."""

    def __init__(
        self,
        network: nn.Module,
        encoder: nn.Module,
        settings: Train | Pretrain,
        device: torch.device,
        *,
        start: Init = FROM_SCRATCH,
    ) -> None:
        """Create the optimizer of a network; `encoder` is its part with stages.

        With `start.unfreeze`, epoch 0 trains the head only and each later epoch one more stage
        (gradual unfreezing, Howard & Ruder 2018).

        Raises:
            UsageError: `start.freeze` is larger than the number of stages.
        """
        self.network, self.settings, self.device = network, settings, device
        self.unfreeze = start.unfreeze
        self.optimizer = optimizer_for(network, encoder, settings, start)
        self.half = half_precision(settings, device)
        self.scaler = torch.amp.GradScaler(enabled=self.half is torch.float16)

    def forward(self, network: nn.Module) -> Callable[..., Any]:
        """Return a function that calls a network in the run's precision."""

        def call(*args: Tensor, **named: Tensor) -> Any:
            with self._autocast():
                return network(*args, **named)

        return call

    def set_rate(self, step: int, total: int, epoch: int) -> None:
        """Set the learning rates of a step (from 0, of `total`) in an epoch (from 0)."""
        share = rate(step, total, self.settings)
        for group in self.optimizer.param_groups:
            frozen = self.unfreeze and group["below"] > epoch
            group["lr"] = 0.0 if frozen else self.settings.lr * group["scale"] * share

    def step(self, loss: Tensor) -> None:
        """Update the weights by the gradient of a loss."""
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.settings.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def save(self, folder: Path, team: Team, state: dict[str, Any]) -> None:
        """Write the checkpoint and, from its history, metrics.jsonl. Every process must call it."""
        rngs = team.gather(checkpoint.random_state(self.device))
        if not team.leads:
            return
        tensors = checkpoint.pack(self.network, self.optimizer, rngs)
        state = state | {"scaler": self.scaler.state_dict()}
        checkpoint.save_tensors(folder / checkpoint.LAST, tensors, state)
        lines = [json.dumps(rounded(line)) + "\n" for line in state["history"]]
        checkpoint.save_text(folder / "metrics.jsonl", "".join(lines))

    def restore(
        self, path: Path, tensors: Mapping[str, Tensor], stored: Mapping[str, Any], team: Team
    ) -> None:
        """Restore weights, moments and random state from a checkpoint loaded from `path`.

        Raises:
            ModelError: the checkpoint is of another network.
            UsageError: the checkpoint was written by another number of processes.
        """
        if stored.get("world") != team.world:
            before = plural(stored.get("world", 0), "process", "processes")
            raise UsageError(
                f"{quoted(path)}: written by {before}, resumed by {team.world}; "
                "start as many as before"
            )
        checkpoint.unpack(tensors, self.network, self.optimizer)
        if stored["scaler"]:
            self.scaler.load_state_dict(stored["scaler"])
        checkpoint.set_random_state(tensors[f"rng.{team.rank}"], self.device)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, self.half) if self.half else nullcontext()


def rate(step: int, total: int, settings: Train | Pretrain) -> float:
    """Return the learning rate of a step (from 0) as a share of the peak rate; never 0."""
    warmup = settings.warmup * total
    if step < warmup:
        return min((step + 1) / warmup, 1.0)
    left = (total - step) / max(total - warmup, 1.0)
    if settings.schedule == "cosine":
        return 0.5 * (1 - math.cos(math.pi * left))
    return left if settings.schedule == "linear" else 1.0


def optimizer_for(
    network: nn.Module, encoder: nn.Module, settings: Train | Pretrain, start: Init
) -> torch.optim.Optimizer:
    """Return AdamW (Loshchilov & Hutter 2019) with weight decay on matrices only.

    Each stage of the encoder has `start.layer_decay` times the rate of the stage above it
    (discriminative fine-tuning, Howard & Ruder 2018). A group's "below" is the number of stages
    above it, 0 for the head. The lowest `start.freeze` stages are excluded from training.

    Raises:
        UsageError: the encoder has fewer stages than `start.freeze`, or all weights are frozen.
    """
    groups, stages = [], _stages(network, encoder)
    if start.freeze >= len(stages):
        raise UsageError(
            f"init.freeze = {start.freeze}: the encoder has {plural(len(stages) - 1, 'stage')}; "
            "lower it"
        )
    for weight in (weight for stage in stages[len(stages) - start.freeze :] for weight in stage):
        weight.requires_grad_(False)
    for below, weights in enumerate(stages[: len(stages) - start.freeze]):
        rate = start.rate * start.layer_decay**below if below else 1.0
        scale = {"below": below, "scale": rate}
        decayed = [weight for weight in weights if weight.ndim >= 2]
        free = [weight for weight in weights if weight.ndim < 2]
        groups += [
            {"params": decayed, "weight_decay": settings.weight_decay, **scale},
            {"params": free, "weight_decay": 0.0, **scale},
        ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise UsageError(f"init.freeze = {start.freeze}: nothing is left to train; lower it")
    return torch.optim.AdamW(groups, lr=settings.lr, betas=(0.9, 0.98), fused=True)


def _stages(network: nn.Module, encoder: Any) -> list[list[nn.Parameter]]:
    """Return the weights of the head, then of each stage from the top down.

    An encoder without a method `stages` is one stage.
    """
    stages = encoder.stages() if hasattr(encoder, "stages") else [[encoder]]
    down = [[weight for part in stage for weight in _weights(part)] for stage in reversed(stages)]
    inside = {id(weight) for weights in down for weight in weights}
    return [[weight for weight in network.parameters() if id(weight) not in inside], *down]


def _weights(part: nn.Module | nn.Parameter) -> Iterator[nn.Parameter]:
    return part.parameters() if isinstance(part, nn.Module) else iter([part])


def half_precision(settings: Train | Pretrain, device: torch.device) -> torch.dtype | None:
    """Return the dtype of autocast, or None for float32; fp16 is for GPUs only."""
    amp = settings.amp
    if amp == "off":
        return None
    if device.type != "cuda":
        is_bf16 = amp == "bf16" or (amp == "fast" and _multiplies_bf16())
        return torch.bfloat16 if is_bf16 else None
    if amp in ("auto", "fast"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if amp == "bf16" else torch.float16


def _multiplies_bf16() -> bool:
    """Return whether the CPU has instructions for bf16; without them it is slower than float32."""
    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))
