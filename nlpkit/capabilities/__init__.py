"""Templates of sentences, as CheckList (Ribeiro et al. 2020) tests models with.

A template is a sentence with places in braces:

    {name}     a word of the slot `name`; else of `name_m` or `name_f`, by the sentence's gender
    {a|b|c}    one of the alternatives, which may be empty
    {o/a}      the first in a masculine sentence, the second in a feminine one

Values of slots and alternatives may hold places in turn. A file is TOML: [slots], and a [[group]]
for each set of templates that share a capability and an expectation (docs/capabilities.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

Slots = Mapping[str, Sequence[str]]

INNERMOST = re.compile(r"\{([^{}]*)\}")
GENDERS = re.compile(r"(?<=[^\W\d])/(?=[^\W\d])")  # a slash between letters; 3/10 has none
ENDINGS = ("_m", "_f")
TRIES = 8  # draws in a row that give nothing new before a template counts as exhausted


def fill(text: str, slots: Slots, rng: Random) -> str:
    """Return the sentence of a template with random words in its places."""
    filled = _fill(text, slots, rng, rng.randrange(2), set())
    return re.sub(r"\s+([,.!?;])", r"\1", " ".join(filled.split())).strip(" ,")


def _fill(text: str, slots: Slots, rng: Random, gender: int, used: set[str]) -> str:
    """Fill the places from the inside out; a word that is `used` comes again only if all are."""

    def value(place: re.Match[str]) -> str:
        inner = place[1]
        if "|" in inner or "/" in inner or not inner:
            chosen = rng.choice(inner.split("|"))
            pair = GENDERS.split(chosen)
            return pair[gender] if len(pair) == 2 else chosen
        words = slots.get(inner) or slots[inner + ENDINGS[gender]]
        word = rng.choice([word for word in words if word not in used] or words)
        used.add(word)
        return _fill(word, slots, rng, gender, used)

    while INNERMOST.search(text):
        text = INNERMOST.sub(value, text)
    return text


def sentences(text: str, slots: Slots, seed: str) -> Iterator[str]:
    """Yield distinct sentences of a template, in an order that the seed decides."""
    rng = Random(f"{seed}\n{text}")
    seen: set[str] = set()
    misses = 0
    while misses < TRIES:
        sentence = fill(text, slots, rng)
        if sentence in seen:
            misses += 1
            continue
        misses = 0
        seen.add(sentence)
        yield sentence


def unknown(text: str, slots: Slots) -> list[str]:
    """Return the names of slots that a template uses and nobody defines."""
    missing: list[str] = []

    def check(place: re.Match[str]) -> str:
        inner = place[1]
        both = all(inner + ending in slots for ending in ENDINGS)
        if not ("|" in inner or "/" in inner or inner in slots or both):
            missing.append(inner)
        return "x"

    while INNERMOST.search(text):
        text = INNERMOST.sub(check, text)
    return missing


def circular(slots: Slots) -> str:
    """Return the name of a slot whose words lead back to it, or "" if there is none."""
    done: set[str] = set()

    def leads_back(name: str, way: tuple[str, ...]) -> str:
        if name in way:
            return name
        if name in done:
            return ""
        inner = {used for word in slots[name] for used in _used(word, slots)}
        found = next(
            (loop for used in sorted(inner) if (loop := leads_back(used, (*way, name)))), ""
        )
        done.add(name)
        return found

    return next((loop for name in slots if (loop := leads_back(name, ()))), "")


def _used(text: str, slots: Slots) -> Iterator[str]:
    """Yield the slots that a text may draw from."""
    for inner in INNERMOST.findall(text):
        yield from (name for name in (inner, *(inner + end for end in ENDINGS)) if name in slots)
    if INNERMOST.search(text):
        yield from _used(INNERMOST.sub("", text), slots)
