"""Write labelled sentences of our own, to train a sentiment model on what reviews rarely show.

    python teaching/write.py OUTPUT.jsonl [--rows 7500] [--seed 1]

The sentences are drawn from the templates in teaching/pt and teaching/en (their format is that of
docs/capabilities.md) and written as people type: lower case, without accents, abbreviated, with
emoji. Each label gets a third of the rows of each language. The same seed gives the same rows.

A sentence that the package tests models with, or benchmarks/probes.tsv does, is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from nlpkit.augmentations.typos import SHORT, slip, without_accents
from nlpkit.capabilities import fill, unknown
from nlpkit.capabilities.cases import cases
from nlpkit.capabilities.sheet import read, shipped
from nlpkit.records.rows import fingerprint

HERE = Path(__file__).parent
SHARES = {"pt": 0.75, "en": 0.25}
LABELS = ("negative", "neutral", "positive")
MISSES = 40  # rounds over all templates without a new sentence before giving up
EMOJI = {
    "positive": ["😍", "❤️", "👏👏", "🥰", "😋", "🔥", "👍", "😊", "🎉", "kkkk", "hahaha", "rs"],
    "negative": ["😡", "👎", "😤", "🙄", "💔", "🤮", "😠", "afff", "kkkk", "🤡", "pqp"],
    "neutral": ["👀", "📦", "🤔", "rs", "📍", "kkk", "☕", "✌️"],
}
EN_LAUGHS = {"kkkk": "lol", "kkk": "lol", "rs": "haha", "afff": "ugh", "pqp": "smh"}
SHORT_EN = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "thanks": "thx", "great": "gr8",
    "because": "cuz", "really": "rly", "though": "tho", "people": "ppl", "with": "w/",
    "going to": "gonna", "want to": "wanna", "don't": "dont", "can't": "cant", "it's": "its",
    "didn't": "didnt", "doesn't": "doesnt", "isn't": "isnt", "won't": "wont", "I": "i",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--rows", type=int, default=7500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    drawn = rows(options.rows, options.seed)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in drawn)
    for key, count in sorted(
        Counter((r["lang"], r["capability"], r["label"]) for r in drawn).items()
    ):
        print(*key, count, sep="\t")


def rows(most: int, seed: int) -> list[dict[str, str]]:
    """Return the rows of both languages, shuffled."""
    seen = tested()
    drawn = []
    for lang, share in SHARES.items():
        slots, groups = templates(lang)
        for label in LABELS:
            own = [
                (group["capability"], template)
                for group in groups
                if group["label"] == label
                for template in group["templates"]
            ]
            quota = round(most * share / len(LABELS))
            for capability, text in draw(own, slots, label, lang, quota, seen, seed):
                drawn.append({"text": text, "label": label, "capability": capability, "lang": lang})
    Random(seed).shuffle(drawn)
    return drawn


def draw(
    own: list[tuple[str, str]],
    slots: dict[str, list[str]],
    label: str,
    lang: str,
    quota: int,
    seen: set[str],
    seed: int,
) -> Iterator[tuple[str, str]]:
    """Yield (capability, sentence), one of each template in turn, until the quota is full."""
    rng = Random(f"{seed} {lang} {label}")
    misses = 0
    while quota and misses < MISSES:
        misses += 1
        for capability, template in rng.sample(own, len(own)):
            plain = fill(template, slots, rng)
            text = typed(plain, label, lang, rng)
            if quota and seen.isdisjoint(keys := {key(plain), key(text)}):
                seen |= keys
                misses = 0
                quota -= 1
                yield capability, text


def key(text: str) -> str:
    """Return the letters of a sentence without case, accents and punctuation."""
    return without_accents(fingerprint(text))


def typed(text: str, label: str, lang: str, rng: Random) -> str:
    """Return a sentence as somebody might type it."""
    style = rng.random()
    if style < 0.35:  # careful
        text = text[0].upper() + text[1:]
        text += (
            rng.choice((".", ".", "!" if label != "neutral" else ".", ""))
            if text[-1].isalnum()
            else ""
        )
    elif style < 0.6:  # lower case, with accents
        text = text[0].lower() + text[1:]
    elif style < 0.8:  # lower case, without accents, abbreviated
        text = without_accents(shortened(text, lang, 0.6, rng).lower())
    elif style < 0.9:  # mistyped
        words = text.split(" ")
        place = rng.randrange(len(words))
        if words[place].isalpha():
            words[place] = slip(words[place], rng) if lang == "pt" else words[place].lower()
        text = shortened(" ".join(words), lang, 0.3, rng)
    elif style < 0.93 and label != "neutral":
        text = text.upper()
    elif text[-1].isalnum() and label != "neutral":
        text += rng.choice(("!", "!!", "!!!", "...", " !"))
    if len(text.split()) > 2 and rng.random() < (0.04 if label == "neutral" else 0.1):
        text = f"{text} {mark(label, lang, rng)}"
    return text


def mark(label: str, lang: str, rng: Random) -> str:
    chosen = rng.choice(EMOJI[label])
    return EN_LAUGHS.get(chosen, chosen) if lang == "en" else chosen


def shortened(text: str, lang: str, share: float, rng: Random) -> str:
    """Return the text with a share of its common words abbreviated."""

    def word_of(word: str) -> str:
        bare = word.rstrip(",.!?")
        short: Any = SHORT.get(bare.lower()) if lang == "pt" else SHORT_EN.get(bare)
        if not short or bare.lower() in ("de", "com", "mais", "num") or rng.random() >= share:
            return word
        return (rng.choice(short) if lang == "pt" else short) + word[len(bare) :]

    return " ".join(map(word_of, text.split(" ")))


def templates(lang: str) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Return the slots and groups of a language; each file may add slots.

    Raises:
        ValueError: a template uses a slot that no file defines.
    """
    trees = {
        path: tomllib.loads(path.read_text("utf-8"))
        for path in sorted((HERE / lang).glob("*.toml"))
    }
    slots = {
        name: words for tree in trees.values() for name, words in tree.get("slots", {}).items()
    }
    groups = [group for tree in trees.values() for group in tree.get("group", [])]
    texts = [text for group in groups for text in group["templates"]]
    for text in [*texts, *(word for words in slots.values() for word in words)]:
        if missing := unknown(text, slots):
            raise ValueError(f"teaching/{lang}: {text!r} uses {missing}, which is no slot")
    return slots, groups


def tested() -> set[str]:
    """Return the keys of all sentences that models are tested with."""
    with (HERE.parent / "benchmarks/probes.tsv").open(encoding="utf-8", newline="") as file:
        probes = [row[2] for row in csv.reader(file, delimiter="\t") if len(row) == 3]
    drawn = [text for path in shipped() for case in cases(read(path)) for text in case.texts]
    return {key(text) for text in [*probes, *drawn]}


if __name__ == "__main__":
    main()
