"""Chains of preprocessing steps in one process, behind the step commands, `pipe` and recipes.

clean = nlpkit.pipeline("clean --for reviews | tokenize", "stopwords")
clean(["A comida estava ótima!"])   # one result for each text
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nlpkit.errors import UsageError
from nlpkit.language.words import joined
from nlpkit.settings.links import CHAINED, Link, links_of
from nlpkit.steps import Load, Result, Step, no_models
from nlpkit.text.documents import documents_of
from nlpkit.text.unicode import spans_before, visible


class Pipeline:
    """A chain of steps: a callable from texts to the results of the last step."""

    def __init__(self, links: Sequence[Link], load: Load = no_models) -> None:
        """Build the steps; `load`, such as `zoo.load`, loads the models that they need.

        Raises:
            UsageError: there are no steps, or a step cannot read the result of the one before.
            ModelError, MissingExtra: a step needs a model or an extra that is missing.
        """
        if not links:
            raise UsageError("a pipeline needs at least one step, such as clean")
        for link in links[:-1]:
            if link.gives not in CHAINED:
                raise UsageError(f"{link.name} makes {link.gives} here, so it must come last")
        for link in links:  # `prepare` of every step runs before the first is built
            if prepare := getattr(link.module, "prepare", None):
                prepare(link.options)
        self.links, self.load = tuple(links), load
        self.steps: list[Step] = [link.module.build(link.options, load) for link in links]

    def __reduce__(self) -> tuple[type[Pipeline], tuple[Any, ...]]:
        """Pickle the links, and build the steps again from them, because steps may hold models."""
        return type(self), (self.links, self.load)

    def __call__(self, texts: Iterable[Any]) -> Any:
        """Return a list of one result for each text, in order; for one string, its result.

        `texts` is any iterable, as for `nlpkit.runtime.model.Model.predict`; None and NaN are read
        as the empty text. A result is a string, `Tokens` (a list of strings) or a vector.

        Raises:
            TypeError: a text is something else; the message has its position.
        """
        if isinstance(texts, str):
            return self([texts])[0]
        return self.stages(documents_of(texts))[-1]

    def texts(self, texts: Sequence[Any]) -> list[str]:
        """Return the results as strings, with tokens joined."""
        return [as_text(result) for result in self(list(texts))]

    def with_fields(self, texts: Sequence[str]) -> list[tuple[Result, dict[str, Any]]]:
        """Return the result of each text and the fields (offsets, upos) that the steps add."""
        stages = self.stages(texts)
        added: list[dict[str, Any]] = [{} for _ in texts]
        for stage in stages:
            for fields, result in zip(added, stage, strict=True):
                fields.update(getattr(result, "fields", {}))
        return list(zip(stages[-1], added, strict=True))

    def stages(self, texts: Sequence[str]) -> list[list[Result]]:
        """Return the results of every step: a list for each step, with a result for each text."""
        stages: list[list[Result]] = []
        documents = [joined(text) for text in texts]
        for link, step in zip(self.links, self.steps, strict=True):
            stages.append(_results(link, step, documents))
            documents = [as_text(result) for result in stages[-1]]
        return stages

    def describe(self) -> list[dict[str, Any]]:
        """Return the steps as plain values that `links_of` reads."""
        return [link.describe() for link in self.links]


def _results(link: Link, step: Step, documents: Sequence[str]) -> list[Result]:
    """Run a step; offsets in the results refer to the original documents."""
    if getattr(link.module, "READS_INVISIBLE", False):
        return list(step(documents))
    seen = [visible(document) for document in documents]
    results = list(step(seen))
    for document, normalized, result in zip(documents, seen, results, strict=True):
        if normalized is not document and "offsets" in (fields := getattr(result, "fields", {})):
            fields["offsets"] = spans_before(document, fields["offsets"])
    return results


def as_text(result: Result) -> str:
    """Return a result as the line that the next command of a pipe reads."""
    return result if isinstance(result, str) else str(result)


def pipeline(*steps: str | Mapping[str, Any], load: Load = no_models) -> Pipeline:
    """Build a chain from strings such as "clean --lower | tokenize", or tables with a "name".

    Raises:
        UsageError: a step or an option is unknown.
        ModelError, MissingExtra: a step needs a model or an extra that is missing.
    """
    return Pipeline(links_of(steps), load)
