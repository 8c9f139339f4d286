"""Give names aliases such as [PESSOA-KDTRMB], and put the names back, with a key file.

The letters of an alias are an HMAC of the name with a secret key, so that nobody can compute them
from a list of names. The key file holds the key and the name of each alias. Only it turns aliases
back. Several processes may use it: each change is made under a lock, and a new file replaces the
old one.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import stat
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from nlpkit.errors import InputError, Note, UsageError, quoted
from nlpkit.language.patterns import ALIAS, NEEDS, find
from nlpkit.lock import held_file

VERSION = 1
KEY_BYTES = 32
LETTERS = "BCDFGHJKLMNPQRST"  # one for each value of four bits
SHORTEST = 6  # letters of an alias; more if another name has these

Names = Mapping[str, str]  # alias without brackets -> the name, as it was first written


class Name(NamedTuple):
    """A name in a text, and the word of its tag."""

    word: str
    text: str


class KeyFile:
    """The aliases of a key file, which is created if it is missing or empty."""

    def __init__(self, path: str) -> None:
        """Read or create the file.

        Raises:
            UsageError: the file cannot be created, read or written.
            InputError: it is not a key file.
        """
        self.shown = f"--pseudonyms {quoted(path)}"
        with _told(self.shown):
            self.path = Path(os.path.realpath(path))  # keeps symbolic links
            if self.path.exists() and not self.path.is_file():
                raise UsageError(f"{self.shown}: not a regular file; name another one")
            if not self.path.exists() or not self.path.stat().st_size:
                self._create()
            self.key, names = _parsed(self.path.read_bytes(), self.shown)
        self._remember(names)

    def _create(self) -> None:
        with held_file(self.path, create=True) as stream:
            if stream.read(1):
                return  # another process was faster
            _write(self.path, os.urandom(KEY_BYTES), {}, mode=0o600)
        note = "new key file; it turns aliases back into names, so keep it, and keep it secret"
        warnings.warn(Note(f"{self.shown}: {note}"), stacklevel=2)

    def _remember(self, names: Names) -> None:
        self.known = {_compared(_named(alias, name)): alias for alias, name in names.items()}

    def aliases(self, names: Iterable[Name], present: Collection[str] = ()) -> dict[Name, str]:
        """Return the alias of each name, in brackets. The file holds it before this returns.

        Args:
            names: the names; those that differ only in case and white space are the same.
            present: aliases that are in the texts already: no new name gets one of them.

        Raises:
            UsageError: the file cannot be read or written.
            InputError: another key file has taken its place.
        """
        compared = {name: _compared(name) for name in names}
        if any(key not in self.known for key in compared.values()):
            taken = {tag.strip("[]").upper() for tag in present}
            with _told(self.shown):
                self._add(compared, taken)
        return {name: f"[{self.known[key]}]" for name, key in compared.items()}

    def _add(self, compared: Mapping[Name, Name], taken: set[str]) -> None:
        """Add names to the file, except those that it has, perhaps from another process."""
        with held_file(self.path) as stream:
            key, names = _parsed(stream.read(), self.shown)
            if key != self.key:
                raise InputError(f"{self.shown}: replaced by another key file; run this again")
            self._remember(names)
            taken |= names.keys()
            added: dict[Name, str] = {}
            for name, same in compared.items():
                if same not in self.known and same not in added:
                    added[same] = _alias(same, key, taken)
                    taken.add(added[same])
                    names[added[same]] = " ".join(name.text.split())
            if added:
                mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
                _write(self.path, key, names, mode)
                self._remember(names)


def restoring(path: str) -> Callable[[Sequence[str]], list[str]]:
    """Return a function that replaces the aliases in texts by the names of a key file.

    An alias that the file does not have stays.

    Raises:
        UsageError: the file cannot be read.
        InputError: it is not a key file.
    """
    shown = f"--restore {quoted(path)}"
    with _told(shown):
        _, names = _parsed(Path(path).read_bytes(), shown)
    aliases, needs = find(ALIAS), NEEDS[ALIAS]

    def name(match: re.Match[str]) -> str:
        return names.get(match[0][1:-1].upper(), match[0])

    return lambda texts: [aliases.sub(name, text) if needs(text) else text for text in texts]


def folded(name: str) -> str:
    """Return the form of a name in which names are compared: in NFC, any case, single spaces."""
    return normalize("NFC", normalize("NFC", " ".join(name.split())).casefold())


def _compared(name: Name) -> Name:
    return Name(name.word, folded(name.text))


def _named(alias: str, name: str) -> Name:
    return Name(alias.partition("-")[0], name)


def _alias(name: Name, key: bytes, taken: Collection[str]) -> str:
    """Return the shortest alias of a compared name that is not taken."""
    text = "\0".join(name).encode("utf-8", "surrogatepass")
    digest = hmac.digest(key, text, "sha256")
    letters = "".join(LETTERS[byte >> 4] + LETTERS[byte & 15] for byte in digest)
    forms = (f"{name.word}-{letters[:end]}" for end in range(SHORTEST, len(letters) + 1))
    return next(form for form in forms if form not in taken)


def _parsed(data: bytes, shown: str) -> tuple[bytes, dict[str, str]]:
    """Return the key and the names of a key file's content."""
    wrong = InputError(f"{shown}: not a key file; name one that --pseudonyms has made")
    try:
        tree = json.loads(data)
        key, names = bytes.fromhex(tree["key"]), dict(tree["aliases"])
    except (ValueError, TypeError, LookupError, RecursionError):
        raise wrong from None
    if tree.get("version") != VERSION:
        raise InputError(f"{shown}: of another version; update nlpkit, or name another key file")
    alias = find(ALIAS)
    valid = (isinstance(n, str) and n and alias.fullmatch(f"[{a}]") for a, n in names.items())
    if len(key) != KEY_BYTES or not all(valid):
        raise wrong
    return key, names


def _write(path: Path, key: bytes, names: Names, mode: int) -> None:
    """Replace a key file: the old one stays until the new one is complete."""
    tree = {"version": VERSION, "key": key.hex(), "aliases": names}
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(json.dumps(tree, indent=1) + "\n")  # names in ASCII escapes
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """Raise the errors of the file system as UsageError."""
    try:
        yield
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        why = getattr(problem, "strerror", None) or problem
        raise UsageError(f"{shown}: {why}; name a key file that you may read and write") from None
