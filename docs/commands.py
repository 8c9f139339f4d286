"""Write a page for each command: python docs/commands.py writes docs/commands/*.md.

The pages come from the declarations of the commands, so they do not depend on this machine, its
terminal or its environment. With --check nothing is written: the names of outdated pages are
printed, and the exit status is 1 if there are any.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import typer

from nlpkit import catalog
from nlpkit.cli.app import app, grouped, summary

FOLDER = Path(__file__).with_name("commands")
INDEX = "README.md"
WRITTEN = "<!-- Written by docs/commands.py from the program; do not edit. -->"
VALUES = {"int": "N", "float": "X", "path": "PATH", "choice": "NAME"}  # placeholder by type
DEFAULT = re.compile(r"\s*\\?\[default: (.*)\]$")  # the default at the end of a step's help
EXAMPLE = "Example: "


def pages() -> dict[str, str]:
    """Return the content of each page by file name: the index and nlpkit's own commands."""
    group = typer.main.get_command(app)
    contents, index = {}, [WRITTEN, "", "# Commands", "", "`nlpkit COMMAND --help` says the same."]
    for title, names in grouped().items():
        ours = [name for name in names if _is_ours(name)]
        index += ["", f"## {title}", "", "| command | |", "|---|---|"] if ours else []
        for name in ours:
            index.append(f"| [{name}]({name}.md) | {_cell(summary(name))} |")
            command = group.get_command(None, name)
            contents[f"{name}.md"] = "\n".join([WRITTEN, "", *_page(command, name, 1)])
    return {INDEX: "\n".join(index) + "\n", **contents}


def _is_ours(name: str) -> bool:
    return any(catalog.source_of(kind, name) for kind in ("commands", "steps"))


def _page(command: Any, name: str, level: int) -> Iterator[str]:
    """Yield the lines of a command's section, then of each of its subcommands."""
    mark = "#" * level
    inner = getattr(command, "commands", {})
    yield from (f"{mark} nlpkit {name}", "", _escaped(command.help), "")
    yield from ("```", " ".join(["nlpkit", name, *_usage(command), *["COMMAND"] * bool(inner)]))
    yield from ("```", "")
    if command.epilog:
        yield from ("Example:", "", "```", command.epilog.removeprefix(EXAMPLE), "```", "")
    for title, params in _sections(command).items():
        yield from (f"{mark}# {title}", "", "| | default | |", "|---|---|---|")
        yield from map(_row, params)
        yield ""
    for each in inner:
        yield from _page(inner[each], f"{name} {each}", level + 1)


def _usage(command: Any) -> Iterator[str]:
    yield "[OPTIONS]"
    for param in command.params:
        if param.param_type_name == "argument":
            yield _argument(param) if param.required else f"[{_argument(param)}]"


def _argument(param: Any) -> str:
    name = (param.metavar or param.name.upper()).rstrip(".")
    return name + "..." * (param.nargs != 1)


def _sections(command: Any) -> dict[str, list[Any]]:
    """Return the arguments and options by panel, in the order of the help."""
    panels: dict[str, list[Any]] = {"Arguments": [], "Options": []}
    for param in command.params:
        if not param.hidden:
            options = param.rich_help_panel or "Options"
            panel = "Arguments" if param.param_type_name == "argument" else options
            panels.setdefault(panel, []).append(param)
    return {title: params for title, params in panels.items() if params}


def _row(param: Any) -> str:
    text = param.help or ""
    silent = param.default in (None, False, "") or param.required or param.show_default is False
    default = "" if silent else f"{param.default}"
    if declared := DEFAULT.search(text):
        text, default = text[: declared.start()], declared[1]
    notes = [note.rstrip(".") for note in (text, *_notes(param)) if note]
    if param.param_type_name == "argument":
        names = f"`{_argument(param)}`"
    else:
        value = "" if param.is_flag else " " + (param.metavar or _value(param.type))
        long = [name for name in param.opts if name.startswith("--")]
        others = [name for name in param.opts if name not in long] + param.secondary_opts
        names = ", ".join([f"`{name}{value}`" for name in long] + [f"`{n}`" for n in others])
    default = f"`{default}`" if default else ""
    return f"| {names} | {default} | {_cell('. '.join(notes))}. |"


ONCE = ("by",)  # options that are lists only so that a second value is an error


def _value(kind: Any) -> str:
    return VALUES.get(kind.name.removesuffix(" range"), "TEXT")


def _notes(param: Any) -> Iterator[str]:
    """Yield notes on the choices, the range and the environment variable of a parameter."""
    least, most = getattr(param.type, "min", None), getattr(param.type, "max", None)
    choices = getattr(param.type, "choices", None) or ()
    if len(choices) > 1:
        yield f"One of {', '.join(map(str, choices))}."
    if least is not None:
        yield f"At least {least}." if most is None else f"From {least} to {most}."
    if param.multiple and param.name not in ONCE:
        yield "May be given several times."
    if param.required and param.param_type_name == "option":
        yield "Required."
    if param.envvar:
        yield f"`{param.envvar}` in the environment sets it too."


def _escaped(text: str) -> str:
    """Escape a text for Markdown."""
    return re.sub(r"([|<*&])", r"\\\1", text)


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split()))


def stale() -> list[str]:
    """Return the names of pages that are missing, outdated, or of commands that are gone."""
    written = {page.name: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    now = pages()
    return sorted(name for name in written | now if written.get(name) != now.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check print those that are outdated; return the exit status."""
    if arguments == ["--check"]:
        names = stale()
        sys.stdout.writelines(f"{name}\n" for name in names)
        return bool(names)
    FOLDER.mkdir(exist_ok=True)
    for page in FOLDER.glob("*.md"):
        page.unlink()
    for name, content in pages().items():
        (FOLDER / name).write_text(content.rstrip("\n") + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
