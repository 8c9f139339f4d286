"""Gradient times input: how much the score changes with the size of each token's embedding.

Shrikumar et al. 2017, "Not just a black box"; it needs a training run, since a bundle has no
gradients.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.answers import Label
from nlpkit.errors import ModelError
from nlpkit.explaining.scores import Asked, Scorer
from nlpkit.explaining.tokens import weights
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.graphs import LOGITS

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text.windows import Windows

OPENS = "run"
SIGNED = True
CAUTION = "gradients tell of small changes of a word, not of leaving it out"


def weigh(model: Model, score: Scorer, asked: Sequence[Asked]) -> list[list[float]]:
    """Return gradient times input of the target's log-odds, summed over a unit's tokens.

    Raises:
        ModelError: the model is no run, its answers are no labels, or it changes the texts.
    """
    if not issubclass(model.task.answers, Label):
        raise ModelError(f"{model.name}: gradients explain labels only; use --method occlusion")
    labels = [model.task.labels.index(one.target.label) for one in asked]

    def call(windows: Windows) -> onepass.Call:
        def products(batch: Batch) -> np.ndarray:
            return _products(model, batch, [labels[o] for o in windows.owner_W[batch.rows]])

        return products

    return weights(model, asked, call)


def _products(model: Any, batch: Batch, labels: Sequence[int]) -> np.ndarray:
    """Return products_BT of embeddings and the gradients of the labels' log-odds."""
    import torch

    network, seen = model.run.network, []

    def watch(module: Any, inputs: Any, output: Any) -> Any:
        leaf = output.detach().requires_grad_()
        seen.append(leaf)
        return leaf

    embeddings = [m for m in network.encoder.modules() if isinstance(m, torch.nn.Embedding)]
    handles = [embedding.register_forward_hook(watch) for embedding in embeddings]
    try:
        with torch.enable_grad():
            ids, mask = torch.from_numpy(batch.ids_BT), torch.from_numpy(batch.mask_BT)
            device = model.run.device
            logits_BC = network(ids.to(device), mask.to(device))[LOGITS]
            index_B1 = torch.tensor(labels, device=device)[:, None]
            others_BC = logits_BC.scatter(1, index_B1, float("-inf"))
            # Unlike those of a probability, gradients of log-odds do not vanish near 1.
            total = (logits_BC.gather(1, index_B1).squeeze(1) - others_BC.logsumexp(1)).sum()
            gradients = torch.autograd.grad(total, seen, allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    time, summed = batch.mask_BT.shape[1], 0.0
    for leaf, gradient in zip(seen, gradients, strict=True):
        if gradient is not None and leaf.ndim >= 3:
            products = (leaf * gradient).flatten(2).sum(2).detach().cpu().numpy()
            summed = summed + (products[:, 1:-1] if products.shape[1] == time + 2 else products)
    if isinstance(summed, float):
        raise ModelError(f"{model.name}: its network has no embeddings with gradients")
    return summed
