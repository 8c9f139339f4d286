"""Translate documents sentence by sentence, and put them together again as they were."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from nlpkit.answers.translation import Translation
from nlpkit.errors import UsageError
from nlpkit.jobs.generate import writer_of
from nlpkit.language import inline
from nlpkit.language.copied import enough_marks, hidden
from nlpkit.language.sentences import sentences
from nlpkit.language.words import splitter
from nlpkit.runtime.model import Model, Tally
from nlpkit.summarizing.sentences import block_spans
from nlpkit.tasks import Columns
from nlpkit.text.unicode import visible

PAIRS = ("en-pt", "pt-en")
# How many times as long as its source a translation may be, in tokens. With 96 tokens to write, 26%
# of English sentences of 80 to 96 tokens were cut off, of those of 60 to 80 0.3%.
LONGER = 1.25
_LETTER = re.compile(r"[^\W\d_]")
_ORDINALS = str.maketrans("", "", "ºª")  # small letters that stand in capitals too: Nº, 2ª
_CLAUSE = re.compile(r"[,;:–—]\s+")
# What is copied, and parts the texts around it: comments, scripts, block tags, code of Markdown.
_APART = re.compile(
    r"(?:<!--.*?-->|<(script|style)\b[^<>]*>.*?</\1\s*>|</?(?:p|br|hr|div|li|[uod]l|d[dt]|table"
    r"|t[drh]|h[1-6]|title|section|blockquote|pre)\b[^<>]{0,1000}>|<![A-Za-z][^<>]*>|```)",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<[^<>]{1,1000}>|\]\([^()\s]*\)")
_ENDS = re.compile(r"[.!?…]")


class Part(NamedTuple):
    """A part of a document: a sentence to be translated, or what stands between sentences."""

    text: str
    translated: bool


class Task:
    """The answers of a translator, and the field that it reads."""

    answers = Translation
    columns = Columns()


@dataclass(frozen=True)
class Translator:
    """A model that translates whole documents with one that translates sentences."""

    model: Model
    lang: str  # of the documents
    task: ClassVar[type[Task]] = Task

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def provider(self) -> str:
        """The provider of the model."""
        return self.model.provider

    @property
    def budget(self) -> int:
        """The most tokens in a batch."""
        return self.model.budget

    @property
    def tally(self) -> Tally:
        """The number of sentences that were too long for the model: none."""
        return self.model.tally

    def encode(self, documents: Sequence[str]) -> list[list[Part]]:
        """Return the parts of each document."""
        return [list(parts_of(document, self.lang, self._fitting)) for document in documents]

    def answer(
        self, documents: Sequence[str], parts: Sequence[list[Part]]
    ) -> list[Translation | None]:
        """Return the translation of each document; None for a blank one."""
        flat = (part for document in parts for part in document)
        distinct = list(dict.fromkeys(part.text for part in flat if part.translated))
        translated = dict(zip(distinct, self._translated(distinct), strict=True))
        return [
            Translation(
                "".join(translated[part.text] if part.translated else part.text for part in each)
            )
            if document.strip()
            else None
            for document, each in zip(documents, parts, strict=True)
        ]

    def _translated(self, texts: Sequence[str]) -> list[str]:
        """Return the translation of each sentence, with its inline mark-up.

        Capitals are read as small letters.
        """
        plain, tags = zip(*map(inline.taken, texts), strict=True) if texts else ((), ())
        shouted = [is_shouted(text) for text in plain]
        asked = [
            text.lower().capitalize() if loud else text
            for text, loud in zip(plain, shouted, strict=True)
        ]
        answers = self.model.predict(asked)
        written = [
            text if answer is None else answer.text.upper() if loud else answer.text
            for text, answer, loud in zip(plain, answers, shouted, strict=True)
        ]
        return list(map(inline.restored, written, plain, tags))

    def _fitting(self, text: str) -> list[str]:
        """Return a sentence in pieces that the model reads and translates whole."""
        most = min(self.model.windows.size, int(self.model.task.config.longest / LONGER))

        def is_whole(piece: str) -> bool:
            ids_S = self.model.tokenizer.encode([hidden(inline.taken(piece)[0])[0]]).ids_S
            return len(ids_S) <= most and enough_marks(piece)

        return _cut(text, is_whole)


def check_pair(lang: str) -> None:
    """Raise UsageError if there is no such pair of languages."""
    if lang not in PAIRS:
        raise UsageError(f"--lang {lang}: not one of {', '.join(PAIRS)}")


def translator(model: Model, lang: str, beams: int | None = None) -> Translator:
    """Return a translator by a model; `lang` is a pair of languages, such as en-pt.

    `beams` replaces the model's own number.

    Raises:
        ModelError: the model writes no texts from sources.
        UsageError: there is no such pair.
    """
    check_pair(lang)
    return Translator(writer_of(model, beams=beams, source=True), lang.partition("-")[0])


def parts_of(text: str, lang: str, fitting: Callable[[str], list[str]]) -> Iterator[Part]:
    """Yield the parts of a text, whose layout stays: line breaks, indents, blank lines.

    A sentence that goes on in the next line is one. What has no letters is not translated.
    """
    text, end = visible(text), 0
    for start, last in block_spans(text):
        yield Part(text[end:start], False)
        yield from _of_block(text[start:last], lang, fitting)
        end = last
    yield Part(text[end:], False)


def _of_block(block: str, lang: str, fitting: Callable[[str], list[str]]) -> Iterator[Part]:
    end = 0
    for match in _APART.finditer(block):
        yield from _of_sentences(block[end : match.start()], lang, fitting)
        yield Part(match.group(), False)
        end = match.end()
    yield from _of_sentences(block[end:], lang, fitting)


def _of_sentences(text: str, lang: str, fitting: Callable[[str], list[str]]) -> Iterator[Part]:
    # A full stop inside of a tag or an address ends no sentence.
    (tokens,) = splitter(lang).spans_all([_TAG.sub(_without_ends, text)])
    end = 0
    for first, last in sentences(tokens):
        start = tokens[first][1]
        yield Part(text[end:start], False)
        end = tokens[last - 1][2]
        yield from _of_text(text[start:end], fitting)
    yield Part(text[end:], False)


def _without_ends(match: re.Match[str]) -> str:
    return _ENDS.sub("_", match.group())


def _of_text(text: str, fitting: Callable[[str], list[str]]) -> Iterator[Part]:
    if not _LETTER.search(hidden(text)[0]):
        yield Part(text, False)
        return
    for place, piece in enumerate(fitting(" ".join(text.split()))):
        yield from [Part(" ", False)] if place else []
        yield Part(piece, True)


def _cut(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Cut a text between clauses, or else between words, until every piece fits."""
    if fits(text):
        return [text]
    middle = len(text) // 2
    cuts = [match.end() for match in _CLAUSE.finditer(text)]
    near = [place for place in cuts if len(text) // 4 < place < 3 * len(text) // 4]
    cuts = near or [match.end() for match in re.finditer(r"\s+", text)] or [middle]
    place = min(cuts, key=lambda each: abs(each - middle))
    if not 0 < place < len(text):
        return [text]
    halves = text[:place].strip(), text[place:].strip()
    return [piece for half in halves for piece in _cut(half, fits)]


def is_shouted(text: str) -> bool:
    """Tell whether a text of several words is in capitals."""
    return text.translate(_ORDINALS).isupper() and len(text.split()) > 1
