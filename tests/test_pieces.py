"""Words remembered one by one give the ids that the tokenizer gives for the whole text."""

from __future__ import annotations

import json
from functools import cache

import pytest
from conftest import corpus
from hypothesis import example, given, settings, strategies as st
from tokenizers import Tokenizer

from nlpkit.runtime import pieces
from nlpkit.runtime.pieces import Pieces, reads_by_word
from nlpkit.sections import Tokenizer as Settings
from nlpkit.training.tokenizer import train

KINDS = ("bpe", "unigram", "char")
PARTS = ["k", "kkkk", "HA", "ha", "rs", "!", "?", ".", "@", "ana", "http://a", "www.", "[PAD]", "1"]
PARTS += [
    " ",
    "\n",
    "\x00",
    "\x1c",
    "\x85",
    "\xa0",
    "\u1680",
    "\u180e",
    "\u2028",
    "\u200b",
    "\u3000",
]
PARTS += ["\u3000", "\ufeff", "e", "é", "\u0301", "Σ", "ς", "İ", "ﬁ", "▁", "\ud800", "-", "'"]
TEXTS = st.lists(st.text(max_size=6) | st.sampled_from(PARTS), max_size=12).map("".join)


@cache
def trained(kind: str) -> Pieces:
    texts = [str(row["text"]) for row in corpus(200, 1)]
    settings = Settings(kind=kind, vocab_size=300, strip_accents=True)
    return Pieces(Tokenizer.from_str(train(texts, settings)))


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
@example(text="0 ▁")  # the tokenizer takes it for a space
@example(text="www.\x1f")  # a blank for Python alone
@example(text="a\ud83d\ude00 b")
@settings(max_examples=300, deadline=None)
def test_word_by_word_is_as_the_whole(kind: str, text: str) -> None:
    made = trained(kind)
    assert made.by_word
    assert made([text, text + " a", ""]) == made._ask([text, text + " a", ""])


def test_a_tokenizer_that_looks_at_neighbours_is_asked_whole() -> None:
    tree = json.loads(trained("bpe").tokenizer.to_str())
    assert reads_by_word(tree)
    merged = {"type": "Replace", "pattern": {"Regex": r"não \w+"}, "content": "NEG"}
    steps = {"type": "Sequence", "normalizers": [merged, tree["normalizer"]]}
    for change in ({"normalizer": steps}, {"normalizer": None}, {"pre_tokenizer": None}):
        other = Pieces(Tokenizer.from_str(json.dumps(tree | change)))
        assert not other.by_word
        assert other(["não gostei nada"]) == other._ask(["não gostei nada"])


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Pieces(trained("bpe").tokenizer)
    made(["x" * 1000])
    assert not made.known
    monkeypatch.setattr(pieces, "WORDS", 10)
    for start in range(0, 100, 5):
        texts = [f"palavra{n} boa" for n in range(start, start + 5)]
        assert made(texts) == made._ask(texts)
        assert len(made.known) <= 10
