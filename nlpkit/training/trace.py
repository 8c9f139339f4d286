"""Trace the gradient by distance while a network is trained: `nlpkit train --trace gradients`.

The gradient of a loss at one token, with respect to the embedding of a token d tokens before it, is
a product of d Jacobians of the recurrent cell, so it shrinks or grows exponentially with d (Bengio,
Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013). Where it vanishes, a network cannot learn
that what it writes or answers depends on a token so far away.

    what the task does                  the loss                      distance 0 is
    writes a text from a source         that of the first token       the last token of the source
    continues texts (a language model)  that of the last token, eos   the token before it
    answers a text                      that of the answer            the last token of the text

For each distance, `norms` has the L2 norm of the gradient, the mean of the longest training
documents that have a token there. They are the same in every trace, dropout is off, and the weights
are those before the step. Attention and pooling give tokens a shorter way to the loss, whose
gradient is in the norm too: it is measured through all ways.

    gradients.jsonl   a line for each trace: {"step", "loss", "norms": [at distance 0, 1, ...]}
    gradients.svg     norm, on a logarithmic axis, by distance: the first, middle and last trace

Nothing else depends on a trace: it draws no random number and leaves no gradient.

Legend: B documents, T tokens, D width, M tokens to be predicted, V vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nlpkit.errors import UsageError
from nlpkit.runtime.batcher import pad
from nlpkit.runtime.graphs import LOGITS
from nlpkit.svg import Curve, curves
from nlpkit.tasks import Reads
from nlpkit.training import checkpoint
from nlpkit.training.supervised import Supervised

DOCUMENTS = 32  # those that are read in each trace
TRACES = 50  # about as many in a run; each costs about a step
IGNORED = -100  # in `wanted`: nothing is to be predicted there


class Trace:
    """The traces of a run, in its folder."""

    def __init__(self, course: Supervised, folder: Path) -> None:
        """Choose the longest training documents of a course, cut to the window.

        Raises:
            UsageError: the task answers each word of a text.
        """
        self.network, self.folder, self.steps = course.network, folder, course.steps
        self.task: Any = course.model.task
        if not self.task.WRITES and (self.task.OFFSETS or self.task.unit != "documents"):
            raise UsageError(
                f"--trace gradients: {course.recipe.task.name} answers each word; trace a task "
                "that gives a text one answer, or writes one"
            )
        window = course.model.windows.size
        rows = [row for row, gold in enumerate(course.split.golds) if gold is not None]
        rows = sorted(rows, key=lambda row: -min(len(course.ids[row]), window))[:DOCUMENTS]
        pieces = [course.ids[row][:window] for row in rows]
        device = course.task_loss.device
        feeds = pad(pieces, rows, max(map(len, pieces))).feeds()
        self.feeds = {name: torch.from_numpy(array).to(device) for name, array in feeds.items()}
        spans = [(0, len(piece)) for piece in pieces]
        self.targets = course.task_loss.targets(rows, Reads(spans))
        if self.task.WRITES:  # the first token only
            self.targets = {name: array[:, :1] for name, array in self.targets.items()}

    def __call__(self, step: int) -> None:
        """Trace the weights after `step` steps, if it is time."""
        if step % (self.steps // TRACES or 1) == 0 or step == self.steps:
            self._write(step)

    def _write(self, step: int) -> None:
        """Add a trace; replace later ones, of a run that was killed and resumed."""
        path = self.folder / "gradients.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        traces = [trace for trace in map(json.loads, lines) if trace["step"] < step]
        loss, norms_T = self.measured()
        traces.append({"step": step, "loss": _plain(loss), "norms": list(map(_plain, norms_T))})
        checkpoint.save_text(path, "".join(json.dumps(trace) + "\n" for trace in traces))
        checkpoint.save_text(self.folder / "gradients.svg", picture(traces))

    def measured(self) -> tuple[float, list[float]]:
        """Return the mean loss, and the mean norm of the gradient at each distance."""
        was_training = self.network.training
        self.network.eval()
        embedded: list[Tensor] = []

        def leaf(module: Any, inputs: Any, output: Tensor) -> Tensor | None:
            """Replace what the first call returns, that of the source, by a leaf of the graph."""
            if embedded:
                return None
            embedded.append(output.detach().requires_grad_())
            return embedded[0]

        part = self.network.encoder or self.network.head.decoder
        handle = part.embed.register_forward_hook(leaf)
        try:
            with torch.backends.cudnn.flags(enabled=False):  # it has no gradients in evaluation
                loss_B = self._loss(self.network(**self.feeds, targets=self.targets))
                (gradient,) = torch.autograd.grad(loss_B.sum(), embedded)
        finally:
            handle.remove()
            self.network.train(was_training)
        if gradient.shape[:2] != self.feeds["mask"].shape and self.network.encoder is not None:
            raise UsageError(
                "--trace gradients: the architecture embeds other tokens than it is given; "
                "trace another, such as lstm or transformer"
            )
        norm_BT = gradient.flatten(2).norm(dim=2).cpu()
        unread = self.network.encoder is None  # the last token is only predicted
        lengths_B = self.feeds["mask"].sum(dim=1).cpu() - int(unread)
        return float(loss_B.detach().mean()), by_distance(norm_BT, lengths_B)

    def _loss(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return loss_B of what is traced."""
        if self.network.encoder is not None:
            loss_B: Tensor = self.task.loss(outputs, self.targets, 0.0)
            return loss_B
        wanted_BU = outputs["wanted"]
        is_wanted_BU = wanted_BU != IGNORED
        last_B = is_wanted_BU.sum(dim=1).cumsum(dim=0) - 1  # among the M tokens
        return cross_entropy(
            outputs[LOGITS][last_B], wanted_BU[is_wanted_BU][last_B], reduction="none"
        )


def by_distance(norm_BT: Tensor, lengths_B: Tensor) -> list[float]:
    """Return the mean norm at each distance from the last token, over rows that are so long."""
    longest = int(lengths_B.max())
    distance_T = torch.arange(longest)
    place_BT = lengths_B[:, None] - 1 - distance_T
    is_there_BT = place_BT >= 0
    turned_BT = norm_BT.gather(1, place_BT.clamp_min(0)) * is_there_BT
    means_T: list[float] = (turned_BT.sum(dim=0) / is_there_BT.sum(dim=0)).tolist()
    return means_T


def picture(traces: list[dict[str, Any]]) -> str:
    """Return the SVG of the first, middle and last trace."""
    chosen = sorted({0, len(traces) // 2, len(traces) - 1})
    return curves(
        [
            Curve(f"step {traces[place]['step']:,}", list(enumerate(traces[place]["norms"])))
            for place in chosen
        ],
        title="Norm of the gradient by distance in tokens",
        across="distance in tokens",
        up="norm of the gradient at a token's embedding",
        log=True,
    )


def _plain(value: float) -> float:
    """Return a number with 6 significant digits."""
    return float(f"{value:.6g}")
