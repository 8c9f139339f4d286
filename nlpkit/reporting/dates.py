"""Read dates as people in Brazil write them, and group them by day, week, month, quarter or year.

The day comes before the month: 03/11/2025 is the third of November. Numbers are read as such where
they leave no doubt (2025-11-03, 20251103), and names of months in Portuguese and English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from unicodedata import normalize

Unit = Literal["day", "week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year")
MOST = 24  # periods of a report, about: more are too fine
EPOCH = date(1899, 12, 30)  # day 0 of a workbook's numbers
SERIALS = range(20_000, 80_000)  # days of workbooks: 1954 to 2119
SECONDS = range(10**8, 10**10)  # of Unix time: 1973 to 2286
YEARS = range(1900, 2101)  # others are typing errors, and would spoil the axis of time
HUGE = 1e15  # no number of a date reaches it
PIVOT = 70  # years of two digits from here on are of the last century

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janeiro january",
            "fev fevereiro feb february",
            "mar marco march",
            "abr abril apr april",
            "mai maio may",
            "jun junho june",
            "jul julho july",
            "ago agosto aug august",
            "set setembro sep sept september",
            "out outubro oct october",
            "nov novembro november",
            "dez dezembro dec december",
        ),
        1,
    )
    for name in names.split()
}
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?!\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_MONTH = re.compile(r"(\d{1,2})[-/.](\d{4})$")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:[T ]?\d{4,6})?$")
_NAMED = re.compile(
    r"(?:(\d{1,2})[ºo°]?[\s/.-]*(?:de\s+)?)?([a-z]{3,9})\.?[\s/,.-]*(?:(?:de|do)\s+)?"
    r"(?:(\d{1,2})(?:st|nd|rd|th)?,\s*)?(\d{4}|\d{2})(?!\d)"
)
_WEEKDAY = re.compile(
    r"^(?:segunda|terca|quarta|quinta|sexta|sabado|domingo|seg|ter|qua|qui|sex|sab|dom|mon|tue|wed|"
    r"thu|fri|sat|sun)[a-z]*(?:-feira)?[\s,.]+"
)


def read(value: Any) -> date | None:
    """Return the date of a cell: a text, a number of a workbook or of Unix time, or a date.

    A month alone is its first day. None stands for a cell that holds no date.
    """
    if isinstance(value, date):  # a datetime is one too
        return date(value.year, value.month, value.day) if value.year in YEARS else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(value)) if abs(value) < HUGE else None
    return _text(value) if isinstance(value, str) else None


def _number(value: float) -> date | None:
    if not abs(value) < HUGE:  # also what is no number
        return None
    whole = int(value)
    if whole in YEARS or (len(str(whole)) == 8 and whole // 10_000 in YEARS):
        return _text(str(whole))
    if whole in SERIALS:
        return EPOCH + timedelta(days=whole)
    seconds = value / 1000 if value >= SECONDS.stop else value
    return datetime.fromtimestamp(seconds, UTC).date() if int(seconds) in SECONDS else None


def _text(value: str) -> date | None:
    text = "".join(
        c for c in normalize("NFD", value.strip().lower()) if c < "\u0300" or c > "\u036f"
    )
    text = _WEEKDAY.sub("", text)
    if match := _YEAR_FIRST.match(text):
        return _date(match[1], match[2], match[3] or "1")
    if match := _DAY_FIRST.match(text):
        return _date(match[3], match[2], match[1])
    if match := _MONTH.match(text):
        return _date(match[2], match[1], "1")
    if match := _COMPACT.match(text):
        return _date(*match.groups())
    if (match := _NAMED.match(text)) and match[2] in MONTHS:
        return _date(match[4], str(MONTHS[match[2]]), match[1] or match[3] or "1")
    if re.fullmatch(r"\d{4}", text):
        return _date(text, "1", "1")
    return _number(float(text)) if re.fullmatch(r"\d{5,13}(?:\.\d+)?", text) else None


def _date(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= PIVOT else 2000
    if number not in YEARS:
        return None
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def unit_for(days: Iterable[date]) -> Unit:
    """Return the finest unit that parts days into at most MOST periods, a week at the finest.

    Days that span less than a month are taken one by one.
    """
    first, last = _ends(days)
    span = (last - first).days + 1
    if span <= 31:
        return "day"
    lengths: dict[Unit, float] = {"week": 7, "month": 30.5, "quarter": 91.3}
    return next((unit for unit, length in lengths.items() if span / length <= MOST), "year")


def period(day: date, unit: Unit) -> date:
    """Return the first day of a day's period."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "day":
        return day
    month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[unit]
    return day.replace(month=month, day=1)


def periods(days: Iterable[date], unit: Unit) -> list[date]:
    """Return the first day of each period from the earliest to the latest day, empty ones too."""
    first, last = _ends(days)
    found, day = [period(first, unit)], period(first, unit)
    while day < period(last, unit):
        day = period(
            day + timedelta(days={"day": 1, "week": 7, "month": 31, "quarter": 93}.get(unit, 366)),
            unit,
        )
        found.append(day)
    return found


def named(day: date, unit: Unit) -> str:
    """Return the name of a period by its first day, such as 2025-11 or 2025 Q4."""
    if unit in ("day", "week"):
        return day.isoformat()
    if unit == "quarter":
        return f"{day.year} Q{(day.month + 2) // 3}"
    return f"{day:%Y-%m}" if unit == "month" else str(day.year)


def _ends(days: Iterable[date]) -> tuple[date, date]:
    ordered = sorted(days)
    return ordered[0], ordered[-1]
