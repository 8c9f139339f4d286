"""BLEU, chrF and copied numbers: values of sacrebleu, samples of documents, nasty texts."""

from __future__ import annotations

import random
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, strategies as st

from nlpkit import metrics
from nlpkit.answers import Text
from nlpkit.errors import MissingExtra
from nlpkit.metrics.translation import copied, measure, resampled

GOLDS = [
    "A reunião de amanhã começa às nove horas da manhã.",
    "O preço subiu 3,5% em março, para R$ 1.234,50.",
    "Não sei se ela vem.",
    "Às vezes o trem atrasa; às vezes ele nem passa.",
    "Obrigada! 👍",
]
ANSWERS = [
    "A reunião de amanhã começa às dez horas da manhã.",
    "O preço cresceu 3,5% em março, para 1.234,50 reais.",
    "Não sei se ele virá.",
    "O trem às vezes atrasa e às vezes não passa.",
    "Obrigado.",
]


def texts(values: Sequence[str]) -> list[Text]:
    return [Text(value) for value in values]


def scores(golds: Sequence[str], answers: Sequence[str]) -> tuple[float, float]:
    found = measure(texts(golds), texts(answers))
    return found["bleu"], found["chrf"]


def test_scores_are_those_of_sacrebleu() -> None:
    bleu, chrf = scores(GOLDS, ANSWERS)
    assert bleu == pytest.approx(sacrebleu.corpus_bleu(ANSWERS, [GOLDS]).score, abs=1e-6)
    assert chrf == pytest.approx(sacrebleu.corpus_chrf(ANSWERS, [GOLDS]).score, abs=1e-6)
    assert 20 < bleu < chrf < 90


def test_equal_texts_score_100_and_have_no_spread() -> None:
    found = measure(texts(GOLDS), texts(GOLDS))
    for name in ("bleu", "chrf"):
        assert found[name] == pytest.approx(100) and type(found[name]) is float
        assert found[f"{name}_interval"] == pytest.approx([100, 100])


def test_signatures_name_all_settings_and_are_no_scores() -> None:
    found = metrics.measure(Text, texts(GOLDS), texts(ANSWERS))
    version = f"version:{sacrebleu.__version__}"
    assert found["bleu_signature"] == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{version}"
    assert found["chrf_signature"] == f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{version}"
    assert {"bleu", "chrf", "exact_match"} <= metrics.numbers(found).keys()
    assert not [name for name in metrics.numbers(found) if "signature" in name]
    assert measure([], [])["bleu_signature"] == found["bleu_signature"]


@pytest.mark.parametrize("golds", [[], [""], GOLDS])
def test_empty_answers_score_0(golds: list[str]) -> None:
    assert scores(golds, [""] * len(golds)) == (0, 0)


def test_an_empty_answer_among_others_lowers_the_scores() -> None:
    whole = scores(GOLDS, ANSWERS)
    part = scores(GOLDS, [*ANSWERS[:1], "", *ANSWERS[2:]])
    assert 0 < part[0] < whole[0] and 0 < part[1] < whole[1]


def test_texts_shorter_than_four_words_have_no_bleu() -> None:
    assert scores(["bom dia"], ["bom dia"]) == (0, pytest.approx(100))


def test_accents_count_but_not_the_way_they_are_encoded() -> None:
    apart = [unicodedata.normalize("NFD", text) for text in GOLDS]
    assert apart != GOLDS and scores(GOLDS, apart) == pytest.approx((100, 100))
    hidden = ["\u200b".join(text) for text in GOLDS[:4]]
    assert scores(GOLDS[:4], hidden) == pytest.approx((100, 100))
    bare = [text.replace("ã", "a").replace("à", "a") for text in GOLDS]
    assert max(scores(GOLDS, bare)) < 95


def test_line_ends_and_very_long_texts() -> None:
    long = " ".join(GOLDS) * 500
    assert scores([long], [long]) == pytest.approx((100, 100))
    assert scores([f"{GOLDS[0]}\n{GOLDS[3]}"], [f"{GOLDS[0]}\r\n{GOLDS[3]}\r\n"])[1] > 99


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=6))
def test_any_text_has_scores_that_do_not_depend_on_the_order(pairs: list[tuple[str, str]]) -> None:
    def of(rows: list[tuple[str, str]]) -> tuple[float, float]:
        return scores([gold for gold, _ in rows], [answer for _, answer in rows])

    found = of(pairs)
    assert all(0 <= score <= 100 + 1e-6 for score in found)
    assert of(pairs[::-1]) == found


def test_order_of_the_documents_does_not_matter() -> None:
    order = random.Random(1).sample(range(len(GOLDS)), len(GOLDS))
    mixed = scores([GOLDS[row] for row in order], [ANSWERS[row] for row in order])
    assert mixed == scores(GOLDS, ANSWERS)


@pytest.mark.parametrize("name", ["bleu", "chrf", "exact_match"])
def test_resamples_are_paired_and_lie_around_the_score(name: str) -> None:
    golds = texts([f"{text} {number}" for number in range(12) for text in GOLDS])
    worse = texts([f"{text} {number % 9}" for number in range(12) for text in ANSWERS])
    better = [*golds[:30], *worse[30:]]
    score_MR = metrics.draws(Text, golds, [worse, better, worse, golds], name)
    assert score_MR.shape == (4, 1000)
    assert np.array_equal(score_MR[0], score_MR[2]) and (score_MR[1] > score_MR[0]).all()
    assert score_MR[3] == pytest.approx(metrics.measure(Text, golds, golds)[name])
    found = metrics.measure(Text, golds, better)
    low, high = metrics.interval(score_MR[1])
    assert low < found[name] < high
    assert found.get(f"{name}_interval", [low, high]) == [low, high]


def test_each_resample_is_a_score_of_that_sample() -> None:
    golds, answers = texts(GOLDS[:1]), texts(ANSWERS[:1])
    for name in ("bleu", "chrf"):
        score_MR = resampled(golds, [answers], name)
        assert score_MR is not None and score_MR == pytest.approx(measure(golds, answers)[name])
    assert resampled(golds, [answers], "rouge_l") is None


def test_without_sacrebleu_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtra, match="needs sacrebleu.*train"):
        measure(texts(GOLDS), texts(ANSWERS))


@pytest.mark.parametrize(
    ("source", "output", "share"),
    [
        ("It costs 1,234.50 dollars.", "Custa 1.234,50 dólares.", 1),
        ("10,000 people and 10,000 cars", "10\xa0000 pessoas e carros", 0.5),
        ("From 3 to 5 pm on 12/05", "Das 3 às 5 da tarde, em 05/12", 1),
        ("Version 3.10 of 2024", "A versão 3.1 de 2024", 0.5),
        ("in 2010 300 people left", "em 2010, 300 saíram", 1),
        ("no number", "7 números", 1),
        ("", "", 1),
        ("8", "", 0),
        ("１２ e 4", "4", 0.5),
    ],
)
def test_copied_numbers(source: str, output: str, share: float) -> None:
    assert copied([source], [output]) == pytest.approx(share)


def test_copied_numbers_count_over_all_texts() -> None:
    assert copied(["1 2 3", "4", "x"], ["3 2 1", "5", "4"]) == pytest.approx(0.75)
    assert copied([], []) == 1
