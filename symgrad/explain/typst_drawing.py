"""A drawing in Typst's own shapes, placed on a box of its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symgrad.explain.document import Arrowhead, Curve, Drawing, Inline, Label, Point, Rectangle

# An em of the drawing in points, where its scale is 1: 41 em are the text's width.
EM = 11.0
# A label is centred in a box wider than any label.
WIDEST = 30.0


def typst_drawing(drawing: Drawing, inline: Callable[[Inline], str]) -> str:
    """A box in Typst's markup; `inline` writes what stands in labels, as markup."""
    unit = EM * drawing.scale
    head = f"#box(width: {drawing.width * unit:.2f}pt, height: {drawing.height * unit:.2f}pt)["
    return "\n".join([head, *_shapes(drawing, unit, inline), "]"])


def _shapes(drawing: Drawing, unit: float, inline: Callable[[Inline], str]) -> Iterator[str]:
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            x, y, w, h, r, s = (
                f"{size * unit:.2f}pt"
                for size in (*shape.corner, shape.width, shape.height, shape.radius, shape.weight)
            )
            yield f"#place(dx: {x}, dy: {y}, rect(width: {w}, height: {h}, radius: {r}, stroke: {s}))"
        elif isinstance(shape, Curve):
            pieces = zip(*[iter(shape.points[1:])] * 3, strict=True)
            cubics = "".join(f", curve.cubic({', '.join(_at(p, unit) for p in piece)})" for piece in pieces)
            dash = f'"dash": ({0.3 * unit:.2f}pt, {0.2 * unit:.2f}pt)'.replace('"', "") if shape.is_dashed else ""
            stroke = f"(thickness: {shape.weight * unit:.2f}pt{', ' + dash if dash else ''})"
            yield f"#place(curve(stroke: {stroke}, curve.move({_at(shape.points[0], unit)}){cubics}))"
        elif isinstance(shape, Arrowhead):
            yield f"#place(polygon(fill: black, {', '.join(_at(p, unit) for p in shape.points)}))"
        else:
            yield _label(shape, unit, inline)


def _at(point: Point, unit: float) -> str:
    return f"({point[0] * unit:.2f}pt, {point[1] * unit:.2f}pt)"


def _label(label: Label, unit: float, inline: Callable[[Inline], str]) -> str:
    x, y = label.at
    left = x - WIDEST / 2 if label.is_centred else x
    side = "center" if label.is_centred else "left"
    # Between its baselines text has no height: the box begins where the letters stand.
    text = (
        f'text(size: {label.size * unit:.2f}pt, top-edge: "baseline", bottom-edge: "baseline")[{inline(label.content)}]'
    )
    place = f"dx: {left * unit:.2f}pt, dy: {(y + 0.33 * label.size) * unit:.2f}pt"
    return f"#place({place}, box(width: {WIDEST * unit:.2f}pt, align({side}, {text})))"
