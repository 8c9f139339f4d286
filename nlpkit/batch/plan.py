"""Plan a batch: find its input files and name the output of each."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath

from nlpkit.answers import Answer
from nlpkit.batch.url import Url, is_url
from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.records import format_of
from nlpkit.records.input import EXTENSIONS, missing, unpacked

MAGIC = "*?["
MANIFEST = "manifest.json"
REJECTS = "rejects"  # the folder of bad records


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a batch that its outputs depend on."""

    model: str = "sentiment"
    source: str | None = None
    column: str | None = None
    sheet: str | None = None
    encoding: str = "utf-8"
    to: str | None = None
    dialect: str | None = None  # a name of DIALECTS; None: the dialect of each input
    into: str | None = None  # None: the default names of the answer's fields
    min_confidence: float = 0.0
    device: str = "auto"
    precision: str = "auto"
    shard_size: int = 10_000

    def for_answers(self, kind: type[Answer]) -> Settings:
        """Replace `into` None by the field name that gives the same fields, if there is one.

        The manifest is then the same whether the default name was given or not.
        """
        name = kind.fields()[0]
        usual = self.into is None and kind.fields(name) == kind.fields()
        return replace(self, into=name) if usual else self


@dataclass(frozen=True)
class Item:
    """One input and its output.

    `path` and `format` are the input's; `output` is the output's path in the batch's folder, and
    `to` its format.
    """

    path: Path | Url
    format: str
    output: str
    to: str

    @property
    def plain(self) -> bool:
        """Whether each output line is the answer's cells and the text, without a header."""
        return self.format == "lines" and self.to == "tsv"


def expand(
    inputs: Sequence[str], *, folder: Path, source: str | None, to: str | None
) -> list[Item]:
    """Expand files, patterns, folders and URLs into items, sorted within each.

    A folder gives its files with the extension of a known format, without hidden files and files
    of the batch's own folder.

    Raises:
        InputError: a file does not exist, or a pattern or folder gives no file.
        UsageError: stdin or a pipe is named, two inputs would have the same output, or an output
            would replace an input or a file of the batch.
    """
    items: dict[str, Item] = {}
    for given in inputs:
        for path, name in _files(given, folder):
            item = _item(path, name, source, to)
            other = items.setdefault(item.output, item)
            if other is not item and _real(other.path) != _real(path):
                raise UsageError(
                    f"{other.path} and {path} would both become {item.output}; "
                    "rename one of them, or run a batch for each"
                )
    for item in items.values():
        _check_output(item, items, folder)
    return list(items.values())


def _check_output(item: Item, items: dict[str, Item], folder: Path) -> None:
    """Raise UsageError if an output would replace an input or a file that the batch writes."""
    if not isinstance(item.path, Url) and (folder / item.output).resolve() == item.path.resolve():
        raise UsageError(f"{item.path}: its output would replace it; name another --output")
    own = f"{REJECTS}/{item.output}.jsonl"
    if item.output == MANIFEST or own in items:
        other = items.get(own, item)
        raise UsageError(
            f"{other.path}: its output {other.output} has the name of a file of the batch itself; "
            "rename it, or run a batch for it"
        )


def _real(path: Path | Url) -> Path | Url:
    return path if isinstance(path, Url) else path.resolve()


def _files(given: str, folder: Path) -> list[tuple[Path | Url, PurePosixPath]]:
    """Expand a path, pattern, folder or URL into its files and their names in the output."""
    if is_url(given):
        return _remote_files(given)
    path = Path(given)
    if given == "-":
        raise UsageError("a batch reads files; read standard input with 'nlpkit predict'")
    if path.is_dir():
        own = folder.resolve()
        if path.resolve() == own:
            raise UsageError(f"{quoted(path)} is the input and the output; name another --output")
        files = [file for file in sorted(path.rglob("*")) if _is_input(file, path, own)]
        if not files:
            raise InputError(
                f"{quoted(path)}: no file in this folder has the extension of a known format"
            )
        return [(file, PurePosixPath(file.relative_to(path).as_posix())) for file in files]
    if not path.exists() and any(sign in given for sign in MAGIC):
        files = [Path(name) for name in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207
        files = [file for file in files if file.is_file()]
        if not files:
            raise InputError(
                f"{given}: no file matches this pattern; check it, and quote it for the shell"
            )
        return [(file, PurePosixPath(file.name)) for file in files]
    if not path.exists():
        raise InputError(missing(path))
    if not path.is_file():
        raise UsageError(
            f"{quoted(path)}: not a regular file; a batch must be able to read its inputs again. "
            "Read a pipe with 'nlpkit predict'"
        )
    return [(path, PurePosixPath(path.name))]


def _remote_files(given: str) -> list[tuple[Path | Url, PurePosixPath]]:
    """Expand a URL into its files and their names in the output."""
    url, files = Url(given), list[tuple[Path | Url, PurePosixPath]]()
    try:
        if any(sign in given for sign in MAGIC):
            files += [(each, PurePosixPath(each.name)) for each in url.glob()]
        elif not _has_format(PurePosixPath(url.name)) and (inside := url.find()):
            files += [
                (each, name) for name, each in inside if _has_format(name) and not _is_hidden(name)
            ]
        else:
            return [(url, PurePosixPath(url.name))]
    except OSError as problem:
        raise InputError(f"{given}: {problem.strerror}") from None
    if not files:
        raise InputError(f"{given}: no file of a known format here; check it, quote patterns")
    return files


def _is_input(file: Path, root: Path, own: Path) -> bool:
    """Return whether a batch reads a file of the folder `root`; `own` is the batch's folder."""
    if _is_hidden(file.relative_to(root)) or not file.is_file() or not _has_format(file):
        return False
    return own not in file.resolve().parents


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _has_format(path: PurePath) -> bool:
    return format_of(path) != "lines" or unpacked(path).suffix.lower() == ".txt"


def _item(path: Path | Url, name: PurePosixPath, source: str | None, to: str | None) -> Item:
    format = source or format_of(path)
    written = to or ("tsv" if format == "lines" else format)
    bare = unpacked(name)
    extension = bare.suffix.lower().removeprefix(".")
    same = written == format and extension in (written, *EXTENSIONS.get(written, ()))
    output = bare if same else bare.with_suffix(f".{written}")
    return Item(path, format, str(output), written)
