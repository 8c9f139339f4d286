"""The recurrent decoder: its cells, with attention and without, in torch and in ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from test_architectures import SMALL, VOCAB, WINDOW, Subwords, onnx_run

from nlpkit.architectures import lstm as encoders
from nlpkit.decoders import lstm as decoders
from nlpkit.exporting.gate import cases, padding_difference
from nlpkit.exporting.onnx import to_onnx
from nlpkit.heads.written import Writer
from nlpkit.training.network import Network, TorchRun

CELLS = ("lstm", "rnn")


def network(cell: Any, attention: Any, layers: int = 2) -> Network:
    torch.manual_seed(0)
    sizes = {key: SMALL[key] for key in ("vocab_size", "embedding", "hidden")}
    encoder = encoders.Encoder(encoders.Config(**sizes, layers=layers, cell=cell))
    config = decoders.Config(**sizes, layers=layers, cell=cell, attention=attention)
    return Network(encoder, Writer(decoders.Decoder(config, encoder.width))).eval()


@pytest.mark.parametrize(
    ("cell", "attention"), [("lstm", "none"), ("rnn", "none"), ("rnn", "general")]
)
def test_onnx_equals_torch_alone_and_padded(cell: str, attention: str) -> None:
    net = network(cell, attention)
    run, exported = TorchRun(net), onnx_run(to_onnx(net, Subwords()))
    for case in cases(run, Subwords(), WINDOW):
        signature = run.signatures[case.graph]
        assert padding_difference(run, case.graph, signature, case.feeds) < 1e-5
        outputs = exported(case.graph, case.feeds, tuple(signature.outputs))
        for name, axes in signature.outputs.items():
            real = case.feeds["mask"] if axes[:2] == ("batch", "time") else slice(None)
            one, other = (array[name][real].astype(float) for array in (outputs, case.expected))
            assert np.abs(one - other).max() < 1e-5, f"{case.graph}: {name}"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", ["none", "dot"])
def test_a_step_at_a_time_equals_teacher_forcing(cell: str, attention: str) -> None:
    decoder = network(cell, attention).head.decoder
    source_BSD, mask_BS = torch.randn(3, 5, decoder.source), torch.arange(5) < torch.tensor([[5]])
    memory = decoder.memory(source_BSD, mask_BS.expand(3, 5))
    ids_BU = torch.randint(1, VOCAB, (3, 4))
    states = first = begun(decoder, memory)
    whole_BUD, _ = decoder(ids_BU, memory, first)
    for place in range(4):
        hidden_B1D, states = decoder(ids_BU[:, place : place + 1], memory, states)
        assert torch.allclose(hidden_B1D[:, 0], whole_BUD[:, place], atol=1e-6)


def begun(decoder: Any, memory: Any, rows: int = 3) -> dict[str, torch.Tensor]:
    """Return the states before the first token."""
    zeros = {name: torch.zeros(rows, axes[1]) for name, axes in decoder.state_axes.items()}
    return zeros | decoder.start(memory)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", ["none", "dot", "general", "additive"])
def test_without_attention_the_source_speaks_through_its_last_state_alone(
    cell: str, attention: str
) -> None:
    decoder = network(cell, attention, layers=1).head.decoder
    source_BSD = torch.randn(3, 5, decoder.source)
    mask_BS = torch.arange(5) < torch.tensor([[5], [3], [1]])
    last_B = mask_BS.sum(dim=1) - 1
    other_BSD = torch.randn_like(source_BSD)
    other_BSD[torch.arange(3), last_B] = source_BSD[torch.arange(3), last_B]
    written = []
    for states_BSD in (source_BSD, other_BSD):
        memory = decoder.memory(states_BSD, mask_BS)
        first = begun(decoder, decoder.memory(source_BSD, mask_BS))
        written.append(decoder(torch.ones(3, 4, dtype=torch.long), memory, first)[0])
        assert attention != "none" or torch.equal(
            decoder.start(memory)["hidden_0"], first["hidden_0"]
        )
    same_B = (written[0] == written[1]).all(dim=(1, 2)).tolist()
    # The third row has one token, so every kind reads the same of both sources.
    assert same_B == [attention == "none", attention == "none", True]


def test_without_attention_all_tokens_are_read_at_once() -> None:
    assert network("lstm", "dot").head.decoder.one_by_one
    assert not network("lstm", "none").head.decoder.one_by_one
