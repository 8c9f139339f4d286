"""Hide the names that a model of entities finds: behind tags such as [PESSOA], or behind aliases.

The model reads its own result again until it finds no more names in it, so that hiding the names
of a masked text changes nothing. It reads an alias as its tag, and what it finds in a tag stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from unicodedata import normalize

from nlpkit.errors import ModelError, UsageError, near_match
from nlpkit.language.patterns import TAG, find
from nlpkit.language.pseudonyms import KeyFile, Name, folded

PERSON = "PESSOA"
WORDS = {"PER": PERSON, "LOC": "LOCAL", "ORG": "ORGANIZACAO"}  # tags by type; others are the type
NAMELESS = "ENTIDADE"  # the tag of a type without ASCII letters

Spans = Sequence[tuple[int, int, str]]  # start, end, and the word of the tag


class Model(Protocol):
    """The part of a model that finds names."""

    @property
    def task(self) -> Any: ...

    def predict(self, documents: Sequence[Any]) -> list[Any]: ...


class Tag(str):
    """A tag or an alias that was in the text already."""


def word_of(kind: str) -> str:
    """Return the word of a type's tag, in ASCII: PESSOA for PER."""
    plain = "".join(char for char in normalize("NFKD", kind.upper()) if char.isascii())
    return WORDS.get(kind) or re.sub(r"\W+", "_", plain).strip("_") or NAMELESS


def tags(given: Sequence[str]) -> str:
    """Return a pattern of all tags, those of the given types included."""
    words = sorted({word_of(kind) for kind in types_of(given)})
    return rf"(?:{TAG}|\[(?:{'|'.join(words)})\])"


def types_of(given: Sequence[str]) -> tuple[str, ...]:
    """Return the types of options such as ("PER,LOC", "ORG"), each once.

    Raises:
        UsageError: there are none.
    """
    parts = (part.strip() for each in given for part in each.split(","))
    types = tuple(dict.fromkeys(part for part in parts if part))
    if given and not types:
        raise UsageError("--entities: name the types to hide, such as --entities PER,LOC")
    return types


class Hiding:
    """Hide the names of some types: a callable from texts to texts.

    A name becomes the tag of its type, or with a key file its alias.
    """

    def __init__(self, model: Model, given: Sequence[str], pseudonyms: str | None = None) -> None:
        """Check the model and the types, then open the key file or create it.

        Raises:
            ModelError: the model finds no entities.
            UsageError: there are no types, one is unknown, or the key file cannot be used.
            InputError: the key file is not one.
        """
        types = types_of(given)
        name = getattr(model, "name", "the model")
        check_types(model, types, "--entities", f"--model {name}")
        self.model = model
        self.words = {kind: word_of(kind) for kind in types}
        self.tags = find(f"({tags(given)})")
        self.keys = None if pseudonyms is None else KeyFile(pseudonyms)

    def __call__(self, texts: Sequence[str]) -> list[str]:
        documents = [Document(text, self.tags) for text in texts]
        waiting = documents
        while waiting:
            shown = [document.shown() for document in waiting]
            answers = self.model.predict(shown)
            waiting = [
                document
                for document, text, answer in zip(waiting, shown, answers, strict=True)
                if document.hide(self._spans(answer, len(text)))
            ]
        return self._written(documents)

    def _spans(self, answer: Any, length: int) -> Spans:
        """Return the spans of the wanted types in a text, in order and without overlaps."""
        spans: list[tuple[int, int, str]] = []
        position = 0
        wanted = [span for span in answer.spans if span.label in self.words] if answer else []
        for span in sorted(wanted, key=lambda span: (span.start, -span.end)):
            start, end = max(span.start, position), min(span.end, length)
            if start < end:
                spans.append((start, end, self.words[span.label]))
                position = end
        return spans

    def _written(self, documents: Sequence[Document]) -> list[str]:
        if self.keys is None:
            return [document.written({}) for document in documents]
        owners = [document.owners() for document in documents]
        names = dict.fromkeys(name for own in owners for name in own.values())
        present = {str(tag) for document in documents for tag in document.tags()}
        aliases = self.keys.aliases(names, present) if names else {}
        return [
            document.written({name: aliases[owner] for name, owner in own.items()})
            for document, own in zip(documents, owners, strict=True)
        ]


def check_types(model: Any, types: Sequence[str], option: str, shown: str) -> None:
    """Check that a model, called `shown` in errors, finds entities of the types of an option.

    Raises:
        ModelError: the model finds no entities.
        UsageError: it does not know a type.
    """
    from nlpkit.answers.entities import Entities

    name, answers = getattr(model, "name", "the model"), getattr(model.task, "answers", None)
    if not (isinstance(answers, type) and issubclass(answers, Entities)):
        raise ModelError(
            f"{shown}: finds no entities; 'nlpkit models' lists the models and their tasks"
        )
    for kind in types:
        if kind not in model.task.types:
            raise UsageError(
                f"{option} {kind}: {name} has no such type.{near_match(kind, model.task.types)} "
                f"It has {', '.join(model.task.types)}"
            )


class Document:
    """A text as a list of parts: free text, tags that it had, and names that were found."""

    def __init__(self, text: str, tags: re.Pattern[str]) -> None:
        parts = tags.split(text)
        self.parts: list[str | Tag | Name] = [
            Tag(part) if index % 2 else part for index, part in enumerate(parts)
        ]

    def shown(self) -> str:
        """Return the text that the model reads."""
        return "".join(map(_shown, self.parts))

    def tags(self) -> Iterator[Tag]:
        """Yield the tags and aliases that the text had."""
        yield from (part for part in self.parts if isinstance(part, Tag))

    def hide(self, spans: Spans) -> bool:
        """Replace spans of the shown text by names; return whether any was outside of all tags."""
        parts: list[str | Tag | Name] = []
        position = index = 0
        for part in self.parts:
            end = position + len(_shown(part))
            while index < len(spans) and spans[index][1] <= position:
                index += 1
            if isinstance(part, Tag | Name):
                parts.append(part)
            else:
                parts += _cut(part, position, spans, index)
            position = end
        found = len(parts) > len(self.parts)
        self.parts = parts
        return found

    def owners(self) -> dict[Name, Name]:
        """Return the name whose alias each name gets: its own, or a longer one of the person."""
        names = list(dict.fromkeys(part for part in self.parts if isinstance(part, Name)))
        people = _people([name.text for name in names if name.word == PERSON])
        return {
            name: Name(PERSON, people[name.text]) if name.word == PERSON else name for name in names
        }

    def written(self, aliases: Mapping[Name, str]) -> str:
        """Return the text with the alias of each name, or its tag."""
        return "".join(
            aliases.get(part, _shown(part)) if isinstance(part, Name) else part
            for part in self.parts
        )


def _shown(part: str | Tag | Name) -> str:
    """Return a part as the model reads it: an alias as the tag of its type."""
    if isinstance(part, Name):
        return f"[{part.word}]"
    return part.partition("-")[0] + "]" if isinstance(part, Tag) and "-" in part else part


def _cut(part: str, offset: int, spans: Spans, index: int) -> Iterator[str | Name]:
    """Yield the pieces of a free part that begins at an offset, from spans[index] on.

    Of a span that reaches into a tag, marks alone are left: "João, [CPF]".
    """
    done = 0
    while index < len(spans) and spans[index][0] < offset + len(part):
        start, end, word = spans[index]
        first, last = max(start - offset, done), min(end - offset, len(part))
        piece = part[first:last].strip()
        if piece and (last - first == end - start or any(map(str.isalnum, piece))):
            first = part.index(piece, first)
            yield part[done:first]
            yield Name(word, piece)
            done = first + len(piece)
        index += 1
    yield part[done:]


def _people(names: Sequence[str]) -> dict[str, str]:
    """Return the fullest form of each name of a person in a document.

    The words of a shorter name are in the longer one: João is João Silva, unless João Souza is in
    the document as well.
    """
    words = {name: frozenset(folded(name).split()) for name in names}
    with_word: dict[str, list[str]] = {}
    fullest: dict[str, str] = {}
    for name in sorted(words, key=lambda name: -len(words[name])):
        others = min((with_word.get(word, []) for word in words[name]), key=len, default=[])
        longer = (fullest[other] for other in others if words[name] < words[other])
        fullest[name] = _only(longer) or name
        for word in words[name]:
            with_word.setdefault(word, []).append(name)
    return fullest


def _only(names: Iterable[str]) -> str:
    """Return the first of several forms of one name; "" for no name or different ones."""
    first = ""
    for name in names:
        first = first or name
        if folded(name) != folded(first):
            return ""
    return first
