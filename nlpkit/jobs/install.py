"""Take bundles from elsewhere into the user's folder, check them, and remove them again."""

from __future__ import annotations

import dataclasses
import json
import lzma
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import zoo
from nlpkit.answers import difference
from nlpkit.errors import DeviceError, ModelError, UsageError
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.graphs import IDS, MASK
from nlpkit.runtime.manifest import NAME as MANIFEST
from nlpkit.runtime.model import Model

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError)
MOST_FILES = 100
MOST_BYTES = 1 << 32  # of a bundle, unpacked: no zip may fill a disk
NEAR, NEARBY = 0.01, 0.05  # to a score announced: in the precision it was taken in, in another


def add(source: Path, *, replace: bool = False) -> Verified:
    """Install a bundle, a folder or a zip of one, once it has shown that it works.

    Raises:
        ModelError: it is damaged, dangerous, or does not answer as it announces.
        UsageError: it is not there, or one of that name is.
    """
    shelf = zoo.user_folder() / "bundles"
    shelf.mkdir(parents=True, exist_ok=True)
    with _beside(shelf) as part:
        if source.is_dir():
            _copy(source, part)
        elif zipfile.is_zipfile(source):
            _unpack(source, part)
        elif source.exists():
            raise ModelError(f"{source}: neither a bundle's folder nor a zip of one")
        else:
            raise UsageError(f"{source}: no such file or folder")
        name = read_bundle(part).manifest.name
        if not NAME.fullmatch(name):
            raise ModelError(f"{source}: calls itself {name!r}, which is no name for a folder")
        verified = _verified(part, name)
        target = shelf / name
        there = {folder.name: folder for folder in zoo.bundle_folders()}
        if name in there and not replace:
            raise UsageError(
                f"{name}: there is a model of that name in {there[name]}; --replace takes this one "
                "instead of it, or use it by its path: --model PATH"
            )
        if target.exists():
            old = shelf / f".{name}.old"
            shutil.rmtree(old, ignore_errors=True)
            target.replace(old)
            part.replace(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.replace(target)
    return dataclasses.replace(verified, path=target)


def remove(name: str) -> Path:
    """Remove a bundle that was installed, and return where it lay.

    Raises:
        UsageError: it was not installed by a person, or there is none.
    """
    target = zoo.user_folder() / "bundles" / name
    if not NAME.fullmatch(name) or not target.is_dir():
        there = sorted(path.parent.name for path in target.parent.glob("[!.]*/bundle.json"))
        listed = f"installed are: {', '.join(there)}" if there else "none is installed"
        raise UsageError(f"{name}: no installed model of that name; {listed}")
    if target.is_symlink():
        target.unlink()
    else:
        shutil.rmtree(target)
    return target


@dataclass(frozen=True)
class Checked:
    """A precision that gave the answers announced, and the largest difference of a score."""

    precision: str
    texts: int
    difference: float


@dataclass(frozen=True)
class Verified:
    """A bundle that is what it announces; `path` is where it was installed."""

    name: str
    checked: tuple[Checked, ...]
    path: Path | None = None


def verify(name: str) -> Verified:
    """Check a bundle's files, and its answers in each precision against those it announces.

    Raises:
        ModelError: something is not as announced; the message says what.
    """
    return _verified(zoo.find_bundle(name), name)


def _verified(folder: Path, name: str) -> Verified:
    bundle = read_bundle(folder)
    golden = _golden(bundle.checked("golden.jsonl").read_bytes(), folder)
    if bundle.manifest.tree["format"] == 1 and bundle.manifest.tokenizer_kind == "words":
        golden = [(text.split(), said) for text, said in golden]  # its words lay between spaces
    checked = []
    for precision in bundle.manifest.precisions:
        try:
            model = zoo.open_bundle(folder, device="cpu", precision=precision)
        except DeviceError:
            continue
        _check_ids(model, folder)
        exact = precision == bundle.manifest.cpu_precision
        far = _distance(model, golden, f"{name} in {precision}", NEAR if exact else NEARBY)
        checked.append(Checked(precision, len(golden), far))
    return Verified(bundle.manifest.name, tuple(checked))


def _golden(content: bytes, folder: Path) -> list[tuple[Any, dict[str, Any]]]:
    """Return the texts and the answers announced, as plain values."""
    try:
        rows = [json.loads(line) for line in content.decode().splitlines()]
        golden = [(row.pop("text"), row) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ModelError(f"{folder / 'golden.jsonl'}: damaged ({problem})") from None
    if not golden or not all(isinstance(text, str) for text, _ in golden):
        raise ModelError(f"{folder / 'golden.jsonl'}: damaged (it must hold texts with answers)")
    return golden


def _check_ids(model: Model, folder: Path) -> None:
    """Raise ModelError if the tokenizer gives an id that the network has no vector for."""
    import numpy as np

    ids = model.tokenizer.random(np.random.default_rng(0), 1, 1)
    if ids.ndim > 2:  # hashed words: their tables are as large as the hashes
        return
    size = model.tokenizer.vocab_size
    graph, signature = next(iter(model.run.signatures.items()))
    feeds = {IDS: np.full((1, 1), size - 1, dtype=np.int64), MASK: np.ones((1, 1), dtype=bool)}
    try:
        model.run(graph, feeds, tuple(signature.outputs))
    except ModelError:
        raise ModelError(
            f"{folder}: its tokenizer has {size} pieces, more than its network knows"
        ) from None


def _distance(
    model: Model, golden: list[tuple[Any, dict[str, Any]]], where: str, near: float
) -> float:
    """Return the largest difference to an announced score.

    Raises:
        ModelError: an answer is not the one announced; in another precision than theirs, where a
            close decision may fall otherwise, more than half of the answers are not.
    """
    said = model.predict([text for text, _ in golden])
    farthest, others = 0.0, 0
    for (text, announced), answer in zip(golden, said, strict=True):
        now = answer.plain() if answer else {}
        far = difference(announced, now)
        if far == float("inf") and near > NEAR:
            others += 1
            if 2 * others <= len(golden):
                continue
        if not far <= near:  # a score that is no number is no answer either
            said_, told = (json.dumps(each, ensure_ascii=False)[:200] for each in (now, announced))
            shown = (text if isinstance(text, str) else " ".join(text))[:60]
            raise ModelError(f"{where}: predicted {said_} for {shown!r}, expected {told}")
        farthest = max(farthest, far)
    return round(farthest, 4)


@contextmanager
def _beside(shelf: Path) -> Iterator[Path]:
    """Yield a folder to fill; whatever is left of it goes."""
    part = shelf / f".{os.urandom(4).hex()}.part"
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy(source: Path, part: Path) -> None:
    bundle = read_bundle(source)
    for name in (MANIFEST, *bundle.manifest.files):
        if (source / name).is_symlink():
            raise ModelError(f"{source / name}: is a link, which may lead outside the bundle")
        shutil.copyfile(source / name, part / name)


def _unpack(source: Path, part: Path) -> None:
    """Unpack a zip whose entries lie in one folder, or in none, and are plain files."""
    with zipfile.ZipFile(source) as archive:
        entries = [entry for entry in archive.infolist() if not _is_left_out(entry)]
        if len(entries) > MOST_FILES:
            raise ModelError(f"{source}: holds {len(entries)} files; a bundle has a few")
        tops = {entry.filename.rpartition("/")[0] for entry in entries}
        if len(tops) > 1:
            raise ModelError(f"{source}: holds several folders; a zip is of one bundle")
        left = MOST_BYTES
        for entry in entries:
            name = entry.filename.rpartition("/")[2]
            parts = entry.filename.split("/")
            linked = entry.external_attr >> 28 == 0xA
            if linked or not all(NAME.fullmatch(item) for item in parts):
                raise ModelError(f"{source}: names {entry.filename!r}, outside a bundle's folder")
            left = _extract(archive, entry, part / name, left, source)


def _is_left_out(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is a folder, or one of the files that macOS adds to a zip."""
    *folders, name = entry.filename.split("/")
    return entry.is_dir() or "__MACOSX" in folders or name == ".DS_Store" or name.startswith("._")


def _extract(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int, source: Path
) -> int:
    """Write an entry's bytes, however many it announces; return how many are still allowed."""
    try:
        with archive.open(entry) as packed, target.open("wb") as out:
            while chunk := packed.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise ModelError(
                        f"{source}: unpacks to more than {MOST_BYTES >> 30} GB; not a bundle"
                    )
                out.write(chunk)
    except DAMAGE as problem:
        raise ModelError(f"{source}: damaged, or locked ({problem})") from None
    return left
