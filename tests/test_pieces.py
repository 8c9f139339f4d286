"""The cache from words to ids gives the same ids as the tokenizer for the whole text."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from conftest import corpus
from hypothesis import example, given, settings, strategies as st
from tokenizers import Tokenizer

from nlpkit import catalog
from nlpkit.settings.sections import Tokenizer as Settings
from nlpkit.text import pieces, word_memory
from nlpkit.text.pieces import Pieces, reads_by_word

Answer = tuple[np.ndarray, np.ndarray]
KINDS = ("bpe", "unigram", "wordpiece", "char")
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
    learned = catalog.load("tokenizers", kind).learn(texts, settings)
    return remembering(Tokenizer.from_str(learned.to_json()))


def remembering(tokenizer: Tokenizer) -> Pieces:
    """Return pieces that use the cache from the first text on."""
    made = Pieces(tokenizer)
    made.memory = word_memory.Memory()
    return made


def same(ours: Answer, theirs: Answer) -> bool:
    return all(map(np.array_equal, ours, theirs))


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
@example(text="0 ▁")  # the tokenizer's own sign for a space
@example(text="www.\x1f")  # white space for Python only
@example(text="a\ud83d\ude00 b")
@example(text="a\x00b c")
@settings(max_examples=300)
def test_word_cache_gives_the_ids_of_the_whole_text(kind: str, text: str) -> None:
    made = trained(kind)
    assert made.by_word
    texts = [text, text + " a", "", "b " + text]
    assert same(made(texts), made._ask(texts))


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(TEXTS, max_size=80))
@settings(max_examples=30)
def test_many_new_words_give_the_ids_of_the_whole_text(kind: str, texts: list[str]) -> None:
    made = remembering(trained(kind).tokenizer)
    texts = [*texts, *(f"palavra{n} é\u0301 \u0301 a\x00b" for n in range(pieces.FEW))]
    assert same(made(texts), made._ask(texts))
    assert same(made(texts), made._ask(texts))  # from the cache


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
@settings(max_examples=60)
def test_long_texts_split_in_parts_give_the_same_ids(kind: str, texts: list[str]) -> None:
    made = remembering(trained(kind).tokenizer)
    before, pieces.LONG = pieces.LONG, 8
    try:
        texts = [*texts, "adorei o hotel ▁ lindo" * 3, "x" * 50, ""]
        assert same(made(texts), made._ask(texts))
    finally:
        pieces.LONG = before


@pytest.mark.parametrize("count", (0, 1, 3, 7))
def test_texts_in_several_groups_give_the_same_ids(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trained("bpe")
    texts = ["adorei o hotel", "", "péssimo", "não voltei", "\ud800", "a", "ótimo"][:count]
    one_by_one = [made._ask([text])[0].tolist() for text in texts]
    monkeypatch.setattr(pieces, "MANY", 3)
    ids_S, lengths_N = made._ask(texts)
    assert ids_S.tolist() == [id for ids in one_by_one for id in ids]
    assert lengths_N.tolist() == list(map(len, one_by_one))


def test_few_texts_do_not_create_the_cache() -> None:
    made = Pieces(trained("bpe").tokenizer)
    few = ["adorei o hotel"] * (pieces.SHORT - 1)
    assert same(made(few), made._ask(few)) and made.memory is None
    many = [*few, "adorei"]
    assert same(made(many), made._ask(many)) and made.memory is not None
    assert same(made(few), made._ask(few))


def test_context_dependent_tokenizers_are_not_cached() -> None:
    tree = json.loads(trained("bpe").tokenizer.to_str())
    assert reads_by_word(tree)
    merged = {"type": "Replace", "pattern": {"Regex": r"não \w+"}, "content": "NEG"}
    steps = {"type": "Sequence", "normalizers": [merged, tree["normalizer"]]}
    for change in ({"normalizer": steps}, {"normalizer": None}, {"pre_tokenizer": None}):
        other = Pieces(Tokenizer.from_str(json.dumps(tree | change)))
        assert not other.by_word
        assert same(other(["não gostei nada"]), other._ask(["não gostei nada"]))


def test_cache_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(trained("bpe").tokenizer)
    monkeypatch.setattr(word_memory, "WORDS", 20)
    for start in range(0, 200, 10):
        texts = [f"palavra{n} boa" for n in range(start, start + 10)]
        assert same(made(texts), made._ask(texts))
        assert made.memory is not None and made.memory.count <= 40
    many = [" ".join(f"x{n}" for n in range(21))]
    assert same(made(many), made._ask(many))
    monkeypatch.setattr(word_memory, "IDS", 1000)
    for letter in "abcdef":
        assert same(made([letter * 900]), made._ask([letter * 900]))
    assert made.memory.edge[made.memory.count] <= 2000


def test_hash_collisions_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_memory, "_slots", lambda hash_K: np.zeros(len(hash_K), dtype=np.int64))
    made = remembering(trained("bpe").tokenizer)
    texts = [f"palavra{n % 50} {'longa' * 20}{n % 7}" for n in range(200)]
    assert same(made(texts), made._ask(texts))
    assert same(made(texts[::-1]), made._ask(texts[::-1]))


def test_cache_is_thread_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_memory, "WORDS", 300)  # small, so that entries are evicted meanwhile
    made = remembering(trained("bpe").tokenizer)

    def wrong(seed: int) -> int:
        rng = random.Random(seed)
        asked = [[f"w{rng.randrange(2000)} boa" for _ in range(50)] for _ in range(60)]
        return sum(not same(made(texts), made._ask(texts)) for texts in asked)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(wrong, range(4))) == 0
