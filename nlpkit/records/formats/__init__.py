"""The contract of formats: one file a format, named as `--from` and `--to` name it.

A file that can be read has `read(stream, source)`: it yields records, sets `source.layout`, and
calls `source.refuse` for a bad one, so that `batch` can go on. A file that can be written has
`write(records, stream)`; one whose file has more than rows (a header, a frame) also has
`write_part` and `join`, by which `batch` writes it in parts. Optional constants:

    NESTED = True             # a field may hold lists and tables
    TYPED = True              # a field may hold numbers
    HEADER = True             # `write` takes `columns`, the header of a table without records
    DIALECT = True            # `write` takes `dialect`, that of CSV
    SHEET = True              # `write` takes `sheet`, the name of a sheet
    WANTS_TEXT = True         # `write` takes `text`, the name of the text's field
    HOLDS = ("entities",)     # the only answer fields that it can hold

A format that is not text, or that has other names, is named in `records/target.py` too.
"""
