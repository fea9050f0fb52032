"""A table of named columns, each all numbers or all text, that remembers the line of every row."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.errors import InputError

Array = NDArray[Any]
Columns = str | Sequence[str]

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A decimal number. Not all that `float` reads: `1_000`, `inf` and digits of other scripts are text here."""

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
"""What stands for a missing number, in lower case. In a column of text only the empty cell is missing."""

LONGEST_QUOTE = 40


def quoted(text: str) -> str:
    r"""`text` as an error message may show it: in quotes, on one line, without control characters, not long.

    >>> quoted("a\x1b[31m")
    "'a\\x1b[31m'"
    """
    return repr(text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…")


def plain(name: str) -> str:
    r"""A column's name as a place in an error message: bare where that is safe, else quoted.

    >>> plain("RM"), plain("a\nb")
    ('RM', "'a\\nb'")
    """
    return name if name.isprintable() and len(name) <= LONGEST_QUOTE else quoted(name)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its cells as the file has them, and whether all that are there are numbers."""

    name: str
    cells: tuple[str, ...]
    is_numeric: bool

    @classmethod
    def of(cls, name: str, cells: Sequence[str]) -> Column:
        """Numeric where every cell is a number or missing, and one at least a number.

        >>> Column.of("RM", ["6.5", "NA"]).is_numeric, Column.of("town", ["Nahant", "4"]).is_numeric
        (True, False)
        """
        present = [cell for cell in cells if cell.lower() not in MISSING]
        return cls(name, tuple(cells), bool(present) and all(NUMBER.fullmatch(cell) for cell in present))


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; `lines[i]` is the line of `source` on which row i begins."""

    source: str
    columns: tuple[Column, ...]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the file."""
        return tuple(column.name for column in self.columns)

    def select(self, columns: Columns) -> tuple[str, ...]:
        """The names that a choice of columns stands for, in its order.

        A choice is one string, `"RM,LSTAT"`, or a list of strings, `["RM", "LSTAT"]`; each of them is a
        name or a range `first:last` in the order of the file, both ends included, either end left out for
        all from there. A name that itself holds a comma stands in double quotes, or alone in a list.
        Raises `InputError` for an unknown column (with the nearest names), a range backwards, a column twice.

        >>> table = Table("t.csv", tuple(Column(name, (), True) for name in ("CRIM", "ZN", "RM", "MEDV")), ())
        >>> table.select("MEDV,CRIM:RM"), table.select(["ZN:"])
        (('MEDV', 'CRIM', 'ZN', 'RM'), ('ZN', 'RM', 'MEDV'))
        """
        items = self._items(columns) if isinstance(columns, str) else list(columns)
        chosen = [name for item in items for name in self._range(item)]
        if not chosen:
            raise InputError(f"{self.source}: no columns are chosen; name at least one")
        for name in chosen:
            if chosen.count(name) > 1:
                raise InputError(f"{self.source}: column {plain(name)} is chosen twice; name it once")
        return tuple(chosen)

    def numbers(self, columns: Columns) -> Array:
        """The chosen columns as a float64 matrix `(n, d)`, one row an example.

        Each number is the float64 nearest to its decimal. Raises `InputError` with file, line and column
        for a cell that is missing, no number, or too large for float64; see `select` for unknown columns.

        >>> table = Table("t.csv", (Column.of("a", ["1", "2"]), Column.of("b", ["0.1", "1e3"])), (2, 3))
        >>> table.numbers("a:b")
        array([[1.e+00, 1.e-01],
               [2.e+00, 1.e+03]])
        """
        return np.column_stack([self._parsed(self._column(name)) for name in self.select(columns)])

    def column(self, name: str) -> Array:
        """One column `(n,)`: float64 where all its cells are numbers, else its text.

        Raises `InputError` with file, line and column for a missing cell.

        >>> table = Table("t.csv", (Column.of("class", ["b", "a"]), Column.of("x", ["1", "2.5"])), (2, 3))
        >>> table.column("class"), table.column("x")
        (array(['b', 'a'], dtype='<U1'), array([1. , 2.5]))
        """
        column = self._column(name)
        if column.is_numeric:
            return self._parsed(column)
        if "" in column.cells:
            raise self._missing(column, column.cells.index(""))
        return np.array(column.cells, dtype=np.str_)

    def _items(self, choice: str) -> list[str]:
        if choice in self.names:
            return [choice]
        try:
            return next(csv.reader([choice], skipinitialspace=True, strict=True), [])
        except csv.Error as error:
            raise InputError(f"{quoted(choice)} is no list of columns ({error}); close its quotes") from None

    def _range(self, item: str) -> list[str]:
        item = item.strip()
        if item in self.names or ":" not in item:
            return [self._column(item).name]
        names = self.names
        # The name of a column may hold a colon: take the first way of cutting that gives two names.
        cuts = [(item[:i].strip(), item[i + 1 :].strip()) for i, c in enumerate(item) if c == ":"]
        known = [cut for cut in cuts if all(not end or end in names for end in cut)]
        first, last = (known or cuts)[0]
        begin = names.index(self._column(first).name) if first else 0
        end = names.index(self._column(last).name) if last else len(names) - 1
        if begin > end:
            raise InputError(
                f"{self.source}: the range {quoted(item)} runs backwards; write {last}:{first}, "
                "in the order of the file"
            )
        return list(names[begin : end + 1])

    def _column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        folded = {known.casefold(): known for known in self.names}
        near = [folded[match] for match in difflib.get_close_matches(name.casefold(), folded, n=3)]
        hint = " or ".join(map(plain, near)) if near else "one of " + ", ".join(map(plain, self.names[:20]))
        raise InputError(f"{self.source}: there is no column {quoted(name)}; did you mean {hint}?")

    def _parsed(self, column: Column) -> Array:
        for row, cell in enumerate(column.cells):
            if not NUMBER.fullmatch(cell):
                raise self._not_a_number(column, row)
        # `float` rounds correctly [gay1990], so that no digit of the file is lost or invented.
        values = np.array([float(cell) for cell in column.cells])
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            what = f"{quoted(column.cells[row])} is too large for float64"
            raise InputError(f"{self._place(column, row)}: {what}; change the unit of the column")
        return values

    def _not_a_number(self, column: Column, row: int) -> InputError:
        cell = column.cells[row]
        if cell.lower() in MISSING:
            return self._missing(column, row)
        remedy = "correct it, or choose other columns"
        if NUMBER.fullmatch(cell.replace(",", ".", 1)):
            remedy = f"write it with a decimal point, {cell.replace(',', '.', 1)}"
        return InputError(f"{self._place(column, row)}: {quoted(cell)} is not a number; {remedy}")

    def _missing(self, column: Column, row: int) -> InputError:
        cell = column.cells[row]
        what = f"the value is missing ({quoted(cell)})" if cell else "the value is missing"
        return InputError(f"{self._place(column, row)}: {what}; fill it in, or delete the row")

    def _place(self, column: Column, row: int) -> str:
        return f"{self.source}:{self.lines[row]}:{plain(column.name)}"
