"""The options of `nlpkit vectorize`, and the checks of their combinations."""

from __future__ import annotations

from dataclasses import dataclass

from nlpkit.errors import UsageError
from nlpkit.records.reading import Reading
from nlpkit.records.target import is_same
from nlpkit.vectorizing.options import LEARNED, NO_LIMITS, Limits, Options, check_given, flag
from nlpkit.vectorizing.output import format_of

TOP_BY = ("corpus", "document")


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of one call. `given` names the options on the command line, even at defaults."""

    reading: Reading
    options: Options
    limits: Limits = NO_LIMITS
    given: frozenset[str] = frozenset()
    fit: str | None = None
    model: str | None = None  # a file that --fit wrote
    label: str | None = None
    to: str | None = None
    output: str | None = None
    top: int = 0
    top_by: str = "corpus"

    @property
    def format(self) -> str | None:
        """The format to write, or None where --fit only learns or --top only prints."""
        if self.to is None and self.output is None and (self.fit or self.top):
            return None
        return self.to or format_of(self.output or "-")


def check(request: Request) -> None:
    """Reject combinations of options that contradict each other.

    Raises:
        UsageError: the message says which option to leave out or to add.
    """
    if request.fit and request.model:
        raise UsageError("--fit learns a model and --with uses one; give only one of the two")
    _check_method(request)
    _check_top(request)
    if request.label and not request.fit and request.format != "svmlight":
        raise UsageError("--label fills svmlight's first column; jsonl and parquet keep all fields")
    _check_places(request)


def _check_method(request: Request) -> None:
    method = request.options.method
    if request.model:
        if "method" in request.given and method not in LEARNED:
            raise UsageError(f"--with reads a model of count or tfidf; leave it out for {method}")
        if extra := sorted(map(flag, request.given - {"method"})):
            raise UsageError(
                f"{request.model} already sets {', '.join(extra)}; leave it out, or learn another "
                "model with --fit"
            )
        return
    check_given(method, request.given)
    if method in LEARNED and not request.fit:
        raise UsageError(
            f"{method} needs a model: learn one with --fit MODEL.json, or use one with "
            "--with MODEL.json (--method hash needs none)"
        )
    if method not in LEARNED and request.fit:
        raise UsageError(f"{method} learns no model; leave --fit out, or choose count or tfidf")


def _check_top(request: Request) -> None:
    if request.top < 0:
        raise UsageError(f"--top {request.top}: must be at least 1")
    if request.top_by not in TOP_BY:
        raise UsageError(f"--top-by {request.top_by}: not one of {', '.join(TOP_BY)}")
    if not request.top:
        return
    if not (request.fit or request.model):
        raise UsageError(
            f"--top names terms, and columns of {request.options.method} have no names; "
            "use count or tfidf"
        )
    if request.format and request.output in (None, "-"):
        raise UsageError("--top prints to stdout; name a file for the vectors with --output")


def _check_places(request: Request) -> None:
    fit, output = request.fit, request.output
    if fit == "-" and (request.top or (request.format and output in (None, "-"))):
        raise UsageError("--fit - prints the model; name a file for it, or for the other output")
    if fit and any(is_same(fit, path) for path in (*request.reading.inputs, output)):
        raise UsageError(f"--fit {fit} would overwrite an input or the output; name another file")
    if request.model and is_same(request.model, output):
        raise UsageError(f"--output {output} would overwrite the model; name another file")
