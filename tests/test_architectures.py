"""The contract of architectures, tested for every architecture in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from nlpkit import catalog, tasks
from nlpkit.architectures import atnet, lstm
from nlpkit.exporting.gate import cases, grid, padding_difference
from nlpkit.exporting.onnx import Exported, to_onnx
from nlpkit.heads.written import empty
from nlpkit.language.treebank import UPOS
from nlpkit.runtime.session import SessionRun
from nlpkit.settings.sections import Init, Train
from nlpkit.tasks import classify
from nlpkit.text.tokenizers.words import Words
from nlpkit.training.descent import optimizer_for
from nlpkit.training.network import Network, TorchRun

VOCAB = 50
WINDOW = 40
SMALL = {
    "embedding": 8, "filters": 6, "hidden": 6, "buckets": 997, "width": 8, "layers": 2,
    "heads": 2, "feedforward": 16, "letter_embedding": 4, "vocab_size": VOCAB, "max_length": WINDOW,
}  # fmt: skip
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *[(name, {}) for name in catalog.names("architectures")],
    ("lstm", {"cell": "gru", "layers": 1}),  # torch exports a GRU step by step
    ("lstm", {"cell": "rnn"}),
    ("transformer", {"positions": "learned"}),
    ("atnet", {"kernels": (1, 3, 5), "length_scale": True}),
    ("transformer", {"attention": "general"}),
    ("transformer", {"near": 3}),
    ("hybrid", {"attention": "additive", "near": 5}),
]


class Subwords:
    """The members of a tokenizer that the gate and the heads use."""

    vocab_size = VOCAB

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        return rng.integers(1, VOCAB, (batch, time))


def tokenizer_of(name: str) -> Any:
    kind = getattr(catalog.load("architectures", name), "TOKENIZER", {}).get("kind")
    if kind == "words":
        return Words(buckets=VOCAB, letters=7, style="")
    return Subwords()


def some_ids(name: str, batch: int, time: int) -> torch.Tensor:
    return torch.from_numpy(tokenizer_of(name).random(np.random.default_rng(1), batch, time))


def test_every_weight_of_bert_is_in_a_stage() -> None:
    """A weight outside would learn at the rate of the head, and stay unfrozen."""
    module = catalog.load("architectures", "bert")
    settings = {key: SMALL[key] for key in ("width", "layers", "heads", "feedforward")}
    encoder = module.Encoder(module.Config(**settings, vocab_size=VOCAB))
    descent = optimizer_for(encoder, encoder, Train(), Init(freeze=1))
    frozen = {name for name, weight in encoder.named_parameters() if not weight.requires_grad}
    assert {name.partition(".")[0] for name in frozen} == {
        *("embed", "positions", "segment_D", "norm")
    }
    trained = sum(len(group["params"]) for group in descent.param_groups)
    assert trained == len([*encoder.blocks.parameters()])


def shapes(name: str) -> Iterator[Any]:
    return grid(tokenizer_of(name), WINDOW, np.random.default_rng(0))


CLASSIFY = classify.Task(classify.Config(hidden=5), ["a", "b", "c"])


def network(name: str, given: dict, task: Any = CLASSIFY) -> Network:
    torch.manual_seed(0)
    module = catalog.load("architectures", name)
    fields = module.Config.__dataclass_fields__
    sizes = {key: value for key, value in SMALL.items() if key in fields}
    encoder = module.Encoder(module.Config(**sizes | given))
    return Network(encoder, task.head(encoder, tokenizer_of(name))).eval()


def logits_of(net: Network, feeds: Any) -> np.ndarray:
    return TorchRun(net)("main", feeds, ("logits",))["logits"]


def onnx_run(graphs: dict[str, Exported]) -> SessionRun:
    sessions = {
        name: onnxruntime.InferenceSession(
            graph.model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        for name, graph in graphs.items()
    }
    return SessionRun(sessions, {name: graph.signature for name, graph in graphs.items()})


@pytest.mark.parametrize(("name", "given"), VARIANTS)
def test_shapes_and_padding(name: str, given: dict) -> None:
    net = network(name, given)
    run = TorchRun(net)
    for feeds in shapes(name):
        ids, mask = torch.from_numpy(feeds["ids"]), torch.from_numpy(feeds["mask"])
        states = net.encoder(ids, mask)
        assert states.shape == (*ids.shape[:2], net.encoder.width)
        assert logits_of(net, feeds).shape == (len(ids), 3)
        # A row gives the same outputs alone and unpadded as in a batch.
        assert padding_difference(run, "main", run.signatures["main"], feeds) < 1e-5
    assert sum(p.numel() for p in net.parameters()) > 5


@pytest.mark.parametrize(("name", "given"), VARIANTS)
def test_padding_does_not_change_states(name: str, given: dict) -> None:
    net = network(name, given)
    ids = some_ids(name, 3, 7)
    alone = net.encoder(ids, torch.ones(3, 7, dtype=torch.bool))
    garbage = torch.cat([ids, some_ids(name, 3, 9)], dim=1)
    mask = torch.arange(16).expand(3, 16) < 7
    assert torch.allclose(net.encoder(garbage, mask)[:, :7], alone, atol=1e-5)


@pytest.mark.parametrize(("name", "given"), VARIANTS)
def test_gradient_reaches_every_parameter(name: str, given: dict) -> None:
    net = network(name, given).train()
    ids = some_ids(name, 8, 12)
    net(ids, torch.ones(8, 12, dtype=torch.bool))["logits"].logsumexp(dim=1).sum().backward()
    check_gradients(net)


def check_gradients(net: Network) -> None:
    for parameter_name, parameter in net.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize(
    ("name", "given"),
    [v for v in VARIANTS if not v[1] or v[1].keys() & {"cell", "near"}],
)
def test_onnx_equals_torch_for_unseen_shapes(name: str, given: dict) -> None:
    net = network(name, given)
    run = onnx_run(to_onnx(net, tokenizer_of(name)))
    for feeds in shapes(name):
        session = run.sessions["main"]
        difference = np.abs(session.run(None, dict(feeds))[0] - logits_of(net, feeds)).max()
        assert difference < 1e-5


HEADED = {
    "tag": {"config": {"hidden": 6}, "labels": [*UPOS, "l0||0|", "l0|s|0|"]},
    "capitals": {"config": {}},
}


@pytest.fixture(params=HEADED)
def network_with_head(request: pytest.FixtureRequest) -> Network:
    """A network whose head has outputs for each token."""
    return network("lstm", {}, tasks.build({"name": request.param} | HEADED[request.param]))


def test_onnx_graphs_of_a_head_equal_torch_alone_and_padded(network_with_head: Network) -> None:
    run, exported = TorchRun(network_with_head), onnx_run(to_onnx(network_with_head, Subwords()))
    assert list(exported.signatures) == list(run.signatures)
    for case in cases(run, Subwords(), WINDOW):
        signature = run.signatures[case.graph]
        assert padding_difference(run, case.graph, signature, case.feeds) < 1e-5
        made = exported(case.graph, case.feeds, tuple(signature.outputs))
        sizes = dict(zip(("batch", "time"), case.feeds["mask"].shape, strict=True))
        for name, axes in signature.outputs.items():
            assert made[name].shape == tuple(sizes.get(axis, axis) for axis in axes)
            real = case.feeds["mask"] if axes[:2] == ("batch", "time") else slice(None)
            assert np.abs(made[name] - case.expected[name])[real].max() < 1e-5


def test_gradient_reaches_every_parameter_of_a_head(network_with_head: Network) -> None:
    mask = torch.ones(8, 12, dtype=torch.bool)
    outputs = network_with_head.train()(some_ids("lstm", 8, 12), mask)
    outputs["logits"].logsumexp(dim=2).sum().backward()
    check_gradients(network_with_head)


@pytest.mark.parametrize("given", [{}, {"near": 3}, {"attention": "additive"}], ids=str)
def test_decoder_computes_what_the_encoder_does_in_one_direction(given: dict) -> None:
    """So that a language model may start from an encoder that was pretrained by clm."""
    encoder = network("transformer", given).encoder
    module = catalog.load("decoders", "transformer")
    sizes = {key: SMALL[key] for key in ("width", "layers", "heads", "feedforward", "vocab_size")}
    decoder = module.Decoder(module.Config(**sizes | given)).eval()
    decoder.load_state_dict(encoder.state_dict())
    ids = some_ids("transformer", 2, 30)
    (causal_BTD,) = encoder.causal(ids, torch.ones(2, 30, dtype=torch.bool))
    hidden_BTD, _ = decoder(ids, {}, empty(decoder, ids))
    assert torch.allclose(causal_BTD, hidden_BTD, atol=1e-5)
    other = torch.cat([ids[:, :9], ids[:, :21]], dim=1)
    (changed_BTD,) = encoder.causal(other, torch.ones(2, 30, dtype=torch.bool))
    assert torch.allclose(changed_BTD[:, :9], causal_BTD[:, :9], atol=1e-6)


def test_atnet_computes_the_published_formula() -> None:
    """Embed, Conv1D(64, 5, relu), Dense(1, tanh), softmax, multiply, max pool, dense, output."""
    torch.manual_seed(3)
    config = atnet.Config(vocab_size=VOCAB, kernels=(5,), filters=64, length_scale=False)
    encoder = atnet.Encoder(config)
    task = classify.Task(classify.Config(hidden=16, pooling="max"), ["a", "b", "c"])
    net = Network(encoder, task.head(encoder, Subwords())).eval()
    weights = {name: value.detach().numpy() for name, value in net.named_parameters()}
    ids = np.random.default_rng(0).integers(1, VOCAB, 11)

    embedded = weights["encoder.embed.weight"][ids]
    padded = np.pad(embedded, ((2, 2), (0, 0)))
    kernel, bias = weights["encoder.convs.0.weight"], weights["encoder.convs.0.bias"]
    features = np.stack(
        [np.einsum("kd,fdk->f", padded[t : t + 5], kernel) + bias for t in range(len(ids))]
    )
    features = np.maximum(features, 0)
    scores = np.tanh(features @ weights["encoder.score.weight"].T + weights["encoder.score.bias"])
    attention = np.exp(scores) / np.exp(scores).sum()
    pooled = (features * attention).max(axis=0)
    dense = weights["head.hidden.weight"] @ pooled + weights["head.hidden.bias"]
    logits = weights["head.output.weight"] @ np.maximum(dense, 0) + weights["head.output.bias"]

    feeds = {"ids": ids[None], "mask": np.ones((1, len(ids)), dtype=bool)}
    assert np.allclose(logits_of(net, feeds)[0], logits, atol=1e-5)


def test_bow_gives_a_word_the_same_bucket_at_any_position() -> None:
    from nlpkit.architectures import bow

    encoder = bow.Encoder(bow.Config(vocab_size=VOCAB, chars=(2,), words=1, buckets=10_007))
    word = [5, 6, 7]
    ids = torch.tensor([[2, *word, 2, 9, 2, *word]])
    rows = encoder.buckets(ids, torch.ones_like(ids, dtype=torch.bool))[0]
    assert rows[3, 1] == rows[9, 1] != 0  # a word n-gram is at the last character of the word
    assert rows[2, 1] == rows[4, 1] == 0  # and not inside a word
    assert rows[5, 1] not in (0, rows[3, 1])


def test_gradient_vanishes_in_the_vanilla_cell_but_not_in_the_lstm() -> None:
    """The gradient of the last state by the first input vanishes in an RNN (Bengio et al. 1994)."""

    def gradient(cell: str) -> float:
        torch.manual_seed(0)
        encoder = lstm.Encoder(lstm.Config(vocab_size=VOCAB, cell=cell, hidden=16, dropout=0.0))
        if cell == "lstm":  # open the forget gate at the start (Gers et al. 2000)
            encoder.forwards[0].bias_ih_l0.data[16:32] = 3.0
        embedded = torch.randn(1, 60, 128, requires_grad=True)
        states, _ = encoder.forwards[0](embedded)
        states[0, -1].sum().backward()
        return float(embedded.grad[0, 0].norm())

    assert gradient("rnn") < 1e-3 * gradient("lstm")


def test_same_seed_gives_the_lstm_the_same_weights_as_ever() -> None:
    """So that recipes give the models that they gave before."""
    torch.manual_seed(0)
    encoder = lstm.Encoder(lstm.Config(vocab_size=9, embedding=4, hidden=3, layers=2))
    torch.manual_seed(0)
    embed = torch.nn.Embedding(9, 4, padding_idx=0)
    torch.nn.init.normal_(embed.weight, std=0.1)
    cells = [torch.nn.LSTM(width, 3, batch_first=True) for width in (4, 3, 4, 3)]
    own = [*encoder.forwards, *encoder.backwards]
    assert torch.equal(encoder.embed.weight, embed.weight)
    for one, other in zip(own, cells, strict=True):
        assert all(map(torch.equal, one.parameters(), other.parameters()))
