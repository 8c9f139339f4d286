"""From bytes to lines of text, in one place, so that every format says the same good errors."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from encodings.aliases import aliases
from typing import BinaryIO

from nlpkit.errors import InputError, UsageError, near_match
from nlpkit.records.source import Source

CHUNK = 1 << 16
HEAD = 1 << 13  # bytes looked at to tell a binary file from text
HANDLERS = ("strict", "replace", "ignore", "backslashreplace")
BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# What streams raise, of those modules that are in use: importing all would cost each start.
_DAMAGE = {"lzma": "LZMAError", "zlib": "error", "backports.zstd": "ZstdError"}

# How files begin that were packed; by its name such a file would have been unpacked.
PACKED = {
    b"\x1f\x8b": "gzip; name the file, with its .gz, or pipe it through zcat",
    b"\x28\xb5\x2f\xfd": "zstd; name the file, with its .zst, or pipe it through zstdcat",
    b"BZh": "bzip2; name the file, with its .bz2, or pipe it through bzcat",
    b"\xfd7zXZ": "xz; name the file, with its .xz, or pipe it through xzcat",
    b"PK\x03\x04": "a zip or a spreadsheet; unpack it, or save it as CSV",
}
DAMAGED = re.compile("[\udc80-\udcff]")


def sound_lines(stream: BinaryIO, source: Source) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, for formats in which a line is a record.

    Raises as `text_lines`; with `source.reject`, lines that do not decode are refused instead.
    """
    for number, line in enumerate(text_lines(stream, source), 1):
        if source.reject and DAMAGED.search(line):
            source.refuse(number, line, damage(number, source))
        else:
            yield number, line


def damage(line: int, source: Source) -> str:
    """Say that bytes of a record do not decode."""
    return f"{source.name}:{line}: not valid {source.encoding}; try another --encoding"


def text_lines(stream: BinaryIO, source: Source) -> Iterator[str]:
    r"""Return lines without their "\n", the only thing that ends a line; a first BOM is dropped.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: bytes that do not decode, or a stream that breaks; every line before
            that has been yielded.
    """
    lines = _lines(stream, source)
    return lines if source.position is None else source.position.follow(lines)


def _lines(stream: BinaryIO, source: Source) -> Iterator[str]:
    decoder = _decoder(source)
    number, pending, head, started = 1, list[str](), b"", False
    for chunk in _chunks(stream, source.name):
        head += chunk[: HEAD - len(head)]
        text, wrong = _decode(decoder, chunk, source)
        if text and not started:
            text, started = text.removeprefix("\ufeff"), True
        pieces = text.split("\n")
        if len(pieces) > 1:
            yield "".join(pending) + pieces[0]
            yield from pieces[1:-1]
            number, pending = number + len(pieces) - 1, []
        pending.append(pieces[-1])
        if wrong:
            column = sum(map(len, pending)) + 1
            raise InputError(f"{source.name}:{number}: {_complaint(wrong, column, head, source)}")
    if any(pending):
        yield "".join(pending)


def _decoder(source: Source) -> codecs.IncrementalDecoder:
    try:
        codec = codecs.lookup(source.encoding)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not getattr(codec, "_is_text_encoding", True):
        near = near_match(source.encoding, [*aliases, "utf-8", "utf-16", "latin-1", "cp1252"])
        raise UsageError(
            f"unknown encoding {source.encoding!r}.{near} "
            "Common ones: utf-8, latin-1, cp1252, utf-16"
        )
    if source.errors not in HANDLERS:
        near = near_match(source.errors, HANDLERS)
        raise UsageError(
            f"unknown --errors {source.errors!r}.{near} There are: {', '.join(HANDLERS)}"
        )
    if codec.name == "utf-8-sig":  # text_lines drops the mark itself, once
        codec = codecs.lookup("utf-8")
    # Incremental for all: UTF-16 cannot be split at the byte 0x0a, and one way is enough.
    return codecs.getincrementaldecoder(codec.name)(source.errors)


def _damage() -> tuple[type[Exception], ...]:
    there = [(sys.modules[name], error) for name, error in _DAMAGE.items() if name in sys.modules]
    return (OSError, EOFError, *(getattr(module, error) for module, error in there))


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield what has arrived without waiting for more; the last chunk is empty."""
    read = getattr(stream, "read1", stream.read)
    chunk = b"-"
    while chunk:
        try:
            chunk = read(CHUNK) or b""
        except _damage() as err:
            raise InputError(
                f"{name}: cannot be read to its end ({err}); "
                "it is damaged or cut short, so fetch or make it again"
            ) from err
        yield chunk


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, source: Source
) -> tuple[str, UnicodeError | None]:
    """Decode a chunk, or what stands before its first error, and that error.

    With `source.reject` bad bytes of UTF-8 are escaped instead: whoever sees the record refuses it.
    """
    state = decoder.getstate()
    try:
        return decoder.decode(chunk, not chunk), None
    except UnicodeError as err:
        wrong = err
    decoder.setstate(state)
    if source.reject and codecs.lookup(source.encoding).name in ("utf-8", "utf-8-sig", "ascii"):
        decoder.errors = "surrogateescape"
        text = decoder.decode(chunk, not chunk)
        decoder.errors = source.errors
        return text, None
    good = []
    for byte in chunk:  # once in the life of a stream, so slow and exact will do
        try:
            good.append(decoder.decode(bytes([byte])))
        except UnicodeError as err:
            return "".join(good), err
    return "".join(good), wrong


def _complaint(wrong: UnicodeError, column: int, head: bytes, source: Source) -> str:
    codec = codecs.lookup(source.encoding).name
    wide = codec.startswith(("utf-16", "utf-32"))
    if not isinstance(wrong, UnicodeDecodeError):  # for example UTF-16 without its mark
        mend = f"{codec}-le or {codec}-be" if wide else "utf-8"
        return f"not valid {source.encoding} ({wrong}); try --encoding {mend}"
    byte = wrong.object[wrong.start]
    what = f"not valid {source.encoding} (byte 0x{byte:02x} at column {column})"
    for magic, mend in PACKED.items():
        if head.startswith(magic):
            return f"{what}: it is {mend}"
    if wrong.reason == "unexpected end of data":
        return f"{what}: it ends within a character; it is cut short, so fetch or make it again"
    for mark, encoding in BOMS:
        if head.startswith(mark) and not wide:
            return f"{what}: it begins with a {encoding} mark; try --encoding {encoding}"
    if not wide and _binary(head, source.encoding):
        return f"{what}: looks like a binary file; name a text file, or try --encoding utf-16-le"
    other = "latin-1" if codec.startswith("utf-8") else "utf-8"
    return f"{what}; try --encoding {other}, or --errors replace"


def _binary(head: bytes, encoding: str) -> bool:
    """Whether the head has NULs and does not decode; NULs alone are ordinary characters."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeError:
        return b"\0" in head
    return False
