"""A page in a terminal: how wide the window is, and rich to print it, which knows NO_COLOR and terminals of all kinds."""

from __future__ import annotations

import shutil
import sys

# Beyond this many columns lines are hard to read.
WIDEST = 110


def is_terminal() -> bool:
    """Whether standard output is looked at."""
    return sys.stdout.isatty()


def window() -> int:
    """The columns of the window that are used."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def show(page: str) -> None:
    """Print a page that has a terminal's escape sequences in it."""
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text.from_ansi(page), soft_wrap=True)
