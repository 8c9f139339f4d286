"""Helpers for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlpkit.training import run


def train(recipe: Any, folder: Path, **options: Any) -> dict[str, Any]:
    options = {"device": "cpu", "resume": False, "listener": lambda event: None} | options
    summary = run.train(recipe, folder, **options)
    assert summary
    return summary.to_dict()
