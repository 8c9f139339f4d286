"""nlpkit vectorize: turn documents into vectors: counts, tf-idf or embeddings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from nlpkit.cli import options as o
from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.jobs.vectorize import Done, Show
    from nlpkit.vectorizing.request import Request

app = typer.Typer(add_completion=False)

TERMS, LEARNING = "Terms", "Learning (count, tfidf)"
Method = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="count or tfidf (learned terms), hash, or embed (a bundle's states)."
    ),
]
Fit = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Learn terms and write them to this .json file.",
        rich_help_panel=LEARNING,
    ),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with",
        metavar="FILE",
        help="Use the terms that --fit wrote, with the same columns.",
        rich_help_panel=LEARNING,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="svmlight, jsonl, npz, npy or parquet. By extension if left out, else svmlight.",
        rich_help_panel=o.WRITING,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A file, written in full or not at all; standard output if left out.",
        rich_help_panel=o.WRITING,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Field of the label, svmlight's first column. --fit numbers labels that are texts.",
        rich_help_panel=o.WRITING,
    ),
]
Top = Annotated[
    int, typer.Option(metavar="N", help="Show the N heaviest terms.", rich_help_panel=o.WRITING)
]
TopBy = Annotated[str, typer.Option(help="Rank by corpus or document.", rich_help_panel=o.WRITING)]
Analyzer = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="n-grams of word, char, or char_wb (inside words).",
        rich_help_panel=TERMS,
    ),
]
Ngrams = Annotated[
    str,
    typer.Option(
        metavar="N-N",
        help="1-2 is words and pairs of them, 2 is pairs only.",
        rich_help_panel=TERMS,
    ),
]
Lowercase = Annotated[
    bool,
    typer.Option(
        "--lowercase/--no-lowercase", help="Lowercase the text first.", rich_help_panel=TERMS
    ),
]
Pretokenized = Annotated[
    bool,
    typer.Option(
        "--pretokenized",
        help="Split at spaces only, as after nlpkit tokenize.",
        rich_help_panel=TERMS,
    ),
]
Binary = Annotated[
    bool,
    typer.Option("--binary", help="Count a term once in a document.", rich_help_panel=TERMS),
]
Norm = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Scale rows: l2, l1 or none (tfidf, hash).", rich_help_panel=TERMS
    ),
]
Sublinear = Annotated[
    bool,
    typer.Option(
        "--sublinear-tf", help="1 + log(count), not the count (tfidf).", rich_help_panel=TERMS
    ),
]
Features = Annotated[int, typer.Option(help="Number of columns (hash).", rich_help_panel=TERMS)]
MinDf = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Fewest documents that contain a term, or their share, such as 0.01.",
        rich_help_panel=LEARNING,
    ),
]
MaxDf = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Most documents that contain a term, or their share, such as 0.5.",
        rich_help_panel=LEARNING,
    ),
]
MaxFeatures = Annotated[
    int | None,
    typer.Option(help="Keep only the most frequent terms.", rich_help_panel=LEARNING),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        envvar="NLPKIT_MODEL",
        help="A model's name, or a bundle's path (embed).",
        rich_help_panel=o.RUNNING,
    ),
]


@app.command(
    epilog="Example: nlpkit vectorize --fit model.json train.csv -o train.npz\n"
    "         nlpkit vectorize --with model.json test.csv -o test.npz"
)
def vectorize(
    ctx: typer.Context,
    inputs: o.Inputs = None,
    method: Method = "tfidf",
    fit: Fit = None,
    with_: With = None,
    min_df: MinDf = "1",
    max_df: MaxDf = "1.0",
    max_features: MaxFeatures = None,
    analyzer: Analyzer = "word",
    ngrams: Ngrams = "1",
    lowercase: Lowercase = True,
    pretokenized: Pretokenized = False,
    binary: Binary = False,
    norm: Norm = "l2",
    sublinear_tf: Sublinear = False,
    features: Features = 2**18,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    to: To = None,
    output: Output = None,
    label: Label = None,
    top: Top = 0,
    top_by: TopBy = "corpus",
    model: Model = "",
    device: o.Device = "auto",
    quiet: o.Quiet = False,
) -> None:
    """Turn documents into vectors, one row for each document.

    count and tfidf learn their terms with --fit and use them with --with; hash and embed need
    no learning.
    """
    from nlpkit.cli.step_command import reading_of
    from nlpkit.errors import UsageError
    from nlpkit.vectorizing.options import Limits, Options, options_from, threshold
    from nlpkit.vectorizing.request import Request, check

    given = _given(ctx)
    known = {name: ctx.params[name] for name in Options.__dataclass_fields__}
    limits = Limits(
        min_df=threshold("--min-df", min_df),
        max_df=threshold("--max-df", max_df),
        max_features=max_features,
    )
    request = Request(
        reading=reading_of("vectorize ...", inputs, source, column, sheet, encoding, errors),
        options=options_from(known),
        limits=limits,
        given=given & (known.keys() | Limits.__dataclass_fields__.keys()),
        fit=fit,
        model=with_,
        label=label,
        to=to,
        output=output,
        top=top,
        top_by=top_by,
    )
    check(request)
    if "top_by" in given and not top:
        raise UsageError("--top-by needs --top; add --top 20")
    _refuse_binary(request)
    done = _run(request)
    if not quiet and _is_terminal(sys.stderr):
        _summary(request, done)


def _given(ctx: Any) -> frozenset[str]:
    """Return the parameters given on the command line, not those of the environment."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return frozenset(name for name, source in sources.items() if source.name == "COMMANDLINE")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _refuse_binary(request: Request) -> None:
    from nlpkit import catalog
    from nlpkit.errors import UsageError

    format, to_stdout = request.format, request.output in (None, "-")
    if (
        format
        and to_stdout
        and catalog.load("vector_formats", format).BINARY
        and _is_terminal(sys.stdout)
    ):
        raise UsageError(f"{format} is binary; name a file with --output, or pipe it on")


def _run(request: Request) -> Done:
    from nlpkit import records
    from nlpkit.jobs.vectorize import Listener, vectorize

    def warn(message: str) -> None:
        print(f"nlpkit: {message}", file=sys.stderr)

    if not request.top:
        return vectorize(request, Listener(settled=_flush, warn=warn))
    with records.write_output("-") as stream:
        return vectorize(
            request, Listener(show=_shower(request, stream), settled=_flush, warn=warn)
        )


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _shower(request: Request, stream: TextIO) -> Show:
    from nlpkit.cli.screen.bars import bars, shown

    if _is_terminal(sys.stdout):
        return bars

    from nlpkit.records.formats.tsv import row

    def lines(document: int | None, terms: list[tuple[str, float]]) -> None:
        first = [] if document is None else [str(document)]
        for term, weight in terms:
            stream.write(row([*first, term, shown(weight)]) + "\n")

    return lines


def _summary(request: Request, done: Done) -> None:
    if done.learned:
        terms, documents = len(done.learned.terms), plural(done.learned.documents, "document")
        size = f"{plural(terms, 'term')} from {documents}"
        print(f"nlpkit: wrote {request.fit}: {size}", file=sys.stderr)
    if request.format and request.output not in (None, "-"):
        documents = plural(done.documents, "document")
        print(f"nlpkit: wrote {request.output}: {documents}", file=sys.stderr)
