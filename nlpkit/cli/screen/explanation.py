"""How explanations are shown on a terminal: words in blue for a label, in orange against it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nlpkit.cli.screen.console import Console, printable
from nlpkit.jobs.explain import measured

if TYPE_CHECKING:
    from nlpkit.answers.explanation import Explanation, Weight
    from nlpkit.records.answered import Answered
    from nlpkit.runtime.model import Answerer

# Styles of a weight that is at least this share of the largest.
FOR = ((0.6, "bold white on dodger_blue3"), (0.3, "bold dodger_blue1"), (0.1, "dodger_blue1"))
AGAINST = ((0.6, "bold black on dark_orange"), (0.3, "bold dark_orange"), (0.1, "dark_orange"))


class ExplanationsLook:
    """The label, the text with its words in colour, and the strongest words with their weights."""

    head = ""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.console = Console()
        self.method: Any = getattr(model, "method", None)
        self.signed = bool(self.method and self.method.SIGNED)
        self.answers: list[Any] = []

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield the lines of each explanation of a document."""
        self.answers.append(item.answer)
        if item.answer is None or not item.answer.each:
            yield Text(f"- {printable(item.text, columns)}", style="dim")
            return
        for one in item.answer.each:
            yield self._head(one)
            for line in coloured(item.text, one.words).wrap(self.console, max(columns - 2, 1)):
                yield Text("  ").append_text(line)
            for name, words in (("", one.strongest()), ("together: ", one.phrases)):
                if words:
                    yield Text(f"  {name}{_listed(words, self.signed)}", style="dim")

    def _head(self, one: Explanation) -> Text:
        head = Text(f"{one.label} {one.score:.1%}", style="bold")
        if one.start is not None:
            head = Text(printable(one.text, len(one.text)), style="bold").append(f" {head}")
        return head

    def summary(self, columns: int) -> Iterable[Text]:
        """Yield the key to the colours, the faithfulness and the caution of the method."""
        key = Text("\n").append("for", style=FOR[0][1])
        if self.signed:
            key.append("  ").append("against", style=AGAINST[0][1])
        yield key.append("  the label; numbers are weights", style="dim")
        if mean := measured(self.answers):
            for name, value, drawn, better in (
                ("comprehensiveness", mean[0], mean[2], "high"),
                ("sufficiency", mean[1], mean[3], "low"),
            ):
                yield Text(
                    f"{name:<17} {value:7.3f}, of random words {drawn:.3f}; {better} is faithful"
                )
        if self.method and self.method.CAUTION:
            yield Text(self.method.CAUTION, style="dim")


def coloured(text: str, words: Iterable[Weight]) -> Text:
    """Return the text with a style for each word by its weight."""
    shown, parts = Text(printable(text, len(text))), list(words)
    largest = max((abs(word.weight) for word in parts), default=0.0) or 1.0
    for word in parts:
        for least, style in FOR if word.weight > 0 else AGAINST:
            if abs(word.weight) / largest >= least:
                shown.stylize(style, word.start, word.end)
                break
    return shown


def _listed(words: Iterable[Weight], signed: bool) -> str:
    """Return words with their weights, those of attention without a sign."""
    sign = "+" if signed else ""
    return "  ".join(f"{printable(word.text, 40)} {word.weight:{sign}.2f}" for word in words)
