"""Frozen dataclasses as settings: described fields, checked values, near matches, TOML out."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from nlpkit.errors import near_match

Tune = tuple[float, float] | tuple[float, float, Literal["log"]] | list[Any] | None


def setting(
    default: Any,
    text: str,
    low: float | None = None,
    high: float | None = None,
    *,
    flag: str | None = None,
    tune: Tune = None,
) -> Any:
    """A dataclass field with a default, the sentence that help shows, and inclusive bounds.

    `flag` is its name on the command line, where that is a word that Python keeps for itself.
    `tune` is what `nlpkit tune` may make of it: (low, high), (low, high, "log") or [choices].
    """
    metadata = {"help": text, "low": low, "high": high, "flag": flag, "tune": tune}
    return dataclasses.field(default=default, metadata=metadata)


def build(
    cls: type, table: Any, where: str, problems: list[str], options: Mapping[str, str] | None = None
) -> Any:
    """Make `cls` from a table, appending to `problems` instead of raising.

    `options` names the flag of each key, where the table was written as flags.
    """
    if not isinstance(table, Mapping):
        problems.append(f"[{where}] must be a table, not {table!r}")
        return None
    hints = get_type_hints(cls)
    bounds = {field.name: field.metadata for field in dataclasses.fields(cls)}
    values = {}
    for key, value in table.items():
        if key not in hints or bounds[key].get("help", "").startswith("set from"):
            problems.append(f"[{where}] has no key {key!r}.{near_match(key, hints)}")
            continue
        try:
            values[key] = _within(convert(value, hints[key]), bounds[key])
        except ValueError as problem:
            said = f"{where}: --{options[key]} {value}" if options else None
            problems.append(f"{said or f'[{where}] {key} = {_shown(value)}'}: {problem}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as problem:
        problems.append(f"[{where}] {problem}")
    return None


def convert(value: Any, hint: Any) -> Any:
    """Return `value` as `hint` says.

    Raises:
        ValueError: it is of another type, or not among the allowed values.
    """
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(map(str, get_args(hint)))
            raise ValueError(f"not one of {allowed}.{near_match(str(value), get_args(hint))}")
        return value
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(convert(item, get_args(hint)[0]) for item in items)
    if origin in (Union, types.UnionType):
        return None if value is None else convert(value, get_args(hint)[0])
    if origin is Mapping or dataclasses.is_dataclass(hint):
        return _texts(value) if origin is Mapping else _nested(value, hint)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"must be {hint.__name__}")
    return value


def _within(value: Any, bounds: Mapping[str, Any]) -> Any:
    low, high = bounds.get("low"), bounds.get("high")
    if (low is not None and value < low) or (high is not None and value > high):
        allowed = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
        raise ValueError(f"must be {' and '.join(allowed)}")
    return value


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("must be a table of texts")
    return dict(value)


def _nested(value: Any, cls: Any) -> Any:
    table = {"path": value} if isinstance(value, str) else value
    lacking = [f.name for f in dataclasses.fields(cls) if f.default is f.default_factory]
    if isinstance(table, Mapping) and (missing := [key for key in lacking if key not in table]):
        raise ValueError(f"lacks {', '.join(missing)}")
    problems: list[str] = []
    made = build(cls, table, cls.__name__.lower(), problems)
    if problems:
        raise ValueError("; ".join(problems))
    return made


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def described(cls: Any) -> list[tuple[str, Any, str]]:
    """Return (key, default, help) of each setting, without those that nlpkit sets itself."""
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        text = field.metadata.get("help", "")
        if get_origin(hints[field.name]) is Literal:
            text = f"{', '.join(get_args(hints[field.name]))}: {text}"
        if not text.startswith("set from"):
            found.append((field.name, field.default, text))
    return found


def toml_value(value: Any) -> str:
    """Write a plain value as TOML (strings and numbers are the same in JSON)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        items = [(key, item) for key, item in value.items() if item is not None]
        inner = ", ".join(f"{_toml_key(key)} = {toml_value(item)}" for key, item in items)
        return "{ " + inner + " }"
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, Mapping) for item in value):
            return "[\n" + "".join(f"  {toml_value(item)},\n" for item in value) + "]"
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _toml_key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else toml_value(key)


def toml(tree: Mapping[str, Any]) -> str:
    """Write a two-level tree as TOML: plain keys first, then one table a section."""
    lines = [f"{k} = {toml_value(v)}" for k, v in tree.items() if not isinstance(v, Mapping)]
    for name, table in tree.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]"]
            lines += [f"{k} = {toml_value(v)}" for k, v in table.items() if v is not None]
    return "\n".join(lines) + "\n"
