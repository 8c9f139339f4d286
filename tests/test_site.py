"""The docs site builds, and every link in it leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT

pytest.importorskip("mkdocs", reason="needs the extra docs")
pytest.importorskip("material", reason="needs the extra docs")
pytest.importorskip("mkdocstrings", reason="needs the extra docs")


def test_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    done = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    for page in ("index.html", "pt/index.html", "report.html", "python.html", "models/lm-pt.html"):
        assert (tmp_path / page).is_file()
    home = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="label-reviews.html"' in home
    assert "fonts.googleapis" not in home
