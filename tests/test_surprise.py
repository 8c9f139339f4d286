"""The surprise of texts: bits by word, long texts in windows, and its metrics."""

from __future__ import annotations

import json
import math
import unicodedata
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from writing_helpers import Toy, model_of, tokenizer

from nlpkit import metrics
from nlpkit.answers.surprise import Surprise
from nlpkit.metrics import language
from nlpkit.runtime.generate import Decoding
from nlpkit.tasks import generate
from nlpkit.text.unicode import visible

TEXTS = [
    "O gato come o pato.",
    "  duas  palavras \t e\ttabs\n\nlinhas ",
    "coração 👍🏽 日本語!",
    unicodedata.normalize("NFD", "coração não são"),
    "a\u200bb \ufeffc",
    "x",
]


def reader(window: int = 500, overlap: int = 8) -> Any:
    model = model_of(Toy(tokenizer().vocab_size), source=False)
    object.__setattr__(model, "windows", model.task.windows(window, overlap))
    return model


def bits_of(model: Any, text: str) -> list[float]:
    """Return -log2 of the chance of each token and of the end, read one by one."""
    bos, eos = model.task.bounds(model.tokenizer)
    ids = [bos, *model.tokenizer.encode([visible(text)]).ids_S.tolist(), eos]
    decoding, bits = Decoding(model.run, {}, 1), []
    for before, token in pairwise(ids):
        logits_V = decoding.read(np.array([[before]]))[0].astype(np.float64)
        bits.append(-math.log2(np.exp(logits_V)[token] / np.exp(logits_V).sum()))
    return bits


@settings(max_examples=30)
@given(text=st.text(min_size=1, max_size=30))
def test_bits_are_those_of_all_tokens_and_the_end(text: str) -> None:
    model = reader()
    answer = model.predict(text)
    if not visible(text).strip():
        assert answer is None
        return
    bits = bits_of(model, text)
    assert answer.bits == pytest.approx(sum(bits), rel=1e-4)
    assert answer.tokens == len(bits)
    assert answer.bytes == len(visible(text).encode()) + 1, "what is not read does not count"
    assert sum(word.bits for word in answer.words) == pytest.approx(sum(bits[:-1]), rel=1e-4)


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_those_of_the_text(text: str) -> None:
    answer = reader().predict(text)
    assert [text[word.start : word.end] for word in answer.words] == text.split()
    assert [word.text for word in answer.words] == text.split()
    assert all(word.bits > 0 for word in answer.words)
    assert answer.oddest == max(answer.words, key=lambda word: word.bits).text


def test_bits_of_a_word_are_those_of_its_tokens() -> None:
    model = reader()
    words = ["O", "gatinho", "some,", "viu?"]
    bits, start = bits_of(model, " ".join(words)), 0
    answer = model.predict(" ".join(words))
    for number, word in enumerate(words):
        piece = f" {word}" if number else word
        length = int(model.tokenizer.encode([f"x{piece}" if number else piece]).lengths_N[0])
        length -= bool(number)
        assert answer.words[number].bits == pytest.approx(
            sum(bits[start : start + length]), rel=1e-4
        )
        start += length
    assert start == len(bits) - 1


@given(words=st.integers(1, 60), window=st.integers(3, 12), overlap=st.integers(0, 11))
def test_each_token_of_a_long_text_counts_once(words: int, window: int, overlap: int) -> None:
    """A network whose tokens are equally likely gives every token the same bits in any window."""
    overlap = min(overlap, window - 1)
    model = reader(window, overlap)
    model.run.spread = 0.0
    answer = model.predict(" ".join(["gato"] * words))
    count = int(model.tokenizer.encode([" ".join(["gato"] * words)]).lengths_N[0])
    assert answer.tokens == count + 1
    assert answer.bits == pytest.approx((count + 1) * math.log2(tokenizer().vocab_size), rel=1e-4)


def test_windows_with_context_come_close_to_the_whole_text() -> None:
    text = " ".join(f"palavra{n}" for n in range(60))
    whole, cut, alone = (
        reader(*sizes).predict(text).bits for sizes in ((2000, 8), (60, 30), (60, 2))
    )
    assert abs(cut - whole) <= abs(alone - whole) < 0.1 * whole


def test_surprise_is_the_same_alone_and_in_a_batch() -> None:
    model = reader(12, 4)
    together = model.predict([*TEXTS, "", " ", "\u200b"])
    assert together[-3:] == [None] * 3
    assert together[:-3] == [model.predict(text) for text in TEXTS]


def test_answer_is_written_in_each_form() -> None:
    answer = reader().predict("O gato mia")
    assert Surprise.fields() == ("surprise", "oddest")
    assert Surprise.fields("s") == ("s", "s_oddest")
    values = Surprise.values(answer)
    assert values["surprise"] == round(answer.bits / answer.bytes, 4)
    assert [word["text"] for word in values["surprise_words"]] == ["O", "gato", "mia"]
    assert values["oddest"] in ("O", "gato", "mia") and json.dumps(values)
    assert Surprise.values(None) == {"surprise": None, "oddest": "", "surprise_words": []}
    assert answer.cells() == (f"{answer.bits_per_byte:.4f}", answer.oddest)
    assert answer.matches(answer) == (1, 1)
    assert answer.matches(answer._replace(bits=answer.bits * 1.1)) == (0, 1)
    assert Surprise((), 0.0, 1, 1).oddest == ""


def test_metrics_are_of_all_texts_together() -> None:
    answers = [Surprise((), 10.0, 5, 4), Surprise((), 2.0, 3, 2)]
    scores = language.measure([None, None], answers)
    assert scores == {"n": 2, "bits_per_byte": 1.5, "perplexity": 4.0}
    assert language.measure([], []) == {"n": 0, "bits_per_byte": 0.0, "perplexity": 1.0}
    assert metrics.minimised("bits_per_byte") and metrics.minimised("perplexity")
    assert metrics.measure(Surprise, [None, None], answers) == scores


def test_a_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary() -> None:
    model = reader()
    model.run.spread = 0.0
    scores = language.measure([], model.predict(TEXTS))
    assert scores["perplexity"] == pytest.approx(tokenizer().vocab_size, rel=1e-3)


def test_language_model_learns_the_text_itself() -> None:
    task = generate.Task(generate.Config(source=False))
    assert task.columns == ("text", "text") and task.score == "bits_per_byte"
    assert task.framing(tokenizer()) == (tokenizer().bos, tokenizer().eos)
    assert task.targets([], None, tokenizer()) == {}
