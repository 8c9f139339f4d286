"""Entities as people store them: tags of words and spans of characters."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nlpkit.errors import InputError
from nlpkit.language.bio import Mention, mentions, tags_of, unnameable, without_overlaps
from nlpkit.records import Source, read, write
from nlpkit.text.simple import first_tokens, spans, word_spans, words

WORDS = ["Ana", "de", "Sá", "mora", "em", "Itu"]
TEXT = " ".join(WORDS)
ANA, ITU = Mention(0, 9, "PER"), Mention(18, 21, "LOC")


@pytest.mark.parametrize(
    "tags",
    [
        ["B-PER", "I-PER", "I-PER", "O", "O", "B-LOC"],
        ["I-PER", "I-PER", "I-PER", "O", "O", "I-LOC"],  # IOB1
        ["PER", "PER", "PER", "O", "O", "LOC"],  # IO
        ["B-PER", "I-PER", "E-PER", "O", "O", "S-LOC"],  # BIOES
        ["B-PER", "I-PER", "L-PER", "_", "", "U-LOC"],  # BILOU
    ],
)
def test_tags_of_every_scheme_are_read(tags: list[str]) -> None:
    assert mentions(tags, WORDS) == [ANA, ITU]


def test_neighbours_of_one_type_stay_two() -> None:
    tags = ["B-PER", "B-PER", "I-PER", "I-LOC", "O", "O"]
    assert mentions(tags, WORDS) == [(0, 3, "PER"), (4, 9, "PER"), (10, 14, "LOC")]


@pytest.mark.parametrize(
    "value",
    [
        [[0, 9, "PER"], [18, 21, "LOC"]],  # Doccano
        [{"start": 18, "end": 21, "labels": ["LOC"]}, {"start": 0, "end": 9, "labels": ["PER"]}],
        [
            {"start_offset": 0, "end_offset": 9, "label": "PER"},
            {"start": 18, "end": 21, "type": "LOC"},
        ],
        '[[0, 9, "PER"], [18, 21, "LOC"]]',
    ],
)
def test_spans_of_every_tool_are_read(value: Any) -> None:
    assert mentions(value, TEXT) == [ANA, ITU]


def test_types_are_renamed_and_left_out() -> None:
    spans_given = [[0, 9, "PESSOA"], [18, 21, "OBRA"]]
    assert mentions(spans_given, TEXT, {"PESSOA": "PER", "OBRA": ""}) == [ANA]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["O"] * 5, "5 tags for 6 words"),
        (7, "not int"),
        ("{", "not JSON"),
        ([[0, 9]], "no span"),
        ([[0, 99, "PER"]], "not in the text of 21 characters"),
        ([[5, 5, "PER"]], "span 5 to 5"),
        ([["0", 9, "PER"]], "integers"),
        ([[True, 9, "PER"]], "integers"),
        ([{"start": 0, "end": 9}], "type is a text"),
    ],
)
def test_what_is_neither_is_refused(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mentions(value, WORDS)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from("AB"))))
def test_mentions_never_overlap(drawn: list[tuple[int, int, str]]) -> None:
    kept = without_overlaps(Mention(start, start + size, kind) for start, size, kind in drawn)
    assert all(one.end <= two.start for one, two in itertools.pairwise(kept))


@given(st.text("ab-.é\u0301 \n", max_size=30))
def test_words_are_where_their_spans_say(text: str) -> None:
    assert [text[start:end] for start, end in spans(text)] == words(text)
    assert "".join(words(text)) == "".join(text.split())


@given(st.lists(st.sampled_from(["Ana", "é", "A-B", "3,5", "."]), min_size=1), st.data())
def test_tags_and_mentions_are_inverse(tokens: list[str], data: Any) -> None:
    text = " ".join(tokens)
    bounds = spans(text)
    first = data.draw(st.integers(0, len(bounds) - 1))
    last = data.draw(st.integers(first, len(bounds) - 1))
    found = [Mention(bounds[first][0], bounds[last][1], "PER")]
    tags = tags_of(found, bounds)
    assert mentions(tags, [text[a:b] for a, b in bounds])[0].type == "PER"
    assert sum(tag != "O" for tag in tags) == last - first + 1


def test_conll_is_read_and_written() -> None:
    content = "-DOCSTART- O\n\nAna NNP B-PER\nmora V O\n\n\nItu\tB-LOC\n"
    source = Source("file", column="tokens")
    records = list(read(io.BytesIO(content.encode()), "conll", source))
    assert [record["tokens"] for record in records] == [["Ana", "mora"], ["Itu"]]
    assert records[0]["tags"] == ["B-PER", "O"]
    output = io.StringIO()
    answered = [{"frase": "Ana, de Itu", "entities": [{"start": 8, "end": 11, "type": "LOC"}]}]
    source.layout.text = "frase"
    write(answered, output, "conll", source.layout)
    assert output.getvalue() == "Ana\tO\n,\tO\nde\tO\nItu\tB-LOC\n\n"


def test_a_conll_line_without_a_tag_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match="file:2: 'mora' has no tag"):
        list(read(io.BytesIO(b"Ana B-PER\nmora\n"), "conll", Source("file")))


def test_conll_is_written_as_it_was_read_and_a_bad_sentence_is_refused_alone() -> None:
    content = "R$ B-VALUE\n1.299,90 I-VALUE\n\nruim\nAna B-PER\n\nItu B-LOC\n\n"
    refused: list[tuple[int, str]] = []
    source = Source("file", reject=lambda line, raw, why: refused.append((line, why)))
    records = list(read(io.BytesIO(content.encode()), "conll", source))
    assert records[0]["entities"] == [
        {"start": 0, "end": 11, "type": "VALUE", "text": "R$ 1.299,90"}
    ]
    assert [line for line, _ in refused] == [4]
    output = io.StringIO()
    write(records, output, "conll", source.layout)
    assert output.getvalue() == "R$\tB-VALUE\n1.299,90\tI-VALUE\n\nItu\tB-LOC\n\n"


def test_conll_with_comments_numbers_and_spaces_in_words() -> None:
    numbered = "# sent_id = s7\n1\tEva\tB-PER\t-\t-\n2\tmora\tO\t-\t-\n"
    content = f"{numbered}\n# O\nNova York\tB-LOC\n"
    records = list(read(io.BytesIO(content.encode()), "conll", Source("file")))
    assert [record["tokens"] for record in records] == [["Eva", "mora"], ["#", "Nova York"]]
    assert [record["tags"] for record in records] == [["B-PER", "O"], ["O", "B-LOC"]]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=12))
def test_the_longer_of_two_overlapping_mentions_stays(bounds: list[tuple[int, int]]) -> None:
    every = [Mention(start, start + length, "PER") for start, length in bounds]
    chosen: list[Mention] = []
    for each in sorted(every, key=lambda each: (each.start - each.end, each.start)):
        if all(each.end <= other.start or other.end <= each.start for other in chosen):
            chosen.append(each)
    assert without_overlaps(every) == sorted(chosen)


def test_a_token_without_characters_ends_no_word() -> None:
    offsets = np.array([[0, 2], [2, 3], [4, 4], [4, 5]])  # "Ana", a lone space, "."
    first = first_tokens("Ana .", offsets)
    assert first == [0, 3]
    assert word_spans(offsets, first) == [(0, 3), (4, 5)]


def test_links_addresses_users_emoji_and_negations_are_in_no_name() -> None:
    text = "Ana Sá https://t.co/x 😡 ana@b.co @Vivo Don't can’t Itu"
    barred = unnameable(text, spans(text))
    assert {
        text[start:end] for row, (start, end) in enumerate(spans(text)) if row not in barred
    } == {
        "Ana",
        "Sá",
        "Itu",
    }
    assert unnameable("Ana Sá", [(0, 3), (4, 6)]) == []
