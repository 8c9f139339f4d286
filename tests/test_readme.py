"""The READMEs: the output that they show is the program's, and what they link to exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

READMES = ("README.md", "README.pt-BR.md")
PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
SCORE = re.compile(r"\b0\.\d+")  # may differ in its last digits on another processor
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def shown(readme: str) -> list[tuple[str, str]]:
    """Return each command of the console blocks that has output, with its output."""
    sessions = []
    for block in BLOCK.findall((ROOT / readme).read_text(encoding="utf-8")):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = session.partition("\n")
            if output.strip():
                sessions.append((command, output))
    return sessions


@pytest.mark.parametrize("readme", READMES)
def test_the_shown_output_is_the_programs(readme: str, tmp_path: Path) -> None:
    program = tmp_path / "nlpkit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nlpkit "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    sessions = shown(readme)
    assert sessions
    for command, output in sessions:
        done = subprocess.run(
            ["bash", "-c", command], env=environment, cwd=ROOT, capture_output=True, check=True
        )
        assert SCORE.sub("N", done.stdout.decode()) == SCORE.sub("N", output), command


@pytest.mark.parametrize("page", [*READMES, "CONTRIBUTING.md", *map(str, PAGES)])
def test_links_lead_to_files_and_headings(page: str) -> None:
    path = ROOT / page
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), f"{page}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in headings(target), f"{page}: {link}"


def headings(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
