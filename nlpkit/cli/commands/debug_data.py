"""nlpkit debug-data: what is wrong with data before a model learns it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)

LABELS = 6  # labels named of a file, the commonest first
FILES = 4  # files named of a finding
PLACES = 60  # characters of places beyond which the text goes on a line of its own
MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "info": ("-", "blue")}
CHECKING = "Checking"


@app.command(
    epilog="Example: nlpkit debug-data train.csv dev.csv test.csv --column review --label stars"
)
def debug_data(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Data files; 'train', 'dev' or 'test' in a name says which split. Or one recipe, "
            "as 'nlpkit train' takes it.",
        ),
    ],
    column: o.Column = None,
    label: Annotated[
        str | None,
        typer.Option(help="The field that holds the label ('label').", rich_help_panel=o.READING),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of the files ('utf-8').", rich_help_panel=o.READING),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            help="The language that texts should be in: pt, en or any. Left out, the recipe's.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Tokens that the network reads at once. Left out, the recipe's or the model's.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Count tokens as this model does. Left out, they are estimated from words.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    to: Annotated[str, typer.Option(help="table or json.", rich_help_panel=o.WRITING)] = "table",
    show: Annotated[
        int, typer.Option(min=0, help="Examples of each finding.", rich_help_panel=o.WRITING)
    ] = 3,
) -> None:
    """Check data before a training: copies, contradictions, damage, labels, language, lengths.

    Ends with 1 where there are errors, which must be mended; warnings alone end with 0.
    """
    import json

    from nlpkit.errors import UsageError
    from nlpkit.jobs import debug_data as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    report = job.debug_data(
        data,
        text=column,
        label=label,
        encoding=encoding,
        lang=lang,
        model=model,
        window=window,
        show=show,
    )
    if to == "json":
        print(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)
    if report["counts"]["error"]:
        raise typer.Exit(1)


def _show(report: dict[str, Any]) -> None:
    from rich.text import Text

    from nlpkit.cli.screen.console import Console

    console = Console(highlight=False)
    if root := _root(report["files"]):
        console.print(Text(f"in {_clean(root)}", style="dim"))
        report = _without(report, root)
    console.print(_files(report["files"]))
    for finding in report["findings"]:
        _show_finding(console, finding)
    counts = report["counts"]
    told = [_count(count, name) for name, count in counts.items() if count]
    style = "red" if counts["error"] else "green"
    console.print(Text(f"\n{', '.join(told) or 'nothing found'}", style=f"bold {style}"))


def _files(files: list[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold")
    table.add_column("split", style="dim")
    numbers = {"rows": "rows", "used": "used", "words_median": "words", "words_95": "95%"}
    if all(file["used"] is None for file in files):
        del numbers["used"]
    for heading in numbers.values():
        table.add_column(heading, justify="right")
    table.add_column("labels", overflow="fold")
    for file in files:
        split = "" if file["split"] == file["file"] else file["split"]
        cells = ["" if file[key] is None else f"{file[key]:,}" for key in numbers]
        table.add_row(Text(_clean(file["file"])), split, *cells, Text(_labels(file["labels"])))
    return table


def _labels(labels: dict[str, int]) -> str:
    named = [f"{_clean(label)} {count:,}" for label, count in labels.items()]
    more = f", {len(named) - LABELS:,} more" if len(named) > LABELS else ""
    return ", ".join(named[:LABELS]) + more


def _show_finding(console: Any, finding: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, style = MARKS[finding["severity"]]
    grid = Table.grid(padding=(0, 1, 0, 0))
    heading = Text(_clean(finding["message"]), style="bold")
    grid.add_row(
        Text(mark, style=style), heading.append(f"  {finding['check']}", style="not bold dim")
    )
    grid.add_row("", Text(_clean(finding["mend"])))
    files = finding["files"]
    if len(files) > 1:
        named = [f"{_clean(path)} {count:,}" for path, count in list(files.items())[:FILES]]
        more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
        grid.add_row("", Text(f"in {', '.join(named)}{more}", style="dim"))
    console.print()
    console.print(grid)
    for example in finding["examples"]:
        console.print(_example(example), no_wrap=True, overflow="ellipsis")


def _example(example: dict[str, Any]) -> Any:
    from rich.text import Text

    line = Text("    ").append(_clean(" = ".join(example["places"])), style="cyan")
    between = "\n      " if len(line) > PLACES else "  "
    note = f"({_clean(example['note'])}) " if example["note"] else ""
    return line.append(between).append(note, style="yellow").append(_clean(example["text"]))


def _count(count: int, severity: str) -> str:
    return f"{count} {severity}" if count == 1 or severity == "info" else f"{count} {severity}s"


def _root(files: list[dict[str, Any]]) -> str:
    """Return the folder that holds all files, where it is said once instead of in each line.

    Relative paths are as the person wrote them; a recipe's are absolute and long.
    """
    import os.path
    from pathlib import Path

    folders = [Path(file["file"]).parent for file in files]
    if not all(folder.is_absolute() for folder in folders):
        return ""
    return os.path.commonpath(folders).rstrip(os.sep) + os.sep


def _without(value: Any, root: str) -> Any:
    """Return a report whose paths start below `root`."""
    if isinstance(value, str):
        return value.removeprefix(root)
    if isinstance(value, dict):
        return {_without(key, root): _without(item, root) for key, item in value.items()}
    return [_without(i, root) for i in value] if isinstance(value, list | tuple) else value


def _clean(text: str) -> str:
    """Return what a terminal may be given: nothing in a file may move its cursor."""
    return "".join(char if char.isprintable() else " " for char in text)
