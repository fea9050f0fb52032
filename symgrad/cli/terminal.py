"""A page in a terminal: how wide the window is, and rich to print it, which knows NO_COLOR and terminals of all kinds."""

from __future__ import annotations

import shutil
import sys

# Beyond this many columns lines are hard to read.
WIDEST = 110


def shown(width: int | None) -> str:
    """The format for standard output: drawn where it is looked at; Markdown in a pipe, or text where columns are asked for."""
    if sys.stdout.isatty():
        return in_columns("terminal", width or min(shutil.get_terminal_size().columns, WIDEST))
    return "markdown" if width is None else in_columns("text", width)


def in_columns(form: str, width: int | None) -> str:
    """The format with its columns, where it has columns."""
    return f"{form}:{width}" if width is not None and form in ("text", "terminal") else form


def show(page: str) -> None:
    """Print a page that has a terminal's escape sequences in it."""
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text.from_ansi(page), soft_wrap=True)
