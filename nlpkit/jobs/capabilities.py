"""Test a model by capability, on sentences from templates (CheckList, Ribeiro et al. 2020)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlpkit.answers import Label
from nlpkit.capabilities.cases import Case, cases
from nlpkit.capabilities.sheet import Sheet, read, shipped
from nlpkit.errors import InputError, UsageError, near_match
from nlpkit.runtime.model import Model


@dataclass(frozen=True)
class Failure:
    """A failed test and the label of each of its texts."""

    case: Case
    answers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the text, its label and those expected; or the first texts that differ."""
        texts = self.case.texts
        shown = {"language": self.case.language, "text": texts[0], "label": self.answers[0]}
        if self.case.labels:
            return {**shown, "expected": list(self.case.labels)}
        other = next(n for n, label in enumerate(self.answers) if label != self.answers[0])
        return {**shown, "but_text": texts[other], "but_label": self.answers[other]}


@dataclass
class Tally:
    """The tests of a capability, as counts by language, and those that failed."""

    tests: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failures: list[Failure] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values; the failures are left to the report."""
        failed = {
            name: sum(failure.case.language == name for failure in self.failures)
            for name in self.tests
        }
        return {
            **_rate(sum(self.tests.values()), len(self.failures)),
            "languages": {name: _rate(count, failed[name]) for name, count in self.tests.items()},
        }


@dataclass(frozen=True)
class Report:
    """The failure rates of a model, by capability."""

    model: str
    provider: str
    tallies: dict[str, Tally]

    @property
    def failure_rate(self) -> float:
        """The mean of the capabilities' rates, so that each counts alike."""
        rates = [tally.to_dict()["failure_rate"] for tally in self.tallies.values()]
        return float(sum(rates) / len(rates))

    def to_dict(self, *, failures: bool = False) -> dict[str, Any]:
        """Return plain values; with `failures`, each failed test too."""
        capabilities: dict[str, Any] = {}
        for name, tally in self.tallies.items():
            capabilities[name] = tally.to_dict()
            if failures:
                capabilities[name]["failures"] = [each.to_dict() for each in tally.failures]
        return {
            "model": self.model,
            "provider": self.provider,
            "failure_rate": self.failure_rate,
            "capabilities": capabilities,
        }


def read_sheets(paths: Sequence[str], language: str = "") -> list[Sheet]:
    """Return the sheets of the files, or those of the package, in one language or in all.

    Raises:
        InputError: a file cannot be read, or something in it is wrong.
        UsageError: no sheet is in the language.
    """
    sheets = [read(path) for path in (map(Path, paths) if paths else shipped())]
    chosen = [sheet for sheet in sheets if language in ("", sheet.language)]
    if not chosen:
        known = sorted({sheet.language for sheet in sheets if sheet.language})
        theirs = f"are in {', '.join(known)}" if known else "name no language; leave --lang out"
        raise UsageError(f"--lang {language}: the templates {theirs}")
    return chosen


def evaluate(model: Model, sheets: Sequence[Sheet]) -> Report:
    """Test a model.

    Raises:
        UsageError: the model does not answer with labels, or lacks one that a template expects.
        InputError: the templates give no sentence.
    """
    _check_labels(model, sheets)
    tests = [case for sheet in sheets for case in cases(sheet)]
    if not tests:
        raise InputError("the templates give no sentence; fill in their texts")
    answers = iter(model.predict([text for case in tests for text in case.texts]))
    tallies: dict[str, Tally] = {}
    for case in tests:
        labels = tuple(getattr(next(answers), "label", "") for _ in case.texts)
        tally = tallies.setdefault(case.capability, Tally())
        tally.tests[case.language] += 1
        if case.fails(labels):
            tally.failures.append(Failure(case, labels))
    return Report(model.name, model.provider, tallies)


def _check_labels(model: Model, sheets: Sequence[Sheet]) -> None:
    if not issubclass(model.task.answers, Label):
        raise UsageError(f"{model.name} gives no labels; --capabilities tests classifiers")
    expected = {label for sheet in sheets for group in sheet.groups for label in group.labels}
    if missing := sorted(expected - set(model.task.labels)):
        near = near_match(missing[0], model.task.labels)
        raise UsageError(
            f"{model.name} has no label {missing[0]!r}, which the templates expect.{near} Its "
            f"labels are: {', '.join(model.task.labels)}. --templates FILE tests with your own"
        )


def _rate(tests: int, failures: int) -> dict[str, Any]:
    return {"tests": tests, "failures": failures, "failure_rate": failures / tests}
