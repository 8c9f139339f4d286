"""Every error a person can cause, one class for each exit code.

    NlpkitError            1
    ├── UsageError         2  an option, a recipe or a setting is wrong
    │   ├── MissingExtra   2  an optional dependency is not installed
    │   └── NoSpace        2  the disk to write to is full
    ├── InputError         3  the input cannot be read as said
    │   └── NoColumn       3  it has no field of that name
    ├── ModelError         4  a model or bundle is missing or refused
    ├── DeviceError        5  the device asked for does not really work here
    └── GateError          6  an export or data check failed its limits

Each message is one line: what was wrong, where, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable


class NlpkitError(Exception):
    """An error that the person at the keyboard can fix."""

    exit_code = 1


class UsageError(NlpkitError):
    """The command line, a recipe or a setting asks for something that is not there."""

    exit_code = 2


class MissingExtra(UsageError):
    """A part of nlpkit was used whose optional dependencies are not installed."""

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), self.told  # so that it survives the way from a worker process

    def __init__(self, extra: str, missing: str) -> None:
        self.told = (extra, missing)
        super().__init__(
            f"this needs {missing}, which is not installed: pip install 'nlpkit[{extra}]' "
            f"(in a checkout: pip install -c constraints.txt '.[{extra}]')"
        )


class NoSpace(UsageError):
    """The disk, or the person's share of it, is full."""


class InputError(NlpkitError):
    """The input cannot be read as said: its encoding, format or column."""

    exit_code = 3


class NoColumn(InputError):
    """The input has no column, or the record no field, of the name asked for."""


class ModelError(NlpkitError):
    """A model or bundle is missing, damaged, or refused for safety."""

    exit_code = 4


class DeviceError(NlpkitError):
    """The device asked for does not really run here."""

    exit_code = 5


class GateError(NlpkitError):
    """A check stood between a result and its use, and the result did not pass."""

    exit_code = 6


class Note(UserWarning):
    """A fact about the input that a person should know, though it is no error."""


class Renamed(UserWarning):
    """Something goes by another name now; the old one still works."""


def near_match(wrong: str, allowed: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` with a leading space, or an empty string."""
    import difflib

    close = difflib.get_close_matches(wrong, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
