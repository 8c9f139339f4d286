"""Draw the tests of a sheet: sentences with the labels they allow, or that must be answered alike.

The same sheet always gives the same tests. A minimum functionality test (MFT) of CheckList is a
sentence with labels; an invariance test (INV) is a sentence with its variants.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from nlpkit.capabilities import sentences
from nlpkit.capabilities.sheet import Group, Sheet

SEED = "capabilities"
GAP = "\0"  # stands for the slot that varies while the others are filled


@dataclass(frozen=True)
class Case:
    """One test: the answer to its text is one of `labels`, or all its texts get the same."""

    capability: str
    language: str
    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def fails(self, answers: tuple[str, ...]) -> bool:
        """Return whether the answers to the texts break the expectation."""
        return answers[0] not in self.labels if self.labels else len(set(answers)) > 1


def cases(sheet: Sheet) -> Iterator[Case]:
    """Yield the tests of a sheet, group by group; blank sentences are left out."""
    for group in sheet.groups:
        for template in group.templates:
            for texts in islice(_texts(group, template, sheet), sheet.sentences):
                yield Case(group.capability, sheet.language, texts, group.labels)


def _texts(group: Group, template: str, sheet: Sheet) -> Iterator[tuple[str, ...]]:
    gap = f"{{{group.vary}}}"
    for sentence in sentences(template.replace(gap, GAP), sheet.slots, SEED):
        if GAP in sentence:
            yield tuple(sentence.replace(GAP, word) for word in sheet.slots[group.vary])
        elif group.change and sentence:
            changed = (CHANGED[name](sentence) for name in group.change)
            yield tuple(dict.fromkeys((sentence, *changed)))
        elif group.labels and sentence:
            yield (sentence,)


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _final_mark(text: str) -> str:
    """Return the text without its final marks, or with a full stop; a question stays as it is."""
    if text[-1] == "?":
        return text
    return text.rstrip(".!… ") or text if text[-1] in ".!…" else f"{text}."


CHANGED: dict[str, Callable[[str], str]] = {
    "accents": _without_accents,
    "case": str.lower,
    "final mark": _final_mark,
}
