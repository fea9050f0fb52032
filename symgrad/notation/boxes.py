"""Boxes of text lines, side by side on a baseline or stacked, between brackets as tall as they are.

A line is as wide as a terminal shows it (`columns`); all lines of a box are equally wide, and `baseline` is the line that
stands on the line of the text around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.notation.linear import columns
from symgrad.records import dataclass

# Tall delimiters: the upper end, the middle, the lower end; and what stands at half height, where it differs.
TALL: Mapping[str, tuple[str, str, str]] = {
    "(": ("⎛", "⎜", "⎝"), ")": ("⎞", "⎟", "⎠"), "[": ("⎡", "⎢", "⎣"), "]": ("⎤", "⎥", "⎦"),
    "{": ("⎧", "⎪", "⎩"), "}": ("⎫", "⎪", "⎭"), "|": ("│", "│", "│"), "‖": ("‖", "‖", "‖"),
    "⌊": ("│", "│", "⌊"), "⌋": ("│", "│", "⌋"), "⌈": ("⌈", "│", "│"), "⌉": ("⌉", "│", "│"),
    "⟨": ("╱", "│", "╲"), "⟩": ("╲", "│", "╱"),
}  # fmt: skip
WAIST: Mapping[str, str] = {"{": "⎨", "}": "⎬", "⟨": "⟨", "⟩": "⟩"}
# At the beginning of a line that goes on with what did not fit the line above and could not be broken.
CONTINUED = "↪ "


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of one width; line `baseline` stands in the line of the text."""

    lines: tuple[str, ...]
    baseline: int = 0

    @property
    def width(self) -> int:
        """Columns."""
        return columns(self.lines[0])

    @property
    def above(self) -> int:
        """Lines above the baseline."""
        return self.baseline

    @property
    def below(self) -> int:
        """Lines below the baseline."""
        return len(self.lines) - 1 - self.baseline

    def __str__(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)


def text_box(text: str) -> Box:
    """One line."""
    return Box((text,))


def beside(boxes: Sequence[Box]) -> Box:
    """Boxes side by side, on one baseline."""
    boxes = [b for b in boxes if b.width or len(b.lines) > 1] or [text_box("")]
    above, below = max(b.above for b in boxes), max(b.below for b in boxes)
    lines = [""] * (above + below + 1)
    for b in boxes:
        first = above - b.above
        for k in range(len(lines)):
            inside = first <= k < first + len(b.lines)
            lines[k] += b.lines[k - first] if inside else " " * b.width
    return Box(tuple(lines), above)


def stacked(boxes: Sequence[Box], baseline: int, *, is_left: bool = False) -> Box:
    """Boxes one above the other, in the middle or to the left; `baseline` counts their lines from the first."""
    width = max(b.width for b in boxes)
    lines = [placed(line, width, is_left=is_left) for b in boxes for line in b.lines]
    return Box(tuple(lines), baseline)


def placed(line: str, width: int, *, is_left: bool) -> str:
    """A line of this width, in the middle or at the left."""
    missing = width - columns(line)
    before = 0 if is_left else missing // 2
    return " " * before + line + " " * (missing - before)


def fenced(inner: Box, opening: str, closing: str) -> Box:
    """Delimiters as tall as what is between them."""
    return beside([delimiter(opening, inner), inner, delimiter(closing, inner)])


def delimiter(sign: str, inner: Box) -> Box:
    """A delimiter of the height of a box."""
    height = len(inner.lines)
    if not sign or height == 1:
        return Box((sign,) * 1, 0) if height == 1 else Box(("",) * height, inner.baseline)
    top, middle, bottom = TALL[sign]
    lines = [top, *[middle] * (height - 2), bottom]
    if sign in WAIST and height > 2:
        lines[height // 2] = WAIST[sign]
    return Box(tuple(lines), inner.baseline)


def trimmed(own: Box) -> Box:
    """A box without empty columns at its left."""
    margin = min(len(line) - len(line.lstrip(" ")) for line in own.lines)
    return Box(tuple(line[margin:] for line in own.lines), own.baseline) if margin else own


def hard_wrapped(text: str, room: int) -> list[str]:
    """A text that nothing tells where to break: full lines, each further one behind a mark of continuation.

    >>> hard_wrapped("abcdefgh", 5)
    ['abcde', '↪ fgh']
    """
    if columns(text) <= room:
        return [text]
    lines, current, used = list[str](), "", 0
    for char in text:
        if used + columns(char) > room and current.strip():
            lines.append(current)
            current, used = CONTINUED, columns(CONTINUED)
        current += char
        used += columns(char)
    return [*lines, current]
