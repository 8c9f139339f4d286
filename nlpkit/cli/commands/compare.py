"""nlpkit compare: compare models by score, noise, size and speed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.cli.screen.plot import Point
    from nlpkit.cli.screen.table import Column
    from nlpkit.jobs.compare import Report, Row

app = typer.Typer(add_completion=False)

NAMES = {
    "macro_f1": "macro-F1",
    "ece": "ECE",
    "bleu": "BLEU",
    "chrf": "chrF",
}  # display names of metrics
FORMATS = ("table", "json", "markdown")


@app.command(epilog="Example: nlpkit compare sentiment rules --data test.jsonl --svg plot.svg")
def compare(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Bundles by name or path, runs' folders, rules."),
    ],
    data: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="A file with a text and a label in each row; scores are means over all files.",
        ),
    ],
    column: Annotated[str | None, o.column()] = None,
    label: o.Label = None,
    rename: o.Rename = None,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or markdown.")] = "table",
    svg: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the plot to this file as SVG.")
    ] = None,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write tables and plot to this page.")
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of measurements of speed and start.")
    ] = 5,
    encoding: o.Encoding = "utf-8",
    device: o.Device = "auto",
    precision: o.Precision = "auto",
) -> None:
    """Compare models on the same documents: scores, noise, size, speed, and a plot.

    Differences have a paired bootstrap interval; ~ marks those within noise. Speed and start are
    medians over rounds in which the models take turns.
    """
    from nlpkit.errors import UsageError
    from nlpkit.jobs import compare as job

    if to not in FORMATS:
        raise UsageError(f"--to {to}: not one of {', '.join(FORMATS)}")
    with _plot_file(svg) as draw, _page_file(html) as show, _progress() as listener:
        report = job.compare(
            models,
            data,
            text=column,
            label=label,
            encoding=encoding,
            renamed=o.renamed(rename),
            device=device,
            precision=precision,
            rounds=rounds,
            listener=listener,
        )
        draw(report)
        show(report)
    {"table": _show, "json": _json, "markdown": _markdown}[to](report)


@contextlib.contextmanager
def _plot_file(path: str | None) -> Iterator[Callable[[Report], object]]:
    """Open the SVG file before the work, so that a missing folder is reported at once."""
    if path is None:
        yield lambda report: None
        return
    from nlpkit import records
    from nlpkit.cli.screen.plot import svg_plot
    from nlpkit.errors import UsageError

    if path == "-":
        raise UsageError("--svg -: the table goes to standard output; name a file")
    with records.write_output(path) as stream:
        yield lambda report: stream.write(svg_plot(_points(report), _score(report)))


@contextlib.contextmanager
def _page_file(path: str | None) -> Iterator[Callable[[Report], object]]:
    """Open the page before the work, as `_plot_file`."""
    if path is None:
        yield lambda report: None
        return
    from nlpkit import records
    from nlpkit.errors import UsageError

    if path == "-":
        raise UsageError("--html -: the table goes to standard output; name a file")
    with records.write_output(path) as stream:
        yield lambda report: stream.write(_page(report))


def _page(report: Report) -> str:
    """Return a page with the tables of a report and its plot."""
    from html import escape

    from nlpkit.cli.screen.plot import svg_plot
    from nlpkit.pages import frame

    parts = [f"<figure>{svg_plot(_points(report), _score(report))}</figure>\n"]
    for columns, rows in _tables(report):
        titles = [column.title.strip() for column in columns]
        cells = [[escape(cell.strip()) for cell in row] for row in rows]
        parts.append(frame.table(", ".join(report.data), titles, cells))
    parts.append(f'<p class="faint">{escape(_notes(report))}</p>\n')
    return frame.page(f"Models by {_score(report)}", "".join(parts))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], object]]:
    """Show the current activity on a transient line of stderr, if it is a terminal."""
    from rich.markup import escape

    from nlpkit.cli.screen.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda doing: None
        return
    with console.status("") as status:
        yield lambda doing: status.update(escape(doing))


def _points(report: Report) -> list[Point]:
    from nlpkit.cli.screen.plot import Point

    return [
        Point(row.model, row.docs_per_second, row.score, *row.interval) for row in report.models
    ]


def _score(report: Report) -> str:
    """Return the display name of the deciding score."""
    return NAMES.get(report.score, report.score)


def _json(report: Report) -> None:
    from nlpkit.cli.screen.json import print_json

    print_json(report.to_dict())


def _markdown(report: Report) -> None:
    from nlpkit.svg import shown

    for columns, rows in _tables(report):
        titles = [column.title for column in columns]
        for line in (titles, ["---", *["--:"] * (len(titles) - 1)], *rows):
            cells = [shown(cell.strip()).replace("|", "\\|") for cell in line]
            print(f"| {' | '.join(cells)} |")
        print()
    print(_notes(report))


def _show(report: Report) -> None:
    from rich.text import Text

    from nlpkit.cli.screen.console import Console
    from nlpkit.cli.screen.plot import LEAST_COLUMNS, text_plot
    from nlpkit.cli.screen.table import show_table

    console = Console(highlight=False)
    for columns, rows in _tables(report):
        show_table(console, columns, rows)
        console.print()
    console.print(Text(_notes(report), style="dim"))
    if not console.is_terminal:
        return
    if console.width < LEAST_COLUMNS:
        console.print(Text("too narrow for the plot; --svg FILE draws it", style="dim"))
        return
    plain = console.is_dumb_terminal or console.encoding != "utf-8"
    drawn = text_plot(_points(report), min(console.width, 100), score=_score(report), ascii=plain)
    console.print(Text("\n" + drawn), soft_wrap=True)


def _tables(report: Report) -> Iterator[tuple[Sequence[Column], list[list[str]]]]:
    """Yield (columns, rows) of all scores, then of the deciding score by file, if there are two."""
    from nlpkit.cli.screen.table import Column

    scores = [
        Column(NAMES.get(key, key), drop=0 if key == report.score else 4, right=True)
        for key in report.models[0].means
    ]
    last = [
        *(Column("MB", drop=3, right=True), Column("docs/s", drop=2, right=True)),
        *(Column("start", drop=5, right=True), Column("  to the best", drop=1)),
    ]
    columns = [Column("model", narrow="cut"), *scores, *last]
    yield columns, [_row(row, report) for row in report.models]
    if len(report.data) == 1:
        return
    values = [
        [f"{file[report.score]:.3f}" for file in files]
        for files in zip(*(row.files for row in report.models), strict=True)
    ]
    names = ["/".join(Path(path).parts[-2:]) for path in report.data]
    models = [Column(row.model, right=True, narrow="cut") for row in report.models]
    columns = [Column(_score(report), narrow="cut"), *models]
    yield columns, [[name, *row] for name, row in zip(names, values, strict=True)]


def _row(row: Row, report: Report) -> list[str]:
    low, high = row.interval
    start = row.cold_start_seconds
    noise = f" ±{(high - low) / 2:.3f}"
    return [
        row.model,
        *(f"{mean:.3f}{noise * (key == report.score)}" for key, mean in row.means.items()),
        f"{row.bytes / 1e6:.1f}",
        f"{row.docs_per_second:,.0f}",
        f"{start:.2f} s" if start is not None else "-",
        "  best" if row.model == report.best else _difference(row),
    ]


def _difference(row: Row) -> str:
    low, high = row.difference_interval
    noise = "~" if low <= 0 <= high else " "
    return f"{noise} {row.difference:.3f} ({low:.3f} to {high:.3f})"


def _notes(report: Report) -> str:
    from nlpkit.wording import plural

    providers = sorted({row.provider for row in report.models})
    files = len(report.data)
    left_out = f" ({report.left_out:,} left out)" if report.left_out else ""
    means = f", means over {files} files" if files > 1 else ""
    rounds = plural(report.rounds, "round")
    return (
        f"{plural(report.n, 'document')}{left_out}{means}; speed on {' and '.join(providers)} over "
        f"{report.timed:,}, median of {rounds}.\n"
        "start: time of a process that answers one line. ±: half of the 95% bootstrap interval. "
        "~: within noise."
    )
