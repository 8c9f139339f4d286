"""The one style of help: plain text, titled sections of options, examples on lines of their own.

Plain because a terminal shows it as fast as Python starts: typer's boxes take rich 0.1 s to load.
"""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

OPTIONS, ARGUMENTS = "Options", "Arguments"
WIDEST = 24  # characters of an option's name beside its help; a longer one has a line of its own
TYPES = {"str": "TEXT", "path": "PATH", "int": "N", "float": "X"}
VALUE = re.compile(r"<([^<>]+)>")
NOTE = re.compile(r" \[[^\[\]]+\]$")  # what typer adds to a help: [default: 1; x>=1]
RANGE, LEAST = re.compile(r"([\d.]+)<=x<=([\d.]+)"), re.compile(r"x>=([\d.]+)")
KEPT = "\xa0"  # a space where no line ends, while the help is wrapped


class Plain:
    """How a command or a group of commands writes its help."""

    def collect_usage_pieces(self: Any, ctx: Any) -> list[str]:
        """Return the words of the usage line: [FILE]... for arguments that may be left out."""
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        own = [self.options_metavar, *map(_argument, arguments)]
        return own + ([self.subcommand_metavar] if isinstance(self, TyperGroup) else [])

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        """Write each panel of options as a section; names are equally wide in all of them."""
        sections: dict[str, list[tuple[str, str]]] = {ARGUMENTS: []}
        for param in self.get_params(ctx):
            if (record := param.get_help_record(ctx)) is None:
                continue
            name, text = record
            if param.param_type_name == "argument":
                row = _argument(param), text.removesuffix("  [required]")
                sections[ARGUMENTS].append(row)
            else:
                row = VALUE.sub(_value, name), NOTE.sub(_unbroken, text)
                sections.setdefault(param.rich_help_panel or OPTIONS, []).append(row)
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for title, rows in filter(lambda section: section[1], sections.items()):
            with formatter.section(title):
                padded = [(name.ljust(min(width, WIDEST)), text) for name, text in rows]
                formatter.write_dl(padded, col_max=WIDEST)
        formatter.buffer = [part.replace(KEPT, " ") for part in formatter.buffer]
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)

    def format_epilog(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the lines of the epilog as they are: a command is there to be copied."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(self.epilog + "\n")


class PlainCommand(Plain, TyperCommand):
    """A command with the one style of help."""


class PlainGroup(Plain, TyperGroup):
    """A group of commands with the one style of help."""


def plain(app: typer.Typer) -> typer.Typer:
    """Give an app and all its commands the one style of help."""
    app.rich_markup_mode = None
    app.info.cls = PlainGroup
    for command in app.registered_commands:
        command.cls = PlainCommand
    for group in app.registered_groups:
        if group.typer_instance:
            plain(group.typer_instance)
    return app


def _argument(param: Any) -> str:
    name = (param.metavar or param.name.upper()).rstrip(".") + "..." * (param.nargs != 1)
    return name if param.required else f"[{name}]"


def _unbroken(note: re.Match[str]) -> str:
    text = LEAST.sub(r"at least \1", RANGE.sub(r"\1 to \2", note[0].strip()))
    return " " + text.replace(" ", KEPT)


def _value(match: re.Match[str]) -> str:
    """Return how help names a value: TEXT, N, or the words to choose from."""
    kind = match[1].removesuffix(" range")
    return TYPES.get(kind, kind)
