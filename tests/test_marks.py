"""Marks of parts that are copied: each is written once, even if the network forgets it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings, strategies as st
from writing_helpers import copier

from nlpkit.runtime.choosing import Sampler
from nlpkit.runtime.writing import Manner


@pytest.mark.parametrize("beams", (1, 3))
@pytest.mark.parametrize(
    "script",
    [
        "são",  # forgets both
        "\x0e e \x0e",  # repeats one
        "\x0f \x0e \x10 \x11",  # invents two
    ],
)
def test_each_mark_is_written_once(script: str, beams: int) -> None:
    model = copier(script)
    (answer,) = model.task.write(model, ["são 35 de 10/12"], [0], Manner(longest=20, beams=beams))
    assert answer.text.count("35") == answer.text.count("10/12") == 1


@settings(max_examples=40)
@given(
    script=st.lists(st.sampled_from([*"\x0e\x0f\x10\x11", "casa", " ", ","]), max_size=8),
    numbers=st.lists(st.integers(10, 999), max_size=4),
    longest=st.integers(4, 20),
    chance=st.booleans(),
)
def test_no_part_is_lost_or_repeated(
    script: list[str], numbers: list[int], longest: int, chance: bool
) -> None:
    model = copier("".join(script))
    document = "casa " + " e ".join(f"<b{n}>" for n in numbers)
    sampler = Sampler(temperature=5.0) if chance else None
    manner = Manner(longest=longest, sampler=sampler)
    (answer,) = model.task.write(model, [document], [0], manner)
    parts = [f"<b{n}>" for n in numbers]
    assert sorted(re.findall(r"<b\d+>", answer.text)) == sorted(parts)
