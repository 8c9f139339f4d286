"""Texts with their words coloured by weight: blue for a label, orange against it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nlpkit.answers.explanation import Explanation, Weight

STRONGEST = 0.45  # opacity of the largest weight; text on it keeps a contrast of 4.5
FAINTEST = 0.05  # opacity below which a word has no colour


def coloured(text: str, words: Sequence[Weight], *, signed: bool = True) -> str:
    """Return a text as HTML, each word in a colour whose strength is that of its weight."""
    largest = max((abs(word.weight) for word in words), default=0.0) or 1.0
    parts, position = [], 0
    for word in words:
        strength = STRONGEST * abs(word.weight) / largest
        if strength < FAINTEST:
            continue
        parts.append(escape(text[position : word.start]))
        parts.append(_word(text[word.start : word.end], word.weight, strength, signed))
        position = word.end
    return "".join([*parts, escape(text[position:])])


def _word(text: str, weight: float, strength: float, signed: bool) -> str:
    side = "for" if weight > 0 else "against"
    number = f"{weight:+.2f}" if signed else f"{weight:.2f}"
    colour = f"background:rgb(var(--{side}) / {strength:.2f})"
    return f'<span class="w" style="{colour}" title="{number}">{escape(text)}</span>'


def listed(explanation: Explanation, *, signed: bool = True) -> str:
    """Return the strongest words with their weights as HTML, for readers without the colours."""
    words = explanation.strongest()
    sides = [("for", [w for w in words if w.weight > 0])]
    sides += [("against", [w for w in words if w.weight < 0])] if signed else []
    return "; ".join(
        f"{side}: {', '.join(f'{escape(w.text)} {w.weight:+.2f}' for w in own)}"
        for side, own in sides
        if own
    )
