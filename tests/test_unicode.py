"""One rule for all: texts are compared in NFC, and invisible characters never change an answer."""

from __future__ import annotations

from typing import Any
from unicodedata import is_normalized, normalize

import pytest
from hypothesis import given, strategies as st

import nlpkit
from nlpkit import text as texts
from nlpkit.checks import control
from nlpkit.text.unicode import invisible, spans_before, visible
from nlpkit.zoo import pipeline

HIDDEN = (
    "\u200b\u2060\ufeff\xad\u200c\u200d\u200e\u200f\u202a\u202e\u2066\u2069\u034f\ufe0f\U000e0101"
)
PLAIN = "Você não está à toa: péssima atenção, coração e informações daqui."
SPOILT = [
    normalize("NFD", PLAIN),
    *(PLAIN.replace("péssima", f"{char}pés{char}sima{char}") for char in HIDDEN),
    "\ufeff" + PLAIN,
]
MARKS = "aeo c\u0301\u0327\u0303\u0323\u030b\u0340\u2126\u0958\u1112\u1161\ud800\xe9"
SIGNS = "👩🏽🤝☺1\u20e3🏴\U000e0067\U000e007f"
CHARS = st.sampled_from([*HIDDEN, *MARKS, *SIGNS])
TEXTS = st.lists(CHARS, max_size=12).map("".join)
STEPS = ["tokenize", "tokenize --contractions split", "tokenize --sentences", "stopwords", "stem"]
STEPS += [
    "lemmatize --engine lookup",
    "clean",
    "vectorize --method hash",
    "stopwords --pretokenized",
]
STEPS += ["lemmatize", "clean --mask --for bow"]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_reads_what_is_seen(step: str) -> None:
    chain = pipeline(step)
    right, *others = chain([PLAIN, *SPOILT])
    assert all(result == right for result in others)


@pytest.mark.parametrize("name", ["sentiment", "rules", "rules-en", "tagger-pt"])
def test_every_model_reads_what_is_seen(name: str) -> None:
    model = nlpkit.load(name, device="cpu")
    right, *others = model.predict([PLAIN, *SPOILT])
    assert all(answer == right for answer in others)


def test_stop_words_of_the_user_are_compared_composed() -> None:
    decomposed = normalize("NFD", "atenção")
    assert str(pipeline({"name": "stopwords", "add": [decomposed]})("atenção péssima")) == "péssima"


def test_what_holds_an_emoji_together_stays() -> None:
    for sign in (
        "👩🏽\u200d🍳",
        "☺\ufe0f",
        "1\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e007f",
        "©\ufe0f",
    ):
        assert visible(sign) == sign and invisible(sign) == ""
    assert visible("a\u200d☺\u200d\ufe0fb\ufe0f") == "a☺b"


@given(TEXTS)
def test_the_rule_is_nfc_settles_and_leaves_visible_texts_alone(text: str) -> None:
    seen = visible(text)
    assert is_normalized("NFC", seen) and visible(seen) == seen and not invisible(seen)
    assert bool(invisible(text)) or normalize("NFC", text) == seen


@given(TEXTS, st.data())
def test_spans_lead_back_to_the_text_as_it_came(text: str, data: Any) -> None:
    seen = visible(text)
    start = data.draw(st.integers(0, len(seen)))
    end = data.draw(st.integers(start, len(seen)))
    ((first, last),) = spans_before(text, [(start, end)])
    assert 0 <= first <= last <= len(text)
    held = set("\u200d\ufe0f\U000e0067\U000e007f")  # alone they are invisible
    assert seen[start:end] in visible(text[first:last]) or held & set(seen)


def test_offsets_of_tokens_point_into_the_text_as_it_came() -> None:
    text = "\ufeffpe\u0301s\u200bsimo  na\u0303o"
    tokens = pipeline("tokenize")(text)
    assert list(tokens) == ["péssimo", "não"]
    marked = [text[start:end] for start, end in tokens.fields["offsets"]]
    assert marked == ["pe\u0301s\u200bsimo", "na\u0303o"]


def test_offsets_of_a_tokenizer_point_into_the_documents_as_they_came() -> None:
    tokenizer = nlpkit.load("sentiment", device="cpu").tokenizer
    documents = ["p\u200be\u0301ssimo bom", "sem nada", ["bo\u200bm", "na\u0303o", "\u200b"]]
    encoded = texts.encode(tokenizer, documents, offsets=True)
    assert encoded.offsets_S2 is not None
    first, _, words = texts.split(encoded.offsets_S2, encoded.lengths_N)
    assert (first[0, 0], first[-1, 1]) == (0, len(documents[0]))
    assert words[:, 1].max() <= len(" ".join(documents[2]))


def test_debug_data_tells_of_what_nobody_sees() -> None:
    assert control.find("pés\u200bsimo", "pt") == r"\u200b"
    assert control.find("bom\x00", "pt") == r"\x00"
    assert control.find("família 👩🏽\u200d🍳 ☺\ufe0f não", "pt") == ""
