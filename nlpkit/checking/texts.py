"""Checks of one text alone. A new one is a function and a line in `checks`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlpkit.checking.findings import ERROR, WARNING, Data, Example, Finding, plural
from nlpkit.checking.rows import Find
from nlpkit.language.detect import foreign

DAMAGED_SHARE = 0.005  # of a file's rows: the web is never clean, a wrongly read file is far worse
AROUND = 12  # characters shown on either side of a damage: a word or two
LANGUAGES = {"pt": "Portuguese", "en": "English", "es": "Spanish"}

# U+FFFD stands where a letter was lost; half of a surrogate pair is what is left of a cut emoji.
_LOST = re.compile("[\ufffd\ud800-\udfff]")
# Control characters but for tab and line ends; C1 is Windows-1252 read as Latin-1.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class TextCheck:
    """A check that `find` makes of each text while its file is read."""

    name: str
    find: Find
    message: str  # after "12 texts"
    mend: str
    tolerated: float | None = None  # share of a file's rows above which it is an error

    def __call__(self, data: Data) -> Iterator[Finding]:
        """Say how many texts of which files the check found something in."""
        found = {file.path: hits for file in data.files if (hits := file.hits.get(self.name))}
        if not found:
            return
        shares = [len(file.hits.get(self.name, ())) / len(file.rows) for file in data.files]
        bad = self.tolerated is not None and max(shares) > self.tolerated
        count = sum(map(len, found.values()))
        yield Finding(
            check=self.name,
            severity=ERROR if bad else WARNING,
            message=f"{plural(count, 'text')} {self.message}",
            mend=self.mend,
            count=count,
            examples=(
                Example((row.where,), row.excerpt, note)
                for hits in found.values()
                for row, note in hits
            ),
            files={path: len(hits) for path, hits in found.items()},
        )


def checks(lang: str) -> Sequence[TextCheck]:
    """Return the checks of texts that should be in `lang`, which may be "any"."""
    found = [
        TextCheck("empty", _empty, "of no words", "leave them out; training does"),
        TextCheck(
            "lost-letters",
            _lost,
            "with lost letters (U+FFFD, half a character)",
            "convert the file again from its source in the right encoding; here they are gone",
            tolerated=DAMAGED_SHARE,
        ),
        TextCheck(
            "mojibake",
            _mojibake,
            "decoded in the wrong encoding (mojibake)",
            "if it is most of a file, give its --encoding; else mend the rows: ftfy.fix_text does",
            tolerated=DAMAGED_SHARE,
        ),
        TextCheck("control", _control, "with control characters", "remove them: nlpkit clean does"),
    ]
    if lang != "any":
        found.append(
            TextCheck(
                "language",
                lambda text: LANGUAGES.get(foreign(text, lang), ""),
                f"with more of another language than {LANGUAGES[lang]}",
                "leave them out, or check --lang: a model learns little from a few foreign rows",
            )
        )
    return found


def _empty(text: str) -> str:
    return "" if text.strip() else "empty"


def _lost(text: str) -> str:
    found = _LOST.search(text)
    return _around(text, found.start()) if found else ""


def _control(text: str) -> str:
    found = _CONTROL.search(text)
    return repr(found[0])[1:-1] if found else ""


def _mojibake(text: str) -> str:
    """Return what ftfy would make of a text: what it can mend was broken for certain.

    Its `is_bad` alone also takes "¬¬", a Brazilian emoticon, for damage.
    """
    if text.isascii():
        return ""
    from ftfy import fix_encoding
    from ftfy.chardata import UTF8_DETECTOR_RE

    # As ftfy does last, but first: it spares nearly all texts the slow `is_bad`.
    if not UTF8_DETECTOR_RE.search(text):
        return ""
    mended = fix_encoding(text)
    if mended == text:
        return ""
    pairs = enumerate(zip(text, mended, strict=False))
    start = next((place for place, (old, new) in pairs if old != new), 0)
    return f"{_around(text, start)} → {_around(mended, start)}"


def _around(text: str, place: int) -> str:
    return text[max(0, place - AROUND) : place + AROUND]
