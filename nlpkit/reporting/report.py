"""The report of many texts as plain values, from their rows and their models' answers.

Legend: rows are texts with a label; a text that stands in several rows counts in each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from nlpkit.answers import Label
from nlpkit.reporting import contrast, dates
from nlpkit.reporting.aspects import Mention
from nlpkit.reporting.shares import Share, changes, shares

VALUES = 20  # most values of a column that are told
ASPECTS = 25  # most aspects
FEWEST = 3  # texts of an aspect
SURE = 0.6  # a score below is unsure
POLARITIES = ("negative", "neutral", "positive")
Pair = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Row:
    """A record: its text, its answer, its date and its values of the columns to compare."""

    text: str
    answer: Label | None
    day: date | None = None
    values: tuple[str, ...] = ()


@dataclass
class Parts:
    """What a report is made of.

    Attributes:
        rows: the records.
        labels: the model's labels.
        errors: its rate of errors on kinds of texts that it was measured on, or None.
        columns: names of the columns to compare.
        mentions: aspects of the rows' texts, whose `text` is the index of a row; None if they were
            not looked for.
        names: the name of the aspect of each term.
        stop_words: words that tell nothing.
    """

    rows: Sequence[Row]
    labels: Sequence[str]
    errors: float | None = None
    columns: Sequence[str] = ()
    mentions: Sequence[Mention] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    stop_words: frozenset[str] = frozenset()


def build(parts: Parts) -> dict[str, Any]:
    """Return the report: labels, groups, time, aspects and words."""
    return {
        "texts": len(parts.rows),
        "empty": sum(row.answer is None for row in parts.rows),
        "unsure": sum(
            row.answer is not None and (row.answer.score or 1) < SURE for row in parts.rows
        ),
        "errors": parts.errors,
        "labels": _shares(parts, parts.rows),
        "groups": {name: _groups(parts, index) for index, name in enumerate(parts.columns)},
        "others": {name: _others(parts, index) for index, name in enumerate(parts.columns)},
        "time": _time(parts),
        "aspects": None if parts.mentions is None else _aspects(parts, parts.mentions),
        "words": _words(parts),
    }


def _counts(labels: Sequence[str], rows: Sequence[Row]) -> dict[str, int]:
    found = Counter(row.answer.label for row in rows if row.answer)
    return {label: found[label] for label in labels}


def _shares(parts: Parts, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    return {
        label: _plain(share)
        for label, share in shares(_counts(parts.labels, rows), parts.errors).items()
    }


def _plain(share: Share) -> dict[str, float]:
    return {name: n if name == "texts" else round(n, 4) for name, n in share._asdict().items()}


def _groups(parts: Parts, index: int) -> list[dict[str, Any]]:
    """Return the values of a column, the most frequent first, and how they differ from the rest."""
    by_value: dict[str, list[Row]] = defaultdict(list)
    for row in parts.rows:
        by_value[row.values[index]].append(row)
    ordered = sorted(by_value, key=lambda value: (-len(by_value[value]), value))
    groups = [
        {
            "value": value,
            "texts": sum(row.answer is not None for row in by_value[value]),
            "labels": _shares(parts, by_value[value]),
        }
        for value in ordered[:VALUES]
    ]
    everything = _counts(parts.labels, parts.rows)
    pairs: list[Pair] = []
    for value in ordered[:VALUES]:
        own = _counts(parts.labels, by_value[value])
        total, whole = sum(own.values()), sum(everything.values())
        pairs += [
            ((everything[label] - own[label], whole - total), (own[label], total))
            for label in parts.labels
        ]
    marks = iter(changes(pairs))
    for group in groups:
        group["differs"] = [label for label in parts.labels if next(marks)]
    return groups


def _others(parts: Parts, index: int) -> dict[str, int]:
    """Return how many values of a column are not told, and their texts."""
    counts = Counter(row.values[index] for row in parts.rows)
    left_out = [count for _, count in counts.most_common()[VALUES:]]
    return {"values": len(left_out), "texts": sum(left_out)}


def _time(parts: Parts) -> dict[str, Any] | None:
    """Return the shares by period; None if no row has a date."""
    days = [row.day for row in parts.rows if row.day]
    if not days:
        return None
    unit = dates.unit_for(days)
    by_period: dict[date, list[Row]] = {day: [] for day in dates.periods(days, unit)}
    for row in parts.rows:
        if row.day:
            by_period[dates.period(row.day, unit)].append(row)
    counts = [_counts(parts.labels, rows) for rows in by_period.values()]
    pairs: list[Pair] = [
        ((before[label], sum(before.values())), (after[label], sum(after.values())))
        for before, after in pairwise(counts)
        for label in parts.labels
    ]
    marks = iter(changes(pairs))
    periods = []
    for number, (day, rows) in enumerate(by_period.items()):
        changed = [label for label in parts.labels if next(marks)] if number else []
        periods.append(
            {
                "period": dates.named(day, unit),
                "texts": sum(row.answer is not None for row in rows),
                "labels": _shares(parts, rows),
                "changed": changed,
            }
        )
    return {"unit": unit, "undated": len(parts.rows) - len(days), "periods": periods}


def _aspects(parts: Parts, mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    """Return the aspects in most texts, with their polarity, trend and best quotes."""
    by_name: dict[str, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_name[parts.names[mention.term]].append(mention)
    texts = {name: {m.text for m in own} for name, own in by_name.items()}
    ordered = sorted(by_name, key=lambda name: (-len(texts[name]), name))
    told = [name for name in ordered if len(texts[name]) >= FEWEST][:ASPECTS]
    days = [row.day for row in parts.rows if row.day]
    trends = _trends(parts, {name: texts[name] for name in told}, days) if days else {}
    found = []
    for name in told:
        own = by_name[name]
        counts = Counter(mention.polarity for mention in own)
        forms = Counter(mention.term.lower() for mention in own)
        found.append(
            {
                "aspect": name,
                "forms": [form for form, _ in forms.most_common(5)],
                "texts": len(texts[name]),
                "mentions": len(own),
                **{polarity: counts[polarity] for polarity in POLARITIES},
                **trends.get(name, {}),
                "quotes": {p: _best(parts, own, p) for p in ("negative", "positive")},
            }
        )
    return found


def _trends(
    parts: Parts, texts: Mapping[str, set[int]], days: Sequence[date]
) -> dict[str, dict[str, Any]]:
    """Return the texts of each aspect by period, and whether its share grew or fell.

    The later half of the dated texts is compared with the earlier one.
    """
    unit = dates.unit_for(days)
    periods = {day: index for index, day in enumerate(dates.periods(days, unit))}
    middle = sorted(days)[len(days) // 2]
    late = sum(day >= middle for day in days)
    trends: dict[str, dict[str, Any]] = {}
    pairs: list[Pair] = []
    for name, own in texts.items():
        counts = [0] * len(periods)
        halves = [0, 0]
        for index in own:
            if day := parts.rows[index].day:
                counts[periods[dates.period(day, unit)]] += 1
                halves[day >= middle] += 1
        trends[name] = {"trend": counts}
        pairs.append(((halves[0], len(days) - late), (halves[1], late)))
    for (name, trend), pair, real in zip(trends.items(), pairs, changes(pairs), strict=True):
        (few, one), (many, two) = pair
        grew = many / max(two, 1) > few / max(one, 1)
        trend["change"] = ("more" if grew else "less") if real else ""
        trends[name] = trend
    return trends


def _best(parts: Parts, own: Sequence[Mention], polarity: str, most: int = 2) -> list[Mention]:
    """Return the surest mentions of a polarity, in different texts that are short enough."""
    chosen: dict[str, Mention] = {}
    for mention in sorted(own, key=lambda m: -m.score):
        text = parts.rows[mention.text].text
        if mention.polarity == polarity and 20 <= len(text) <= 400:
            chosen.setdefault(text, mention)
        if len(chosen) == most:
            break
    return list(chosen.values())


def _words(parts: Parts) -> dict[str, Any]:
    """Return the words that set labels and groups apart."""
    terms = {text: contrast.terms(text, parts.stop_words) for text in {r.text for r in parts.rows}}
    labelled = [
        [terms[row.text] for row in parts.rows if row.answer and row.answer.label == label]
        for label in parts.labels
    ]
    words: dict[str, Any] = {"labels": _told(parts.labels, labelled), "groups": {}}
    for index, name in enumerate(parts.columns):
        counts = Counter(row.values[index] for row in parts.rows)
        values = [value for value, _ in counts.most_common(VALUES)]
        grouped = [
            [terms[row.text] for row in parts.rows if row.values[index] == value]
            for value in values
        ]
        words["groups"][name] = _told(values, grouped)
    return words


def _told(
    names: Sequence[str], groups: Sequence[list[set[str]]]
) -> dict[str, list[dict[str, Any]]]:
    found = contrast.distinct(groups)
    return {
        name: [one._asdict() | {"z": round(one.z, 2)} for one in own]
        for name, own in zip(names, found, strict=True)
    }
