"""Fixtures and helpers for the tests of debug-data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import write_jsonl

from nlpkit.jobs import debug_data as job

Row = tuple[str | None, Any]
CLEAN: list[Row] = [(f"o livro número {n} é bom", "yes" if n % 2 else "no") for n in range(40)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NLPKIT_DATA", raising=False)


def save(name: str, rows: list[Row]) -> str:
    write_jsonl(Path(name), [{"text": text, "label": label} for text, label in rows])
    return name


def debug_data(names: list[str], **options: Any) -> dict[str, Any]:
    """Return the report as plain values."""
    return job.debug_data(names, **options).plain()


def found(*names: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Return the findings, keyed by the name of the check."""
    report = debug_data(list(names), **options)
    findings = {finding["check"]: finding for finding in report["findings"]}
    assert len(findings) == len(report["findings"]), "a check found two things"
    return findings


def places(finding: dict[str, Any]) -> list[str]:
    return [place for example in finding["examples"] for place in example["places"]]
