"""Read and write Excel workbooks: the first visible sheet, with a header in its first row.

Reads .xls, .xlsm, .xlsb and .ods too.

Reading needs python-calamine, writing the extra `xlsx` (XlsxWriter).
"""

from __future__ import annotations

import datetime
import io
import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TextIO

from nlpkit.errors import InputError, MissingExtra, Note
from nlpkit.records.decode import whole_bytes
from nlpkit.records.source import TEXT, Record, Source
from nlpkit.records.table import header_of, typed_rows

__all__ = ["TEXT", "join", "read", "write", "write_part"]

HEADER = True  # the first row names the columns; later parts omit it
TYPED = True  # a number in a cell stays a number

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767  # limits of Excel
WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")  # first bytes: zip (.xlsx, .xlsb, .ods), OLE (.xls)
EXACT = 1 << 53  # larger integers are not exact in a cell
FORMATS = {
    datetime.datetime: "yyyy-mm-dd hh:mm:ss",
    datetime.date: "yyyy-mm-dd",
    datetime.time: "hh:mm:ss",
}


class Cell(str):
    """The text of a cell, with its number, date or boolean.

    Any change to the text gives a plain `str`, so `value` is never out of date.
    """

    __slots__ = ("value",)
    value: Any

    def __new__(cls, text: str, value: Any) -> Self:
        self = super().__new__(cls, text)
        self.value = value
        return self

    def __getnewargs__(self) -> tuple[str, Any]:  # type: ignore[override]
        return str(self), self.value  # to pickle it for a worker process


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row below the header, numbers and dates as text.

    Skips empty rows above the header; below it they are records of empty values. The whole sheet is
    held in memory.

    Raises:
        InputError: the input is not a workbook, needs a password, or lacks the text column.
    """
    columns: list[str] | None = None
    for number, values in enumerate(_sheet(stream, source), 1):
        if columns is None:
            if any(value != "" for value in values):
                columns = header_of([str(_text(value)) for value in values], source, number)
        else:
            if source.position is not None:
                source.position.line = number
            yield dict(zip(columns, map(_text, values), strict=True))


def write(records: Iterable[Record], stream: TextIO, columns: Iterable[str] | None = None) -> None:
    """Write a header (`columns`, else the keys of the first record) and the records.

    Strings stay texts, even if they look like numbers or formulas.

    Raises:
        MissingExtra: XlsxWriter is not installed.
        InputError: a later record has a field that the header lacks, or the sheet or a cell exceeds
            a limit of Excel. Nothing is written then.
    """
    stream.flush()
    _write(typed_rows(records, columns), stream.buffer)


def write_part(
    records: Iterable[Record],
    stream: TextIO,
    header: bool = True,
    columns: Iterable[str] | None = None,
) -> None:
    """Write rows as lines of JSON, for `join` to write as a workbook.

    Raises:
        MissingExtra: XlsxWriter, which `join` needs, is not installed.
        InputError: a record has a field that the header lacks.
    """
    _xlsxwriter()
    for number, row in enumerate(typed_rows(records, columns)):
        if number or header:
            stream.write(json.dumps([_plain(value) for value in row]) + "\n")


def join(parts: Sequence[Path], stream: BinaryIO) -> None:
    """Write the rows of parts as one workbook. Raises as `write`."""
    _write((json.loads(line) for part in parts for line in _lines(part)), stream)


def _lines(part: Path) -> Iterator[bytes]:
    with part.open("rb") as lines:
        yield from lines


def _sheet(stream: BinaryIO, source: Source) -> Iterator[list[Any]]:
    """Return the rows of the first visible sheet."""
    import python_calamine as calamine

    content = io.BytesIO(whole_bytes(stream, source.name))
    try:
        book = calamine.load_workbook(content)
        sheets = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible
            and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        if not sheets:
            raise InputError(f"{source.name}: the workbook has no visible sheet")
        rows = book.get_sheet_by_name(sheets[0]).to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise InputError(f"{source.name}: needs a password; save it without one") from None
    except (calamine.CalamineError, OSError, EOFError, ValueError) as problem:
        if not content.getvalue().startswith(WORKBOOKS):
            raise InputError(
                f"{source.name}: not a workbook, despite its name or --from; if it is a text file, "
                "use --from csv or --from tsv"
            ) from None
        reason = next(iter(str(problem).splitlines()), type(problem).__name__)[:200]
        raise InputError(f"{source.name}: a damaged workbook ({reason}); save it again") from None
    if len(sheets) > 1 and not source.layout.columns:  # not again in a second reading
        warnings.warn(
            Note(f"{source.name}: read the first of {len(sheets)} sheets, {sheets[0]!r}"),
            stacklevel=2,
        )
    return iter(rows)


def _text(value: Any) -> str:
    """Return the text of a cell, as Excel shows it in its default format."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", value)
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
        return Cell(text, value)
    if isinstance(value, datetime.datetime):
        return Cell(value.isoformat(" ", "seconds"), value)
    if isinstance(value, datetime.date | datetime.time):
        return Cell(value.isoformat(), value)
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    """Return a value as a type that JSON can hold."""
    cell = value.value if isinstance(value, Cell) else value
    return cell if isinstance(cell, str | int | float | None) else str(value)


def _xlsxwriter() -> Any:
    try:
        import xlsxwriter
    except ModuleNotFoundError:
        raise MissingExtra("xlsx", "XlsxWriter") from None
    return xlsxwriter


def _write(rows: Iterator[list[Any]], stream: BinaryIO) -> None:
    xlsxwriter = _xlsxwriter()
    with tempfile.TemporaryFile() as whole:  # so that nothing is written if a row fails
        book = xlsxwriter.Workbook(whole, {"constant_memory": True})
        try:
            _fill(book, rows)
        finally:
            book.close()  # also removes its temporary files
        whole.seek(0)
        shutil.copyfileobj(whole, stream)


def _fill(book: Any, rows: Iterator[list[Any]]) -> None:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    formats = {kind: book.add_format({"num_format": style}) for kind, style in FORMATS.items()}
    bold = book.add_format({"bold": True})
    header: list[str] = []
    for number, row in enumerate(rows):
        _check(number, row, header)
        header = header or row
        for column, value in enumerate(row):
            _put(sheet, number, column, value, formats, bold if number == 0 else None)
        if all(value in ("", None) for value in row):
            sheet.write_string(number, 0, "")  # a last row without cells would be lost


def _put(sheet: Any, row: int, column: int, value: Any, formats: Any, style: Any) -> None:
    if isinstance(value, Cell):
        value = value.value
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float) and math.isfinite(value) and abs(value) < EXACT:
        sheet.write_number(row, column, value)
    elif type(value) in formats:
        sheet.write_datetime(row, column, value, formats[type(value)])
    elif value not in ("", None):
        text = str(value).encode("utf-8", "backslashreplace").decode()
        sheet.write_string(row, column, text, style)


def _check(number: int, row: list[Any], header: list[str]) -> None:
    """Raise InputError if a row, numbered from 0, does not fit into a sheet."""
    if number >= MOST_ROWS:
        raise InputError(f"a sheet of Excel holds {MOST_ROWS:,} rows; use --to csv")
    if len(row) > MOST_COLUMNS:
        raise InputError(f"a sheet of Excel holds {MOST_COLUMNS:,} columns; use --to csv")
    for column, value in enumerate(row):
        if isinstance(value, str) and len(value) > MOST_CHARACTERS:
            name = repr(header[column]) if header else "header"
            raise InputError(
                f"record {number}: its {name} has {len(value):,} characters, "
                f"but a cell of Excel holds {MOST_CHARACTERS:,}; use --to csv"
            )
