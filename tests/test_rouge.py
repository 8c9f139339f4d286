"""ROUGE: values counted by hand, letters with accents, and a message without the package."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, strategies as st

from nlpkit import metrics
from nlpkit.answers import Text
from nlpkit.errors import MissingExtra
from nlpkit.metrics import rouge

ZERO = {"n": 1, "rouge1": 0.0, "rouge2": 0.0, "rougeL": 0.0}


def scores(gold: str, answer: str) -> dict[str, float]:
    return rouge.measure([Text(gold)], [Text(answer)])


def test_words_pairs_and_the_longest_common_subsequence() -> None:
    # 3 of 4 and of 5 words, 1 of 3 and of 4 pairs, and "a loja ... troca" in order: 3.
    assert scores("a loja não troca", "hoje a loja nunca troca") == {
        "n": 1,
        "rouge1": round(2 * 3 / 9, 6),
        "rouge2": round(2 * 1 / 7, 6),
        "rougeL": round(2 * 3 / 9, 6),
    }
    assert scores("b a", "a b")["rougeL"] == 0.5 and scores("b a", "a b")["rouge1"] == 1.0


def test_accents_are_letters() -> None:
    assert scores("ação", "ação")["rouge1"] == 1.0
    assert scores("ação", "acao") == ZERO and scores("avó", "avô") == ZERO
    assert scores("São João", "s o jo o") == ZERO  # what rouge-score's own tokenizer would read


def test_case_marks_and_the_form_of_accents_do_not_count() -> None:
    assert scores("Não, obrigado!", "na\u0303o\u200b OBRIGADO")["rougeL"] == 1.0


@pytest.mark.parametrize("text", ["", "  ", "😍", "..."])
def test_texts_without_words_score_nothing(text: str) -> None:
    assert scores(text, "bom") == scores("bom", text) == scores(text, text) == ZERO
    assert rouge.measure([], [])["rouge1"] == 0.0


@given(st.lists(st.sampled_from(["ação", "é", "10", "Loja", "não"]), min_size=2).map(" ".join))
def test_equal_texts_score_one(text: str) -> None:
    assert scores(text, text) == {"n": 1, "rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}


def test_the_mean_over_documents_is_a_metric_of_texts() -> None:
    measured = metrics.measure(Text, [Text("a b"), Text("c d")], [Text("a b"), Text("e f")])
    assert measured["rouge1"] == measured["rouge2"] == measured["exact_match"] == 0.5
    golds = [Text("a b")] * 5
    draws_MR = metrics.draws(Text, golds, [golds, [Text("x"), *golds[1:]]], "rougeL")
    assert (draws_MR[0] == 1).all() and 0.5 < draws_MR[1].mean() < 1


def test_the_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    rouge._scorer.cache_clear()
    with pytest.raises(MissingExtra, match=r"needs rouge-score.*\[train\]"):
        scores("a text of its own", "and another")
