"""Read and write Excel workbooks: one sheet, the first visible one, with a header in its first row.

Reads .xls, .xlsm, .xlsb and .ods too.

Reading needs python-calamine, writing the extra `xlsx` (XlsxWriter).
"""

from __future__ import annotations

import datetime
import io
import json
import math
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError, MissingExtra, NoSpace, Note, near_match, quoted
from nlpkit.records.decode import whole_bytes
from nlpkit.records.source import TEXT, Record, Source, column_named
from nlpkit.records.table import Cell, header_of, typed_rows

__all__ = ["TEXT", "join", "read", "write", "write_part"]

HEADER = True  # the first row names the columns; later parts omit it
TYPED = True  # a number in a cell stays a number
SHEET = True  # `write` takes the name of the sheet

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767  # limits of Excel
WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")  # first bytes: zip (.xlsx, .xlsb, .ods), OLE (.xls)
CREATED = datetime.datetime(2000, 1, 1)  # a fixed date: equal rows make equal bytes
EXACT = 1 << 53  # larger integers are not exact in a cell
_SHEET_NAME = re.compile(r"(?!')[^\[\]:*?/\\]{1,31}(?<!')")  # others are not valid in Excel
FORMATS = {
    datetime.datetime: "yyyy-mm-dd hh:mm:ss",
    datetime.date: "yyyy-mm-dd",
    datetime.time: "hh:mm:ss",
}


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield one record per row below the header, numbers and dates as text.

    Skips empty rows above the header; below it they are records of empty values. The whole sheet is
    held in memory.

    Raises:
        InputError: the input is not a workbook, needs a password, or lacks the sheet of the source
            or the text column.
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


def write(
    records: Iterable[Record],
    stream: TextIO,
    columns: Iterable[str] | None = None,
    sheet: str | None = None,
) -> None:
    """Write a header (`columns`, else the keys of the first record) and the records.

    Strings stay texts, even if they look like numbers or formulas. `sheet` is the name of the
    sheet; None, or a name that Excel refuses, gives Sheet1.

    Raises:
        MissingExtra: XlsxWriter is not installed.
        InputError: a later record has a field that the header lacks, or the sheet or a cell exceeds
            a limit of Excel. Nothing is written then.
    """
    stream.flush()
    _write(typed_rows(records, columns), stream.buffer, sheet)


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


def sheet_count(path: Path) -> int:
    """Return the number of sheets of a workbook, hidden ones included; 0 for another file."""
    import python_calamine as calamine

    try:
        return len(calamine.load_workbook(path).sheet_names)
    except (calamine.CalamineError, OSError, EOFError, ValueError):
        return 0


def _sheet(stream: BinaryIO, source: Source) -> Iterator[list[Any]]:
    """Return the rows of the sheet that the source names, else of the first visible one."""
    import python_calamine as calamine

    content = io.BytesIO(whole_bytes(stream, source.name))
    try:
        book = calamine.load_workbook(content)
        sheets = {
            sheet.name: sheet.visible == calamine.SheetVisibleEnum.Visible
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        }
        name = _chosen(sheets, source)
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
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
    source.layout.sheet = name
    count = sum(sheets.values())
    if (
        source.sheet is None and count > 1 and not source.layout.columns
    ):  # columns: a second reading
        advice = "; --sheet chooses another" if source.sheet_option else ""
        note = f"{source.name}: of its {count} sheets the first is read, {name!r}{advice}"
        warnings.warn(Note(note), stacklevel=2)
    return iter(rows)


def _chosen(sheets: dict[str, bool], source: Source) -> str:
    """Return the name of the sheet to read; `sheets` says of each whether it is visible."""
    visible = [name for name, shown in sheets.items() if shown]
    if source.sheet is None:
        if not visible:
            raise InputError(f"{source.name}: the workbook has no visible sheet")
        return visible[0]
    name = column_named(source.sheet, sheets)
    if name is None:
        near = near_match(source.sheet, visible)
        listed = ", ".join(visible) or "none"
        raise InputError(f"{source.name}: no sheet {source.sheet!r}.{near} Sheets: {listed}")
    return name


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


def _write(rows: Iterator[list[Any]], stream: BinaryIO, sheet: str | None = None) -> None:
    """Write a workbook; nothing is written if a row fails.

    Raises:
        NoSpace: the folder of temporary files is full.
    """
    xlsxwriter = _xlsxwriter()
    with tempfile.TemporaryDirectory(prefix="nlpkit-") as folder:
        whole = Path(folder) / "whole.xlsx"
        book = xlsxwriter.Workbook(str(whole), {"constant_memory": True, "tmpdir": folder})
        book.set_properties({"created": CREATED})
        try:
            try:
                _fill(book, rows, sheet)
            except BaseException:
                _discard(book)
                raise
            book.close()
        except (OSError, xlsxwriter.exceptions.FileCreateError) as problem:
            raise NoSpace(
                f"cannot write a workbook in {quoted(tempfile.gettempdir())}: {problem}; "
                "free some space there, or set TMPDIR to another folder"
            ) from None
        with whole.open("rb") as file:
            shutil.copyfileobj(file, stream)


def _discard(book: Any) -> None:
    """Close the temporary files of a workbook that will not be written."""
    for sheet in book.worksheets():
        with suppress(OSError):
            sheet.row_data_fh.close()
    book.fileclosed = True  # its destructor must not complain


def _fill(book: Any, rows: Iterator[list[Any]], name: str | None) -> None:
    sheet = book.add_worksheet(name if name and _SHEET_NAME.fullmatch(name) else None)
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
