"""The `nlpkit` command: find subcommands by file name and turn errors into exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from typing import Annotated, Any

import typer

from nlpkit import catalog
from nlpkit.cli.help import PlainGroup, plain
from nlpkit.errors import NlpkitError, Renamed
from nlpkit.version import __version__

# Sections of the help; commands of other packages are listed under MORE.
GROUPS = {
    "Label text": ("sentiment", "predict", "batch"),
    "Prepare text": (
        *("clean", "tokenize", "stopwords", "stem", "lemmatize"),
        *("vectorize", "pipe", "steps"),
    ),
    "Train your own": (
        *("init", "debug-data", "split", "pretrain", "train", "tune"),
        *("evaluate", "compare", "export"),
    ),
    "Models and machine": ("models", "bench", "doctor"),
}
MORE = "More"


def commands() -> list[str]:
    """Return the sorted names of all commands, including the steps."""
    return sorted(_kinds())


def _kinds() -> dict[str, str]:
    """Map each command to its kind in the catalog, "commands" or "steps"."""
    kinds = {name: kind for kind in ("steps", "commands") for name in catalog.names(kind)}
    return {name.replace("_", "-"): kind for name, kind in kinds.items()}


def summary(name: str) -> str:
    """Return the first line of a command's module docstring, read without importing our own."""
    kind, file = _kinds()[name], name.replace("-", "_")
    if path := catalog.source_of(kind, file):
        with path.open(encoding="utf-8") as lines:
            first = next(lines).strip().strip('"')
    else:
        try:
            module = catalog.load(kind, file)
        except NlpkitError as problem:  # a broken plugin must not break the help
            return f"({problem})"
        first = (module.__doc__ or "").strip().partition("\n")[0]
    first = first.removeprefix(f"nlpkit {name}: ")
    return first[:1].upper() + first[1:]


def _load(name: str) -> typer.Typer:
    file = name.replace("-", "_")
    if catalog.known("commands", file):
        app: typer.Typer = catalog.load("commands", file).app
        return app
    from nlpkit.cli.step_command import app_of

    return app_of(file)


def grouped() -> dict[str, list[str]]:
    """Return the available commands by the titles of GROUPS, and the others under MORE."""
    available = commands()
    groups = {title: [n for n in names if n in available] for title, names in GROUPS.items()}
    listed = {name for names in groups.values() for name in names}
    return groups | {MORE: [name for name in available if name not in listed]}


class LazyGroup(PlainGroup):
    """A group that imports the file of a subcommand only when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return [name for names in grouped().values() for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with the first lines of their files: importing all would be slow."""
        groups = {title: names for title, names in grouped().items() if names}
        width = max(len(name) for names in groups.values() for name in names)
        for title, names in groups.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), summary(name)) for name in names])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command by name; return None if there is none of that name."""
        if cmd_name not in commands():
            return None
        if cmd_name not in self.commands:
            command = typer.main.get_command(plain(_load(cmd_name)))
            command.name = cmd_name
            self.add_command(command)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Resolve the command; for an unknown name, load all commands to suggest a near match."""
        if args and args[0] not in commands():
            for name in self.list_commands(ctx):
                with contextlib.suppress(NlpkitError):  # a broken plugin
                    self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; print an error as one line, and exit with its code."""
        warnings.showwarning = tell_of_renamed
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()  # inside the try, which handles a closed pipe
            return result
        except NlpkitError as problem:
            say(str(problem))
            raise typer.Exit(problem.exit_code) from None
        except OSError as problem:
            # Python would report the error again when it flushes stdout at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if isinstance(problem, BrokenPipeError):  # the reader has closed the pipe (| head -1)
                raise typer.Exit(0) from None
            where = f"{problem.filename}: " if problem.filename else ""
            say(f"{where}{problem.strerror or problem}")
            raise typer.Exit(1) from None


def tell_of_renamed(
    message: Warning | str, category: type[Warning], *where: object, **more: object
) -> None:
    """Print a Renamed warning as one line, and any other warning as Python does."""
    if issubclass(category, Renamed):
        say(str(message))
    else:
        usual_warning(message, category, *where, **more)  # type: ignore[arg-type]


usual_warning = warnings.showwarning


def say(message: str) -> None:
    """Print an error to stderr, with control characters escaped: names in it come from files."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in message)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"nlpkit: {shown}", file=sys.stderr)


app = typer.Typer(
    cls=LazyGroup,
    name="nlpkit",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: nlpkit sentiment reviews.txt",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"nlpkit {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """NLP in the shell: ready models, and tools to train your own. Portuguese first."""
