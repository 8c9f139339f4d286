"""Steps in a chain, in one process: the object behind the filters, `nlpkit pipe` and recipes.

clean = nlpkit.pipeline("clean --for reviews | tokenize", "stopwords")
clean(["A comida estava ótima!"])   # one result for each text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nlpkit.errors import UsageError
from nlpkit.language.words import joined
from nlpkit.settings.links import CHAINED, Link, links_of
from nlpkit.steps import Load, Result, Step, no_models
from nlpkit.text.unicode import spans_before, visible


class Pipeline:
    """A chain of steps: called with texts, it returns the last step's result for each."""

    def __init__(self, links: Sequence[Link], load: Load = no_models) -> None:
        """Build the steps; those that ask a model get it from `load`, which is `zoo.load`.

        Raises:
            UsageError: there are no steps, or a step cannot read what the one before it makes.
            ModelError, MissingExtra: a step needs a model or an extra that is missing.
        """
        if not links:
            raise UsageError("a pipeline needs a step, such as clean")
        for link in links[:-1]:
            if link.gives not in CHAINED:
                raise UsageError(f"{link.name} makes {link.gives} here, so it must come last")
        for link in links:  # all of them before the first is built
            if prepare := getattr(link.module, "prepare", None):
                prepare(link.options)
        self.links = tuple(links)
        self.steps: list[Step] = [link.module.build(link.options, load) for link in links]

    def __call__(self, texts: Sequence[str] | str) -> Any:
        """Return one result for each text, in order; for one string, its result.

        A result is a string, `Tokens` (a list of strings) or a vector.
        """
        if isinstance(texts, str):
            return self([texts])[0]
        return self.stages(texts)[-1]

    def texts(self, texts: Sequence[Any]) -> list[str]:
        """Return the results as strings, tokens joined."""
        return [as_text(result) for result in self(list(texts))]

    def with_fields(self, texts: Sequence[str]) -> list[tuple[Result, dict[str, Any]]]:
        """Return each text's result, with the fields (offsets, upos) that the steps add."""
        stages = self.stages(texts)
        added: list[dict[str, Any]] = [{} for _ in texts]
        for stage in stages:
            for fields, result in zip(added, stage, strict=True):
                fields.update(getattr(result, "fields", {}))
        return list(zip(stages[-1], added, strict=True))

    def stages(self, texts: Sequence[str]) -> list[list[Result]]:
        """Return the results of every step, each a list with one result for a text."""
        stages: list[list[Result]] = []
        documents = [joined(text) for text in texts]
        for link, step in zip(self.links, self.steps, strict=True):
            stages.append(_results(link, step, documents))
            documents = [as_text(result) for result in stages[-1]]
        return stages

    def describe(self) -> list[dict[str, Any]]:
        """Return the steps as plain values, which `links_of` reads."""
        return [link.describe() for link in self.links]


def _results(link: Link, step: Step, documents: Sequence[str]) -> list[Result]:
    """Return a step's results; offsets point into the documents before `visible`."""
    if getattr(link.module, "READS_INVISIBLE", False):
        return list(step(documents))
    seen = [visible(document) for document in documents]
    results = list(step(seen))
    for document, other, result in zip(documents, seen, results, strict=True):
        if other is not document and "offsets" in (known := getattr(result, "fields", {})):
            known["offsets"] = spans_before(document, known["offsets"])
    return results


def as_text(result: Result) -> str:
    """Return a result as the line that the next command would read."""
    return result if isinstance(result, str) else str(result)


def pipeline(*steps: str | Mapping[str, Any], load: Load = no_models) -> Pipeline:
    """Make a chain from strings such as "clean --lower | tokenize", or tables with a "name".

    Raises:
        UsageError: there is no such step or option.
        ModelError, MissingExtra: a step needs a model or an extra that is missing.
    """
    return Pipeline(links_of(steps), load)
