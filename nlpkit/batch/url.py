"""Read inputs from URLs: s3://, gs://, https:// and the other protocols that fsspec opens.

This needs the extra `remote` (fsspec) and the package of the store, such as s3fs, which also reads
the keys and endpoints.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from nlpkit import records
from nlpkit.errors import MissingExtra, UsageError
from nlpkit.records.input import COMPRESSION


def is_url(given: str) -> bool:
    """Return whether an input is a URL rather than a path."""
    return "://" in given


@dataclass(frozen=True)
class Url:
    """A file, folder or pattern at a URL.

    Every method raises OSError, with the URL in it, if the store fails.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __fspath__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return PurePosixPath(self.url).name

    def state(self) -> dict[str, Any]:
        """Return the size of the file in bytes and its key, which changes when the file changes."""
        with _as_os_error(self.url):
            system, path = _system(self.url)
            system.invalidate_cache()
            return {"size": system.size(path), "key": system.ukey(path)}

    def glob(self) -> list[Url]:
        """Return the files that match the pattern, sorted."""
        with _as_os_error(self.url):
            system, path = _system(self.url)
            return [Url(system.unstrip_protocol(name)) for name in sorted(system.glob(path))]

    def find(self) -> list[tuple[PurePosixPath, Url]]:
        """Return the files of the folder with their names in it; [] if it is not a folder."""
        with _as_os_error(self.url):
            system, path = _system(self.url)
            if not system.isdir(path):
                return []
            root = PurePosixPath(path)
            return [
                (PurePosixPath(name).relative_to(root), Url(system.unstrip_protocol(name)))
                for name in sorted(system.find(path))
            ]

    def open(self) -> BinaryIO:
        """Open the stored bytes of the file, without decompression."""
        with _as_os_error(self.url):
            system, path = _system(self.url)
            return cast(BinaryIO, system.open(path, "rb"))


@contextmanager
def opened(path: Path | Url) -> Iterator[BinaryIO]:
    """Open an input, local or at a URL, and decompress it by its extension.

    Raises:
        InputError, OSError: the input does not exist or cannot be read.
        UsageError: this Python was built without the module that decompresses it.
    """
    if not isinstance(path, Url):
        with records.open_input(path) as stream:
            yield stream
        return
    with ExitStack() as stack:
        stream = stack.enter_context(path.open())
        if module := COMPRESSION.get(PurePosixPath(path.url).suffix.lower()):
            stream = stack.enter_context(import_module(module).open(stream, "rb"))
        yield stream


def _system(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and its path in it."""
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise MissingExtra("remote", "fsspec") from None
    if "::" in url:
        raise UsageError(f"{url}: files inside an archive are not read; unpack the archive first")
    try:
        system, path = url_to_fs(url)
    except ImportError as problem:  # its message names the package to install
        raise UsageError(f"{url}: {problem}") from None
    except ValueError as problem:  # no such protocol
        raise UsageError(f"{url}: {problem}; name a protocol that fsspec knows") from None
    return system, str(path)


@contextmanager
def _as_os_error(url: str) -> Iterator[None]:
    """Convert the errors of a store, which has its own classes, to OSError."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url) from None
    except UsageError:
        raise
    except Exception as problem:
        reason = str(problem).partition("\n")[0] or type(problem).__name__
        raise OSError(errno.EIO, reason, url) from None
