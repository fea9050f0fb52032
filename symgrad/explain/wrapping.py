"""Running text in lines of a width: broken at spaces and between Chinese characters, never inside a formula."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.notation.boxes import hard_wrapped
from symgrad.notation.linear import columns

# No line begins with one of the first, and none ends with one of the second.
CLOSING, OPENING = "，。；：、？！）」』】〉》…,.;:?!)]}", "（「『【〈《([{"
# The spaces of a formula: none of them is a place to break.
GLUE = "\u00a0"


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text; all but the first begin with the indent. What fits no line goes on behind a mark.

    >>> wrapped("the gradient of W", 9), wrapped("梯度与其参数形状相同。", 10)
    (['the', 'gradient', 'of W'], ['梯度与其参', '数形状相', '同。'])
    """
    lines, current = list[str](), ""
    for space, atom in _atoms(text):
        room = width - (columns(indent) if lines else 0)
        joined = current + (space if current else "") + atom
        if columns(joined) <= room:
            current = joined
            continue
        if current:
            lines.append(current)
            room = width - columns(indent)
        *full, current = hard_wrapped(atom, room)
        lines += full
    shown = [*lines, current]
    return [(indent if k else "") + line.replace(GLUE, " ") for k, line in enumerate(shown)]


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """What is not broken, each with the space before it."""
    space, atom = "", ""
    for char in text:
        if char in " \n\t":
            if atom:
                yield space, atom
                space, atom = "", ""
            space = " "
        elif atom and _may_break(atom[-1], char):
            yield space, atom
            space, atom = "", char
        else:
            atom += char
    if atom:
        yield space, atom


def _may_break(before: str, after: str) -> bool:
    is_chinese = columns(before) == 2 or columns(after) == 2
    return is_chinese and after not in CLOSING and before not in OPENING
