"""Baselines of the benchmarks: Kneser-Ney is a distribution, IBM model 1 finds the translations."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings, strategies as st

if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the source archive has no benchmarks", allow_module_level=True)
sys.path.insert(0, str(ROOT / "benchmarks"))
from kneser_ney import KneserNey, discounts
from translation_dictionary import Entry, learned, translated

DOCUMENTS = st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=8)


@settings(max_examples=40)
@given(DOCUMENTS, st.lists(st.integers(0, 4), max_size=6), st.integers(1, 5))
def test_continuations_sum_to_1(documents: list[list[int]], history: list[int], order: int) -> None:
    model = KneserNey(documents, 5, order)  # no document has the piece 4
    texts = [history, *([*history, piece] for piece in range(5))]
    shares = [2 ** -model.bits([text])[len(history)] for text in texts]
    assert sum(shares) == pytest.approx(1, abs=1e-5) and min(shares) > 0


def test_bits_are_those_of_each_document_and_its_end() -> None:
    model = KneserNey([[0, 1], [0, 1, 2], []], 3)
    apart = [model.bits([text]) for text in ([0, 1], [2])]
    assert [len(each) for each in apart] == [3, 2]
    assert np.allclose(model.bits([[0, 1], [2]]), np.concatenate(apart))
    assert apart[0].sum() < 2 < apart[1].sum()
    with pytest.raises(ValueError, match="no documents"):
        KneserNey([], 3)


def test_discounts_of_known_counts() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 5, 1])
    assert discounts(counts) == pytest.approx((0.5, 1.25, 2.0))
    assert discounts(np.array([1, 1, 2])) == (0.5, 1.0, 1.5)


def test_dictionary_of_a_toy_corpus() -> None:
    english = ["The house", "the book", "a book", "the blue house", "a blue book", "a house"]
    portuguese = ["A casa", "o livro", "um livro", "a casa azul", "um livro azul", "uma casa"]
    dictionary = learned(english, portuguese, least=1, iterations=20)
    assert [dictionary[word].translation for word in ("house", "book", "blue")] == [
        "casa",
        "livro",
        "azul",
    ]
    assert translated("BLUE house 2, xyz 👍", dictionary) == "AZUL casa 2, xyz 👍"
    assert translated("", dictionary) == "" and learned([], []) == {}


def test_capitals_of_a_word_are_its_own_or_the_sentence_s() -> None:
    dictionary = {"i": Entry("I", "eu"), "monday": Entry("Monday", "segunda")}
    assert translated("I? Monday, I", dictionary) == "Eu? Segunda, eu"
