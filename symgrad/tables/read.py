"""CSV text → Table. The text is untrusted: it is split and matched, never evaluated."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from symgrad.errors import InputError
from symgrad.tables.table import NUMBER, Column, Table, plain, quoted

DELIMITERS = (",", ";", "\t")

SAMPLED_ROWS = 20
"""Rows that must agree with the header before a delimiter is believed."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one record and the line on which it begins; a quoted cell may span several lines."""

    line: int
    cells: list[str]


def read_table(source: str | Path | IO[str] | IO[bytes], *, name: str | None = None) -> Table:
    r"""A CSV file with a header, as named columns of text and numbers.

    `source` is a path or an open stream, `name` what error messages call it. The delimiter is a comma
    unless only semicolons or tabs make every row as long as the header. Spaces around cells are dropped,
    empty lines skipped; a byte-order mark and any line ends are read. Raises `InputError`, one line that
    begins with file and line.

    >>> table = read_table(io.StringIO("RM;town\n6.5;Nahant\n"), name="houses.csv")
    >>> table.names, table.column("RM"), table.lines
    (('RM', 'town'), array([6.5]), (2,))
    """
    label = name or _label(source)
    text = _text(source, label)
    rows = _rows(text, _delimiter(text), label)
    if not rows:
        raise InputError(f"{label}: the file is empty; give a header line and rows of values")
    header, body = rows[0], rows[1:]
    names = _names(header, label)
    if not body:
        raise InputError(f"{label}:{header.line}: there are no rows below the header; add some")
    for row in body:
        _check_length(row, names, label)
    columns = (Column.of(n, [row.cells[i] for row in body]) for i, n in enumerate(names))
    return Table(label, tuple(columns), tuple(row.line for row in body))


def _label(source: str | Path | IO[str] | IO[bytes]) -> str:
    found = source if isinstance(source, str | Path) else getattr(source, "name", "<stream>")
    return str(found) if str(found).isprintable() else repr(str(found))


def _text(source: str | Path | IO[str] | IO[bytes], label: str) -> str:
    try:
        content = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError(f"{label}: {reason}; give the path of a CSV file") from None
    except UnicodeDecodeError:
        raise InputError(f"{label}: the text is not UTF-8; save it as UTF-8") from None
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{label}:1: the file is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from behind a byte-order mark.
        begin = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        line = content.count(b"\n", 0, begin + error.start) + 1
        byte = content[begin + error.start]
        raise InputError(f"{label}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def _rows(text: str, delimiter: str, label: str, limit: int | None = None) -> list[Row]:
    # newline="" leaves line ends to the csv module, which knows which of them are inside quotes.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                rows.append(Row(line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
            if limit is not None and len(rows) > limit:
                break
    except csv.Error as error:
        raise InputError(f"{label}:{line}: this is not CSV ({error}); check the quotes of this row") from None
    return rows


def _delimiter(text: str) -> str:
    """The first of comma, semicolon and tab that cuts all sampled rows like the header; else a comma.

    Conservative: characters are never counted, so that a decimal comma or a semicolon in a text cannot
    mislead.
    """
    for delimiter in DELIMITERS:
        try:
            rows = _rows(text, delimiter, "", SAMPLED_ROWS)
        except InputError:
            continue
        if rows and len(rows[0].cells) > 1 and len({len(row.cells) for row in rows}) == 1:
            return delimiter
    # None fits: a single column, or a ragged row, which is then reported for what the header is cut by.
    header = next(iter(text.lstrip().splitlines()), "")
    return next((d for d in DELIMITERS if d in header), ",")


def _names(header: Row, label: str) -> list[str]:
    names, place = header.cells, f"{label}:{header.line}"
    repeated = [name for name, count in Counter(names).items() if count > 1]
    # Whole numbers may be names (pandas counts columns so); fractions, or one twice, are a row of data.
    if all(NUMBER.fullmatch(name) for name in names) and (repeated or not all(map(str.isdigit, names))):
        what = f"the first line holds numbers ({quoted(names[0])}, …), no names"
        raise InputError(f"{place}: {what}; put a header line above it")
    if "" in names:
        raise InputError(f"{place}: column {names.index('') + 1} has no name; name it in the header")
    if repeated:
        first, second = [i for i, name in enumerate(names, start=1) if name == repeated[0]][:2]
        what = f"columns {first} and {second} have the same name"
        raise InputError(f"{place}:{plain(repeated[0])}: {what}; rename one")
    return names


def _check_length(row: Row, names: list[str], label: str) -> None:
    found, expected = len(row.cells), len(names)
    if found == expected:
        return
    place = f"{label}:{row.line}:{plain(names[min(found, expected - 1)])}"
    what = "ends before this column" if found < expected else "goes on beyond this column"
    raise InputError(
        f"{place}: the row {what}, with {found} cells under {expected} names; make it as long as the header"
    )
