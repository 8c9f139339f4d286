"""Apply `--set section.key=value` to the values of a recipe."""

from __future__ import annotations

import tomllib
from typing import Any


def override(tree: dict[str, Any], item: str, problems: list[str]) -> None:
    """Set `section.key=value` in a recipe's values, or append to `problems` why it cannot be."""
    key, equals, text = item.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and name):
        problems.append(f"--set {item!r} is not of the form section.key=value")
        return
    target = tree.setdefault(section, {})
    if isinstance(target, dict):
        target[name] = _value(text)
    else:
        problems.append(f"--set {item!r}: {section!r} is not a section")


def _value(text: str) -> Any:
    """Parse a value as TOML; anything that is not valid TOML is a string."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text
