"""Declare settings as frozen dataclasses, check values against them and write them as TOML."""

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
    """Return a dataclass field with a default, a help text and inclusive bounds.

    Args:
        default: the value of a setting that is not given.
        text: the help text. A setting whose text starts with "set from" is filled in by nlpkit, and
            `build` refuses it as a key.
        low: the smallest allowed value.
        high: the largest allowed value.
        flag: the name on the command line, where the field cannot have it because it is a Python
            keyword.
        tune: the values that `nlpkit tune` tries: (low, high), (low, high, "log") or [choices].
    """
    metadata = {"help": text, "low": low, "high": high, "flag": flag, "tune": tune}
    return dataclasses.field(default=default, metadata=metadata)


def build(
    cls: type, table: Any, where: str, problems: list[str], options: Mapping[str, str] | None = None
) -> Any:
    """Build `cls` from the keys of a table.

    Append every wrong key and value to `problems` instead of raising an error. Return None if
    `table` is not a table or `cls` refuses its values; on any other problem the result is built
    without the wrong keys. `where` is the section's name in messages. `options` has the flag of
    each key, for a table that was given as flags: messages then name the flags.
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
            flag = f"{where}: --{options[key]} {value}" if options else None
            problems.append(f"{flag or f'[{where}] {key} = {_shown(value)}'}: {problem}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as problem:
        problems.append(f"[{where}] {problem}")
    return None


def convert(value: Any, hint: Any) -> Any:
    """Convert a value from TOML to the type of a field.

    Lists become tuples, integers become floats where the field is a float, and tables become
    nested dataclasses.

    Raises:
        ValueError: the value has another type or is not one of the allowed values.
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
    if value is None:
        return None
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
    required = [f.name for f in dataclasses.fields(cls) if f.default is f.default_factory]
    if isinstance(table, Mapping) and (missing := [key for key in required if key not in table]):
        raise ValueError(f"lacks {', '.join(missing)}")
    problems: list[str] = []
    nested = build(cls, table, cls.__name__.lower(), problems)
    if problems:
        raise ValueError("; ".join(problems))
    return nested


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def described(cls: Any) -> list[tuple[str, Any, str]]:
    """Return (key, default, help) of each setting that a user may set."""
    hints = get_type_hints(cls)
    rows = []
    for field in dataclasses.fields(cls):
        text = field.metadata.get("help", "")
        if get_origin(hints[field.name]) is Literal:
            text = f"{', '.join(get_args(hints[field.name]))}: {text}"
        if not text.startswith("set from"):
            rows.append((field.name, field.default, text))
    return rows


def toml_value(value: Any) -> str:
    """Format a value as TOML; strings, numbers and booleans are written as in JSON."""
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
    """Format a two-level tree as TOML: the plain keys first, then one table for each section.

    Keys of a section whose value is None are left out.
    """
    lines = [f"{k} = {toml_value(v)}" for k, v in tree.items() if not isinstance(v, Mapping)]
    for name, table in tree.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]"]
            lines += [f"{k} = {toml_value(v)}" for k, v in table.items() if v is not None]
    return "\n".join(lines) + "\n"
