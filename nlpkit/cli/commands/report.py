"""nlpkit report: report what many texts say, as a page for a meeting."""

from __future__ import annotations

from typing import Annotated

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)

CONTENT = "Content"
Day = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="FIELD",
        help="The field of dates, such as 03/11/2025.",
        rich_help_panel=CONTENT,
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD,...",
        help="Fields whose values are compared, such as store,product.",
        rich_help_panel=CONTENT,
    ),
]
Sample = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Report on N rows, drawn at random. Default: on all.",
        rich_help_panel=CONTENT,
    ),
]
Mask = Annotated[
    bool,
    typer.Option("--mask", help="Hide personal data and names in quotes.", rich_help_panel=CONTENT),
]
Lang = Annotated[
    str,
    typer.Option(metavar="CODE", help="Language of the texts: pt or en.", rich_help_panel=CONTENT),
]
Aspects = Annotated[
    bool,
    typer.Option("--aspects/--no-aspects", help="Look for aspects.", rich_help_panel=CONTENT),
]
Ui = Annotated[
    str | None,
    typer.Option(
        "--ui",
        metavar="CODE",
        help="Language of the page: pt or en. Default: that of the texts.",
        rich_help_panel=o.WRITING,
    ),
]
Title = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Title of the page.", rich_help_panel=o.WRITING),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="html, json or table. Default: by --output's extension; else a table.",
        rich_help_panel=o.WRITING,
    ),
]
EXAMPLE = "Example: nlpkit report a.csv -c review --date when --by store -o a.html"


@app.command(epilog=f"{EXAMPLE}\nExample: nlpkit report runs/mine -o training.html")
def report(
    inputs: o.Inputs = None,
    model: o.Model = "sentiment",
    date: Day = None,
    by: By = None,
    sample: Sample = 0,
    mask: Mask = False,
    lang: Lang = "pt",
    aspects: Aspects = True,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    to: To = None,
    output: o.Output = "-",
    title: Title = None,
    ui: Ui = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
) -> None:
    """Report what many texts say: how they feel, over time, by group, of what, and why.

    Writes one page that needs no other file and no network, JSON, or tables on the terminal: shares
    with intervals, changes that are more than noise, aspects that are praised and complained of,
    words that set groups apart, quotes with the words that decided.

    The folder of a training run gives the report of that training: curves, errors, calibration.
    """
    from nlpkit.cli.screen.report import write

    write(
        model,
        inputs,
        date=date,
        by=[name.strip() for name in (by or "").split(",") if name.strip()],
        sample=sample,
        mask=mask,
        lang=lang,
        aspects=aspects,
        source=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        errors=errors,
        to=to,
        output=output,
        title=title,
        ui=ui or lang,
        device=device,
        precision=precision,
        quiet=quiet,
    )
