"""A pretraining run: self-supervised steps over a corpus, resumed after a kill.

recipe.toml        the resolved recipe       tokenizer.json     the tokenizer
corpus/            the text as ids           last.safetensors   where --resume continues
metrics.jsonl      one line an evaluation    model.safetensors  the encoder at its best dev loss
run.json           what came of it; written last
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit import __version__, catalog
from nlpkit.errors import InputError, NlpkitError, UsageError
from nlpkit.recipe import Pretraining
from nlpkit.rows import fingerprint
from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.device import cores
from nlpkit.runtime.encoder import Encoder
from nlpkit.training import checkpoint, corpus as corpora, init, network, tokenizer
from nlpkit.training.corpus import Corpus, Plan
from nlpkit.training.data import fingerprints, unlabelled
from nlpkit.training.distributed import Team, team
from nlpkit.training.interrupt import Interrupt
from nlpkit.training.loop import REPORT_EVERY, Listener, half_precision, optimizer_for, rate
from nlpkit.training.run import FORMAT, begun, prepare, torch_device


def pretrain(
    recipe: Pretraining, folder: Path, *, device: str, resume: bool, listener: Listener
) -> dict[str, Any]:
    """Pretrain an encoder into `folder` and return the summary that run.json holds.

    Raises:
        UsageError: the folder already holds a run and `resume` was not asked for, or the objective
            does not suit the architecture.
        InputError: the text cannot be used.
        DeviceError: torch cannot use the device.
    """
    torch.set_num_threads(recipe.pretrain.threads or cores())
    with team(torch_device(device)) as members:
        if members.leads:
            prepare(folder, recipe, resume)
        return _pretrain(recipe, folder, members, resume, listener)


def _pretrain(
    recipe: Pretraining, folder: Path, members: Team, resume: bool, listener: Listener
) -> dict[str, Any]:
    started = time.monotonic()
    settings, source = recipe.pretrain, init.of(recipe)
    if members.leads:
        _prepare_corpus(recipe, folder, source)
    members.agree([0.0])  # the others wait here until the leader's files are whole
    encoder = Encoder.from_json(
        (folder / "tokenizer.json").read_text(encoding="utf-8"),
        window=recipe.tokenizer.window,
        overlap=recipe.tokenizer.overlap,
    )
    train, dev = (corpora.read(folder / "corpus", name) for name in ("train", "dev"))
    torch.manual_seed(settings.seed)
    net = network.build_encoder(recipe.architecture, recipe.tokenizer.window, encoder)
    init.load(source, net)
    pieces = _pieces(encoder)
    module = catalog.load("objectives", recipe.objective.name)
    if members.leads:
        listener(_start(train, dev, net, encoder))
    if hasattr(module, "fit"):
        threads = settings.threads or cores()
        scores = module.fit(
            recipe.objective.config, net, pieces, train, seed=settings.seed, threads=threads
        )
        steps = 0
        _save_encoder(folder, net, 0)
    else:
        objective = module.Objective(recipe.objective.config, net, pieces).to(members.device)
        torch.manual_seed(settings.seed + members.rank)
        loop = Loop(recipe, objective, (train, dev), folder, members, listener)
        if resume and members.agree([float(begun(folder))])[0]:
            loop.resume()
        loop.run()
        steps, scores = loop.state.step, loop.state.history[-1] if loop.state.history else {}
    if not members.leads:
        return {}
    summary = {
        "format": FORMAT,
        "name": recipe.name,
        "objective": recipe.objective.name,
        "architecture": recipe.architecture.name,
        "vocab_size": encoder.vocab_size,
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "steps": steps,
        "dev": {key: value for key, value in scores.items() if key not in ("event", "best")},
        "data": json.loads((folder / "corpus" / "files.json").read_text(encoding="utf-8")),
        "init": init.told(source),
        "seconds": round(time.monotonic() - started, 1),
        "versions": {"nlpkit": __version__, "torch": torch.__version__},
    }
    checkpoint.save_text(
        folder / "run.json", json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    )
    return summary


def _start(train: Corpus, dev: Corpus, net: nn.Module, encoder: Encoder) -> dict[str, Any]:
    return {
        "event": "start",
        "train": len(train.starts) - 1,
        "tokens": len(train.ids),
        "dev": len(dev.starts) - 1,
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "vocab_size": encoder.vocab_size,
    }


def _prepare_corpus(recipe: Pretraining, folder: Path, source: init.Found | None) -> None:
    """Learn or take the tokenizer, tokenise the corpus; what an interrupted run left is kept."""
    place = folder / "corpus"
    if (place / "files.json").exists():
        return
    taken = fingerprints(recipe.corpus.exclude, recipe.folder)
    dev_files: list[dict[str, Any]] = []
    held_out = list(unlabelled(recipe.corpus.dev, recipe.folder, taken, dev_files))
    if not held_out:
        raise InputError("no dev texts: give [corpus] dev in the recipe")
    taken |= {fingerprint(text) for text in held_out}

    def documents(files: list[dict[str, Any]]) -> Any:
        return unlabelled(recipe.corpus.train, recipe.folder, taken, files)

    if source:
        text = source.tokenizer
    else:
        drawn = corpora.sample(documents([]), recipe.pretrain.seed)
        text = tokenizer.train(drawn, recipe.tokenizer)
    checkpoint.save_text(folder / "tokenizer.json", text)
    encoder = Encoder.from_json(
        text, window=recipe.tokenizer.window, overlap=recipe.tokenizer.overlap
    )
    files: list[dict[str, Any]] = []
    corpora.write(documents(files), encoder, place, "train")
    corpora.write(held_out, encoder, place, "dev")
    told = {"train": files, "dev": dev_files}
    checkpoint.save_text(place / "files.json", json.dumps(told, ensure_ascii=False, indent=1))


def _pieces(encoder: Encoder) -> list[str]:
    return [str(encoder.tokenizer.id_to_token(place)) for place in range(encoder.vocab_size)]


def _save_encoder(folder: Path, net: nn.Module, step: int) -> None:
    tensors = {f"encoder.{name}": value for name, value in net.state_dict().items()}
    checkpoint.save_tensors(folder / "model.safetensors", tensors, {"step": step})


@dataclass
class State:
    """Where a run stands; stored as JSON in each checkpoint."""

    step: int = 0
    epoch: int = 0
    place: int = 0
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
        data: tuple[Corpus, Corpus],
        folder: Path,
        members: Team,
        listener: Listener,
    ) -> None:
        self.settings, self.window = recipe.pretrain, recipe.tokenizer.window
        self.objective, self.folder, self.team = objective, folder, members
        self.corpus, self.dev = data
        self.listener = listener
        self.optimizer = optimizer_for(objective, self.settings)
        self.half = half_precision(self.settings, members.device)
        self.scaler = torch.amp.GradScaler(enabled=self.half is torch.float16)
        self.state = State(world=members.world)
        self.windows = self.corpus.windows(self.window)
        self.dev_windows = self.dev.windows(self.window)
        self.started, self.first = time.monotonic(), 0
        if not len(self.windows) or not len(self.dev_windows):
            raise InputError("[corpus] the texts are too short to learn from: none has 4 tokens")

    def resume(self) -> None:
        """Continue from the folder's checkpoint. Raises ModelError, UsageError."""
        path = self.folder / "last.safetensors"
        tensors, stored = checkpoint.load_tensors(path)
        if stored.get("world") != self.state.world:
            raise UsageError(
                f"{path}: was made by {stored.get('world')} processes, here are {self.state.world}"
            )
        checkpoint.unpack(tensors, self.objective, self.optimizer)
        self.state = State(**stored)
        if self.state.scaler:
            self.scaler.load_state_dict(self.state.scaler)
        checkpoint.set_random_state(tensors[f"rng.{self.team.rank}"], self.team.device)
        self.first = self.state.step

    def run(self) -> None:
        """Train until the steps end; raises KeyboardInterrupt after saving."""
        wrapped = self.team.wrap(self.objective)
        plan = self._plan()
        reported, seen, losses = time.monotonic(), 0, []
        with Interrupt() as interrupt:
            while self.state.step < self.settings.steps:
                if (self.state.place + 1) * self.team.world > len(plan.batches):
                    self.state.epoch, self.state.place = self.state.epoch + 1, 0
                    plan = self._plan()
                batch = plan.batch(self.state.place * self.team.world + self.team.rank)
                losses.append(self._step(wrapped, batch))
                seen += int(batch.mask_BT.sum()) * self.team.world
                self.state.step += 1
                self.state.place += 1
                now = time.monotonic()
                if now - reported > REPORT_EVERY:
                    self._report(losses[-1], seen / (now - reported))
                    reported, seen = now, 0
                if self.state.step % self.settings.eval_steps == 0 or self._done:
                    self._end_stretch(losses)
                    losses = []
                stop = bool(self.team.agree([float(interrupt.asked)])[0])
                if stop or self.state.step % self.settings.checkpoint_steps == 0 or self._done:
                    self._save()
                if stop and not self._done:
                    raise KeyboardInterrupt

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
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * share
        wrapped.train()
        with self._autocast():
            loss = wrapped(**self._views(batch, [self.state.step, self.team.rank]))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NlpkitError(
                f"the loss is {value} at step {self.state.step + 1}: lower pretrain.lr, or set "
                "pretrain.clip"
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.settings.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.objective.parameters(), self.settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return value

    def _views(self, batch: Batch, seed: list[int]) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.settings.seed, *seed])
        views: Mapping[str, np.ndarray] = self.objective.views(batch, rng)
        return {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self.team.device)
            for name, array in views.items()
        }

    def _autocast(self) -> Any:
        return torch.autocast(self.team.device.type, self.half) if self.half else nullcontext()

    def _end_stretch(self, losses: list[float]) -> None:
        """Look at the dev texts, always masked alike; keep the encoder if it is the best."""
        scores = self._evaluate() if self.team.leads else {"loss": 0.0}
        (dev_loss,) = self.team.agree([scores["loss"]])
        best = self.state.best is None or dev_loss < self.state.best
        if best:
            self.state.best = dev_loss
            if self.team.leads:
                _save_encoder(self.folder, self.objective.encoder, self.state.step)
        event = {
            "event": "evaluation",
            "step": self.state.step,
            "loss": round(sum(losses) / len(losses), 4),
            "best": best,
            "seconds": round(time.monotonic() - self.started, 1),
        }
        self.state.history.append(event | {f"dev_{k}": round(v, 4) for k, v in scores.items()})
        if self.team.leads:
            self.listener(self.state.history[-1])

    @torch.inference_mode()
    def _evaluate(self) -> dict[str, float]:
        self.objective.eval()
        sums: dict[str, float] = {}
        plan = Plan(self.dev, self.dev_windows, tokens=self.settings.batch_tokens, seed=0, epoch=0)
        for place in range(len(plan.batches)):
            with self._autocast():
                loss = self.objective(**self._views(plan.batch(place), [place, 2**31]))
            for name, value in {"loss": loss, **self.objective.metrics}.items():
                sums[name] = sums.get(name, 0.0) + float(value) / len(plan.batches)
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
        """Write the checkpoint, then metrics.jsonl, which is a view of it."""
        rngs = self.team.gather(checkpoint.random_state(self.team.device))
        if self.team.leads:
            self.state.scaler = self.scaler.state_dict()
            tensors = checkpoint.pack(self.objective, self.optimizer, rngs)
            checkpoint.save_tensors(self.folder / "last.safetensors", tensors, asdict(self.state))
            lines = [json.dumps(event) + "\n" for event in self.state.history]
            checkpoint.save_text(self.folder / "metrics.jsonl", "".join(lines))
