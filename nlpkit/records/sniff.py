"""Recognise by its first bytes that a stream is binary, or in another encoding."""

from __future__ import annotations

import codecs
import re

ENOUGH = 256  # bytes; a shorter head does not show that a file is binary
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
LATIN = "\u0250"  # the first character after the Latin letters of European languages
BOMS = (  # UTF-32 first: its little-endian BOM begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The first bytes of binary formats: their name and how to read them.
KNOWN = {
    b"\x1f\x8b": "gzip; name the file, with its .gz, or pipe it through zcat",
    b"\x28\xb5\x2f\xfd": "zstd; name the file, with its .zst, or pipe it through zstdcat",
    b"BZh": "bzip2; name the file, with its .bz2, or pipe it through bzcat",
    b"\xfd7zXZ": "xz; name the file, with its .xz, or pipe it through xzcat",
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or use --from xlsx",
    b"\xd0\xcf\x11\xe0": "an Office 97-2003 file; if it is a spreadsheet, use --from xlsx",
    b"SQLite format 3\0": "a SQLite database; export a table of it as CSV",
    b"PAR1": "Parquet; name the file, with its .parquet",
    b"x\x9c": "compressed with zlib; if it is a DocBin of spaCy, use --from spacy",
    b"%PDF-": "a PDF; extract its text with pdftotext",
}
TEXTUAL = (b"BZh", b"PAR1")  # text may begin so too, so check more bytes
_FOLLOWED = re.compile(rb"BZh[1-9]1AY&SY|PAR1[^ -~\t\r\n]")
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")


def is_wide(encoding: str) -> bool:
    """Return whether the encoding is UTF-16 or UTF-32, with NUL bytes in ASCII letters."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def reason(head: bytes, encoding: str) -> str:
    """Return why a head of bytes is not text in the encoding and how to read it, or ""."""
    for magic, advice in KNOWN.items():
        if head.startswith(magic) and (magic not in TEXTUAL or _FOLLOWED.match(head)):
            return f"it is {advice}"
    if is_wide(encoding):
        return ""
    for mark, wide in BOMS:
        if head.startswith(mark):
            return f"it begins with a {wide} byte order mark; try --encoding {wide}"
    if b"\0" not in head:
        return ""
    for wide in WIDE:
        if _reads_as(head, wide):
            return f"it looks like {wide} without a byte order mark; try --encoding {wide}"
    if _is_binary(head, encoding):
        return (
            "it looks like a binary file; name a text file. If it is UTF-16, "
            "try --encoding utf-16-le"
        )
    return ""  # single NULs are ordinary characters


def _reads_as(head: bytes, wide: str) -> bool:
    """Return whether the head decodes to text that is mostly Latin letters, without NULs."""
    size = 4 if "32" in wide else 2
    try:
        text = head[: len(head) - len(head) % size].decode(wide)
    except UnicodeError:
        return False
    if len(text) < 2 or "\0" in text:
        return False
    return sum(letter < LATIN for letter in text) >= 0.8 * len(text)


def _is_binary(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeError:
        return True
    if len(head) < ENOUGH:
        return False
    return head.count(b"\0\0") >= 4 or len(_CONTROLS.findall(head)) >= len(head) / 5


def is_cp1252(data: bytes) -> bool:
    """Return whether the bytes decode as cp1252, which lacks five bytes."""
    try:
        data.decode("cp1252")
    except UnicodeError:
        return False
    return True
