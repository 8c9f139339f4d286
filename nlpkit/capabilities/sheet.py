"""Read a file of templates, and report its errors by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from nlpkit.capabilities import INNERMOST, Slots, circular, unknown
from nlpkit.errors import InputError, near_match, quoted

CHANGES = ("accents", "case", "final mark")
SENTENCES = 4
KEYS = ("language", "sentences", "slots", "group")
GROUP_KEYS = ("capability", "label", "vary", "change", "templates")
EXPECTATIONS = ("label", "vary", "change")


@dataclass(frozen=True)
class Group:
    """Templates of a capability that expect the same.

    The model must give one of `labels`. Without labels, its answer must stay the same whichever
    word fills the slot `vary`, or after each of the changes `change`.
    """

    capability: str
    templates: tuple[str, ...]
    labels: tuple[str, ...] = ()
    vary: str = ""
    change: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A file of templates; `sentences` is the most that are drawn of each."""

    language: str
    slots: Slots
    groups: tuple[Group, ...]
    sentences: int = SENTENCES


def shipped(language: str = "") -> list[Path]:
    """Return the files of templates of the package, or that of a language."""
    return sorted(Path(__file__).parent.glob(f"{language or '*'}.toml"))


def read(path: Path) -> Sheet:
    """Read a file of templates.

    Raises:
        InputError: the file cannot be read, or something in it is wrong; with FILE:LINE.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise InputError(f"{quoted(path)}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{quoted(path)}: is not UTF-8 at byte {problem.start}") from None
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{quoted(path)}: not valid TOML: {problem}") from None
    return _Reader(path, text).sheet(tree)


class _Reader:
    """Checks a tree of plain values; knows the lines of the file."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def sheet(self, tree: Mapping[str, Any]) -> Sheet:
        self.known(tree, KEYS, 0)
        language, sentences = tree.get("language", ""), tree.get("sentences", SENTENCES)
        if not isinstance(language, str):
            raise self.wrong("language", 'language is not a text, such as "pt"')
        if type(sentences) is not int or not 1 <= sentences <= 1000:
            raise self.wrong("sentences", "sentences is not a number from 1 to 1000")
        slots = self.slots(tree.get("slots", {}))
        tables = tree.get("group")
        if not isinstance(tables, list) or not tables:
            raise self.wrong("group", "has no [[group]] with templates")
        groups = [self.group(table, slots, number) for number, table in enumerate(tables)]
        return Sheet(language, slots, tuple(groups), sentences)

    def slots(self, table: Any) -> Slots:
        if not isinstance(table, dict):
            raise self.wrong("slots", "[slots] is not a table")
        for name, words in table.items():
            if not _texts(words):
                raise self.error(self.key_line(name), f"the slot {name!r} is not a list of words")
            if set(name) & set("|/{}"):
                raise self.wrong(name, f"the slot {name!r} has one of | / {{ }} in its name")
        for word in (word for words in table.values() for word in words):
            self.places(word, table, word)
        if loop := circular(table):
            raise self.error(self.key_line(loop), f"the slot {loop!r} contains itself")
        return table

    def group(self, table: Any, slots: Slots, number: int) -> Group:
        line = self.group_line(number)
        if not isinstance(table, dict):
            raise self.error(line, "a group is not a table; begin it with [[group]]")
        self.known(table, GROUP_KEYS, line)
        name, templates = table.get("capability"), table.get("templates")
        if not isinstance(name, str) or not name.strip():
            raise self.error(line, 'the group has no capability = "name"')
        if not _texts(templates):
            raise self.error(line, "the group has no templates = [...], a list of sentences")
        if len([key for key in EXPECTATIONS if key in table]) != 1:
            raise self.error(line, "the group needs exactly one of label, vary and change")
        labels = self.words(table, "label", line)
        change = self.words(table, "change", line)
        for item in change:
            if item not in CHANGES:
                near = near_match(item, CHANGES)
                raise self.error(line, f"change {item!r}: not one of {', '.join(CHANGES)}.{near}")
        for text in templates:
            self.places(text, slots, text)
        vary = self.vary(table, slots, templates, line)
        return Group(name.strip(), tuple(templates), labels, vary, change)

    def vary(self, table: Any, slots: Slots, templates: list[str], line: int) -> str:
        name = table.get("vary", "")
        if not isinstance(name, str):
            raise self.error(line, "vary is not the name of a slot")
        if not name:
            return ""
        if name not in slots:
            raise self.error(line, f"vary: no slot {name!r}.{near_match(name, slots)}")
        if len(set(slots[name])) < 2 or any("{" in word for word in slots[name]):
            raise self.error(line, f"vary: the slot {name!r} needs two or more words without {{}}")
        for text in templates:
            if f"{{{name}}}" not in text:
                raise self.wrong(text, f"the template does not use {{{name}}}, which varies")
        return name

    def places(self, text: str, slots: Slots, needle: str) -> None:
        bare = text
        while INNERMOST.search(bare):
            bare = INNERMOST.sub("", bare)
        if "{" in bare or "}" in bare:
            raise self.wrong(needle, f"{text!r} has a {{ or }} without its partner")
        for name in unknown(text, slots):
            names = {slot.removesuffix("_m").removesuffix("_f") for slot in slots} | {*slots}
            raise self.wrong(needle, f"{text!r}: no slot {name!r}.{near_match(name, names)}")

    def words(self, table: Any, key: str, line: int) -> tuple[str, ...]:
        value = table.get(key, [])
        listed = [value] if isinstance(value, str) else value
        if key in table and not _texts(listed):
            raise self.error(line, f"{key} is not a text or a list of texts")
        return tuple(listed)

    def known(self, table: Iterable[str], keys: tuple[str, ...], line: int) -> None:
        for key in table:
            if key not in keys:
                message = f"unknown {key!r}.{near_match(key, keys)} Known are: {', '.join(keys)}"
                raise self.error(line or self.line_of(key), message)

    def group_line(self, number: int) -> int:
        heads = [n for n, line in enumerate(self.lines, 1) if line.strip().startswith("[[group]]")]
        return heads[number] if number < len(heads) else 1

    def key_line(self, key: str) -> int:
        return self.first(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=")

    def line_of(self, needle: str) -> int:
        return self.first(re.escape(needle))

    def first(self, pattern: str) -> int:
        return next((n for n, line in enumerate(self.lines, 1) if re.search(pattern, line)), 1)

    def wrong(self, needle: str, message: str) -> InputError:
        return self.error(self.line_of(needle), message)

    def error(self, line: int, message: str) -> InputError:
        return InputError(f"{quoted(self.path)}:{line}: {message}")


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)
