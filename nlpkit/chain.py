"""Steps in a chain, in one process: the object behind the filters, `nlpkit pipe` and recipes.

clean = nlpkit.pipeline("clean --for reviews | tokenize", "stopwords")
clean(["A comida estava ótima!"])   # one result for each text
"""

from __future__ import annotations

import dataclasses
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import catalog
from nlpkit.errors import InputError, UsageError
from nlpkit.language import spacy_rules
from nlpkit.language.words import joined
from nlpkit.settings import flags
from nlpkit.steps import Result, Tokens


@dataclass(frozen=True)
class Link:
    """One step of a chain: its name and options."""

    name: str
    options: Any

    @property
    def module(self) -> Any:
        return catalog.load("steps", self.name)

    @property
    def gives(self) -> str:
        """What the step makes under its options."""
        told = getattr(self.module, "gives", None)
        return str(told(self.options) if told else self.module.GIVES)

    def outside(self) -> set[str]:
        """Return the options in use that name a file or a model."""
        named = getattr(self.module, "OUTSIDE", ())
        return {name for name in named if getattr(self.options, name)}

    def settled(self) -> dict[str, Any]:
        """Return the name and every option: what a bundle keeps, whatever defaults become."""
        resolve = getattr(self.module, "resolve", None)
        options = resolve(self.options) if resolve else self.options
        values = dataclasses.asdict(options)
        return self._plain({key: value for key, value in values.items() if value is not None})

    def describe(self) -> dict[str, Any]:
        """Return the name and the options that are not the usual ones, as plain values."""
        usual = type(self.options)()
        given = {
            field.name: getattr(self.options, field.name)
            for field in dataclasses.fields(self.options)
            if getattr(self.options, field.name) != getattr(usual, field.name)
        }
        return self._plain(given)

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Any]:
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"name": self.name} | lists


class Pipeline:
    """A chain of steps: called with texts, it returns what the last step makes of each."""

    def __init__(self, links: Sequence[Link]) -> None:
        if not links:
            raise UsageError("a pipeline needs a step, such as clean")
        for link in links[:-1]:
            if link.gives not in ("text", "tokens"):
                raise UsageError(f"{link.name} makes {link.gives} here, so it must come last")
        if any(getattr(link.options, "engine", None) == "spacy" for link in links):
            spacy_rules.LEAN = False  # a person's own pipeline may need what a tokenizer does not
        self.links = tuple(links)
        self.steps = [link.module.build(link.options) for link in links]

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

    def told(self, texts: Sequence[str]) -> list[tuple[Result, dict[str, Any]]]:
        """Return each text's result, and what any step told of its tokens (offsets, upos)."""
        stages = self.stages(texts)
        known: list[dict[str, Any]] = [{} for _ in texts]
        for stage in stages:
            for fields, result in zip(known, stage, strict=True):
                fields.update(getattr(result, "fields", {}))
        return list(zip(stages[-1], known, strict=True))

    def stages(self, texts: Sequence[str]) -> list[list[Result]]:
        """Return what each step made of the texts, the last step's results last."""
        made: list[list[Result]] = []
        documents = [joined(text) for text in texts]
        for step in self.steps:
            made.append(list(step(documents)))
            documents = [as_text(result) for result in made[-1]]
        return made

    def describe(self) -> list[dict[str, Any]]:
        """Return the steps as plain values, which `links_of` reads."""
        return [link.describe() for link in self.links]


def as_text(result: Result) -> str:
    """Return a result as the line that the next command would read."""
    return result if isinstance(result, str) else str(result)


def pipeline(*steps: str | Mapping[str, Any]) -> Pipeline:
    """Make a chain from strings such as "clean --lower | tokenize", or tables with a "name".

    Raises:
        UsageError: there is no such step or option.
        ModelError, MissingExtra: a step needs what is not there.
    """
    return Pipeline(links_of(steps))


def links_of(steps: Sequence[Any]) -> list[Link]:
    """Return the links of strings and tables, checked but not built; raises UsageError."""
    links: list[Link] = []
    for step in steps:
        if isinstance(step, str):
            links += _parsed(step)
        elif isinstance(step, Mapping) and isinstance(step.get("name"), str):
            links.append(_link(step["name"], _values(step)))
        else:
            raise UsageError(f"{step!r}: write a step as 'clean --lower', or a table with a name")
    return links


def in_language(links: Sequence[Link], lang: str) -> list[Link]:
    """Return the links with a language for each step that was given none; raises UsageError."""
    return [
        _link(link.name, _values(link.describe()) | {"lang": lang})
        if getattr(link.options, "lang", lang) == getattr(type(link.options), "lang", lang)
        and hasattr(link.options, "lang")
        else link
        for link in links
    ]


def _values(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key != "name"}


def _parsed(text: str) -> list[Link]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as problem:
        raise UsageError(f"{text!r}: {problem}; check the quotes") from None
    links: list[Link] = []
    start = 0
    for place in [*(n for n, word in enumerate(words) if word == "|"), len(words)]:
        part = words[start:place]
        if not part:
            raise UsageError(f"{text!r}: a step is missing beside a |")
        name = part[0]
        links.append(_link(name, flags.parse(catalog.load("steps", name).Options, part[1:], name)))
        start = place + 1
    return links


def _link(name: str, values: Mapping[str, Any]) -> Link:
    options = catalog.load("steps", name).Options
    names = {flag.name: flag.field for flag in flags.flags_of(options)}
    fields = {names.get(key.replace("_", "-"), key): value for key, value in values.items()}
    return Link(name, flags.build(options, fields, name))


def read(path: str) -> list[Link]:
    """Return the links of a TOML file: `steps = ["clean --lower", {name = "tokenize"}]`.

    Raises:
        InputError: the file cannot be read or is not TOML.
        UsageError: it has no steps, or there is no such step or option.
    """
    try:
        tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise InputError(f"{path}: not valid TOML: {problem}") from None
    steps = tree.get("steps")
    if not isinstance(steps, list) or not steps:
        raise UsageError(f'{path}: has no steps; write steps = ["clean", "tokenize"]')
    try:
        return links_of(steps)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from None


__all__ = ["Link", "Pipeline", "Tokens", "links_of", "pipeline", "read"]
