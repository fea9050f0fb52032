r"""A formula as a tree: what a page's formulas say, for every printer that is not TeX.

`notation/` writes formulas in a closed notation, a small part of TeX's. `read` (notation/reading.py) makes this tree of
it, and refuses what it does not know; `write` gives the text back, token for token. An argument or a script in braces is
a `Group`, one of a single sign stands bare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from symgrad.notation.signs import SIGNS, TEXT_SIGNS, WORD_SIGNS, Kind
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    r"""One letter or sign: `x`, `+`, `\alpha`, `\log`, `\,`."""

    tex: str

    @property
    def text(self) -> str:
        r"""What it shows, as characters: α for `\alpha`, the true minus for `-`."""
        return SIGNS[self.tex].text if self.tex in SIGNS else self.tex

    @property
    def kind(self) -> Kind:
        """How it stands beside others."""
        return SIGNS[self.tex].kind if self.tex in SIGNS else Kind.LETTER


@dataclass(frozen=True, slots=True)
class Number:
    """Digits, with a decimal point or without."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    r"""Letters set upright or in another alphabet: `\mathrm{relu}`, `\mathbf{1}`. `text` is plain, escaped nowhere."""

    command: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    r"""Running text in a formula, `\text{…}`: plain strings, escaped nowhere, and formulas between them."""

    parts: tuple[str | Row, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Things side by side."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A row in braces, which a reader does not see."""

    inner: Row


@dataclass(frozen=True, slots=True)
class Fraction:
    r"""top / bottom; `command` is `\frac` or `\tfrac`, a small one."""

    command: str
    top: Node
    bottom: Node

    @property
    def is_small(self) -> bool:
        """Whether it is set as small as in running text."""
        return self.command == r"\tfrac"


@dataclass(frozen=True, slots=True)
class Script:
    """base with what stands below and above it; `order` is the order in which they are written, with a ' for each prime."""

    base: Node
    below: Node | None
    above: Node | None
    order: str

    @property
    def primes(self) -> int:
        """How many primes follow the base."""
        return self.order.count("'")

    @property
    def is_limits(self) -> bool:
        """Whether these are the limits of a sum, a product or an integral."""
        return isinstance(self.base, Symbol) and self.base.kind is Kind.LARGE


@dataclass(frozen=True, slots=True)
class Fence:
    r"""Delimiters around a row; `size` is "" or the command that makes them larger: `\left`, `\bigl`, `\Bigl`."""

    opening: str
    closing: str
    inner: Row
    size: str = ""


@dataclass(frozen=True, slots=True)
class Root:
    """The square root of what is inside, or another where an index is given."""

    inner: Node
    index: Row | None = None


@dataclass(frozen=True, slots=True)
class Accent:
    r"""A hat, a bar or the like over what is inside."""

    command: str
    inner: Node


@dataclass(frozen=True, slots=True)
class Wrapped:
    r"""What is inside, as an operator (`\mathop`), set apart (`\mathinner`), or as room for it (`\phantom`)."""

    command: str
    inner: Node


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of cells between round or square brackets (`pmatrix`, `bmatrix`), or bare (`matrix`)."""

    environment: str
    rows: tuple[tuple[Row, ...], ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """Values, each with its condition."""

    rows: tuple[tuple[Row, ...], ...]


Node: TypeAlias = (
    Symbol | Number | Word | Text | Row | Group | Fraction | Script | Fence | Root | Accent | Wrapped | Matrix | Cases
)

_CHARS = {char: command for command, char in WORD_SIGNS.items()}


def write(node: Node) -> str:
    r"""The TeX of a tree, token for token what it was read from.

    >>> write(Script(Symbol("X"), None, Group(Row((Symbol(r"\top"),))), "^"))
    'X^{\\top}'
    """
    out = ""
    for piece in _written(node):
        # A command of letters ends at a space before a letter.
        out += " " + piece if re.search(r"\\[A-Za-z]+$", out) and piece[:1].isalpha() else piece
    return out


def _written(node: Node) -> Iterator[str]:
    if isinstance(node, Symbol):
        yield node.tex
    elif isinstance(node, Number):
        yield node.text
    elif isinstance(node, Word):
        yield f"{node.command}{{{''.join(_word_char(c) for c in node.text)}}}"
    elif isinstance(node, Text):
        yield rf"\text{{{''.join(map(_text_part, node.parts))}}}"
    elif isinstance(node, Row):
        for item in node.items:
            yield from _written(item)
    elif isinstance(node, Group):
        yield from _parts("{", node.inner, "}")
    elif isinstance(node, Fraction):
        yield from _parts(node.command, node.top, node.bottom)
    elif isinstance(node, Script):
        yield from _script(node)
    elif isinstance(node, Root):
        yield from _parts(r"\sqrt", *(("[", node.index, "]") if node.index is not None else ()), node.inner)
    elif isinstance(node, Accent | Wrapped):
        yield from _parts(node.command, node.inner)
    elif isinstance(node, Fence):
        closing = node.size[:-1] + "r" if node.size.endswith("l") else node.size and r"\right"
        yield from _parts(node.size, node.opening, node.inner, closing, node.closing)
    else:
        yield from _table("cases" if isinstance(node, Cases) else node.environment, node.rows)


def _parts(*parts: str | Node) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            yield from _written(part)


def _script(node: Script) -> Iterator[str]:
    yield from _written(node.base)
    for sign in node.order:
        yield sign
        inner = {"_": node.below, "^": node.above}.get(sign)
        if inner is not None:
            yield from _written(inner)


def _table(environment: str, rows: tuple[tuple[Row, ...], ...]) -> Iterator[str]:
    yield rf"\begin{{{environment}}}"
    for k, row in enumerate(rows):
        yield r" \\ " if k else " "
        for j, cell in enumerate(row):
            yield " & " if j else ""
            yield from _written(cell)
    yield rf" \end{{{environment}}}"


def _word_char(char: str) -> str:
    command = _CHARS.get(char, char)
    return command + " " if re.fullmatch(r"\\[a-z]+", command) else command


def _text_part(part: str | Row) -> str:
    if isinstance(part, Row):
        return f"${write(part)}$"
    return "".join(TEXT_SIGNS.get(char, char) for char in part)


def children(node: Node) -> tuple[Node, ...]:
    """What a node is made of, as it is read."""
    if isinstance(node, Row):
        return node.items
    if isinstance(node, Text):
        return tuple(part for part in node.parts if isinstance(part, Row))
    if isinstance(node, Group | Fence | Accent | Wrapped):
        return (node.inner,)
    if isinstance(node, Fraction):
        return (node.top, node.bottom)
    if isinstance(node, Script):
        return tuple(part for part in (node.base, node.below, node.above) if part is not None)
    if isinstance(node, Root):
        return (node.inner,) if node.index is None else (node.index, node.inner)
    if isinstance(node, Matrix | Cases):
        return tuple(cell for row in node.rows for cell in row)
    return ()


def every(node: Node) -> Iterator[Node]:
    """The node and all that it is made of, as they are read."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(children(here)))
