"""Parts that a translation copies: marks in a text, and the parts in their place again."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nlpkit.language.copied import MARKS, hidden, hidden_in_both, shown

PARTS = [
    "https://exemplo.com/a?b=1",
    "ana@exemplo.com",
    "<b>",
    "</p>",
    "&nbsp;",
    "&#8217;",
    "%(name)s",
    "%d",
    "{count}",
    "${user.name}",
    "`git push`",
    "1.234,56",
    "12:30",
    "31/12/2024",
    "2.0.1",
    "😀",
    "👩‍💻👍🏽",
    "世界 日本",
    "שלום",
]
# Texts of words, parts and marks, so that every pattern occurs often.
MIXED = st.lists(
    st.sampled_from([*PARTS, *MARKS, "casa", " ", "7", ",", "\n"]) | st.text(max_size=5)
)


def without_marks(text: str) -> str:
    return "".join(char for char in text if char not in MARKS)


@given(words=MIXED)
def test_shown_is_the_inverse_of_hidden(words: list[str]) -> None:
    text = "".join(words)
    seen, parts = hidden(text)
    assert shown(seen, parts) == without_marks(text)
    assert len(parts) <= len(MARKS)
    assert [char for char in seen if char in MARKS] == [*MARKS[: len(parts)]]


@pytest.mark.parametrize("part", PARTS)
def test_each_kind_of_part_is_hidden(part: str) -> None:
    assert hidden(f"Veja {part} aqui") == (f"Veja {MARKS[0]} aqui", [part])


@pytest.mark.parametrize(
    "text", ["1 casa, 2 casas", "a < b e c > d", "100", "R$", "50% de 3", "`", "{}"]
)
def test_what_only_looks_like_a_part_stays(text: str) -> None:
    seen, parts = hidden(text)
    assert parts == [each for each in ("100", "50") if each in text]
    assert shown(seen, parts) == text


def test_more_parts_than_marks_stay_as_they_are() -> None:
    numbers = [f"{n}{n}" for n in range(10, 10 + len(MARKS) + 3)]
    seen, parts = hidden(" e ".join(numbers))
    assert parts == numbers[: len(MARKS)]
    assert seen.endswith(" e ".join(["", *numbers[len(MARKS) :]]))
    one, other = hidden_in_both(" ".join(numbers), " ".join(numbers))
    assert one == other == " ".join([*MARKS, *numbers[len(MARKS) :]])


def test_marks_without_a_part_are_left_out() -> None:
    assert shown(f"a {MARKS[1]} b {MARKS[0]}{MARKS[0]}", ["x1"]) == "a  b x1x1"
    assert shown(f"{MARKS[5]}", []) == ""


def test_numbers_are_equal_in_other_separators() -> None:
    source, target = hidden_in_both("It costs 1,234.56 on 12/31.", "Custa 1.234,56 em 31/12.")
    assert (source, target) == (f"It costs {MARKS[0]} on 12/31.", f"Custa {MARKS[0]} em 31/12.")


def test_only_parts_of_both_texts_are_hidden() -> None:
    source = "See http://a.com and 42 {x}."
    target = "Veja 42 e {x}, 99."
    assert hidden_in_both(source, target) == (
        f"See http://a.com and {MARKS[0]} {MARKS[1]}.",
        f"Veja {MARKS[0]} e {MARKS[1]}, 99.",
    )


def test_a_part_twice_has_two_marks_and_order_may_differ() -> None:
    assert hidden_in_both("10 <b> 10 20", "20 10 <b> 10") == (
        f"{MARKS[0]} {MARKS[1]} {MARKS[2]} {MARKS[3]}",
        f"{MARKS[3]} {MARKS[0]} {MARKS[1]} {MARKS[2]}",
    )
    assert hidden_in_both("10 10", "10") == (f"{MARKS[0]} 10", MARKS[0])


@given(source=MIXED, target=MIXED)
def test_pair_of_training_gives_back_both_texts(source: list[str], target: list[str]) -> None:
    one, other = hidden_in_both("".join(source), "".join(target))
    marks = [char for char in one if char in MARKS]
    assert marks == [*MARKS[: len(marks)]], "the marks of a source are in order"
    assert sorted(char for char in other if char in MARKS) == marks
    _, parts = hidden("".join(source))
    assert len(marks) <= len(parts)
