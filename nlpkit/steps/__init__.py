"""Preprocessing: one file is one step, and its name is the step's name and the command's.

A step's file has

    'One line that says what it does; help, `nlpkit steps` and the docs show it.'
    TAKES = "text"            # "text" or "tokens"
    GIVES = "text"            # "text", "tokens" or "vector"
    IDEMPOTENT = True         # a second run changes nothing (tested on any Unicode)
    EXAMPLES = (("", before, after), ("--option value", before, after), ...)  # shown and tested

    READS_INVISIBLE = True    # only for a step that reads texts with their invisible characters
    OUTSIDE = ("list",)       # only where there are options that name a file or a model

    @dataclass(frozen=True, kw_only=True)
    class Options: ...        # fields made by `settings.declaration.setting`; each becomes a flag

    def build(options: Options, load: Load = no_models) -> Step: ...
    def prepare(options): ... # only where something must happen before any step is built
    def show(options): ...    # only for --show: the lines that it prints
    def gives(options): ...   # only where options change what is given
    def resolve(options): ... # only where options stand for others, as presets do

`build` returns a callable from documents to results, one for each, in order. Documents are
strings, in NFC and without invisible characters (`nlpkit.text.unicode`);
between steps, and in a pipe between two commands, tokens are joined by one space. So
`nlpkit a | nlpkit b` and `nlpkit pipe "a | b"` give the same bytes, as long as a result follows
from the string alone. A step that TAKES tokens finds them with `nlpkit.language.words`. A step that
asks a model gets it by name from `load`: it imports neither models nor what runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nlpkit.errors import ModelError

if TYPE_CHECKING:
    from nlpkit.text import Tokenizer

__all__ = ["Load", "Model", "Result", "Step", "Tokens", "no_models"]


class Tokens(list[str]):
    """The tokens (or sentences) of one document; no token is empty or has white space inside.

    `fields` holds what is known of each token beside it (offsets, upos): lists of the same
    length that JSONL output gives under their names. `separator` joins tokens into a line.
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
    """What steps ask of a model, for type checkers."""

    @property
    def task(self) -> Any: ...

    @property
    def tokenizer(self) -> Tokenizer: ...

    def predict(self, documents: Sequence[Any]) -> list[Any]: ...

    def embed(self, documents: Sequence[Any]) -> Any: ...


class Load(Protocol):
    """The signature of `nlpkit.load`, which opens a model by its name or its bundle's path."""

    def __call__(
        self, name: str, *, device: str = "auto", precision: str = "auto", threads: int = 0
    ) -> Model: ...


def no_models(
    name: str, *, device: str = "auto", precision: str = "auto", threads: int = 0
) -> Model:
    """Refuse any model: the `load` of steps that were handed none. Raises ModelError."""
    raise ModelError(f"{name}: this step needs a model; build it with load=nlpkit.load")
