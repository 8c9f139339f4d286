"""Helpers for the tests of the step `clean`."""

from __future__ import annotations

from typing import Any

from nlpkit.steps import clean


def cleaned(text: str, preset: str = "none", **options: Any) -> str:
    (result,) = clean.build(clean.Options(preset=preset, **options))([text])  # type: ignore[arg-type]
    return str(result)
