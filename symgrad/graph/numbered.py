"""Numbers in names: `H3` is the third of the Hs, and `H[l-1]` the one before the l-th.

A symbolic number stands in brackets. No user can give such a name, since names are identifiers: it is what the many steps
that differ in a number only are stated with, once.
"""

from __future__ import annotations

import re

from symgrad.records import dataclass

# A leading zero belongs to the name: H01 is not the first of the Hs.
NUMBERED = re.compile(r"(.*?[^0-9])(0|[1-9][0-9]*)", re.DOTALL)
# The number is a place (below): a letter, moved, scaled or counted from the end.
SYMBOLIC = re.compile(r"(.+?)_*\[([\w+-]+)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """The number a·l + c of a name in a family over l.

    >>> str(Place("l", 1, -1)), str(Place("t", 3, 0)), str(Place("t", -1, 7)), Place("l", 2, 1).at(5)
    ('l-1', '3t', '7-t', 11)
    """

    letter: str
    slope: int
    constant: int

    def at(self, value: int) -> int:
        """The number where the letter has this value."""
        return self.slope * value + self.constant

    def __str__(self) -> str:
        letter = self.letter if abs(self.slope) == 1 else f"{abs(self.slope)}{self.letter}"
        if self.slope < 0:
            return f"{self.constant}-{letter}" if self.constant else f"-{letter}"
        return f"{letter}{self.constant:+d}" if self.constant else letter


def split_number(name: str) -> tuple[str, int] | None:
    """The name without the number that it ends in, and the number; None where it has none.

    >>> split_number("W1"), split_number("w_10"), split_number("H01"), split_number("x")
    (('W', 1), ('w_', 10), None, None)
    """
    found = NUMBERED.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def symbolic(stem: str, place: Place) -> str:
    """The name of all members of a family: `H[l-1]`.

    >>> symbolic("H", Place("l", 1, -1))
    'H[l-1]'
    """
    return f"{stem}[{place}]"


def split_symbol(name: str) -> tuple[str, str] | None:
    """The name without its symbolic number, and that number.

    >>> split_symbol("W_[l-1]"), split_symbol("W1")
    (('W', 'l-1'), None)
    """
    found = SYMBOLIC.fullmatch(name)
    return (found[1], found[2]) if found else None
