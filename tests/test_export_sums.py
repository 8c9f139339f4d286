"""Networks that are sums of table rows are exported as integer sums."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from conftest import Made
from torch.export import Dim

from nlpkit.runtime import device
from nlpkit.runtime.session import SessionRun


def logits_of(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    session = device.session(model.SerializeToString(), "cpu")
    return SessionRun({"main": session}, {})("main", feeds, ("logits",))["logits"]


def test_integer_sums_approximate_the_network(tiny_run: Made, tiny_bundle: Made) -> None:
    from nlpkit.exporting.sums import as_sums
    from nlpkit.training.opened import open_run

    model, *_ = open_run(tiny_run("ngrams"))
    made = as_sums(onnx.load(tiny_bundle("ngrams") / "model.onnx"))
    assert made is not None
    names = {item.name for item in made.graph.initializer}
    assert len([name for name in names if name.endswith("_int8")]) == 2 and "sums_scale" in names
    rng = np.random.default_rng(0)
    for batch, time in ((1, 1), (3, 9), (8, 33)):
        ids = rng.integers(0, model.tokenizer.vocab_size, (batch, time))
        mask = np.arange(time) < rng.integers(1, time + 1, (batch, 1))
        feeds = {"ids": ids, "mask": mask}
        ours = logits_of(made, feeds)
        theirs = model.run("main", feeds, ("logits",))["logits"]
        assert np.abs(ours - theirs).max() < 0.02 * max(np.abs(theirs).max(), 1)
        ids[~mask] = 7  # ids of padding must not matter
        assert np.array_equal(ours, logits_of(made, {"ids": ids, "mask": mask}))
    for arch in ("lstm", "bow", "atnet"):
        assert as_sums(onnx.load(tiny_bundle(arch) / "model.onnx")) is None


class Adds(torch.nn.Module):
    """The maximum over time of relu(row of one table + row of another + bias)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind = kind
        self.one, self.two = torch.nn.Embedding(50, 32), torch.nn.Embedding(50, 32)
        self.bias = torch.nn.Parameter(torch.randn(32))
        with torch.no_grad():
            if kind == "outlier":
                self.one.weight[3] *= 200
            if kind == "zero":
                self.one.weight *= 0
                self.two.weight *= 0

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        looked = ids.int() if self.kind == "int32" else ids
        sums = self.one(looked) + self.two(looked)
        sums = sums * 2 if self.kind == "doubled" else sums
        states = sums + (0 if self.kind == "no bias" else self.bias)
        states = states if self.kind == "no relu" else torch.relu(states)
        kept = states.masked_fill(~mask.unsqueeze(-1), float("-inf"))
        if self.kind == "mean":
            return states.masked_fill(~mask.unsqueeze(-1), 0.0).mean(1)
        return kept.amax(1) + (self.one(ids[:, 0]) if self.kind == "used elsewhere" else 0)


REFUSED = ["no relu", "no bias", "mean", "doubled", "used elsewhere", "int32", "outlier", "zero"]


@pytest.mark.parametrize("kind", ["taken", *REFUSED])
def test_other_networks_are_not_converted_to_sums(kind: str) -> None:
    from nlpkit.exporting.sums import as_sums

    ids, mask = torch.randint(1, 50, (2, 9)), torch.ones(2, 9, dtype=torch.bool)
    axes = {0: Dim("batch"), 1: Dim("time")}
    warnings.simplefilter("ignore")  # from torch
    program = torch.onnx.export(
        Adds(kind).eval(),
        (ids, mask),
        dynamo=True,
        opset_version=20,
        verbose=False,
        input_names=["ids", "mask"],
        output_names=["logits"],
        external_data=False,
        dynamic_shapes={"ids": axes, "mask": axes},
    )
    made = as_sums(program.model_proto)
    assert (made is None) == (kind != "taken")
    if made is not None:
        mask[1, 4:] = False
        theirs = Adds(kind)(ids, mask).detach().numpy()
        ours = logits_of(made, {"ids": ids.numpy(), "mask": mask.numpy()})
        assert np.abs(ours - theirs).max() < 0.1
