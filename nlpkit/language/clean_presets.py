"""The options of `clean` that each of its presets stands for."""

from __future__ import annotations

from typing import Any

_NONE: dict[str, Any] = {
    "html": False,
    "nfc": False,
    "urls": "keep",
    "emails": "keep",
    "users": "keep",
    "hashtags": "keep",
    "numbers": "keep",
    "emoji": "keep",
    "repeats": False,
    "punctuation": "keep",
    "lower": False,
    "accents": "keep",
    "whitespace": False,
}
# The default loses no word, mark or letter, so that it suits any text and any later step. Stretched
# words show the strength of an opinion, so shortening them is an option.
_DEFAULT = _NONE | {"html": True, "nfc": True, "whitespace": True}
_DROPPED = ("urls", "emails", "users", "numbers", "punctuation", "emoji")
# social, reviews and news are for models that read text, bow for counting words.
PRESETS: dict[str, dict[str, Any]] = {
    "none": _NONE,
    "default": _DEFAULT,
    "social": _DEFAULT
    | {"urls": "token", "emails": "token", "users": "token", "hashtags": "words", "repeats": True},
    "reviews": _DEFAULT | {"urls": "drop", "emails": "drop", "repeats": True},
    "news": _DEFAULT | {"urls": "drop", "emails": "drop"},
    "bow": _DEFAULT
    | dict.fromkeys(_DROPPED, "drop")
    | {"hashtags": "words", "repeats": True, "lower": True},
}
