"""Help: one plain style for all, commands in groups, everything readable at 80 columns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import add_plugin
from typer.testing import CliRunner

from nlpkit import catalog
from nlpkit.cli.app import GROUPS, MORE, app, commands, grouped, summary

VERBS = {
    *(
        "Check",
        "Clean",
        "Compare",
        "Cut",
        "Drop",
        "Export",
        "Find",
        "Import",
        "Join",
        "Label",
        "List",
        "Measure",
    ),
    *(
        "Pretrain",
        "Print",
        "Replace",
        "Report",
        "Run",
        "Score",
        "Report",
        "Show",
        "Search",
        "Split",
        "Train",
        "Translate",
        "Turn",
        "Write",
    ),
}
BOXES = "╭╮╰╯│─┃━"


def helped(*command: str, columns: int = 80) -> str:
    done = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": str(columns)})
    assert done.exit_code == 0, done.output
    return done.output


def test_every_command_of_ours_is_in_a_group() -> None:
    named = {name for names in GROUPS.values() for name in names}
    ours = [
        name
        for name in commands()
        if any(catalog.source_of(kind, name) for kind in ("commands", "steps"))
    ]
    assert set(ours) <= named
    assert len([*named]) == sum(map(len, GROUPS.values()))  # none is in two


def test_a_command_may_have_the_name_of_a_keyword() -> None:
    assert "import" in commands() and "import_" not in commands()
    assert catalog.current("commands", "import") == "import_"
    assert [*map(catalog.shown, ("import_", "debug_data", "odd_"))] == [
        "import",
        "debug-data",
        "odd-",
    ]


def test_the_list_of_commands_has_a_line_for_each_at_80_columns() -> None:
    shown = helped()
    for title, names in grouped().items():
        if names:
            assert f"\n{title}:\n" in shown
        for name in names:
            (line,) = [line for line in shown.splitlines() if line.startswith(f"  {name} ")]
            assert line.endswith(summary(name)) and len(line) <= 80, line


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_a_summary_begins_with_a_verb_and_ends_with_a_full_stop(name: str) -> None:
    if name in commands():
        assert summary(name).split()[0].rstrip(",") in VERBS and summary(name).endswith(".")


def test_a_command_of_another_package_stands_under_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = '''"""Count words."""
import typer

app = typer.Typer()


@app.command()
def count(words: int = typer.Option(3, rich_help_panel="Counting")) -> None:
    """Count words."""
'''
    add_plugin(tmp_path, monkeypatch, {"nlpkit.commands": {"toy_count": source}})
    assert f"\n{MORE}:\n" in helped() and "\n  toy-count   Count words.\n" in helped()
    assert "\nCounting:\n  --words N " in helped("toy-count")  # in the same style as ours


SUB = [("init", "recipe"), *(("models", name) for name in ("architectures", "add", "remove"))]


@pytest.mark.parametrize("command", [*((name,) for name in commands()), *SUB], ids=" ".join)
def test_help_is_plain_and_fits(command: tuple[str, ...]) -> None:
    shown = helped(*command)
    assert shown.startswith(f"Usage: nlpkit {' '.join(command)} ") or command[0] not in shown
    assert not set(BOXES) & set(shown)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "<" not in shown.partition("Example")[0], "a type stands where a noun should"
    assert "...." not in shown and "\\[" not in shown and "\xa0" not in shown
    helped(*command, columns=40)


def test_a_default_is_not_broken_and_examples_are_not_wrapped() -> None:
    shown = helped("sentiment")
    assert "[env var: NLPKIT_MODEL; default: sentiment]\n" in shown
    assert "\n  [FILE...]  " in shown and "\nReading:\n  --from FORMAT " in shown
    assert shown.endswith(
        "\nExample: nlpkit sentiment reviews.csv --column review > labelled.csv\n"
    )
    assert "\n  torchrun --nproc-per-node N -m nlpkit train RECIPE -o DIR\n" in helped("train")
    assert helped("train", columns=40).endswith(helped("train")[-120:])


def test_help_does_not_import_rich() -> None:
    check = (
        "import sys; from nlpkit.cli.app import app\n"
        "try: app()\nfinally: print('rich' in sys.modules)"
    )
    for args in (["--help"], ["sentiment", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", check, *args], check=True, capture_output=True, text=True
        )
        assert done.stdout.endswith("False\n")


def test_a_step_of_another_package_stands_with_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = '''"""Shout each text."""
from dataclasses import dataclass

TAKES = GIVES = "text"
IDEMPOTENT = True
EXAMPLES = (("", "oi", "OI"),)


@dataclass(frozen=True, kw_only=True)
class Options:
    pass


def build(options, load=None):
    return lambda texts: [text.upper() for text in texts]
'''
    add_plugin(tmp_path, monkeypatch, {"nlpkit.steps": {"shout": source}})
    assert "shout" in grouped()["Prepare text"] and "shout" not in grouped()[MORE]
