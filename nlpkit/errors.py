"""Errors that a user can cause and fix, by exit code.

    NlpkitError            1
    ├── UsageError         2  an option, a recipe or a setting is wrong
    │   ├── MissingExtra   2  an optional dependency is not installed
    │   └── NoSpace        2  the disk to write to is full
    ├── InputError         3  the input cannot be read in its format, encoding or column
    │   ├── NoColumn       3  the input has no field of that name
    │   └── NoFile         3  the file does not exist
    ├── ModelError         4  a model or bundle is missing or refused
    ├── DeviceError        5  the requested device does not work on this machine
    └── GateError          6  an export or data check failed its limits

Each message is one line: what was wrong, where, and what to do about it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]  # the folder above the package: a checkout has the build file
PREFIX, BONUS = 3, 0.1  # the first letters count most (Winkler 1990): lemas is lemmatize, not clean
NEAR, ELSEWHERE = 0.69, 0.85  # least similarity of a suggestion; if its first letter differs


class NlpkitError(Exception):
    """An error that the user can fix; its message is one line."""

    exit_code = 1


class UsageError(NlpkitError):
    """The command line, a recipe or a setting is wrong."""

    exit_code = 2


class MissingExtra(UsageError):
    """An optional dependency is not installed; the message has the command that installs it."""

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), self.arguments  # so that a worker process can send it

    def __init__(self, extra: str, missing: str) -> None:
        self.arguments = (extra, missing)
        super().__init__(f"this needs {missing}, which is not installed: {install_extra(extra)}")


class NoSpace(UsageError):
    """The disk or the user's quota is full."""


class InputError(NlpkitError):
    """The input cannot be read in its format, encoding or column."""

    exit_code = 3


class NoColumn(InputError):
    """The input or record has no field of the requested name."""


class NoFile(InputError):
    """The file `name` does not exist; the user may have given a text instead of a file."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name

    def __reduce__(self) -> tuple[type[NoFile], tuple[str, str]]:
        return type(self), (str(self), self.name)


class ModelError(NlpkitError):
    """A model or bundle is missing, damaged, or refused for safety."""

    exit_code = 4


class DeviceError(NlpkitError):
    """The requested device does not work on this machine."""

    exit_code = 5


class GateError(NlpkitError):
    """A result failed a check that it must pass before it is used."""

    exit_code = 6


class Note(UserWarning):
    """A fact about the input that a person should know, though it is no error."""


class Renamed(UserWarning):
    """A name has changed; the old one still works."""


def near_match(wrong: str, allowed: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the most similar allowed name, or "" if none is similar.

    Case, accents, outer spaces and the leading dashes of options are ignored.
    """
    asked = _letters(wrong)
    near = [(_similarity(asked, _letters(name)), name) for name in allowed if name != wrong]
    best, name = max(near, key=lambda pair: pair[0], default=(0.0, ""))
    same_start = asked[:1] == _letters(name)[:1]
    return f" Did you mean {name!r}?" if best >= (NEAR if same_start else ELSEWHERE) else ""


def _letters(name: str) -> str:
    """Return the letters of a name in lower case, without accents and leading dashes."""
    import unicodedata

    parts = unicodedata.normalize("NFKD", name.strip().lstrip("-").casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _similarity(one: str, other: str) -> float:
    """Return a similarity, 0 to 1: difflib's ratio, raised by a common prefix (Winkler 1990)."""
    import difflib

    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    same = sum(one.startswith(other[:n]) for n in range(1, min(PREFIX, len(other)) + 1))
    return ratio + BONUS * same * (1 - ratio)


def quoted(path: str | os.PathLike[str]) -> str:
    """Format a path for a message, quoted for the shell if it has spaces or quotes."""
    text = os.fspath(path)
    if text and not re.search(r"[\s'\"]", text):
        return text
    import shlex

    return shlex.quote(text)


def install_extra(extra: str) -> str:
    """Return the command that installs an extra from the source of this installation.

    The source is the checkout, the wheel or the repository; if it is unknown, the command installs
    the extra's packages. It never installs nlpkit by name: on PyPI that is another project.
    """
    import json
    import shlex
    from importlib import metadata

    requires, origin = [], {}
    with contextlib.suppress(metadata.PackageNotFoundError, ValueError):
        distribution = metadata.distribution("nlpkit")
        requires = distribution.requires or []
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    path, vcs = _local(origin.get("url", "")), origin.get("vcs_info")
    folder = next((f for f in (CHECKOUT, path) if f and (f / "pyproject.toml").is_file()), None)
    if folder:
        limits = "-c constraints.txt " if (folder / "constraints.txt").is_file() else ""
        editable = origin.get("dir_info", {}).get("editable") and path == folder
        return f"cd {quoted(folder)} && pip install {limits}{'-e ' * bool(editable)}'.[{extra}]'"
    if vcs:
        return f"pip install 'nlpkit[{extra}] @ {vcs['vcs']}+{origin['url']}@{vcs['commit_id']}'"
    if path and path.is_file():
        return f"pip install {shlex.quote(f'{path}[{extra}]')}"
    needs = _requirements(requires, extra) or [f"the packages of nlpkit's extra {extra}"]
    return f"pip install {' '.join(map(shlex.quote, needs))}"


def _local(url: str) -> Path | None:
    """Return the path of a file: URL, or None for another URL."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None


def _requirements(declared: Iterable[str], extra: str) -> list[str]:
    """Return the requirements of an extra, without their markers."""
    mark = re.compile(rf"extra == ['\"]{re.escape(extra)}['\"]")
    split = (line.partition(";") for line in declared)
    return sorted({need.strip() for need, _, marker in split if mark.search(marker)})
