"""Metrics: each declares its kind of answers and gives hand-computed values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import add_plugin

from nlpkit import catalog, metrics
from nlpkit.answers import Answer, Label, Span, Spans, Tags, Text, difference
from nlpkit.tasks.tag import Analysis

A = Label("a", 0.9, {"a": 0.9, "b": 0.1})
B = Label("b", 0.9, {"a": 0.1, "b": 0.9})


def spans(*bounds: tuple[int, int]) -> Spans:
    return Spans(tuple(Span(start, end, "X", "") for start, end in bounds))


def test_every_metric_declares_a_kind_of_answers() -> None:
    for name in catalog.names("metrics"):
        module = catalog.load("metrics", name)
        assert (module.__doc__ or "").strip() and isinstance(module.FITS, type), name
        assert metrics.fitting(module.FITS)


def test_span_scores_need_equal_bounds_and_label() -> None:
    scores = metrics.measure(
        Spans, [spans((0, 3), (5, 8)), spans()], [spans((0, 3)), spans((1, 2))]
    )
    assert (scores["span_precision"], scores["span_recall"]) == (0.5, 0.5)
    assert scores["span_f1"] == 0.5
    assert metrics.measure(Spans, [spans()], [spans()])["span_f1"] == 1.0


def test_unknown_tags_are_not_scored() -> None:
    gold = Analysis((("a", "_", "c"), ("DET", "NOUN", "_")))
    answer = Analysis((("a", "x", "z"), ("DET", "VERB", "ADJ")))
    scores = metrics.measure(Analysis, [gold], [answer])
    assert scores == {
        "n": 2,
        "unit": "words",
        "lemma_accuracy": 0.5,
        "upos_accuracy": 0.5,
        "lemma_upos": 0.5,
    }


def test_exact_match_compares_whole_texts() -> None:
    scores = metrics.measure(Text, [Text("a b"), Text("c")], [Text("a b"), Text("d")])
    assert scores["exact_match"] == 0.5


def test_label_metrics_list_the_labels() -> None:
    probs = {"no": 0.2, "yes": 0.8}
    answers = [Label("yes", 0.8, probs), Label("yes", 0.8, probs)]
    scores = metrics.measure(Label, [Label("yes"), Label("no")], answers)
    assert scores["accuracy"] == 0.5 and scores["labels"] == ["no", "yes"]


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "score"),
    [
        (Spans, spans((0, 1)), spans(), "span_f1"),
        (Text, Text("a"), Text("b"), "exact_match"),
        (
            Label,
            Label("a", 0.9, {"a": 0.9, "b": 0.1}),
            Label("b", 0.9, {"a": 0.1, "b": 0.9}),
            "macro_f1",
        ),
    ],
)
def test_resamples_are_paired(kind: type[Answer], right: Answer, wrong: Answer, score: str) -> None:
    golds = [right] * 20
    draws_MR = metrics.draws(kind, golds, [golds, golds, [wrong, *golds[1:]]], score)
    assert np.array_equal(draws_MR[0], draws_MR[1])
    assert (draws_MR[2] <= draws_MR[0]).all() and draws_MR[2].mean() < draws_MR[0].mean()
    low, high = metrics.interval(draws_MR[2])
    assert low <= high


def test_another_package_can_add_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "from nlpkit.answers import Text\nFITS = Text\n"
        "def measure(golds, answers):\n    return {'length': float(len(answers[0].text))}\n"
    )
    add_plugin(tmp_path / "more", monkeypatch, {"nlpkit.metrics": {"length_of_texts": source}})
    assert metrics.measure(Text, [Text("a")], [Text("abc")])["length"] == 3.0
    assert "length" not in metrics.measure(Spans, [spans()], [spans()])


def test_answers_have_fields_cells_and_values() -> None:
    found = Spans((Span(0, 3, "PER", "Ana", 0.987654), Span(6, 10, "LOC", "Bahia")))
    assert found.fields() == ("spans",) and found.fields("x") == ("x",)
    assert found.cells() == ("0-3:PER 6-10:LOC",)
    assert found.plain()["spans"][0]["score"] == 0.9877 and "score" not in found.plain()["spans"][1]
    assert found.score == 0.987654 and spans((0, 1)).score is None
    assert [span.text for span in found.at_least(0.99).spans] == ["Bahia"]
    assert Tags((("a b", "c"),), ("x", "y z")).cells() == ("x y_z", "a_b c")
    assert Analysis((("a",), ("X",))).values(None, "my") == {
        name: [] for name in ("my_words", "my_lemmas", "my_upos")
    }
    assert Label.values(None) == {"label": "", "score": None, "scores": {}}
    assert Label.fields("mood") == ("mood", "mood_score")
    assert Text.values(Text("b"), "said") == {"said": "b"}
    assert Label("a", 0.4, {}).at_least(0.5).label == "uncertain"


def test_difference_of_plain_answers() -> None:
    one = {"label": "a", "scores": {"a": 0.51, "b": 0.49}}
    other = {"label": "b", "scores": {"a": 0.49, "b": 0.51}}
    assert difference(one, other) == pytest.approx(0.02)
    assert difference({"label": "a", "scores": {}}, {"label": "b", "scores": {}}) == float("inf")
    assert difference({"spans": [{"start": 1}]}, {"spans": []}) == float("inf")
    assert difference({}, {}) == 0.0


def test_file_of_a_metric_tells_which_scores_are_better_when_lower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not metrics.minimised("bleu")
    monkeypatch.setattr(catalog.load("metrics", "translation"), "LOWER", ("bleu",), raising=False)
    assert metrics.minimised("bleu")
