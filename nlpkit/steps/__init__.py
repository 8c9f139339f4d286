"""The contract of preprocessing steps: one file a step, named as the step and its command.

A step's file has

    'One line for the help, `nlpkit steps` and the docs.'
    TAKES = "text"            # "text" or "tokens"
    GIVES = "text"            # "text", "tokens" or "vector"
    IDEMPOTENT = True         # a second run changes nothing (tested on arbitrary Unicode)
    EXAMPLES = (("", before, after), ("--option value", before, after), ...)  # shown and tested

    READS_INVISIBLE = True    # optional: pass the original text, with invisible characters
    OUTSIDE = ("list",)       # optional: the options that name a file or a model

    @dataclass(frozen=True, kw_only=True)
    class Options: ...        # fields made by `settings.declaration.setting`; each becomes a flag

    def build(options: Options, load: Load = no_models) -> Step: ...
    def prepare(options): ... # optional: runs before any step of a chain is built
    def show(options): ...    # optional: the lines of --show
    def gives(options): ...   # optional: GIVES, if it depends on the options
    def resolve(options): ... # optional: replaces options such as presets by those they stand for

`build` returns a callable from documents to results, one for each, in order. Documents are strings
in NFC without invisible characters (`nlpkit.text.unicode`). Between steps, and in a pipe between
two commands, tokens are joined by one space, so `nlpkit a | nlpkit b` and `nlpkit pipe "a | b"`
give the same bytes. A step that TAKES tokens splits its text with `nlpkit.language.words`. A step
that needs a model gets it by name from `load` and imports no inference code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nlpkit.errors import ModelError

if TYPE_CHECKING:
    from nlpkit.text import Tokenizer

__all__ = ["Load", "Model", "Result", "Step", "Tokens", "no_models"]


class Tokens(list[str]):
    """The tokens (or sentences) of one document; no token is empty or contains white space.

    `fields` holds attributes of the tokens (offsets, upos): lists with one entry for each token,
    which JSONL output includes under their names. `separator` joins tokens into a line.
    """

    def __init__(
        self,
        tokens: Sequence[str] = (),
        fields: Mapping[str, list[Any]] | None = None,
        separator: str = " ",
    ) -> None:
        super().__init__(tokens)
        self.fields = dict(fields or {})
        self.separator = separator

    def __str__(self) -> str:
        return self.separator.join(self)


Result = Any  # str, Tokens, or a vector
Step = Callable[[Sequence[str]], Sequence[Result]]


class Model(Protocol):
    """The part of a model that steps use."""

    @property
    def task(self) -> Any: ...

    @property
    def tokenizer(self) -> Tokenizer: ...

    def predict(self, documents: Sequence[Any]) -> list[Any]: ...

    def embed(self, documents: Sequence[Any]) -> Any: ...


class Load(Protocol):
    """The signature of `nlpkit.load`, which loads a model by its name or its bundle's path."""

    def __call__(
        self, name: str, *, device: str = "auto", precision: str = "auto", threads: int = 0
    ) -> Model: ...


def no_models(
    name: str, *, device: str = "auto", precision: str = "auto", threads: int = 0
) -> Model:
    """Raise ModelError: the default `load`, for steps that are built without models."""
    raise ModelError(f"{name}: this step needs a model; build it with load=nlpkit.load")
