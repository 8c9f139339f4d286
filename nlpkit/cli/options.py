"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

READING, WRITING, RUNNING = "Reading", "Writing", "Running"

Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Files to read; standard input if - or left out."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        envvar="NLPKIT_MODEL",
        help="A model's name, or a bundle's path.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        envvar="NLPKIT_DEVICE",
        help="auto, cpu, cuda or cuda:N; cuda fails if the GPU does not run.",
        rich_help_panel=RUNNING,
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, fp32, int8, int4 or fp16, if the bundle has it.",
        rich_help_panel=RUNNING,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Input format, such as lines, csv, jsonl, json, xlsx. Default: by extension.",
        rich_help_panel=READING,
    ),
]
HOLDS_TEXT = "The field that holds the text ('text')."


def column(help: str = HOLDS_TEXT, panel: str | None = None) -> Any:
    """Return the option --column, in a section of the help."""
    return typer.Option("--column", "-c", metavar="FIELD", help=help, rich_help_panel=panel)


Column = Annotated[str | None, column(panel=READING)]


def least(parts: str) -> Any:
    """Return the option --min-confidence of a command whose answers have scored parts."""
    return typer.Option(
        "--min-confidence",
        min=0,
        max=1,
        metavar="P",
        help=f"Leave out {parts} whose score is lower.",
        rich_help_panel=WRITING,
    )


Sheet = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Sheet of a workbook. Default: the first visible one.",
        rich_help_panel=READING,
    ),
]
Encoding = Annotated[
    str, typer.Option(metavar="NAME", help="Encoding of the input.", rich_help_panel=READING)
]
Errors = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="On bytes that do not decode: strict stops, replace continues.",
        rich_help_panel=READING,
    ),
]
Whole = Annotated[
    bool, typer.Option("--whole", help="Read each file as one document.", rich_help_panel=READING)
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, such as tsv, csv, xlsx. Default: a table, or as the input.",
        rich_help_panel=WRITING,
    ),
]
Dialect = Annotated[
    Literal["unix", "excel", "excel-br"] | None,
    typer.Option(
        help="CSV as unix (, and LF), excel (, BOM, CRLF) or excel-br (; BOM, CRLF, 0,5 for 0.5). "
        "Default: as the input.",
        rich_help_panel=WRITING,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Output file, written whole or not at all; - is standard output.",
        show_default=False,
        rich_help_panel=WRITING,
    ),
]
LineBuffered = Annotated[
    bool,
    typer.Option("--line-buffered", help="Write each line at once.", rich_help_panel=WRITING),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Field for the answer, such as label.",
        rich_help_panel=WRITING,
    ),
]
MinConfidence = Annotated[
    float,
    typer.Option(
        "--min-confidence",
        min=0,
        max=1,
        metavar="P",
        help="Replace a label by 'uncertain' if its score is lower.",
        rich_help_panel=WRITING,
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        help="Count the labels for each value of a field; write the counts only.",
        rich_help_panel=WRITING,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print no summary and no progress.", rich_help_panel=RUNNING
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Print the model and the device on stderr.", rich_help_panel=RUNNING
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD", help="The field that holds the true label ('label', or the task's)."
    ),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="Read the true label OLD as NEW, such as 5=positive."),
]


def renamed(items: list[str] | None) -> dict[str, str]:
    """Return the new name of each old label. Raises UsageError if an item has no =."""
    from nlpkit.errors import UsageError

    names = {}
    for item in items or ():
        old, equals, new = item.partition("=")
        if not (old and equals and new):
            raise UsageError(f"--rename {item}: give OLD=NEW, such as 5=positive")
        names[old] = new
    return names


def named(option: str, key: str, value: str | list[str] | None) -> list[str]:
    """Return the --set override for an option; none if the option is absent.

    Raises:
        UsageError: a name in it is empty, as for an unset shell variable.
    """
    from nlpkit.errors import UsageError
    from nlpkit.settings.declaration import toml_value

    if value is None:
        return []
    if not all(name.strip() for name in ([value] if isinstance(value, str) else value)):
        raise UsageError(f"{option}: a name is empty; check for an unset variable")
    return [f"{key}={toml_value(value)}"]
