"""The `nlpkit` command: find subcommands by file name and turn errors into exit codes."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import PurePath
from typing import Annotated, Any

import typer

from nlpkit import catalog
from nlpkit.cli.help import PlainGroup, plain
from nlpkit.errors import InputError, NlpkitError, NoFile, Note, Renamed, near_match, quoted
from nlpkit.version import __version__

# Sections of the help. Steps that are not named here are listed under STEPS, and other commands,
# which are of other packages, under MORE.
STEPS = "Prepare text"
GROUPS = {
    "Label text": ("sentiment", "entities", "aspects", "explain", "report", "predict", "batch"),
    "Write text": ("translate", "summarise", "generate"),
    STEPS: (
        *("clean", "tokenize", "stopwords", "stem", "lemmatize"),
        *("vectorize", "pipe", "steps"),
    ),
    "Train your own": (
        *("init", "debug-data", "split", "import", "pretrain", "train", "tune"),
        *("evaluate", "compare", "export", "cascade"),
    ),
    "Models and machine": ("models", "bench", "doctor"),
}
MORE = "More"
ALIASES = {"summarize": "summarise"}  # other spellings of commands, which the help leaves out
LONGEST = 60  # most characters of a text that advice repeats
EXTENSION = re.compile(r"\.\w{1,8}$")  # of a file's name; a text may end with a full stop


def commands() -> list[str]:
    """Return the sorted names of all commands, including the steps."""
    return sorted(_kinds())


def _kinds() -> dict[str, str]:
    """Map each command to its kind in the catalog, "commands" or "steps"."""
    kinds = {name: kind for kind in ("steps", "commands") for name in catalog.names(kind)}
    return {catalog.shown(name): kind for name, kind in kinds.items()}


def summary(name: str) -> str:
    """Return the first line of a command's module docstring, read without importing our own."""
    kind = _kinds()[name]
    if path := catalog.source_of(kind, name):
        with path.open(encoding="utf-8") as lines:
            first = next(lines).strip().strip('"')
    else:
        try:
            module = catalog.load(kind, name)
        except NlpkitError as problem:  # a broken plugin must not break the help
            return f"({problem})"
        first = (module.__doc__ or "").strip().partition("\n")[0]
    first = first.removeprefix(f"nlpkit {name}: ")
    return first[:1].upper() + first[1:]


def _load(name: str) -> typer.Typer:
    if _kinds()[name] == "commands":
        app: typer.Typer = catalog.load("commands", name).app
        return app
    from nlpkit.cli.step_command import app_of

    return app_of(catalog.current("steps", name))


def grouped() -> dict[str, list[str]]:
    """Return the commands by title: as GROUPS names them, then other steps, then the rest."""
    kinds = _kinds()
    available = sorted(kinds)
    groups = {title: [n for n in names if n in available] for title, names in GROUPS.items()}
    listed = {name for names in groups.values() for name in names}
    steps = [name for name in available if kinds[name] == "steps" and name not in listed]
    groups[STEPS] += steps
    listed.update(steps)
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
        args = [ALIASES.get(word, word) for word in args[:1]] + args[1:]
        if args and not args[0].startswith("-") and args[0] not in commands():
            known = self.list_commands(ctx)
            ctx.fail(f"No such command {args[0]!r}.{near_match(args[0], known)}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with errors_reported():
            try:
                return super().make_context(*args, **extra)
            except typer.Exit:  # --help and --version have printed
                flush()
                raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command; print an error as one line, and exit with its code."""
        warnings.showwarning = tell_of_renamed
        with errors_reported():
            try:
                result = super().invoke(ctx)
            except NoFile as problem:
                raise InputError(f"{problem}{self._text_advice(ctx, problem.name)}") from None
            flush()
            return result

    def _text_advice(self, ctx: Any, name: str) -> str:
        """Return how to pass a text to a command, if the name of a missing file looks like a text.

        A name looks like a text if it has no extension, and has spaces or names no folder.
        """
        command = self.get_command(ctx, ctx.invoked_subcommand)
        reads = any(parameter.name == "inputs" for parameter in command.params)
        is_bare = " " in name or not PurePath(name).parent.name
        if not reads or not is_bare or EXTENSION.search(name):
            return ""
        import shlex

        text = shlex.quote(name) if "'" in name else f"'{name}'"
        text = text if len(name) <= LONGEST else "'TEXT'"
        more = " ..." if any(parameter.required for parameter in command.params) else ""
        return f". To pass a text: echo {text} | nlpkit {ctx.invoked_subcommand}{more}"


def flush() -> None:
    """Flush standard output while a closed pipe is still handled."""
    if sys.stdout is not None:
        sys.stdout.flush()


@contextlib.contextmanager
def errors_reported() -> Iterator[None]:
    """Print an error as one line and exit with its code; exit with 0 if the pipe is closed."""
    try:
        yield
    except NlpkitError as problem:
        say(str(problem))
        raise typer.Exit(problem.exit_code) from None
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # help drawn by rich, which exits with 1
            raise typer.Exit(0) from None
        raise
    except OSError as problem:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(problem, BrokenPipeError):  # the reader left (| head -1)
            raise typer.Exit(0) from None
        where = f"{quoted(problem.filename)}: " if problem.filename else ""
        say(f"{where}{problem.strerror or problem}")
        raise typer.Exit(1) from None


def tell_of_renamed(
    message: Warning | str, category: type[Warning], *where: object, **more: object
) -> None:
    """Print one of nlpkit's warnings as one line, and any other warning as Python does."""
    if issubclass(category, Renamed | Note):
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
