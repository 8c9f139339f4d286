"""The help style of all commands: plain text, titled sections of options, examples at the end.

typer's boxes would need rich, which takes 0.1 s to import.
"""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

OPTIONS, ARGUMENTS = "Options", "Arguments"
WIDEST = 24  # longest option name beside its help, in characters; longer ones get their own line
TYPES = {"str": "TEXT", "path": "PATH", "int": "N", "float": "X"}
VALUE = re.compile(r"<([^<>]+)>")
NOTE = re.compile(r" \[[^\[\]]+\]$")  # the suffix that typer adds to a help: [default: 1; x>=1]
RANGE, LEAST = re.compile(r"([\d.]+)<=x<=([\d.]+)"), re.compile(r"x>=([\d.]+)")
KEPT = "\xa0"  # a no-break space that stands for a space while the help is wrapped


class Plain:
    """A mixin that formats the help of a command or a group."""

    def collect_usage_pieces(self: Any, ctx: Any) -> list[str]:
        """Return the words of the usage line, with optional arguments in brackets: [FILE...]."""
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        own = [self.options_metavar, *map(_argument, arguments)]
        return own + ([self.subcommand_metavar] if isinstance(self, TyperGroup) else [])

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        """Write each panel of options as a section, with one column width for all sections."""
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
        """Write the epilog without wrapping, so that its commands can be copied."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(self.epilog + "\n")


class PlainCommand(Plain, TyperCommand):
    """A command with the plain help."""


class PlainGroup(Plain, TyperGroup):
    """A group of commands with the plain help."""


def plain(app: typer.Typer) -> typer.Typer:
    """Give an app and all its commands the plain help, and return the app."""
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
    """Return the placeholder of a value in the help: TEXT, N, or the words to choose from."""
    kind = match[1].removesuffix(" range")
    return TYPES.get(kind, kind)
