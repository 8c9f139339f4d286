"""Options that several commands share, under one name with one meaning."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

READING, WRITING, RUNNING = "Reading", "Writing", "Running"

Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Files to read; - or none is standard input."),
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
        help="auto, cpu, cuda or cuda:N; cuda fails where it does not really run.",
        rich_help_panel=RUNNING,
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, fp32, int8 or fp16, as the bundle has them.",
        rich_help_panel=RUNNING,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Input format, such as lines, csv, jsonl, json, xlsx. By extension if left out.",
        rich_help_panel=READING,
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        "-c",
        metavar="FIELD",
        help="The field that holds the text ('text').",
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
        help="Bytes that do not decode: strict stops, replace goes on.",
        rich_help_panel=READING,
    ),
]
Whole = Annotated[
    bool, typer.Option("--whole", help="Each file is one document.", rich_help_panel=READING)
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, such as tsv, csv, xlsx. Left out: a table, or as the input came.",
        rich_help_panel=WRITING,
    ),
]
Dialect = Annotated[
    Literal["unix", "excel", "excel-br"] | None,
    typer.Option(
        help="CSV as unix (, and LF), excel (, BOM, CRLF) or excel-br (; BOM, CRLF). Left out: as "
        "the input came.",
        rich_help_panel=WRITING,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A file, written whole or not at all; - is standard output.",
        show_default=False,
        rich_help_panel=WRITING,
    ),
]
LineBuffered = Annotated[
    bool,
    typer.Option("--line-buffered", help="Write out each line at once.", rich_help_panel=WRITING),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="The field that the answer is written to, such as label.",
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
        help="Below this score the label is 'uncertain'.",
        rich_help_panel=WRITING,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Count the labels by the values of a field, instead of a row for each document.",
        rich_help_panel=WRITING,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No summary, no progress.", rich_help_panel=RUNNING)
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say on stderr what was chosen.", rich_help_panel=RUNNING),
]


def named(option: str, key: str, value: str | list[str] | None) -> list[str]:
    """Return the --set override that an option stands for; none where it was not given.

    Raises:
        UsageError: a name in it is empty, as an unset variable of a script is.
    """
    from nlpkit.errors import UsageError
    from nlpkit.settings.declaration import toml_value

    if value is None:
        return []
    if not all(name.strip() for name in ([value] if isinstance(value, str) else value)):
        raise UsageError(f"{option}: a name is empty")
    return [f"{key}={toml_value(value)}"]
