"""Counts and numbers as people read them."""

from __future__ import annotations

import pytest

from nlpkit.wording import plural, rounded


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2000, "2,000 rows")]
)
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    assert plural(count, "row") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert plural(1, "process", "processes") == "1 process"
    assert plural(3, "process", "processes") == "3 processes"


def test_scores_have_four_places_seconds_three_and_speeds_none() -> None:
    report = {
        "macro_f1": 2 / 3,
        "macro_f1_interval": (1 / 3, 2 / 3),
        "n": 3,
        "model": "0.123456",
        "rows": [{"p50_ms": 1.23456, "documents_per_second": 1234.5678}],
        "docs_per_second": 0.123456,
        "cold_start_seconds": None,
        "seconds": 12.34567,
        "best": True,
    }
    assert rounded(report) == {
        "macro_f1": 0.6667,
        "macro_f1_interval": [0.3333, 0.6667],
        "n": 3,
        "model": "0.123456",
        "rows": [{"p50_ms": 1.235, "documents_per_second": 1235}],
        "docs_per_second": 0.123,
        "cold_start_seconds": None,
        "seconds": 12.346,
        "best": True,
    }
