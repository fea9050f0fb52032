"""A graph as a drawing: boxes placed in layers, solid arrows forward, dashed ones back, derivatives beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from symgrad.explain.document import (
    Arrow,
    Arrowhead,
    Curve,
    Drawing,
    Graph,
    Group,
    Inline,
    Label,
    Math,
    Node,
    Point,
    Rectangle,
    Sentence,
    Shape,
)
from symgrad.explain.layered import ENTRY, PASSING, Block, Placement, place
from symgrad.notation.width import width
from symgrad.records import dataclass

# What a page is wide and high in em of the text, and how small the letters of a picture may be.
PAGE_WIDTH, PAGE_HEIGHT, SMALLEST = 41.0, 52.0, 0.7
# What a phone is wide in em of a picture there.
PHONE_WIDTH = 25.5
# From left to right is kept down to this size.
LEGIBLE, LEGIBLE_ON_PHONE = 0.85, 0.78
# An em holds about so many characters of a formula.
CHARACTER = 0.56
# And in the widest of the fonts that a browser may take.
WIDE_LETTERS = 1.25
HEIGHT, LEAST_WIDTH, PADDING = 1.7, 1.9, 0.9
# Forward and backward line lie so far on either side of the way that they share.
ASIDE = 0.2
SMALL, SMALLER = 0.85, 0.7
HEAD, HEAD_WIDTH = 0.42, 0.16
FRAME, HEADER = 0.7, 1.5
BARE, STUB_DOWN = 0.5, 1.7
THICK, THIN = 0.11, 0.045


def draw(graph: Graph) -> Drawing | None:
    """The drawing, from left to right where that fits a page, else from top to bottom, or smaller; None where none fits."""
    drawings = [_Sheet(graph, is_down).drawing() for is_down in (False, True)]
    scales = [min(1.0, PAGE_WIDTH / d.width, PAGE_HEIGHT / d.height) for d in drawings]
    best = 0 if scales[0] >= LEGIBLE else max(range(2), key=lambda k: (scales[k], -k))
    return replace(drawings[best], scale=round(scales[best], 3)) if scales[best] >= SMALLEST else None


def draw_narrow(graph: Graph, drawing: Drawing) -> Drawing | None:
    """The drawing from top to bottom where that fits a phone and the other does not; None where it is of no use."""
    if drawing.width * drawing.scale <= PHONE_WIDTH:
        return None
    down = _Sheet(graph, is_down=True, is_narrow=True).drawing()
    scale = min(1.0, PHONE_WIDTH / down.width)
    return replace(down, scale=round(scale, 3)) if scale >= LEGIBLE_ON_PHONE else None


def em(content: Inline) -> float:
    """About how wide a label is."""
    if isinstance(content, Math):
        # The letters of a long name, which are narrower on a page, need their whole room in a box, as its low lines do.
        return CHARACTER * width(content.tex.replace(r"\mathrm", "").replace(r"\_", "M"))
    if isinstance(content, Sentence):
        text = max(content.text.en, content.text.zh, key=len)
        return CHARACTER * len(text) * 0.6 + sum(em(value) for value in content.values.values())
    return CHARACTER * len(getattr(content, "text", ""))


def _right_end(label: Label) -> float:
    """Where a label ends in a font with wide letters."""
    length = WIDE_LETTERS * em(label.content) * label.size
    return label.at[0] + (length / 2 if label.is_centred else length)


@dataclass(frozen=True, slots=True)
class _End:
    """Where arrows meet a box: along the flow, and across it."""

    along: float
    across: float


class _Sheet:
    """One graph in one direction; `along` is measured with the flow, `across` from left to right of it.

    Where it is to be narrow, nothing stands beside the frame of a group but what it needs.
    """

    def __init__(self, graph: Graph, is_down: bool, is_narrow: bool = False) -> None:
        self.graph, self.is_down, self.is_narrow = graph, is_down, is_narrow
        self.shapes: list[Shape] = []
        self.groups = {p.key: p for p in graph.parts if isinstance(p, Group)}
        self.group_of = {n.key: g.key for g in self.groups.values() for n in g.nodes}
        self.inner = {key: self._inner(g) for key, g in self.groups.items()}

    def drawing(self) -> Drawing:
        """Everything, the frames of groups first."""
        outer = [(self._outside(a.source), self._outside(a.target), a) for a in self.graph.arrows]
        between = [(a, b) for a, b, _ in outer if a != b]
        blocks = [
            self._frame(self.inner[p.key], p) if isinstance(p, Group) else self._block(p, self.graph.arrows)
            for p in self.graph.parts
        ]
        found = place(blocks, list(dict.fromkeys(between)), tuple(self.groups) if self.is_narrow else ())
        at = dict(found.middles)
        sizes = {b.key: b for b in blocks}
        for key, group in self.groups.items():
            self._draw_group(group, sizes[key], at[key])
        self._arrows(found, at, sizes, [a for x, y, a in outer if x != y])
        for part in self.graph.parts:
            if isinstance(part, Node):
                self._draw_node(part, sizes[part.key], at[part.key])
        size = self._point(found.along + 0.2, found.across + 0.2)
        width = max([size[0], *(_right_end(s) for s in self.shapes if isinstance(s, Label))])
        return Drawing(round(width, 2), round(size[1], 2), tuple(self.shapes))

    # ---- sizes

    def _point(self, along: float, across: float) -> Point:
        x, y = (across, along) if self.is_down else (along, across)
        return round(x + 0.1, 3), round(y + 0.1, 3)

    def _outside(self, key: str) -> str:
        return self.group_of.get(key, key)

    def _block(self, node: Node, arrows: Sequence[Arrow], *, is_first: bool = False) -> Block:
        is_light = node.kind in ("data", "parameter")
        wide = max(LEAST_WIDTH, em(node.name) + _number_width(node) + PADDING)
        entries = ENTRY * sum(a.target == node.key for a in arrows) + 0.5
        if node.kind == "shown":
            wide = em(node.name) + 0.5
        label = em(node.derivative) * SMALL if node.derivative is not None else 0.0
        if self.is_down:
            beside = 2 * (ASIDE + 0.35 + label) if label else 0.0
            behind = STUB_DOWN if label else BARE
            return Block(node.key, HEIGHT, max(wide, entries, beside), behind, is_first=is_first, is_light=is_light)
        behind = label + 0.9 if label else BARE
        high = max(HEIGHT, entries, 3.0 if label else 0.0)
        return Block(node.key, wide, high, behind, is_first=is_first, is_light=is_light)

    def _box(self, node: Node, block: Block, arrows: Sequence[Arrow]) -> tuple[float, float]:
        """The size of the frame itself, along and across: the block also holds what stands beside it."""
        entries = ENTRY * sum(a.target == node.key for a in arrows) + 0.5
        if self.is_down:
            return HEIGHT, max(LEAST_WIDTH, em(node.name) + _number_width(node) + PADDING, entries)
        return block.along, max(HEIGHT, entries)

    def _inner(self, group: Group) -> tuple[Placement, Mapping[str, Block]]:
        """The inside of a frame: what arrives from outside first, and at the end the ways out."""
        keys = {n.key for n in group.nodes}
        own = [a for a in self.graph.arrows if a.source in keys and a.target in keys]
        leaving = dict.fromkeys(a.source for a in self.graph.arrows if a.source in keys and a.target not in keys)
        blocks = [self._block(n, own, is_first=n.kind == "shown") for n in group.nodes]
        blocks += [Block(_out(key), 0.0, PASSING, is_last=True) for key in leaving]
        edges = [(a.source, a.target) for a in own] + [(key, _out(key)) for key in leaving]
        return place(blocks, edges), {b.key: b for b in blocks}

    def _frame(self, inner: tuple[Placement, Mapping[str, Block]], group: Group) -> Block:
        found, _ = inner
        room = em(group.values) + 2.0
        along, across = found.along + 2 * FRAME, found.across + 2 * FRAME
        if self.is_down:
            return Block(group.key, along + HEADER, max(across, room), BARE)
        return Block(group.key, max(along, room), across + HEADER, BARE)

    # ---- shapes

    def _rectangle(self, middle: Point, along: float, across: float, radius: float, weight: float) -> None:
        a, b = self._point(middle[0] - along / 2, middle[1] - across / 2)
        w, h = (across, along) if self.is_down else (along, across)
        self.shapes.append(Rectangle((a, b), round(w, 3), round(h, 3), radius, weight))

    def _draw_node(self, node: Node, block: Block, middle: Point, arrows: Sequence[Arrow] | None = None) -> None:
        along, across = self._box(node, block, self.graph.arrows if arrows is None else arrows)
        if node.kind != "shown":
            radius = {"value": 0.6, "loss": 0.6}.get(node.kind, 0.0)
            self._rectangle(middle, along, across, radius, THICK if node.kind == "parameter" else THIN)
            if node.kind == "loss":
                self._rectangle(middle, along - 0.3, across - 0.3, radius - 0.15, THIN)
        x, y = self._point(*middle)
        number = _number_width(node)
        self.shapes.append(Label((round(x - number / 2, 3), y), node.name))
        if number:
            place = x + em(node.name) / 2
            self.shapes.append(Label((round(place, 3), y), Math(f"({node.label})"), SMALLER))

    def _draw_group(self, group: Group, block: Block, middle: Point) -> None:
        found, blocks = self.inner[group.key]
        self._rectangle(middle, block.along, block.across, 0.3, THIN)
        first = self._origin(group, block, middle)
        at = {key: (first[0] + a, first[1] + b) for key, (a, b) in found.middles.items()}
        moved = Placement(
            at,
            {e: tuple((first[0] + a, first[1] + b) for a, b in route) for e, route in found.routes.items()},
            found.along,
            found.across,
        )
        keys = {n.key for n in group.nodes}
        own = [a for a in self.graph.arrows if a.source in keys and a.target in keys]
        leaving = {a.source: a.has_return for a in self.graph.arrows if a.source in keys and a.target not in keys}
        ways_out = [Arrow(key, _out(key), has_return) for key, has_return in leaving.items()]
        self._arrows(moved, at, blocks, [*own, *ways_out], end=middle[0] + block.along / 2)
        for node in group.nodes:
            self._draw_node(node, blocks[node.key], at[node.key], own)
        self._title(group, block, middle, [b for key, (_, b) in at.items() if blocks[key].is_first])

    def _origin(self, group: Group, block: Block, middle: Point) -> Point:
        """Where the inside of a frame begins; the header stands above it, whatever the direction."""
        found, _ = self.inner[group.key]
        along = middle[0] - block.along / 2 + FRAME
        across = middle[1] - block.across / 2 + FRAME
        if self.is_down:
            return along + HEADER, across + (block.across - 2 * FRAME - found.across) / 2
        return along + (block.along - 2 * FRAME - found.along) / 2, across + HEADER

    def _title(self, group: Group, block: Block, middle: Point, entering: Sequence[float]) -> None:
        top, left = (middle[0] - block.along / 2, middle[1] - block.across / 2)
        if not self.is_down:
            x, y = self._point(middle[0] - block.along / 2 + 0.6, left + 1.0)
        else:
            room = em(group.values) + 1.0
            right = left + block.across - room
            start = right if any(left < b < left + room + 0.5 for b in entering) else left + 0.6
            x, y = self._point(top + 1.0, start)
        self.shapes.append(Label((x, y), group.values, SMALL, is_centred=False))

    # ---- arrows

    def _arrows(
        self,
        found: Placement,
        at: Mapping[str, Point],
        blocks: Mapping[str, Block],
        arrows: Sequence[Arrow],
        end: float | None = None,
    ) -> None:
        """All arrows between the blocks of one placement; `end` is where ways out of a frame end."""
        ends = self._entries(found, at, blocks, arrows)
        nodes = {n.key: n for n in self.graph.nodes}
        for source in dict.fromkeys(a.source for a in arrows):
            own = [a for a in arrows if a.source == source]
            outer = self._outside(source) if self._outside(source) in blocks else source
            start = self._exit(source, outer, at, blocks)
            stub = found.routes[outer, self._seen(own[0].target, blocks)][0][0]
            has_return = any(a.has_return for a in own)
            self._stub(start, stub, has_return)
            node = nodes.get(source)
            if node is not None and node.derivative is not None and outer == source:
                self._derivative(node.derivative, start, stub)
            for a in own:
                target = self._seen(a.target, blocks)
                middle = [(x, start.across if k == 0 else y) for k, (x, y) in enumerate(found.routes[outer, target])]
                self._way(middle, ends[a], a, end if a.target.startswith("out ") else None)

    def _seen(self, key: str, blocks: Mapping[str, Block]) -> str:
        return key if key in blocks else self._outside(key)

    def _exit(self, source: str, outer: str, at: Mapping[str, Point], blocks: Mapping[str, Block]) -> _End:
        middle, block = at[outer], blocks[outer]
        if outer == source:
            along = self._box(self._node(source), block, ())[0] if source in self._names() else block.along
            return _End(middle[0] + along / 2, middle[1])
        inside, _ = self.inner[outer]
        origin = self._origin(self.groups[outer], block, middle)
        return _End(middle[0] + block.along / 2, origin[1] + inside.middles[_out(source)][1])

    def _names(self) -> set[str]:
        return {n.key for n in self.graph.nodes}

    def _node(self, key: str) -> Node:
        return next(n for n in self.graph.nodes if n.key == key)

    def _entries(
        self,
        found: Placement,
        at: Mapping[str, Point],
        blocks: Mapping[str, Block],
        arrows: Sequence[Arrow],
    ) -> dict[Arrow, _End]:
        """Where each arrow meets its target: side by side, in the order in which they come."""
        ends: dict[Arrow, _End] = {}
        for target in dict.fromkeys(a.target for a in arrows):
            seen = self._seen(target, blocks)
            own = [a for a in arrows if a.target == target]
            own.sort(key=lambda a: found.routes[self._seen(a.source, blocks), seen][-1][1])
            middle, block = at[seen], blocks[seen]
            across = middle[1]
            along = middle[0] - block.along / 2
            if seen != target:
                inside, _ = self.inner[seen]
                origin = self._origin(self.groups[seen], block, middle)
                place = inside.middles[target]
                across = origin[1] + place[1]
                along = origin[0] + place[0] - self.inner[seen][1][target].along / 2
            for k, a in enumerate(own):
                ends[a] = _End(along, across + (k - (len(own) - 1) / 2) * ENTRY)
        return ends

    def _stub(self, start: _End, stub: float, has_return: bool) -> None:
        aside = ASIDE if has_return else 0.0
        self._line([(start.along, start.across - aside), (stub, start.across - aside)])
        if has_return:
            tip, base = (start.along, start.across + aside), start.along + HEAD
            self._line([(base, tip[1]), (stub, tip[1])], is_dashed=True)
            self._head(tip, base)

    def _derivative(self, derivative: Inline, start: _End, stub: float) -> None:
        middle = (start.along + HEAD + stub) / 2
        if self.is_down:
            at = self._point(middle - 0.1, start.across + ASIDE + 0.35)
            self.shapes.append(Label(at, derivative, SMALL, is_centred=False))
        else:
            self.shapes.append(Label(self._point(middle, start.across + ASIDE + 0.8), derivative, SMALL))

    def _way(self, middle: Sequence[Point], end: _End, arrow: Arrow, stop: float | None) -> None:
        """From the end of the source's room to the target: bent between layers, straight through them."""
        last = end.along if stop is None else stop
        for is_back in (False, True) if arrow.has_return else (False,):
            aside = (ASIDE if is_back else -ASIDE) if arrow.has_return else 0.0
            has_head = not is_back and stop is None
            points = [(a, b + aside) for a, b in middle]
            points.append((last - (HEAD if has_head else 0.0), end.across + aside))
            self._line(points, aside, is_dashed=is_back)
            if has_head:
                self._head((last, end.across + aside), last - HEAD)

    def _line(self, points: Sequence[Point], aside: float = 0.0, *, is_dashed: bool = False) -> None:
        """Through the points; where it goes across, it keeps its distance from the line on the other side of the way."""
        path = [points[0]]
        for (a, b), (c, d) in pairwise(points):
            half = (a + c) / 2 - 1.4 * aside * max(-1.0, min(1.0, (d - b) / 2))
            path += [(half, b), (half, d), (c, d)]
        self.shapes.append(Curve(tuple(self._point(*p) for p in path), is_dashed, THIN))

    def _head(self, tip: Point, base: float) -> None:
        corners = (tip, (base, tip[1] - HEAD_WIDTH), (base, tip[1] + HEAD_WIDTH))
        a, b, c = (self._point(*p) for p in corners)
        self.shapes.append(Arrowhead((a, b, c)))


def _out(key: str) -> str:
    return f"out {key}"


def _number_width(node: Node) -> float:
    return 0.0 if node.label is None else CHARACTER * SMALLER * (len(str(node.label)) + 2.2) + 0.1
