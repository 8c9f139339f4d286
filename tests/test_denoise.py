"""Denoising: which tokens are masked, and what is to be written in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from nlpkit.architectures import transformer
from nlpkit.errors import UsageError
from nlpkit.heads.pieces import MASK
from nlpkit.heads.written import IGNORED
from nlpkit.objectives import denoise
from nlpkit.runtime.batcher import pad

PIECES = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", *(f"▁{n}" for n in range(60))]
BOS, EOS = 2, 3
IDS = st.lists(st.integers(4, 63), min_size=1, max_size=30)


def objective(width: int = 16, **given: Any) -> denoise.Objective:
    torch.manual_seed(0)
    config = transformer.Config(
        vocab_size=len(PIECES), max_length=32, width=width, layers=1, heads=2, feedforward=16
    )
    settings = denoise.Config(**{"layers": 1} | given)
    return denoise.Objective(settings, transformer.Encoder(config), PIECES)


VIEWS = {style: objective(style=style) for style in ("bart", "t5")}


@given(
    length=st.integers(1, 60),
    rate=st.floats(0.01, 0.9),
    mean=st.floats(1, 20),
    seed=st.integers(0, 99),
)
def test_share_of_the_tokens_is_masked(length: int, rate: float, mean: float, seed: int) -> None:
    hidden_T = denoise.spans(length, rate, mean, np.random.default_rng(seed))
    assert hidden_T.shape == (length,)
    assert hidden_T.sum() == max(round(length * rate), 1)


def test_longer_spans_are_fewer() -> None:
    def count(mean: float) -> int:
        rng = np.random.default_rng(1)
        masks = [denoise.spans(200, 0.3, mean, rng) for _ in range(20)]
        return sum(int(np.diff(mask.astype(int), prepend=0).clip(min=0).sum()) for mask in masks)

    assert count(1.0) > 2 * count(6.0) > 2 * count(30.0)


@given(texts=st.lists(IDS, min_size=1, max_size=5), seed=st.integers(0, 99))
def test_gaps_filled_give_the_text(texts: list[list[int]], seed: int) -> None:
    """T5's target has each masked span after a mask, in order; BART's is the text."""
    batch = pad([np.array(ids) for ids in texts], [*range(len(texts))], 32)
    for style, module in VIEWS.items():
        views = module.views(batch, np.random.default_rng(seed))
        for row, ids in enumerate(texts):
            source = views["ids_BT"][row][views["mask_BT"][row]].tolist()
            wanted = [id for id in views["wanted_BU"][row].tolist() if id != IGNORED]
            target = wanted[:-1]
            assert wanted[-1] == EOS and MASK in source
            assert views["previous_BU"][row].tolist()[: len(wanted)] == [BOS, *target]
            assert (target if style == "bart" else filled(source, target)) == ids


def filled(source: list[int], target: list[int]) -> list[int]:
    """Return the source with each mask replaced by the tokens after the target's next mask."""
    gaps: list[list[int]] = []
    for id in target:
        if id == MASK:
            gaps.append([])
        else:
            gaps[-1].append(id)
    assert len(gaps) == source.count(MASK)
    following = iter(gaps)
    return [each for id in source for each in (next(following) if id == MASK else [id])]


@pytest.mark.parametrize("style", VIEWS)
@pytest.mark.parametrize("decoder", ["transformer", "lstm"])
def test_gradient_reaches_encoder_and_decoder(style: str, decoder: str) -> None:
    module = objective(style=style, decoder=decoder).train()
    batch = pad([np.arange(4, 20), np.arange(9, 14)], [0, 1], 16)
    views = module.views(batch, np.random.default_rng(1))
    loss = module(**{name: torch.from_numpy(array) for name, array in views.items()})
    loss.backward()
    assert 0 < float(loss.detach()) < 3 * np.log(len(PIECES))
    assert 0 <= module.metrics["accuracy"] <= 1
    for name, weight in module.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
    assert module.head.decoder.embed is module.encoder.embed, "one width, one embedding"


def test_decoder_that_does_not_fit_the_width_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\[objective\] decoder = 'transformer': width = 12"):
        objective(width=12)
    with pytest.raises(UsageError, match=r"decoder.*lsmt.*Did you mean 'lstm'"):
        objective(decoder="lsmt")
