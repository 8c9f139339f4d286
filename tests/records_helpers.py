"""Helpers for the tests of records: bytes to records and back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest

from nlpkit import catalog
from nlpkit.errors import InputError
from nlpkit.records import Record, Source, read, write

FORMATS = catalog.names("formats")


def parse(data: bytes, format: str = "lines", **how: Any) -> list[Record]:
    return list(read(io.BytesIO(data), format, Source("in", **how)))


def dump(records: Iterable[Record], format: str) -> bytes:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    write(records, stream, format)
    stream.flush()
    data = stream.buffer.getvalue()
    assert isinstance(data, bytes)
    return data


def complaint(data: bytes, format: str = "lines", **how: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse(data, format, **how)
    message = str(caught.value)
    assert "\n" not in message
    return message
