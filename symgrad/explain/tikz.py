"""A drawing as TikZ: paths with numbers, labels as LaTeX's own formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symgrad.explain.document import Arrowhead, Curve, Drawing, Inline, Label, Point, Rectangle

# An em of the drawing in points, where its scale is 1: 41 em are the text's width.
EM = 11.0


def tikz(drawing: Drawing, inline: Callable[[Inline], str]) -> str:
    """The picture; `inline` writes what stands in labels."""
    unit = EM * drawing.scale
    head = rf"\begin{{tikzpicture}}[x={unit:.2f}pt,y=-{unit:.2f}pt,inner sep=0pt]"
    return "\n".join([head, *_shapes(drawing, unit, inline), r"\end{tikzpicture}"])


def _shapes(drawing: Drawing, unit: float, inline: Callable[[Inline], str]) -> Iterator[str]:
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            (x, y), round_by = shape.corner, f"rounded corners={shape.radius * unit:.2f}pt" if shape.radius else ""
            end = _at((x + shape.width, y + shape.height))
            options = ",".join(filter(None, (f"line width={shape.weight * unit:.2f}pt", round_by)))
            yield rf"\draw[{options}] {_at(shape.corner)} rectangle {end};"
        elif isinstance(shape, Curve):
            dashes = f",dash pattern=on {0.3 * unit:.2f}pt off {0.2 * unit:.2f}pt" if shape.is_dashed else ""
            pieces = zip(*[iter(shape.points[1:])] * 3, strict=True)
            path = "".join(f" .. controls {_at(a)} and {_at(b)} .. {_at(c)}" for a, b, c in pieces)
            yield rf"\draw[line width={shape.weight * unit:.2f}pt{dashes}] {_at(shape.points[0])}{path};"
        elif isinstance(shape, Arrowhead):
            yield rf"\fill {' -- '.join(map(_at, shape.points))} -- cycle;"
        else:
            yield _label(shape, unit, inline)


def _at(point: Point) -> str:
    return f"({point[0]:.3f},{point[1]:.3f})"


def _label(label: Label, unit: float, inline: Callable[[Inline], str]) -> str:
    size = label.size * unit
    font = rf"font=\fontsize{{{size:.2f}pt}}{{{1.2 * size:.2f}pt}}\selectfont"
    x, y = label.at
    # Names stand on one line, whatever hangs below it.
    place = (x, y + 0.33 * label.size)
    anchor = "base" if label.is_centred else "base west"
    return rf"\node[anchor={anchor},{font}] at {_at(place)} {{{inline(label.content)}}};"
