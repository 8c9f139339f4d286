"""Scores of classifiers: hand-computed values and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nlpkit.answers import Label
from nlpkit.errors import InputError
from nlpkit.metrics.classification import calibration_error, classification, interval
from nlpkit.tasks import classify, sentiment

A, B = Label("a"), Label("b")


def one_hot(guesses: list[int], labels: int = 3) -> np.ndarray:
    return np.eye(labels)[guesses]


def test_scores_equal_hand_computed_values() -> None:
    gold = np.array([0, 0, 0, 1, 2, 2])
    scores = classification(gold, one_hot([0, 0, 1, 1, 2, 0]), ["a", "b", "c"])
    assert scores["n"] == 6
    assert scores["accuracy"] == pytest.approx(4 / 6, abs=1e-6)
    assert scores["confusion"] == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert scores["per_class"]["a"] == {
        "precision": pytest.approx(2 / 3, abs=1e-6),
        "recall": pytest.approx(2 / 3, abs=1e-6),
        "f1": pytest.approx(2 / 3, abs=1e-6),
        "support": 3,
    }
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3, abs=1e-6)


def test_macro_f1_averages_over_gold_labels() -> None:
    scores = classification(np.array([0, 0, 2, 2]), one_hot([0, 1, 2, 2]), ["a", "b", "c"])
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)
    assert scores["per_class"]["b"]["f1"] == 0


def test_calibration_error_equals_hand_computed_value() -> None:
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    error = calibration_error(np.array([0, 1, 0, 0]), probs)
    assert error == pytest.approx(0.5 * abs(0.5 - 0.9) + 0.5 * abs(1.0 - 0.6))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=200))
def test_interval_contains_the_score(pairs: list[tuple[int, int]]) -> None:
    gold = np.array([pair[0] for pair in pairs])
    scores = classification(gold, one_hot([pair[1] for pair in pairs]), ["a", "b", "c"])
    low, high = scores["macro_f1_interval"]
    assert 0 <= low <= high <= 1
    assert 0 <= scores["macro_f1"] <= 1
    assert interval(np.array(scores["confusion"])) == [low, high]


def test_more_documents_narrow_the_interval() -> None:
    few = interval(np.array([[8, 2], [3, 7]]))
    many = interval(np.array([[800, 200], [300, 700]]))
    assert many[1] - many[0] < (few[1] - few[0]) / 5


def test_decode_is_softmax_at_the_temperature() -> None:
    task = classify.Task(classify.Config(), ["a", "b"])
    logits = np.array([[2.0, 0.0], [-1e4, 1e4]], dtype=np.float32)
    hot, sure = task.at_temperature(2.0).decode(["a", "b"], logits)
    assert hot.label == "a" and hot.score == pytest.approx(1 / (1 + np.exp(-1)))
    assert sure.scores == {"a": 0.0, "b": 1.0}


def test_temperature_calibrates_overconfidence() -> None:
    task = classify.Task(classify.Config(), ["a", "b"])
    logits = np.tile([[6.0, 0.0]], (10, 1))
    golds = [A] * 7 + [B] * 3
    assert task.fit_temperature(golds, logits) > 2
    assert task.fit_temperature([A] * 10, logits) < 0.5


def test_labels_are_learned_or_fixed() -> None:
    rows = [{"label": "b"}, {"label": "a"}, {"label": "b"}]
    assert classify.Task.from_rows(rows, classify.Config()).labels == ("a", "b")
    with pytest.raises(InputError, match="needs two"):
        classify.Task.from_rows(rows[:1], classify.Config())
    with pytest.raises(InputError, match="no rows"):
        classify.Task.from_rows([], classify.Config())
    two = sentiment.Task.from_rows(
        [{"label": "positive"}, {"label": "negative"}], sentiment.Config()
    )
    assert two.labels == ("negative", "neutral", "positive")
    with pytest.raises(InputError, match="Did you mean 'positive'"):
        two.gold({"label": "positve"})


def test_class_weights_average_to_one_over_documents() -> None:
    task = classify.Task(classify.Config(), ["a", "b"])
    golds = [A] * 90 + [B] * 10
    assert task.class_weights(golds, "none") == [1, 1]
    for scheme in ("sqrt", "balanced"):
        weights = task.class_weights(golds, scheme)
        assert sum(weights[task.label_index(gold)] for gold in golds) / 100 == pytest.approx(1)
        assert weights[1] > weights[0]
