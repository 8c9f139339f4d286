"""Turn the settings of a step into command-line flags and parse them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from nlpkit.errors import UsageError, near_match
from nlpkit.settings import declaration


@dataclass(frozen=True)
class Flag:
    """One setting as a flag: its field, its name without `--`, its type, default and help.

    `hint` is the field's type without None.
    """

    field: str
    name: str
    hint: Any
    default: Any
    help: str

    @property
    def switch(self) -> bool:
        """Whether the flag is --name or --no-name and takes no value."""
        return self.hint is bool

    @property
    def repeated(self) -> bool:
        """Whether the flag may be given several times."""
        return get_origin(self.hint) is tuple


def flags_of(options: type) -> list[Flag]:
    """Return the flags of an options dataclass, in the order of its fields."""
    hints = get_type_hints(options)
    return [
        Flag(
            field=field.name,
            name=field.metadata.get("flag") or field.name.replace("_", "-"),
            hint=_without_none(hints[field.name]),
            default=field.default,
            help=field.metadata.get("help", ""),
        )
        for field in dataclasses.fields(options)
    ]


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def parse(options: type, words: Sequence[str], where: str) -> dict[str, Any]:
    """Parse `--flag value` words into a dictionary from fields to plain values.

    `where` is the step's name in messages.

    Raises:
        UsageError: a flag is unknown, or its value is missing or wrong.
    """
    known = {flag.name: flag for flag in flags_of(options)}
    values: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        off = name.startswith("no-") and name not in known
        flag = known.get(name.removeprefix("no-") if off else name)
        if not word.startswith("--") or flag is None or (off and not flag.switch):
            shown = [f"--{name}" for name in known]
            raise UsageError(
                f"{where}: unknown option {word!r}.{near_match(word, shown)} "
                f"There are: {', '.join(shown)}"
            )
        if flag.switch:
            if equals:
                raise UsageError(
                    f"{where}: --{flag.name} takes no value; --no-{flag.name} turns it off"
                )
            values[flag.field] = not off
            continue
        if not equals:
            if not rest:
                raise UsageError(f"{where}: --{flag.name} needs a value")
            value = rest.pop(0)
        plain = _plain(value, flag)
        values[flag.field] = [*values.get(flag.field, []), plain] if flag.repeated else plain
    return values


def _plain(value: str, flag: Flag) -> Any:
    kind = get_args(flag.hint)[0] if flag.repeated else flag.hint
    if kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            raise UsageError(f"--{flag.name} {value}: must be a number") from None
    return value


def build(options: type, values: Mapping[str, Any], where: str, *, flags: bool = True) -> Any:
    """Build an options dataclass from plain values.

    With `flags`, messages name an option by its flag; otherwise by its key in a table.

    Raises:
        UsageError: a key or value is wrong; the message lists every problem.
    """
    problems: list[str] = []
    names = {flag.field: flag.name for flag in flags_of(options)} if flags else None
    built = declaration.build(options, values, where, problems, names)
    if problems:
        raise UsageError("; ".join(problems))
    return built


def shown(default: Any) -> str:
    """Format a default for help; "" for None, False and empty values."""
    if default in (None, (), False, ""):
        return ""
    return "on" if default is True else str(default)


def choices(hint: Any) -> tuple[str, ...]:
    """Return the allowed values of a Literal; () for any other type."""
    return get_args(hint) if get_origin(hint) is Literal else ()
