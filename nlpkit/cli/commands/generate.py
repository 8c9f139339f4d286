"""nlpkit generate: write texts with a language model, or with any model that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.runtime.model import Model

app = typer.Typer(add_completion=False)
HOW = "How to write"

Prompt = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt", "-p", metavar="TEXT", help="A prompt, in place of files; repeat for more."
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        min=1,
        metavar="N",
        help="Most new tokens. Default: 100 for prompts, the model's own for sources.",
        rich_help_panel=HOW,
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="T",
        help="Below 1, likely words become likelier; 0 takes the likeliest. "
        "Default: 0.8 for prompts, 0 for sources.",
        rich_help_panel=HOW,
    ),
]
TopK = Annotated[
    int,
    typer.Option(
        "--top-k",
        min=0,
        metavar="N",
        help="Draw among the N likeliest tokens only.",
        rich_help_panel=HOW,
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p",
        min=0,
        max=1,
        metavar="P",
        help="Draw among the likeliest tokens that sum to P only.",
        rich_help_panel=HOW,
    ),
]
MinP = Annotated[
    float,
    typer.Option(
        "--min-p",
        min=0,
        max=1,
        metavar="P",
        help="Draw among tokens with P times the likeliest one's chance only.",
        rich_help_panel=HOW,
    ),
]
RepeatPenalty = Annotated[
    float,
    typer.Option(
        "--repeat-penalty",
        min=0.01,
        metavar="X",
        help="Above 1, words of the text come less likely again.",
        rich_help_panel=HOW,
    ),
]
Seed = Annotated[
    int,
    typer.Option(help="Another seed gives other texts; the same, the same.", rich_help_panel=HOW),
]
Samples = Annotated[
    int, typer.Option(min=1, metavar="N", help="Texts for each prompt.", rich_help_panel=HOW)
]
Beams = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        metavar="N",
        help="Search with N beams; 1 does not. Default: 1 for prompts, the model's own for "
        "sources.",
        rich_help_panel=HOW,
    ),
]
Stop = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="End before this text; repeat for more.", rich_help_panel=HOW
    ),
]
Logprobs = Annotated[
    bool,
    typer.Option(
        "--logprobs", help="Add each token's log-probability (JSON).", rich_help_panel=o.WRITING
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, such as jsonl, csv, xlsx. Left out: as the input came.",
        rich_help_panel=o.WRITING,
    ),
]


@app.command(epilog='Example: nlpkit generate --prompt "O atendimento foi" --samples 3')
def generate(
    inputs: o.Inputs = None,
    prompt: Prompt = None,
    model: o.Model = "lm-pt",
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    top_k: TopK = 0,
    top_p: TopP = 0.95,
    min_p: MinP = 0.0,
    repeat_penalty: RepeatPenalty = 1.0,
    seed: Seed = 0,
    samples: Samples = 1,
    beams: Beams = None,
    stop: Stop = None,
    logprobs: Logprobs = False,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    whole: o.Whole = False,
    to: To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: o.Into = None,
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Continue prompts with a language model, or write from sources with any model that writes.

    Prompts are lines, or a field of CSV, TSV, JSON, JSONL or Excel. On a terminal the text appears
    as it is written. N prompts give N texts, in order, or N times --samples. The same prompt,
    settings and seed give the same text, alone or among others.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.errors import UsageError
    from nlpkit.jobs import generate as job

    if prompt and inputs:
        raise UsageError("--prompt and files exclude each other; leave one out")
    if logprobs and to not in (None, "jsonl", "json"):
        raise UsageError(f"--logprobs needs JSON, not --to {to}; use --to jsonl")
    manner: Any = None

    def adapt(loaded: Model) -> Model:
        nonlocal manner
        loaded = job.writer_of(loaded)
        manner = job.manner_of(
            loaded,
            beams=beams,
            temperature=temperature,
            sampling={
                "top_k": top_k,
                "top_p": top_p,
                "min_p": min_p,
                "repeat_penalty": repeat_penalty,
                "seed": seed,
            },
            samples=samples,
            longest=max_tokens,
            stop=tuple(stop or ()),
            pieces=logprobs,
        )
        return loaded

    def answering(loaded: Any, reading: Any, settled: Any, **settings: Any) -> Any:
        return job.texts(loaded, reading, settled, manner=manner, samples=samples, **settings)

    def showing(loaded: Any, reading: Any) -> None:
        from nlpkit.cli.screen.writing import stream
        from nlpkit.runtime.writing import reads_sources

        jobs = job.one_by_one(loaded, reading, manner, samples)
        continues = not reads_sources(loaded.task)
        stream(jobs, name=loaded.name, continues=continues, quiet=quiet)

    answer_all(
        model=model,
        inputs=inputs,
        texts=prompt or (),
        source=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        errors=errors,
        whole=whole,
        to=to or ("jsonl" if logprobs else None),
        output=output,
        dialect=dialect,
        into=into,
        by=None,
        min_confidence=0.0,
        line_buffered=line_buffered,
        device=device,
        precision=precision,
        quiet=quiet,
        verbose=verbose,
        adapt=adapt,
        answering=answering,
        showing=showing,
        example="echo 'O atendimento foi' | nlpkit generate",
    )
