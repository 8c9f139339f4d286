"""Properties of `clean` for any text: it is idempotent and takes linear time."""

from __future__ import annotations

from typing import Any

import pytest
from clean_helpers import OPTIONS, TEXTS, cleaned
from conftest import grows_evenly
from hypothesis import given, settings, strategies as st

from nlpkit.language.patterns import NEEDS, find
from nlpkit.steps import clean


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # lingua may be missing
@settings(max_examples=400)
@given(OPTIONS, st.lists(TEXTS, min_size=1, max_size=8))
def test_clean_is_idempotent(options: clean.Options, texts: list[str]) -> None:
    step = clean.build(options)
    once = step(texts)
    assert step(once) == once
    assert [clean.build(options)([text])[0] for text in texts[:1]] == once[:1]


@given(TEXTS)
def test_searches_are_skipped_only_if_the_pattern_cannot_match(text: str) -> None:
    for pattern, needs in NEEDS.items():
        assert needs(text) or not find(pattern).search(text), pattern


@pytest.mark.parametrize("trap", ["<b" * 500 + ">" * 500, "&lt" + "&semi;" * 500 + ";b>oi"])
def test_nested_markup_is_idempotent(trap: str) -> None:
    once = cleaned(f"antes {trap} depois", "default")
    assert once.startswith("antes ") and once.endswith(" depois")
    assert cleaned(once, "default") == once


@given(st.lists(st.text("abcdãéç", min_size=1), max_size=6).map(" ".join))
def test_default_preset_keeps_plain_words(text: str) -> None:
    assert cleaned(text, "default") == text


def test_clean_text_is_returned_as_the_same_object() -> None:
    class Verbatim(str):
        pass

    text = Verbatim("nada a fazer")
    assert clean.build(clean.Options())([text])[0] is text


UNITS = (
    "a < & @ # 1 k . ! <b <!-- --><!-- &amp; http:// http://( www. a. @a. a@ a@a. #1 ha ka rs ahu"
    " 1. 1- (1 R$ 😂 👩\u200d 🇧 \u0301 <3 :( [ [CPF] [A-BBBBBB] [A- a- İ \u200b &semi; <script>"
    " 529.982.247-25 +1"
)


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "social"},
        {"preset": "bow", "accents": "strip"},
        {"preset": "reviews", "emoji": "words", "numbers": "token", "punctuation": "drop"},
        {"mask": True},
    ],
)
def test_time_grows_linearly_with_length(options: dict[str, Any]) -> None:
    step = clean.build(clean.Options(**options))

    for unit in UNITS.split():

        def work(size: int, unit: str = unit) -> None:
            text = unit * (size // len(unit))
            step([text, text + "x"])

        assert grows_evenly(work, 2_500), unit
