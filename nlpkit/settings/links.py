"""Parse the steps of a chain from a string, tables or a TOML file, without building them."""

from __future__ import annotations

import dataclasses
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from nlpkit import catalog
from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.settings import flags

CHAINED = ("text", "tokens")  # results that a following step or a tokenizer can read


@dataclass(frozen=True)
class Link:
    """One step of a chain: its name and an instance of its module's `Options`."""

    name: str
    options: Any

    @property
    def module(self) -> ModuleType:
        """The step's module."""
        return catalog.load("steps", self.name)

    @property
    def gives(self) -> str:
        """The kind of result that the step gives: text, tokens, sentences or vector."""
        gives = getattr(self.module, "gives", None)
        return str(gives(self.options) if gives else self.module.GIVES)

    def outside(self) -> set[str]:
        """Return the names of the options that are set to a file or a model."""
        names = getattr(self.module, "OUTSIDE", ())
        return {name for name in names if getattr(self.options, name)}

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the flag and the name of each file or model that is given."""
        for name in sorted(self.outside()):
            if isinstance(value := getattr(self.options, name), str):
                yield name.strip("_"), value

    def settled(self) -> dict[str, Any]:
        """Return the name and the value of every option that is not None.

        A bundle stores this form, so that a later change of a default does not change its answers.
        """
        resolve = getattr(self.module, "resolve", None)
        options = resolve(self.options) if resolve else self.options
        values = dataclasses.asdict(options)
        return self._plain({key: value for key, value in values.items() if value is not None})

    def describe(self) -> dict[str, Any]:
        """Return the name and the options that differ from their defaults, as plain values."""
        defaults = type(self.options)()
        changed = {
            field.name: getattr(self.options, field.name)
            for field in dataclasses.fields(self.options)
            if getattr(self.options, field.name) != getattr(defaults, field.name)
        }
        return self._plain(changed)

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Any]:
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"name": self.name} | lists


def links_of(steps: Sequence[Any]) -> list[Link]:
    """Parse steps: strings such as "clean --lower | tokenize", or tables with a "name".

    Raises:
        UsageError: a step or an option does not exist.
    """
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
    """Set the language of every step that has a `lang` option and was given none.

    Raises:
        UsageError: a step does not support the language.
    """
    return [
        _link(link.name, _values(link.describe()) | {"lang": lang})
        if getattr(link.options, "lang", lang) == getattr(type(link.options), "lang", lang)
        and hasattr(link.options, "lang")
        else link
        for link in links
    ]


def read(path: str) -> list[Link]:
    """Read a chain from a TOML file: `steps = ["clean --lower", {name = "tokenize"}]`.

    Raises:
        InputError: the file cannot be read or is not TOML.
        UsageError: the file has no steps, or a step or an option does not exist.
    """
    try:
        tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"{quoted(path)}: {problem.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise InputError(f"{quoted(path)}: not valid TOML: {problem}") from None
    steps = tree.get("steps")
    if not isinstance(steps, list) or not steps:
        raise UsageError(f'{path}: has no steps; write steps = ["clean", "tokenize"]')
    try:
        return links_of(steps)
    except UsageError as problem:
        raise UsageError(f"{quoted(path)}: {problem}") from None


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
    for end in [*(n for n, word in enumerate(words) if word == "|"), len(words)]:
        part = words[start:end]
        if not part:
            raise UsageError(f"{text!r}: a step is missing beside a |")
        name = part[0]
        options = catalog.load("steps", name).Options
        links.append(_link(name, flags.parse(options, part[1:], name), written_as_flags=True))
        start = end + 1
    return links


def _link(name: str, values: Mapping[str, Any], *, written_as_flags: bool = False) -> Link:
    options = catalog.load("steps", name).Options
    names = {flag.name: flag.field for flag in flags.flags_of(options)}
    fields = {names.get(key.replace("_", "-"), key): value for key, value in values.items()}
    return Link(name, flags.build(options, fields, name, flags=written_as_flags))
