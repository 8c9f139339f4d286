"""Properties of `clean` for any text: it is idempotent and takes linear time."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from clean_helpers import cleaned
from conftest import grows_evenly
from hypothesis import given, settings, strategies as st

from nlpkit.language.patterns import NEEDS, find
from nlpkit.steps import clean


def choices(hint: Any) -> list[Any]:
    """Return every value of a field of this type."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return [None, *choices(get_args(hint)[0])]
    return [False, True]


HINTS = get_type_hints(clean.Options)
OPTIONS = st.builds(
    clean.Options, **{name: st.sampled_from(choices(hint)) for name, hint in HINTS.items()}
)
NASTY = (
    "&amp;lt;b&gt;|<<b>b>|&#38;#38;|&semi;|&lt|&#x26;|<b|<|>|&|<br>|</|<script>|</script>|<!--|-->"
    "|@@a|@|@ana|a@b.co|##|#|#BomDia|#a#b|http://|https://a.b/c|www.|bit.ly/|.com/|//|aaa|aaa\u0301"
    "|\u0301|e\u0301|İ|ΑΣ|Σ|ﬁ|ſ|\u212a|ẞ|\u0958|\u2126|ᄒ|ᅡ|=\u0338|१|²|½|Ⅷ|1.|1|,|3,50|R$ |%|º|.|:"
    "|/|-|_|'|’|(|)|[|]|[CPF]|[EMAIL|kkk|kk|haha|ha|h|u|rsr|rs|sks|III|XVIII|x|BBB|!!|?|...|…|~|*|\\|+"
    "|😂|👩\u200d👩|👍🏽|🇧🇷|🇧|1️⃣|#️⃣|\u20e3|©|\ufe0f|\u200d|™|★|❤|:)|:|<3|D|carrro|s|url|usuario|numero"
    "|123.456.789-09|52998224725|11987654321|(11) 98765-4321|01310-100|CEP |12.345.678/0001-95|tel "
    "|12ABC34501DE35|\u00ad|\u200b|\x00|\x1c|\x85|\u2028|\u3000|\ud800|\udc00|\U000e0067| |\n|\t"
)
FRAGMENTS = NASTY.split("|")
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters()), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=30),  # lone surrogates as well
)


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
    " 1. 1- (1 R$ 😂 👩\u200d 🇧 \u0301 <3 :( [ [CPF] a- İ \u200b &semi; <script> 529.982.247-25 +1"
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
