"""How the surprise of texts is shown on a terminal: each word in the colour of its bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from nlpkit.cli.screen.console import Console, printable

if TYPE_CHECKING:
    from nlpkit.answers.surprise import Surprise
    from nlpkit.records.answered import Answered
    from nlpkit.runtime.model import Answerer

# Bits from which a word has a style: blue to orange, which colour-blind readers tell apart.
STYLES = ((24.0, "bold black on dark_orange"), (16.0, "dark_orange"), (10.0, "yellow"))
LIKELY = (4.0, "dim")  # below these bits


class SurpriseLook:
    """The bits a byte, and the text with its surprising words in colour."""

    head = ""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.console = Console()
        self.bits, self.bytes = 0.0, 0

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield the lines of the text, after its bits a byte."""
        if item.answer is None:
            yield Text("       -")
            return
        self.bits += item.answer.bits
        self.bytes += item.answer.bytes
        first = f"{item.answer.bits_per_byte:8.2f}  "
        for line in coloured(item.text, item.answer).wrap(
            self.console, max(columns - len(first), 1)
        ):
            yield Text().append(first, style="bold").append_text(line)
            first = " " * len(first)

    def summary(self, columns: int) -> Iterable[Text]:
        """Yield the key to the colours and the bits a byte of all texts."""
        key = Text("\nbits a word: ", style="dim").append(f"below {LIKELY[0]:g}", style=LIKELY[1])
        for least, style in reversed(STYLES):
            key.append("  ").append(f"{least:g} and more", style=style)
        yield key
        mean = self.bits / max(self.bytes, 1)
        yield Text(f"{mean:.3f} bits a byte; a text with many more is odd", style="dim")


def coloured(text: str, surprise: Surprise) -> Text:
    """Return the text with a style for each word by its bits."""
    shown = Text(printable(text, len(text)))
    for word in surprise.words:
        shown.stylize(_style(word.bits), word.start, word.end)
    return shown


def _style(bits: float) -> str:
    for least, style in STYLES:
        if bits >= least:
            return style
    return LIKELY[1] if bits < LIKELY[0] else ""
