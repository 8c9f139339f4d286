"""Summarise documents by sentences of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from nlpkit.answers.summary import Summary
from nlpkit.errors import UsageError
from nlpkit.jobs.generate import writer_of
from nlpkit.language.detect import Lang
from nlpkit.runtime.model import Model, Tally
from nlpkit.summarizing.extract import Extractor
from nlpkit.tasks import Columns

SENTENCES = 3  # most sentences of a summary if neither a number nor a share is given


class Task:
    """The answers of an extract, and the field that it reads."""

    answers = Summary
    columns = Columns()


@dataclass(frozen=True)
class Extracts:
    """A model without a network, whose answers are sentences of the documents."""

    extractor: Extractor
    tally: Tally = field(default_factory=Tally)
    name: ClassVar[str] = "extract"
    provider: ClassVar[str] = "CPU"
    budget: ClassVar[int] = 0  # tokens in a batch of a network
    task: ClassVar[type[Task]] = Task

    def encode(self, documents: Sequence[str]) -> list[list[str]]:
        """Return the sentences of each document's summary."""
        return self.extractor(documents)

    def answer(self, documents: Sequence[str], summaries: list[list[str]]) -> list[Summary | None]:
        """Return the summary of each document; None for a blank one."""
        return [Summary(" ".join(sentences)) if sentences else None for sentences in summaries]


def extracts(lang: Lang, sentences: int | None, ratio: str | None) -> Extracts:
    """Return a model whose summaries have at most so many sentences, or a share such as "20%".

    Raises:
        UsageError: both are given, or one is out of its bounds.
    """
    if sentences is not None and ratio is not None:
        raise UsageError("--sentences and --ratio exclude each other; leave one out")
    if sentences is not None and sentences < 1:
        raise UsageError(f"--sentences {sentences}: a summary has at least 1 sentence")
    share = None if ratio is None else share_of(ratio)
    return Extracts(Extractor(lang=lang, sentences=sentences or SENTENCES, ratio=share))


def titles(model: Model) -> Model:
    """Return a model that writes summaries.

    Raises:
        ModelError: it writes no texts from sources.
    """
    return writer_of(model, Summary, source=True)


def share_of(ratio: str) -> float:
    """Return a share such as "20%" or "0.2" as a number above 0, at most 1.

    Raises:
        UsageError: it is something else.
    """
    number, percent, rest = ratio.strip().partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share <= 1:
        raise UsageError(f"--ratio {ratio}: give a share of the sentences, such as 20% or 0.2")
    return share
