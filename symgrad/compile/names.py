"""Names and text that are safe in generated source, whatever they were before."""

from __future__ import annotations

import builtins
import keyword
import re
from unicodedata import normalize

from symgrad.errors import InputError

LONGEST_NAME = 40
# What a name inside a function would hide, or cannot be.
OF_PYTHON = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


def checked_argument(name: str) -> str:
    """The name of an argument as Python reads it; refused where it is none.

    >>> checked_argument("learning_rate")
    'learning_rate'
    """
    read = normalize("NFKC", name)
    if not read.isidentifier() or keyword.iskeyword(read) or read.startswith("_"):
        raise InputError(f"{name!r} cannot name an argument; use letters, digits and _, beginning with a letter")
    return read


def sanitised(name: str) -> str:
    """An identifier that resembles `name` and begins with a letter.

    >>> sanitised("H1"), sanitised("x'"), sanitised("for"), sanitised("1; import os")
    ('H1', 'x', 'for_', 'v1_import_os')
    """
    is_plain = name.isascii() and name.isidentifier()
    text = name if is_plain else re.sub(r"\W+", "_", normalize("NFKC", name))
    text = text.strip("_")[:LONGEST_NAME]
    if not text or not text.isidentifier():
        text = f"v{text}"
    if not text.isidentifier():
        text = "v"
    return text + "_" if text in OF_PYTHON else text


def quoted(text: str) -> str:
    r"""Text for the inside of a triple-quoted docstring: it can neither end it nor hold a control character.

    >>> quoted('a \\ "b"')
    'a \\\\ \\"b\\"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if escaped.replace("\n", "").isprintable():
        return escaped
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in escaped)


class Names:
    """Hands out names, none twice."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)
        self._count: dict[str, int] = {}

    def copy(self) -> Names:
        """The same names taken, for a scope inside."""
        inner = Names(self._taken)
        inner._count = dict(self._count)
        return inner

    def fresh(self, wanted: str) -> str:
        """`wanted`, or with a number behind it where that is taken.

        >>> names = Names({"P"})
        >>> names.fresh("P"), names.fresh("P"), names.fresh("Q")
        ('P_2', 'P_3', 'Q')
        """
        base = sanitised(wanted)
        name = base
        number = self._count.get(base, 1)
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._count[base] = number
        self._taken.add(name)
        return name
