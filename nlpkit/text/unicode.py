"""Text that is Unicode, whatever a cut JSON string left in it."""

from __future__ import annotations


def whole(text: str) -> str:
    """Return the text with each half of a surrogate pair replaced: encoders refuse it."""
    return text.encode("utf-8", "replace").decode()
