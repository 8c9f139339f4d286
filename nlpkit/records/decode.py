"""Decode bytes to lines of text for all formats, with the same errors for each."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from encodings.aliases import aliases
from typing import BinaryIO

from nlpkit.errors import InputError, UsageError, near_match
from nlpkit.records.sniff import BOMS, is_cp1252, is_wide, reason
from nlpkit.records.source import Source

CHUNK = 1 << 16
HEAD = 1 << 13  # first bytes, which tell a binary file from text
COMMON = ("utf-8", "latin-1", "cp1252", "utf-16")
MARKS = (codecs.BOM_UTF8, *(mark for mark, _ in BOMS))
HANDLERS = ("strict", "replace", "ignore", "backslashreplace")
# Everyday names of encodings that Python lacks, or has on some systems only.
EVERYDAY = {
    "ansi": "cp1252",
    "mbcs": "cp1252",
    "windows": "cp1252",
    "oem": "cp850",
    "unicode": "utf-16",
    "utf-8-bom": "utf-8",
    "utf8-bom": "utf-8",
}

# Errors of damaged streams by module. Only imported modules count: importing all slows the start.
_DAMAGE = {"lzma": "LZMAError", "zlib": "error", "backports.zstd": "ZstdError"}

DAMAGED = re.compile("[\udc80-\udcff]")


def sound_lines(stream: BinaryIO, source: Source) -> Iterator[tuple[int, str]]:
    """Yield line numbers (from 1) and lines, for formats with one record per line.

    Raises as `text_lines`; with `source.reject`, lines that do not decode are rejected instead.
    """
    for number, line in enumerate(text_lines(stream, source), 1):
        if source.reject and DAMAGED.search(line):
            source.refuse(number, line, damage(number, source))
        else:
            yield number, line


def damage(number: int, source: Source) -> str:
    """Return the error message for a record with bytes that do not decode."""
    return f"{source.name}:{number}: not valid {source.encoding}; try --encoding cp1252"


def text_lines(stream: BinaryIO, source: Source) -> Iterator[str]:
    r"""Return the lines without their "\n"; no other character ends a line. Drop a leading BOM.

    Raises:
        UsageError: the encoding or the error handler is unknown.
        InputError: while iterating: bytes do not decode, or the stream breaks. Earlier lines have
            been yielded.
    """
    lines = _lines(stream, source)
    return lines if source.position is None else source.position.follow(lines)


def text_chunks(stream: BinaryIO, source: Source) -> Iterator[str]:
    """Yield the text as it arrives, in pieces of any length. Drop a leading BOM.

    Raises as `text_lines`.
    """
    decoder = _decoder(source)
    head, started, line, column = b"", False, 1, 1  # line and column: where the next piece begins
    for chunk in _chunks(stream, source.name):
        if len(head) < HEAD and chunk:
            head += chunk[: HEAD - len(head)]
            source.layout.bom = head.startswith(MARKS)
            if head.startswith(codecs.BOM_UTF8) and not is_utf8(source.encoding):
                raise InputError(
                    f"{source.name} is UTF-8 (it begins with its byte order mark); "
                    "leave out --encoding"
                )
            if problem := reason(head, codec_name(source.encoding)):
                raise InputError(f"{source.name}:1: not valid {source.encoding}: {problem}")
        text, wrong, rest = _decode(decoder, chunk, source)
        if text and not started:
            text, started = text.removeprefix("\ufeff"), True
        if text:
            yield text
        if newlines := text.count("\n"):
            line, column = line + newlines, len(text) - text.rfind("\n")
        else:
            column += len(text)
        if wrong:
            why = _complaint(wrong, column, rest, source)
            raise InputError(f"{source.name}:{line}: {why}")


def _lines(stream: BinaryIO, source: Source) -> Iterator[str]:
    pending = list[str]()
    for text in text_chunks(stream, source):
        pieces = text.split("\n")
        if len(pieces) > 1:
            yield "".join(pending) + pieces[0]
            yield from pieces[1:-1]
            pending = []
        pending.append(pieces[-1])
    if any(pending):
        yield "".join(pending)


def codec_name(encoding: str) -> str:
    """Return Python's name of an encoding, given that name or an everyday one.

    Raises:
        UsageError: there is no such text encoding; the message has the closest match.
    """
    if codec := _text_codec(encoding):
        return codec.name
    known = {*aliases.values(), *EVERYDAY, *COMMON}
    near = near_match(encoding, sorted(name for name in known if _text_codec(name)))
    raise UsageError(f"unknown encoding {encoding!r}.{near} Common ones: {', '.join(COMMON)}")


def is_utf8(encoding: str) -> bool:
    """Return whether the encoding is UTF-8, with or without a byte order mark."""
    return codec_name(encoding) in ("utf-8", "utf-8-sig")


def _text_codec(encoding: str) -> codecs.CodecInfo | None:
    everyday = encoding.strip().lower().replace("_", "-").replace(" ", "-")
    try:
        codec = codecs.lookup(EVERYDAY.get(everyday, encoding))
    except (LookupError, ValueError):
        return None
    return codec if getattr(codec, "_is_text_encoding", True) else None


def _decoder(source: Source) -> codecs.IncrementalDecoder:
    name = codec_name(source.encoding)
    if source.errors not in HANDLERS:
        near = near_match(source.errors, HANDLERS)
        raise UsageError(
            f"unknown --errors {source.errors!r}.{near} There are: {', '.join(HANDLERS)}"
        )
    if name == "utf-8-sig":  # text_chunks drops the BOM, once
        name = "utf-8"
    # Incremental for all encodings, because UTF-16 cannot be split at the byte 0x0a.
    return codecs.getincrementaldecoder(name)(source.errors)


def _damage() -> tuple[type[Exception], ...]:
    modules = [(sys.modules[name], error) for name, error in _DAMAGE.items() if name in sys.modules]
    return (OSError, EOFError, *(getattr(module, error) for module, error in modules))


def whole_bytes(stream: BinaryIO, name: str) -> bytes:
    """Return all bytes of a stream.

    Raises:
        InputError: the stream breaks.
    """
    return b"".join(_chunks(stream, name))


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the bytes that have arrived, without waiting for more; the last chunk is empty."""
    read = getattr(stream, "read1", stream.read)
    chunk = b"-"
    while chunk:
        try:
            chunk = read(CHUNK) or b""
        except _damage() as err:
            raise InputError(
                f"{name}: cannot be read to its end ({err}); "
                "it is damaged or cut short; download or create it again"
            ) from err
        yield chunk


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, source: Source
) -> tuple[str, UnicodeError | None, bytes]:
    """Return the text of a chunk up to its first error, the error, and the bytes after it.

    With `source.reject`, escape bad bytes of UTF-8 instead; the reader then rejects the record.
    """
    state = decoder.getstate()
    try:
        return decoder.decode(chunk, not chunk), None, b""
    except UnicodeError as err:
        wrong = err
    decoder.setstate(state)
    if source.reject and codec_name(source.encoding) in ("utf-8", "utf-8-sig", "ascii"):
        decoder.errors = "surrogateescape"
        text = decoder.decode(chunk, not chunk)
        decoder.errors = source.errors
        return text, None, b""
    good = []
    for index, byte in enumerate(chunk):  # runs once per stream, so it may be slow
        try:
            good.append(decoder.decode(bytes([byte])))
        except UnicodeError as err:
            return "".join(good), err, chunk[index + 1 :]
    return "".join(good), wrong, b""


def _complaint(wrong: UnicodeError, column: int, rest: bytes, source: Source) -> str:
    codec = codec_name(source.encoding)
    if not isinstance(wrong, UnicodeDecodeError):  # for example UTF-16 without its BOM
        other = f"{codec}-le or {codec}-be" if is_wide(codec) else "utf-8"
        return f"not valid {source.encoding} ({wrong}); try --encoding {other}"
    byte = wrong.object[wrong.start]
    problem = f"not valid {source.encoding} (byte 0x{byte:02x} at column {column})"
    if wrong.reason == "unexpected end of data":
        return f"{problem}: the file is cut short within a character; download or create it again"
    if codec.startswith("utf-8") and is_cp1252(wrong.object + rest):
        return f"{problem}; try --encoding cp1252 (--errors replace would lose letters)"
    other = "cp1252" if codec.startswith("utf-8") else "utf-8"
    return f"{problem}; try --encoding {other}, or --errors replace"
