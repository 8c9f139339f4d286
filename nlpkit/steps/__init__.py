"""Preprocessing: one file is one step, and its name is the step's name and the command's.

A step's file has

    'One line that says what it does; help, `nlpkit steps` and the docs show it.'
    TAKES = "text"            # "text" or "tokens"
    GIVES = "text"            # "text", "tokens" or "vector"
    IDEMPOTENT = True         # a second run changes nothing (tested on any Unicode)
    EXAMPLES = (("", before, after), ("--option value", before, after), ...)  # shown and tested

    OUTSIDE = ("list",)       # only where there are options that name a file or a model

    @dataclass(frozen=True, kw_only=True)
    class Options: ...        # fields made by `settings.declaration.setting`; each becomes a flag

    def build(options: Options) -> Step: ...
    def show(options): ...    # only for --show: the lines that it prints
    def gives(options): ...   # only where options change what is given
    def resolve(options): ... # only where options stand for others, as presets do

`build` returns a callable from documents to results, one for each, in order. Documents are
strings; between steps, and in a pipe between two commands, tokens are joined by one space. That
is what makes `nlpkit a | nlpkit b` and `nlpkit pipe "a | b"` equal byte for byte, so a result must
follow from the string alone. A step that TAKES tokens finds them with `nlpkit.language.words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["Result", "Step", "Tokens"]


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
