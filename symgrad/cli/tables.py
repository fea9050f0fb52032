"""Rows as a table: drawn on a terminal, aligned with spaces in a pipe."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Header and rows on standard output."""
    if sys.stdout.isatty():
        _draw(header, rows)
        return
    for line in aligned([header, *rows]):
        print(line)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line for each row, its columns two spaces apart.

    >>> aligned([["step", "rule"], ["(10)", "contraction"]])
    ['step  rule', '(10)  contraction']
    """
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    padded = [[cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(row).rstrip() for row in padded]


def _width(text: str) -> int:
    """How many columns of a terminal a text fills."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Drawing needs rich, which is slow to import.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in header:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
