"""The parts of a report: dates, shares, changes, words, aspects, quotes."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nlpkit.answers import Label
from nlpkit.reporting import aspects, contrast, dates, quotes, report
from nlpkit.reporting.aspects import Mention
from nlpkit.reporting.report import Parts, Row
from nlpkit.reporting.shares import changes, shares

THIRD = date(2025, 11, 3)
DAYS = st.dates(date(1971, 1, 1), date(2068, 12, 31))
COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 5000), min_size=1)


@pytest.mark.parametrize(
    "cell",
    [
        *("03/11/2025", "3/11/25", "03-11-2025 14:30", "03.11.2025", "2025/11/3", "20251103"),
        *("2025-11-03T10:00:00Z", "3 de novembro de 2025", "3 NOV 2025", "3 nov. 2025"),
        *("segunda-feira, 3 de novembro de 2025", "seg, 03/11/2025", "Nov 3, 2025", " 3-nov-25 "),
        *("Monday, November 3rd, 2025", "2025-11-03 00:00:00", datetime(2025, 11, 3, 9), THIRD),
        *(45964, 45964.5, "45964", 1762171200, "1762171200000", 1762171200.0, 20251103),
    ],
)
def test_dates_as_people_write_them(cell: object) -> None:
    assert dates.read(cell) == THIRD


@pytest.mark.parametrize("cell", ["novembro de 2025", "nov/2025", "11/2025", "2025-11", "nov. 25"])
def test_a_month_is_its_first_day(cell: str) -> None:
    assert dates.read(cell) == date(2025, 11, 1)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        "31/02/2025",
        "13/13/2025",
        "ontem",
        "12",
        None,
        True,
        float("nan"),
        "99/99/9999",
        [],
    ],
)
def test_what_is_no_date_is_none(cell: object) -> None:
    assert dates.read(cell) is None


@given(day=DAYS, form=st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d.%m.%y", "%d-%m-%Y 08:15"]))
def test_dates_written_with_numbers_are_read_back(day: date, form: str) -> None:
    if form != "%d.%m.%y" or 1970 <= day.year < 2070:
        assert dates.read(day.strftime(form)) == day


@given(days=st.lists(DAYS, min_size=1, max_size=20))
def test_every_day_has_its_period(days: list[date]) -> None:
    unit = dates.unit_for(days)
    found = dates.periods(days, unit)
    assert {dates.period(day, unit) for day in days} <= set(found)
    assert found == sorted(set(found))
    assert len({dates.named(day, unit) for day in found}) == len(found)
    assert unit == "year" or len(found) <= 33


@given(counts=COUNTS, errors=st.one_of(st.none(), st.floats(0, 1)))
def test_shares_sum_to_one_inside_their_intervals(
    counts: dict[str, int], errors: float | None
) -> None:
    found = shares(counts, errors)
    if not sum(counts.values()):
        assert found == {}
        return
    assert sum(one.share for one in found.values()) == pytest.approx(1)
    for label, one in found.items():
        assert 0 <= one.low <= one.share + 1e-9 and one.share - 1e-9 <= one.high <= 1
        plain = shares(counts)[label]
        assert one.high - one.low >= min(plain.high - plain.low, one.high - one.low)


def test_an_interval_covers_the_errors_of_the_model() -> None:
    counts = {"a": 5000, "b": 5000}
    sure, unsure = shares(counts)["a"], shares(counts, 0.25)["a"]
    assert sure.high - sure.low < 0.03 < 0.3 < unsure.high - unsure.low


def test_changes_are_marked_beyond_noise() -> None:
    same, large, few = ((50, 100), (52, 100)), ((100, 1000), (300, 1000)), ((1, 5), (5, 5))
    assert changes([same, large, few]) == [False, True, False]
    assert changes([]) == []
    assert changes([((0, 100), (0, 100)), ((100, 100), (100, 100))]) == [False, False]


def test_noise_is_rarely_marked() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.binomial(200, 0.3, (2, 400)).tolist()
    marked = changes([((a, 200), (b, 200)) for a, b in zip(before, after, strict=True)])
    assert sum(marked) <= 4


def test_contrast_finds_the_words_of_a_group() -> None:
    stop = frozenset(["o", "a", "não", "e"])
    groups = [
        [contrast.terms(f"o produto não funciona {n % 7}", stop) for n in range(40)],
        [contrast.terms(f"a entrega chegou rápido e o produto {n % 7}", stop) for n in range(40)],
    ]
    bad, good = contrast.distinct(groups)
    assert bad[0].text in ("não funciona", "funciona") and bad[0].here == 40
    assert {one.text for one in good} & {"entrega", "chegou", "entrega chegou", "rápido"}
    assert "produto" not in {one.text for one in (*bad, *good)}
    assert contrast.distinct([[], []]) == [[], []]


def test_forms_of_a_term_are_one_aspect() -> None:
    terms = {"Entrega": 8, "entregas": 3, "preço": 5, "preco": 1, "PREÇOS": 2, "botões": 1}
    names = aspects.names(terms | {"botão": 2, "país": 3, "pai": 9})
    assert names["entregas"] == names["Entrega"] == "entrega"
    assert names["preco"] == names["PREÇOS"] == "preço"
    assert names["botões"] == "botão" and names["país"] != names["pai"]


def test_a_misspelling_joins_a_frequent_term_but_a_rhyme_does_not() -> None:
    near = {
        "atendimento": [1, 0, 0],
        "atendimeto": [0.99, 0.1, 0],
        "vela": [0, 1, 0],
        "tela": [0.05, 1, 0],
        "compra": [0, 0, 1],
        "comprador": [0.05, 0, 1],
    }

    def embed(terms: object) -> np.ndarray:
        return np.array([near[term] for term in terms], dtype=float)  # type: ignore[attr-defined]

    counts = {"atendimento": 50, "atendimeto": 2, "tela": 20, "vela": 2, "compra": 30}
    names = aspects.names(counts | {"comprador": 1}, embed)
    assert names["atendimeto"] == "atendimento"
    assert names["vela"] == "vela" and names["comprador"] == "comprador"


@given(text=st.text("ab. !?\n…", max_size=30), data=st.data())
def test_the_sentence_of_a_mention_holds_it(text: str, data: st.DataObject) -> None:
    places = [i for i, char in enumerate(text) if char.isalpha()]
    if places:
        start = data.draw(st.sampled_from(places))
        first, last = aspects.sentence_around(text, start, start + 1)
        assert first <= start < last and text[first:last] == text[first:last].strip()


def row(text: str, label: str | None, day: date | None = None, *values: str) -> Row:
    scores = {"negative": 0.1, "positive": 0.9} if label == "positive" else {}
    answer = Label(label, 0.9, scores or {"negative": 0.9, "positive": 0.1}) if label else None
    return Row(text, answer, day, values)


def parts() -> Parts:
    rows = [row(f"a loja é boa {n}", "positive", date(2025, 1, 5), "sul") for n in range(30)]
    rows += [row(f"a loja é ruim {n}", "negative", date(2025, 3, 5), "norte") for n in range(30)]
    rows += [row("", None, None, "")]
    mentions = [
        Mention(n, 2, 6, "loja", "positive" if n < 30 else "negative", 0.9) for n in range(60)
    ]
    stop = frozenset(["a", "é"])
    labels = ["negative", "positive"]
    return Parts(rows, labels, 0.1, ["store"], mentions, {"loja": "loja"}, stop)


def test_a_report_counts_every_row() -> None:
    values = report.build(parts())
    assert values["texts"] == 61 and values["empty"] == 1
    assert {label: one["texts"] for label, one in values["labels"].items()} == {
        "negative": 30,
        "positive": 30,
    }
    assert [group["value"] for group in values["groups"]["store"]] == ["norte", "sul", ""]
    assert values["groups"]["store"][0]["differs"] == ["negative", "positive"]
    assert values["time"]["undated"] == 1
    periods = values["time"]["periods"]
    assert sum(one["texts"] for one in periods) == 60
    (aspect,) = values["aspects"]
    assert (aspect["texts"], aspect["negative"], aspect["positive"]) == (60, 30, 30)
    assert sum(aspect["trend"]) == 60
    words = values["words"]["labels"]
    assert words["negative"][0]["text"] in ("ruim", "loja ruim")
    assert words["positive"][0]["text"] in ("boa", "loja boa")


def test_a_report_without_dates_or_aspects_says_so() -> None:
    values = report.build(Parts([row("bom", "positive")], ["negative", "positive"]))
    assert values["time"] is None and values["aspects"] is None and values["groups"] == {}


def test_quotes_are_different_texts_of_each_label() -> None:
    whole = parts()
    long = [
        row(f"{one.text}, comprei ontem para a família", one.answer and one.answer.label)
        for one in whole.rows
    ]
    chosen = quotes.choose(long, whole.labels, whole.mentions or (), whole.stop_words)
    for kind in ("surest", "typical"):
        for label, own in chosen[kind].items():
            assert len(own) == len({long[i].text for i in own}) == quotes.EACH
            assert Counter(a.label for i in own if (a := long[i].answer)) == {label: len(own)}
    assert quotes.choose([row("", None)], whole.labels, (), frozenset())["mixed"] == []


def test_quotes_are_sure_and_not_told_twice() -> None:
    rows = [row(f"o atendimento foi muito bom mesmo {n}", "positive") for n in range(8)]
    unsure = Label("positive", 0.55, {"negative": 0.45, "positive": 0.55})
    rows += [Row(f"o atendimento podia ser melhor do que foi {n}", unsure) for n in range(8)]
    chosen = quotes.choose(rows, ["negative", "positive"], (), frozenset())
    surest, typical = chosen["surest"]["positive"], chosen["typical"]["positive"]
    assert len(surest) == len(typical) == quotes.EACH
    assert not set(surest) & set(typical) and max(*surest, *typical) < 8


def test_groups_count_the_texts_that_have_a_label() -> None:
    rows = [row("bom", "positive", None, "a"), row("", None, None, "a"), row("", None, None, "b")]
    values = report.build(Parts(rows, ["negative", "positive"], columns=["v"]))
    assert [(g["value"], g["texts"]) for g in values["groups"]["v"]] == [("a", 1), ("b", 0)]
