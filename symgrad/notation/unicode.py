"""A formula in two dimensions of Unicode: fractions stacked, scripts raised and lowered, limits over and under their signs.

`box` sets a formula, `broken` sets it in pieces that fit a width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from symgrad.notation.boxes import Box, beside, delimiter, fenced, hard_wrapped, placed, stacked, text_box, trimmed
from symgrad.notation.formula import (
    Accent,
    Cases,
    Fence,
    Fraction,
    Group,
    Matrix,
    Node,
    Root,
    Row,
    Script,
    Symbol,
    Text,
    Wrapped,
    every,
)
from symgrad.notation.linear import accented, columns, gaps, kind_of, line_of, lowered, raised
from symgrad.notation.reading import read
from symgrad.notation.signs import DELIMITERS, WIDTHS, Kind

BAR = "─"
OVER: Mapping[str, str] = {
    r"\hat": "^", r"\bar": "¯", r"\tilde": "~", r"\dot": "˙", r"\ddot": "¨", r"\vec": "→", r"\check": "ˇ",
    r"\overline": "¯",
}  # fmt: skip


@lru_cache(maxsize=4096)
def box(tex: str) -> Box:
    r"""The box of a formula of the notation.

    >>> print(box(r"\frac{\partial L}{\partial W} = \frac{1}{n}\,X^{\top} (P - Y)"))
    ∂L   1
    ── = ─ Xᵀ(P − Y)
    ∂W   n
    """
    row = read(tex)
    return _Printer(_has_small_scripts(row)).box_of(row)


def broken(tex: str, room: int, *, is_further: bool = False) -> list[Box]:
    """The formula in pieces that fit the room: after signs, else between factors, else inside brackets, else anywhere.

    A formula that is further goes on with a sum: its first sign has a space on both sides.

    >>> for piece in broken(r"a + b + c", 5):
    ...     print(piece)
    a + b
    + c
    """
    row = read(tex)
    if is_further:
        # Something stands before the first sign, if not on this line.
        row = Row((Group(Row()), *row.items))
    return _Printer(_has_small_scripts(row)).fitted(row, room)


def _would_touch(before: Node, left: Box, after: Node, right: Box) -> bool:
    """Whether a tall bracket or the bar of a fraction would stand right at what is before it or behind it."""
    if Kind.SPACE in (kind_of(before), kind_of(after)) or Kind.PUNCTUATION is kind_of(after):
        return False
    is_bar = isinstance(after, Fraction) and kind_of(before) is Kind.BINARY and not _is_slash(before)
    return is_bar or (isinstance(before, Fence) and len(left.lines) > 1 and kind_of(after) is not Kind.BINARY)


def _is_slash(node: Node) -> bool:
    return isinstance(node, Symbol) and node.tex == "/"


def _space(node: Node) -> Box:
    assert isinstance(node, Symbol)
    return text_box(" " * max(0, round(2 * WIDTHS.get(node.tex, 0.25) + 0.4)))


def _is_letter_with_accent(node: Node) -> bool:
    return isinstance(node, Row) and len(node.items) < 2


def _close(text: str) -> str:
    """Scripts stand close: signs in them have no space beside them."""
    return text if any(ord(c) > 0x2E7F for c in text) else text.replace(" ", "")


def _has_small_scripts(row: Row) -> bool:
    """Whether every script has characters of its own."""
    scripts = [node for node in every(row) if isinstance(node, Script) and not node.is_limits]
    return all(
        script is None or _is_named(script) or small(_close(line_of(script)))
        for node in scripts
        for script, small in ((node.below, lowered), (node.above, raised))
    )


def _is_named(script: Node) -> bool:
    """Whether a script is part of a name or a sign, and not an index: a number, a transpose, a word."""
    shown = _close(line_of(script))
    return shown.isdigit() or not any(c.isalpha() for c in shown.replace("⊤", "")) or len(shown) > 4


# What prints a tree of more than one line.
PRINTERS: Mapping[type[Node], str] = {
    Fraction: "_fraction",
    Script: "_script",
    Fence: "_fence",
    Root: "_root",
    Accent: "_accent",
    Wrapped: "_wrapped",
    Matrix: "_matrix",
    Cases: "_cases",
    Text: "_text",
}


class _Printer:
    """The walk over one formula; `is_small` where all its scripts have raised or lowered characters of their own.

    Where one has none, letters stand on lines of their own throughout: pᵢₘ beside another p with its q a line below is
    hard to read.
    """

    def __init__(self, is_small: bool) -> None:
        self.is_small = is_small

    def box_of(self, node: Node) -> Box:
        """The box of a tree."""
        if isinstance(node, Row):
            return beside([part for _, part in self.parts_of(node)])
        if isinstance(node, Group):
            return self.box_of(node.inner)
        printer = getattr(self, PRINTERS[type(node)]) if type(node) in PRINTERS else None
        return text_box(line_of(node)) if printer is None else printer(node)

    def parts_of(self, row: Row) -> Iterator[tuple[Node, Box]]:
        """The things of a row, each with its box and with the space before it."""
        before: tuple[Node, Box] | None = None
        for node, gap in zip(row.items, gaps(row.items), strict=True):
            own = _space(node) if kind_of(node) is Kind.SPACE else self.box_of(node)
            if not gap and before is not None and _would_touch(*before, node, own):
                gap = " "
            before = node, own
            yield node, beside([text_box(gap), own]) if gap else own

    def _fraction(self, node: Node) -> Box:
        assert isinstance(node, Fraction)
        top, bottom = self.box_of(node.top), self.box_of(node.bottom)
        bar = text_box(BAR * max(top.width, bottom.width))
        return stacked([top, bar, bottom], len(top.lines))

    def _script(self, node: Node) -> Box:
        assert isinstance(node, Script)
        base = self._base(node.base)
        if node.primes:
            primes = "′" * node.primes
            blank = " " * columns(primes)
            base = beside([base, Box((primes, *[blank] * (len(base.lines) - 1)), base.baseline)])
        if node.below is None and node.above is None:
            return base
        if node.is_limits:
            return self._with_limits(base, node)
        low, high = (
            None if script is None else self._small(script, small)
            for script, small in ((node.below, lowered), (node.above, raised))
        )
        if len(base.lines) == 1 and low != "" and high != "":
            return beside([base, text_box((low or "") + (high or ""))])
        return self._raised(base, node, low, high)

    def _small(self, script: Node, small: Callable[[str], str]) -> str:
        """The script in characters of its own, "" where it is to have a line of its own."""
        return small(_close(line_of(script))) if self.is_small or _is_named(script) else ""

    def _base(self, node: Node) -> Box:
        inner = node.inner if isinstance(node, Group) else node
        own = self.box_of(inner)
        is_bare = isinstance(inner, Fraction) or (isinstance(inner, Row) and len(inner.items) > 1 and node is not inner)
        return fenced(own, "(", ")") if is_bare and not _is_letter_with_accent(inner) else own

    def _raised(self, base: Box, node: Script, low: str | None, high: str | None) -> Box:
        """Scripts at the upper and the lower end of the base: raised and lowered characters there, else lines of their own."""
        over = None if node.above is None else text_box(high) if high else self._script_box(node.above)
        under = None if node.below is None else text_box(low) if low else self._script_box(node.below)
        width = max(b.width for b in (over, under) if b is not None)
        column = [" " * width] * len(base.lines)
        lines, baseline = list(column), base.baseline
        if over is not None:
            shown = [placed(line, width, is_left=True) for line in over.lines]
            is_small = bool(high)
            if is_small:
                lines[0] = shown[0]
            else:
                lines, baseline = [*shown, *lines], baseline + len(shown)
        if under is not None:
            shown = [placed(line, width, is_left=True) for line in under.lines]
            is_same_line = bool(low) and not lines[-1].strip()
            lines = [*lines[:-1], shown[0]] if is_same_line else [*lines, *shown]
        return beside([base, Box(tuple(lines), baseline)])

    def _script_box(self, node: Node) -> Box:
        inner = self.box_of(node)
        return text_box(_close(inner.lines[0])) if len(inner.lines) == 1 else inner

    def _with_limits(self, base: Box, node: Script) -> Box:
        over = [] if node.above is None else [self._script_box(node.above)]
        under = [] if node.below is None else [self._script_box(node.below)]
        height = sum(len(b.lines) for b in over)
        return stacked([*over, base, *under], height + base.baseline)

    def _fence(self, node: Node) -> Box:
        assert isinstance(node, Fence)
        inner, opening, closing = self.box_of(node.inner), DELIMITERS[node.opening], DELIMITERS[node.closing]
        if not node.size and inner.above + inner.below < 2:
            # As in print, brackets do not grow for an index.
            return beside([text_box(opening), inner, text_box(closing)])
        return fenced(inner, opening, closing)

    def _root(self, node: Node) -> Box:
        assert isinstance(node, Root)
        inner = self.box_of(node.inner)
        if len(inner.lines) == 1:
            return text_box(line_of(node))
        index = "" if node.index is None else line_of(node.index)
        height = len(inner.lines)
        # The stroke goes up to the line over what is inside.
        stroke = [" " * (height - 1 - k) + "╱" + " " * k for k in range(height)]
        stroke[-1] = "╲" + stroke[-1][:1] + stroke[-1][1:]
        width = max(map(columns, stroke))
        strokes = [" " * (width - columns(line)) + line for line in stroke]
        under = [a + b for a, b in zip(strokes, inner.lines, strict=True)]
        lines = [" " * width + "_" * inner.width, *under]
        if index:
            lines = [(" " * columns(index) if k != height - 1 else index) + line for k, line in enumerate(lines)]
        return Box(tuple(lines), inner.baseline + 1)

    def _accent(self, node: Node) -> Box:
        assert isinstance(node, Accent)
        inner = self.box_of(node.inner)
        if len(inner.lines) == 1 and inner.width == 1:
            return text_box(accented(inner.lines[0], node.command))
        sign = OVER[node.command]
        line = sign * inner.width if sign == "¯" else sign
        return stacked([text_box(line), inner], 1 + inner.baseline)

    def _wrapped(self, node: Node) -> Box:
        assert isinstance(node, Wrapped)
        inner = self.box_of(node.inner)
        if node.command != r"\phantom":
            return inner
        return Box(tuple(" " * inner.width for _ in inner.lines), inner.baseline)

    def _table(self, rows: Sequence[Sequence[Row]], *, is_left: bool) -> Box:
        cells = [[self.box_of(cell) for cell in row] for row in rows]
        count = max(map(len, cells))
        widths = [max(row[k].width for row in cells if k < len(row)) for k in range(count)]
        lines: list[str] = []
        for row in cells:
            shown = [
                Box(tuple(placed(line, widths[k], is_left=is_left) for line in own.lines), own.baseline)
                for k, own in enumerate(row)
            ]
            between = [part for own in shown for part in (own, text_box("  "))][:-1]
            whole = beside(between)
            lines += [placed(line, sum(widths) + 2 * (count - 1), is_left=True) for line in whole.lines]
        return Box(tuple(lines), (len(lines) - 1) // 2)

    def _matrix(self, node: Node) -> Box:
        assert isinstance(node, Matrix)
        inner = self._table(node.rows, is_left=False)
        brackets = {"pmatrix": ("(", ")"), "bmatrix": ("[", "]")}.get(node.environment)
        return inner if brackets is None else fenced(inner, *brackets)

    def _cases(self, node: Node) -> Box:
        assert isinstance(node, Cases)
        inner = self._table(node.rows, is_left=True)
        return beside([delimiter("{", inner), text_box(" "), inner])

    def _text(self, node: Node) -> Box:
        assert isinstance(node, Text)
        return beside([text_box(part) if isinstance(part, str) else self.box_of(part) for part in node.parts])

    # ---- breaking

    def fitted(self, row: Row, room: int) -> list[Box]:
        """The pieces of a row, each at most `room` columns wide."""
        whole = trimmed(self.box_of(row))
        if whole.width <= room:
            return [whole]
        pieces: list[Box] = []
        current: list[Box] = []
        for chunk in self._chunks(row):
            own = beside([part for _, part in chunk])
            if current and beside([*current, own]).width > room:
                pieces.append(beside(current))
                current = []
            if own.width <= room:
                current = [*current, own] if current else [trimmed(own)]
                continue
            *before, last = self._smaller(chunk, room)
            pieces += [*([beside(current)] if current else []), *before]
            current = [last]
        return [*pieces, *([beside(current)] if current else [])]

    def _chunks(self, row: Row) -> Iterator[list[tuple[Node, Box]]]:
        """What a row is broken into: from one sign of relation, sum or difference to the next."""
        chunk: list[tuple[Node, Box]] = []
        for node, own in self.parts_of(row):
            is_sign = kind_of(node) is Kind.RELATION or (isinstance(node, Symbol) and node.tex in ("+", "-"))
            if is_sign and chunk:
                yield chunk
                chunk = []
            chunk.append((node, own))
        if chunk:
            yield chunk

    def _smaller(self, chunk: Sequence[tuple[Node, Box]], room: int) -> list[Box]:
        """A summand that is too wide: between its factors, inside its brackets, or as text."""
        if len(chunk) > 1:
            pieces: list[Box] = []
            current: list[Box] = []
            for node, own in chunk:
                if current and beside([*current, own]).width > room:
                    pieces.append(beside(current))
                    current = []
                if own.width <= room:
                    current = [*current, own] if current else [trimmed(own)]
                    continue
                *before, last = self._smaller([(node, own)], room)
                pieces += [*([beside(current)] if current else []), *before]
                current = [last]
            return [*pieces, *([beside(current)] if current else [])]
        node, own = chunk[0]
        inner = node.inner if isinstance(node, Group | Wrapped) else node
        if isinstance(inner, Row):
            return self.fitted(inner, room)
        if isinstance(inner, Fence):
            opening, closing = text_box(DELIMITERS[inner.opening]), text_box(DELIMITERS[inner.closing])
            first, *rest = self.fitted(inner.inner, room - 2)
            pieces = [beside([opening, first]), *(beside([text_box(" "), piece]) for piece in rest)]
            return [*pieces[:-1], beside([pieces[-1], closing])]
        return [text_box(line) for line in hard_wrapped(line_of(node), room)]
