"""A page as plain data: sections of paragraphs, equations, tables, figures and code. Formats read it; it knows none of them.

Formulas are LaTeX that was printed from trees; everything else is a sentence in both languages or a text of the user's,
which each format escapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from symgrad.prose import Language, Text
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Math:
    """A formula inside a sentence."""

    tex: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A text of the user's (a name, a docstring): it prints as itself."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """A piece of a program inside a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence whose placeholders are filled with formulas, names and other sentences."""

    text: Text
    values: Mapping[str, Inline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """Several things in a row: a, b and c; a or b; with semicolons where the items are sentences."""

    items: tuple[Inline, ...]
    join: Join = "and"


# The most rows of a table that stays on one page.
LONGEST_UNBROKEN = 24
# The most lines of a program, and of an equation in a browser, that stay on one page.
LONGEST_PROGRAM, LONGEST_DISPLAY = 36, 6

# How sure a step or an equation is; what is no claim of the derivation has no mark.
Mark = Literal["proved", "verified", "unchecked"]
# "clause" joins sentences or equations, "names" words: Chinese joins neither with 和.
Join = Literal["and", "or", "semicolon", "clause", "names"]
Inline = Math | Plain | CodeSpan | Sentence | Listing


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section; `level` 1 is a section, 2 a step. It ends in no full stop."""

    level: int
    content: Inline
    mark: Mark | None = None
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences that belong together."""

    sentences: tuple[Inline, ...]
    kind: str = "paragraph"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an equation: left = right, why, its shape, its number. `terms` are the places where it may break."""

    left: str
    right: str
    terms: tuple[str, ...] = ()
    reason: Inline | None = None
    shape: str = ""
    label: int | None = None
    relation: str = "="
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Display:
    """Lines aligned at their relations."""

    rows: tuple[Row, ...]
    kind: str = "display"

    @property
    def is_whole(self) -> bool:
        """Whether it is short enough to stay on one page where a browser prints it."""
        return len(self.rows) <= LONGEST_DISPLAY


@dataclass(frozen=True, slots=True)
class Box:
    """The results, framed."""

    rows: tuple[Row, ...]
    kind: str = "box"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header; cells are sentences, names or formulas. `wide` is the column whose text may wrap."""

    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]
    wide: int = 0
    kind: str = "table"

    @property
    def environment(self) -> str:
        """LaTeX's environment: one that may break over pages needs several runs, and is kept for long tables."""
        return "xltabular" if len(self.rows) > LONGEST_UNBROKEN else "tabularx"


@dataclass(frozen=True, slots=True)
class Code:
    """A program."""

    language: str
    text: str
    kind: str = "code"

    @property
    def is_whole(self) -> bool:
        """Whether it is short enough to stay on one page."""
        return self.text.count("\n") < LONGEST_PROGRAM


# A point of a drawing in em, x to the right and y down.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A frame around a label or around a part of the drawing: its upper left corner, its size, how round it is."""

    corner: Point
    width: float
    height: float
    radius: float = 0.0
    weight: float = 0.05


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubic Bézier pieces: a start, and three points for each piece."""

    points: tuple[Point, ...]
    is_dashed: bool = False
    weight: float = 0.05


@dataclass(frozen=True, slots=True)
class Arrowhead:
    """A filled triangle."""

    points: tuple[Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Label:
    """A formula or a sentence: centred at a point, or with its left end there; `size` is that of its letters in em."""

    at: Point
    content: Inline
    size: float = 1.0
    is_centred: bool = True


Shape = Rectangle | Curve | Arrowhead | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a sheet of so many em, in the order in which they are drawn; `scale` is its em in that of the text."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    scale: float = 1.0


# What a value of a graph is: "shown" stands in a group for one that is computed outside it.
NodeKind = Literal["data", "parameter", "value", "loss", "shown"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a graph, and its derivative where one arrives; `label` is the number of its equation."""

    key: str
    name: Math
    kind: NodeKind
    label: int | None = None
    derivative: Math | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Values that recur together, for every number of a range."""

    key: str
    values: Inline
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """One value is used by another; `has_return` where a share of its derivative comes back the same way."""

    source: str
    target: str
    has_return: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Which value is used by which: alone, or in groups."""

    parts: tuple[Node | Group, ...]
    arrows: tuple[Arrow, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every value."""
        return tuple(n for part in self.parts for n in (part.nodes if isinstance(part, Group) else (part,)))


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: as shapes, as the graph that they show, and in words for who does not see it."""

    caption: Inline
    words: tuple[Inline, ...]
    drawing: Drawing
    graph: Graph
    # The same for a phone, where that is another drawing.
    narrow: Drawing | None = None
    kind: str = "figure"


Block = Heading | Paragraph | Display | Box | Table | Code | Figure


@dataclass(frozen=True, slots=True)
class Document:
    """A page in one language."""

    title: Plain | Sentence
    blocks: tuple[Block, ...]
    language: Language
