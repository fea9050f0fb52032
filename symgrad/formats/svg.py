"""A drawing as SVG: text and paths only, in the colour of the text around it, with the picture in words as its description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape

from symgrad.explain.document import Arrowhead, Curve, Figure, Inline, Label, Math, Rectangle
from symgrad.formats.template import in_words, plain
from symgrad.notation.formula import (
    Accent,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    Text,
    Word,
    Wrapped,
)
from symgrad.notation.linear import accented, gaps, line_of
from symgrad.notation.reading import read
from symgrad.notation.signs import Kind
from symgrad.prose import Language

# An em of the drawing in user units: browsers round small numbers.
UNIT = 10
# A font of mathematics stands before the Chinese ones, whose ∂ is as wide as a character.
FONTS = (
    "STIX Two Text, Latin Modern Roman, Times New Roman, Times, STIX Two Math, Latin Modern Math, Cambria Math, "
    "DejaVu Serif, Noto Serif CJK SC, Songti SC, SimSun, serif"
)
SCRIPT, BELOW, ABOVE = 0.72, 0.22, -0.36
DASHES = "3.2 2.2"


def svgs(figure: Figure, language: Language) -> str:
    """The figure in an HTML page: a style sheet shows the drawing of class "wide" or, on a phone, that of class "narrow"."""
    if figure.narrow is None:
        return svg(figure, language)
    narrow = replace(figure, drawing=figure.narrow)
    return svg(figure, language, ' class="wide"') + svg(narrow, language, ' class="narrow"')


def svg(figure: Figure, language: Language, attributes: str = "") -> str:
    """The figure's drawing, an element of its own or inside an HTML page."""
    drawing = figure.drawing
    width, height = (round(size * UNIT, 1) for size in (drawing.width, drawing.height))
    words = escape(" ".join(in_words(figure, language)))
    title = escape(plain(figure.caption, language).split(". ")[0].split("。")[0].rstrip("."))
    shown = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{drawing.width * drawing.scale:.2f}em" height="{drawing.height * drawing.scale:.2f}em" '
        f'role="img"{attributes} lang="{language}" fill="none" stroke="currentColor" stroke-linecap="butt" '
        f'font-family="{FONTS}">'
    )
    head = [shown, f"<title>{title}</title>", f"<desc>{words}</desc>", f'<g font-size="{UNIT}">']
    return "\n".join([*head, *_shapes(figure, language), "</g>", "</svg>\n"])


def _shapes(figure: Figure, language: Language) -> Iterator[str]:
    for shape in figure.drawing.shapes:
        if isinstance(shape, Rectangle):
            x, y, w, h, r = map(_units, (*shape.corner, shape.width, shape.height, shape.radius))
            yield f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" stroke-width="{_units(shape.weight)}"/>'
        elif isinstance(shape, Curve):
            points = [f"{_units(x)} {_units(y)}" for x, y in shape.points]
            path = f"M{points[0]}" + "".join(f"C{a} {b} {c}" for a, b, c in zip(*[iter(points[1:])] * 3, strict=True))
            dashes = f' stroke-dasharray="{DASHES}"' if shape.is_dashed else ""
            yield f'<path d="{path}" stroke-width="{_units(shape.weight)}"{dashes}/>'
        elif isinstance(shape, Arrowhead):
            path = "L".join(f"{_units(x)} {_units(y)}" for x, y in shape.points)
            yield f'<path d="M{path}Z" fill="currentColor" stroke="none"/>'
        else:
            yield _label(shape, language)


def _units(size: float) -> str:
    return f"{size * UNIT:.2f}".rstrip("0").rstrip(".")


def _label(label: Label, language: Language) -> str:
    x, y = label.at
    anchor = "middle" if label.is_centred else "start"
    size = f' font-size="{_units(label.size)}"' if label.size != 1.0 else ""
    # The baseline lies below the middle of the letters.
    return (
        f'<text x="{_units(x)}" y="{_units(y + 0.33 * label.size)}" text-anchor="{anchor}"{size} '
        f'fill="currentColor" stroke="none">{_runs(label.content, language)}</text>'
    )


def _runs(content: Inline, language: Language) -> str:
    if isinstance(content, Math):
        return math_runs(content.tex)
    return plain(content, language, math=math_runs, text=escape)


def math_runs(tex: str) -> str:
    """A formula as runs of text: letters slanted, scripts smaller and shifted."""
    return _Runs().written(read(tex))


class _Runs:
    """`shift` is by how many em of the text around it the pen stands below its line."""

    def written(self, node: Node, scale: float = 1.0) -> str:
        if isinstance(node, Row):
            pairs = zip(node.items, gaps(node.items), strict=True)
            # In a script signs stand close.
            return "".join((gap if scale == 1.0 else "") + self.written(x, scale) for x, gap in pairs)
        if isinstance(node, Group | Wrapped) and not (isinstance(node, Wrapped) and node.command == r"\phantom"):
            return self.written(node.inner, scale)
        if isinstance(node, Symbol):
            is_slanted = node.kind is Kind.LETTER
            return _slanted(node.text) if is_slanted and node.text.isalpha() else escape(node.text)
        if isinstance(node, Word) and node.command == r"\mathbf":
            return f'<tspan font-weight="bold">{escape(node.text)}</tspan>'
        if isinstance(node, Accent):
            return _slanted(accented(line_of(node.inner), node.command))
        if isinstance(node, Script):
            below = _script(node.below, BELOW, self.written, scale)
            above = _script(node.above, ABOVE, self.written, scale)
            return self.written(node.base, scale) + "′" * node.primes + below + above
        if isinstance(node, Text):
            parts = (escape(p) if isinstance(p, str) else self.written(p, scale) for p in node.parts)
            return "".join(parts)
        return escape(line_of(node))


def _script(node: Node | None, shift: float, written: Callable[[Node, float], str], scale: float) -> str:
    if node is None:
        return ""
    size, back = scale * SCRIPT, -shift
    # The shift is measured in em of the run itself; an empty run of no width brings the pen back.
    inner = written(node, size)
    return (
        f'<tspan dy="{shift * UNIT:.2f}" font-size="{size * 100:.0f}%">{inner}</tspan><tspan dy="{back * UNIT:.2f}">'
        "\u200b</tspan>"
    )


def _slanted(text: str) -> str:
    return f'<tspan font-style="italic">{escape(text)}</tspan>'
