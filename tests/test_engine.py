"""The streaming pipeline on threads: order, errors, chunk sizes and shutdown."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import wait_until
from hypothesis import given, settings, strategies as st

from nlpkit.runtime import stream


def test_results_are_ordered_and_the_next_is_computed_ahead() -> None:
    made: list[int] = []

    def work(number: int) -> int:
        made.append(number)
        return number * number

    for place, thing in enumerate(stream.ahead(range(50), work)):
        assert thing == place * place
        wait_until(lambda after=place + 1: after in made or after == 50)
    assert made == list(range(50))


def test_errors_are_raised_after_earlier_results() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("source")

    got = []
    with pytest.raises(ValueError, match="source"):
        for thing in stream.ahead(source(), str):
            got.append(thing)
    assert got == ["1", "2"]

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("work")
        return number

    got = []
    with pytest.raises(ValueError, match="work"):
        for thing in stream.ahead(range(10), work):
            got.append(thing)
    assert got == [0, 1, 2]


def test_closing_early_leaves_no_running_thread() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    before = threading.active_count()
    things = stream.ahead(endless(), str)
    assert next(things) == "0"
    things.close()  # type: ignore[attr-defined]
    wait_until(lambda: threading.active_count() <= before)


@given(
    pauses=st.lists(st.sampled_from([0, 0, 0, 0, 1e-4, 2e-3]), min_size=1, max_size=300),
    slow=st.sampled_from([0, 1e-4]),
    limit=st.integers(1, 20),
)
@settings(max_examples=25)
def test_shelf_returns_each_item_once_and_in_order(
    pauses: list[float], slow: float, limit: int
) -> None:
    """For pauses of producer and consumer that are shorter and longer than the shelf's."""

    def items() -> Iterator[tuple[int, str]]:
        for number, pause in enumerate(pauses * 10):
            if pause and number < len(pauses):
                time.sleep(pause)
            yield number, "x" * (number % 7)

    taken: list[tuple[int, str]] = []
    for chunk in stream.Shelf[int](limit, pause=1e-3).chunks(items()):
        assert 0 < len(chunk) <= limit
        taken += chunk
        time.sleep(slow)
    assert taken == [(number, "x" * (number % 7)) for number in range(len(pauses) * 10)]


def test_chunk_size_grows_when_fast_and_shrinks_when_slow() -> None:
    shelf = stream.Shelf[int](stream.FEWEST)
    for _ in range(20):
        shelf.pace(shelf.limit, 0.001, stream.MOST)
    assert shelf.limit == stream.MOST
    shelf.pace(5, 0.001, stream.MOST)  # a short chunk of a slow producer does not change the limit
    assert shelf.limit == stream.MOST
    for _ in range(20):
        shelf.pace(shelf.limit, 1.0, stream.MOST)
    assert shelf.limit == stream.FEWEST


def test_chunks_of_long_documents_are_small() -> None:
    items = [(number, "x" * (stream.CHUNK_CHARACTERS // 2)) for number in range(7)]
    sizes = [len(chunk) for chunk in stream.chunks(iter(items))]
    assert sum(sizes) == 7
    assert max(sizes) <= 2


@given(texts=st.lists(st.sampled_from(["adorei", "detestei", "", "ok", "adorei"]), max_size=60))
@settings(max_examples=20)
def test_stream_answers_equal_single_predictions(model: Any, texts: list[str]) -> None:
    items: list[tuple[Any, str]] = list(enumerate(texts))
    told = list(stream.answer(model, items, lambda: None))
    assert [(item, text) for item, text, _ in told] == items
    assert [said for *_, said in told] == [model.predict([text])[0] for text in texts]
