"""Settings of a tokenizer that suit a task or an architecture, as TOKENIZER of its file says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nlpkit import catalog
from nlpkit.errors import UsageError


def tokenizer_defaults(parts: Mapping[str, str]) -> dict[str, Any]:
    """Return the tokenizer settings that suit parts, given by kind; the later ones decide."""
    modules = (catalog.load(kind, name) for kind, name in parts.items())
    return {key: value for each in modules for key, value in getattr(each, "TOKENIZER", {}).items()}


def suit_tokenizer(tree: dict[str, Any], kind: str, part: Any, *, start: bool = False) -> None:
    """Fill in the tokenizer settings of a recipe that suit a part and are left out.

    With `start`, the kind is left to the model to start from, whose tokenizer is used. Sections
    that are wrong stay as they are, to be reported when they are read.
    """
    name = part.get("name") if isinstance(part, Mapping) else None
    given = tree.get("tokenizer", {})
    if not isinstance(name, str) or not isinstance(given, Mapping):
        return
    with suppress(UsageError):
        suited = tokenizer_defaults({kind: name})
        if start:
            suited.pop("kind", None)
        tree["tokenizer"] = suited | {**given}
