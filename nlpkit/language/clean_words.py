"""Operations of `clean` on words and marks: stretched letters, laughter, punctuation, emoji."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Callable

from nlpkit.language.patterns import EMOJI, EMOTICON, HASHTAGS, NEEDS, Operation, apart, find

_VOWELS = "aeiouáéíóúâêôãõà"
_LETTER = r"[^\W\d_]"
_ROMAN = r"(?=[cxvil])c{0,3}(?:x[cl]|l?x{0,3})(?:i[vx]|v?i{0,3})\b"
# A word of one letter (kkk, BBB, aaa, www), XVIII, and codes, which have digits in them.
_UNSTRETCHED = rf"\b(?:({_LETTER})\2\2\b|{_ROMAN}|[^\W\d]*+\d\w*+)"
# For each laugh: letters that it must have, its pattern, its short form.
_LAUGHTER = (
    ("kk", r"\bkk[jkl]*+\b|(?<![k\d])(?<!\bo)k{3,}+(?!\d)", "kkk"),
    ("rsr", r"\b(?=[rs]*?rsr)[rs]{4,}+\b", "rsrs"),
    ("sks", r"\b(?=[ks]*?sks)[ks]{5,}+\b", "ksks"),
)
_H_HINT = "h(?:[aeiou]+h|ua|ue|au|us|su|sh)"
_H_LAUGHTER = (
    r"\b(?=[aeiou]*h+([aeiou])\1*+h)(?:h|\1){4,}+\b"  # hahaha, ehehe
    r"|\b(?=\w*?h\w*?h)(?=\w*?u)[aehisu]{6,}+\b"  # hauhauha, aushaush, huehue
)
_MARKS = r"[!?]{2,}|\.{2,}|<3{2,}|([^\w\s*★☆])\1{2,}"
_MARKS_HINT = r"[!?.3](?:(?<=[!?.]{2})|(?<=<33))"
_IN_WORD, _IN_NUMBER = "-‐‑'’@&_", ".,:/"


def repeats(lang: str) -> Operation:
    """Return an operation that shortens stretched words, laughter, marks, and runs of one emoji.

    A letter written three times or more is reduced to one (muuuito, goool), but r and s between
    vowels to two (carrro, nosssa), and the letter of a word of that letter alone to three (aaaaa,
    BBB). In English, which doubles more letters, it is reduced to two (gooood).
    """
    once = r"\1\3\3" if lang == "en" else r"\1\3"
    one_letter = find(rf"\b({_LETTER})\1{{3,}}\b")
    doubled = find(rf"(?<=[{_VOWELS}])([rs])\1{{2,}}(?=[{_VOWELS}])")
    stretched = find(rf"({_UNSTRETCHED})|({_LETTER})\3{{2,}}")
    any_thrice, letter_thrice = re.compile(r"(.)\1\1"), re.compile(rf"({_LETTER})\1\1")
    laughter, marks, marks_hint = _laughter(), re.compile(_MARKS), re.compile(_MARKS_HINT)
    emoji = re.compile(rf"((?![⭐🌟★☆]){EMOJI})\1+(?![\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff])")

    def run(text: str) -> str:
        lower = text.lower()
        text = laughter(text, lower)
        thrice = any_thrice.search(lower)
        if thrice and letter_thrice.search(lower, thrice.start()):
            text = doubled.sub(r"\1\1", one_letter.sub(r"\1\1\1", text))
            text = stretched.sub(once, text)
        if thrice or marks_hint.search(text):
            text = marks.sub(_one_mark, text)
        return emoji.sub(r"\1", text) if NEEDS[EMOJI](text) else text

    return run


def _laughter() -> Callable[[str, str], str]:
    """Return a function that shortens the laughter in (text, text in lower case)."""
    laughs = [
        (hint, find(pattern), functools.partial(apart, word=form))
        for hint, pattern, form in _LAUGHTER
    ]
    h_laugh, h_hint = find(_H_LAUGHTER), re.compile(_H_HINT)

    def run(text: str, lower: str) -> str:
        for hint, pattern, form in laughs:
            if hint in lower:
                text = pattern.sub(form, text)
        return h_laugh.sub(_h_laugh, text) if h_hint.search(lower) else text

    return run


def _h_laugh(match: re.Match[str]) -> str:
    vowel = (match[1] or "a").lower()
    return f"h{vowel}h{vowel}"


def _one_mark(match: re.Match[str]) -> str:
    run = match[0]
    if run[0] == ".":
        return "..."
    if run[0] == "<" and run[1] == "3":
        return "<3"
    return "?!" if "!" in run and "?" in run else run[0]


def punctuation() -> Operation:
    """Replace marks and symbols by a space, except inside a word (d'água) or number (3,50)."""
    # `re` is fast with a set of characters only if all of them are below U+10000.
    marks, rarer = _category("PS", 0, 0x10000), _category("PS", 0x10000, 0x20000)
    drop = re.compile(
        rf"[{marks}](?:(?<![{_IN_WORD}{_IN_NUMBER}])"
        rf"|(?<=[{_IN_WORD}])(?:(?![^\W_])|(?<![^\W_].))"
        rf"|(?<=[{_IN_NUMBER}])(?:(?!\d)|(?<!\d.)))"
    )
    drop_rarer, rare = re.compile(f"[{rarer}]"), re.compile("[\U00010000-\U0001ffff]")

    def run(text: str) -> str:
        text = drop.sub(" ", text)
        return drop_rarer.sub(" ", text) if rare.search(text) else text

    return run


@functools.cache
def _category(initials: str, start: int, end: int) -> str:
    """Return the characters of Unicode categories, by initial, as ranges for a regex set."""
    codes = [c for c in range(start, end) if unicodedata.category(chr(c))[0] in initials]
    runs = itertools.groupby(enumerate(codes), lambda pair: pair[1] - pair[0])
    ends = [[code for _, code in run] for _, run in runs]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in ends)


def drop_emoji() -> Operation:
    """Return an operation that replaces each emoji and emoticon by a space."""
    emoji, emoticon = re.compile(f"{EMOJI}+"), find(EMOTICON)
    face = NEEDS[EMOTICON]

    def run(text: str) -> str:
        if face(text):
            text = emoticon.sub(" ", text)
        return emoji.sub(" ", text) if NEEDS[EMOJI](text) else text

    return run


def name_emoji(lang: str) -> Operation:
    """Return an operation that replaces each emoji by its name in the emoji package."""
    from emoji import demojize

    emoji = re.compile(EMOJI)
    language = "en" if lang == "en" else "pt"

    @functools.lru_cache(4096)
    def named(sign: str) -> str:
        names = demojize(sign, (" ", " "), language).replace("_", " ")
        return " ".join(names.replace("\u200d", " ").split())

    def name(match: re.Match[str]) -> str:
        words = named(match[0])
        return words if words == match[0] else apart(match, words)

    return lambda text: emoji.sub(name, text) if NEEDS[EMOJI](text) else text


def accents() -> Operation:
    """Return an operation that removes the accents of letters (ã, ç), not of symbols (≠)."""
    accent = re.compile(r"(?<=\w)[\u0300-\u036f]+")

    def run(text: str) -> str:
        if text.isascii():
            return text
        return unicodedata.normalize("NFC", accent.sub("", unicodedata.normalize("NFD", text)))

    return run


def split_hashtags() -> Operation:
    """Return an operation that splits a hashtag into words: #BomDia_2024 is Bom Dia 2024."""
    small, capital = "a-zß-öø-ÿ", "A-ZÀ-ÖØ-Þ"
    seam = re.compile(
        rf"_+|(?<=[{small}\d])(?=[{capital}])|(?<=[{capital}])(?=[{capital}][{small}])"
        r"|(?<=[^\W\d_])(?=(?:19|20)\d\d(?!\d))"
    )
    hashtags = find(HASHTAGS)

    def words(match: re.Match[str]) -> str:
        return apart(match, seam.sub(" ", match[0].replace("#", " ")).strip())

    return lambda text: hashtags.sub(words, text) if "#" in text else text
