"""docs/commands/: a page for each command, as the program declares it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT, environment

from nlpkit import catalog

PAGES = ROOT / "docs/commands"


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_pages_are_what_the_program_says(columns: str) -> None:
    # In a process of its own: the plugin of the tests adds tasks, which help texts list. A width
    # and variables that options read must not change the pages.
    env = environment() | {"PYTHONPATH": "", "COLUMNS": columns, "NLPKIT_MODEL": "rules"}
    check = [sys.executable, ROOT / "docs/commands.py", "--check"]
    done = subprocess.run(check, capture_output=True, env=env, check=False, text=True)
    assert done.returncode == 0, f"run: python docs/commands.py ({done.stdout}{done.stderr})"


def test_every_command_has_a_page_and_the_index_names_it() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    for kind in ("commands", "steps"):
        for name in catalog.names(kind):
            if catalog.source_of(kind, name):
                page = f"{catalog.shown(name)}.md"
                assert f"({page})" in index and (PAGES / page).exists()


def test_a_page_has_usage_options_by_panel_and_an_example() -> None:
    lines = (PAGES / "sentiment.md").read_text(encoding="utf-8").splitlines()
    assert "nlpkit sentiment [OPTIONS] [FILE...]" in lines
    assert lines.index("## Reading") < lines.index("## Writing") < lines.index("## Running")
    assert any(line.startswith("| `--model ") and "`NLPKIT_MODEL`" in line for line in lines)
    assert "Example:" in lines
