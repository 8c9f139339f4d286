"""Inline mark-up is taken out of a sentence and put back into its translation."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from nlpkit.jobs.translate import parts_of
from nlpkit.language.inline import restored, taken

TAG = re.compile(r"<(/?)(\w+)[^<>]*>")
WORDS = st.lists(st.sampled_from(["eu", "amo", "este", "12", "fim.", "(sim)"]), max_size=6)


def nested(text: str) -> bool:
    """Return whether each tag is closed in order."""
    open_: list[str] = []
    for closing, name in TAG.findall(text):
        if not closing:
            open_.append(name)
        elif not open_ or open_.pop() != name:
            return False
    return not open_


@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        ("I love <i>this</i> phone.", "Eu amo este fone.", "Eu amo <i>este</i> fone."),
        ("Click <b><i>here</i></b>!", "Clique aqui!", "Clique <b><i>aqui</i></b>!"),
        ("It costs <b>$49.99</b> now", "Agora custa $49.99", "Agora custa $<b>49.99</b>"),
        ("**Very** good", "Muito bom", "**Muito** bom"),
        ("See [our site](u?a=1) now", "Veja nosso site já", "Veja [nosso site](u?a=1) já"),
        ('<a href="x y">Read</a> it', "Leia isso", '<a href="x y">Leia</a> isso'),
        ("no mark-up", "sem marcas", "sem marcas"),
        ("<i>gone</i>", "", "<i></i>"),
    ],
)
def test_markup_stays_around_its_words(source: str, translation: str, expected: str) -> None:
    assert restored(translation, *taken(source)) == expected


@given(source=WORDS, translation=WORDS, data=st.data())
def test_no_tag_is_lost_and_pairs_stay_nested(
    source: list[str], translation: list[str], data: st.DataObject
) -> None:
    words = list(source)
    if words:
        first = data.draw(st.integers(0, len(words) - 1))
        last = data.draw(st.integers(first, len(words) - 1))
        words[first] = f"<b>{words[first]}"
        words[last] = f"{words[last]}</b>"
        inner = data.draw(st.integers(first, last))
        words[inner] = words[inner] if inner in (first, last) else f"<i>{words[inner]}</i>"
    text = " ".join(words)
    written = restored(" ".join(translation), *taken(text))
    assert sorted(TAG.findall(written)) == sorted(TAG.findall(text))
    assert nested(written)
    assert TAG.sub("", written).split() == " ".join(translation).split()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('<script>var a = "Hello. World";</script>One.', ["One."]),
        ("<!-- A note. Two. -->One.", ["One."]),
        (
            'Go <a href="http://a.co/x?b=1">there</a>.',
            ['Go <a href="http://a.co/x?b=1">there</a>.'],
        ),
        ("<p>One.</p><p>Two?</p>", ["One.", "Two?"]),
    ],
)
def test_what_is_no_text_is_not_translated(text: str, asked: list[str]) -> None:
    parts = list(parts_of(text, "en", lambda sentence: [sentence]))
    assert [part.text for part in parts if part.translated] == asked
    assert "".join(part.text for part in parts) == text
