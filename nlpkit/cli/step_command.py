"""Build the command of a step: the flags come from its options, so a new step needs no code."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from nlpkit import catalog
from nlpkit.cli import options as o
from nlpkit.settings import flags

if TYPE_CHECKING:
    from nlpkit.records.reading import Reading
    from nlpkit.settings.links import Link

STEP = "Step"
TREEBANKS = ("conllu", "conll")  # formats of words with annotations, which no step's result has

Workers = Annotated[
    int,
    typer.Option(
        min=1, max=512, help="Processes to run; rows keep their order.", rich_help_panel=o.RUNNING
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Output format, such as tsv, csv, jsonl, xlsx. Left out: as the input came.",
        rich_help_panel=o.WRITING,
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD", help="A field to write, instead of the text.", rich_help_panel=o.WRITING
    ),
]
COMMON: dict[str, tuple[Any, Any]] = {
    "source": (o.From, None),
    "column": (o.Column, None),
    "sheet": (o.Sheet, None),
    "encoding": (o.Encoding, "utf-8"),
    "errors": (o.Errors, "strict"),
    "to": (To, None),
    "output": (o.Output, "-"),
    "dialect": (o.Dialect, None),
    "into": (Into, None),
    "workers": (Workers, 1),
}


def app_of(name: str) -> typer.Typer:
    """Return the typer app of a step. Raises UsageError if there is no such step."""
    module = catalog.load("steps", name)
    known = flags.flags_of(module.Options)
    app = typer.Typer(add_completion=False)

    def command(**given: Any) -> None:
        values = {flag.field: given.pop(f"step_{flag.field}") for flag in known}
        values = {key: value for key, value in values.items() if value not in (None, [])}
        options = flags.build(module.Options, values, name)
        if given.pop("show", False):
            print("\n".join(module.show(options)))
            return
        from nlpkit.settings.links import Link

        run([Link(name, options)], **given)

    _sign(command, module, known)
    given, before, after = module.EXAMPLES[0]
    example = " ".join(["Example: nlpkit", name, given]).strip()
    app.command(
        help=(module.__doc__ or "").strip().splitlines()[0],
        epilog=f"{example}\n  {before!r}\n  becomes {after!r}",
    )(command)
    return app


def _sign(command: Callable[..., None], module: ModuleType, known: list[flags.Flag]) -> None:
    """Set the signature of a command, from which typer reads its parameters."""
    parameters: dict[str, tuple[Any, Any]] = {"inputs": (o.Inputs, None)}
    for flag in known:
        parameters[f"step_{flag.field}"] = (_annotation(flag), None)
    if hasattr(module, "show"):
        shown = typer.Option("--show", help="Print the list that the options select, and exit.")
        parameters["show"] = (Annotated[bool, shown], False)
    parameters |= COMMON
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint
            )
            for name, (hint, default) in parameters.items()
        ]
    )
    command.__annotations__ = {name: hint for name, (hint, _) in parameters.items()}


def _annotation(flag: flags.Flag) -> Any:
    shown = flags.shown(flag.default)
    default = f"  [default: {shown}]" if shown else ""
    names = f"--{flag.name}/--no-{flag.name}" if flag.switch else f"--{flag.name}"
    option = typer.Option(names, help=flag.help + default, rich_help_panel=STEP)
    kind: Any = list[get_args(flag.hint)[0]] if flag.repeated else flag.hint  # type: ignore[misc]
    return Annotated[kind | None, option]


def run(
    links: list[Link],
    *,
    inputs: list[str] | None,
    source: str | None,
    column: str | None,
    sheet: str | None,
    encoding: str,
    errors: str,
    to: str | None,
    output: str,
    dialect: str | None,
    into: str | None,
    workers: int,
) -> None:
    """Run a chain of steps over the inputs and write the results.

    Raises:
        UsageError: the options contradict each other, or there is no input.
        InputError: an input cannot be read.
    """
    from nlpkit import records, zoo
    from nlpkit.chain import Pipeline
    from nlpkit.cli.notes import print_empty
    from nlpkit.errors import UsageError, quoted
    from nlpkit.jobs import steps as job
    from nlpkit.records.answered import check_dialect, check_held, check_into, holds_nested
    from nlpkit.records.target import check_target, format_for, is_same

    check_into(into)
    reading = reading_of(links[0].name, inputs, source, column, sheet, encoding, errors, dialect)
    came = alike = reading.common_format()
    if alike in TREEBANKS or links[-1].module.GIVES == "vector":
        alike = "jsonl"
    if alike == "lines" and into:
        alike = "tsv"  # lines have room for one field only
    format = format_for(output, to, alike)
    if format == "lines" and into and into != records.TEXT:
        raise UsageError(f"--into {into}: lines have room for one field; use --to tsv or jsonl")
    check_dialect(dialect, format)
    check_target(output, reading.inputs, format, came)
    check_held(format, into)
    for option, path in (each for link in links for each in link.files()):
        if is_same(path, output):
            raise UsageError(f"-o {quoted(output)} is the file of --{option}; name another file")
    chain = Pipeline(links, zoo.load)
    with records.write_output(output) as stream:
        done = job.process(
            chain,
            reading,
            into=into,
            full=holds_nested(format),
            workers=workers,
            settled=stream.flush,
            alone=format == "lines",
        )
        counter = itertools.count()  # asked after each record, so it ends at their number
        done = (record for record, _ in zip(done, counter, strict=False))
        records.write(done, stream, format, reading.layout, [into] if into else [])
    print_empty(reading.inputs, next(counter))


def reading_of(
    name: str,
    inputs: list[str] | None,
    source: str | None,
    column: str | None,
    sheet: str | None,
    encoding: str,
    errors: str,
    dialect: str | None = None,
) -> Reading:
    """Return the inputs to read. Raises UsageError if there is no file and stdin is a terminal."""
    from nlpkit.errors import UsageError
    from nlpkit.records.layout import Layout
    from nlpkit.records.reading import Reading

    if not inputs and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"name a file, or pipe text in: echo 'Muito bom!' | nlpkit {name}")
    return Reading(
        inputs=inputs or ["-"],
        format=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        errors=errors,
        layout=Layout(asked=dialect),
    )
