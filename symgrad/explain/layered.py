"""Where the nodes of a directed graph stand: layers by the longest path, ordered by barycentres [sugiyama1981].

Lengths are measured along the flow and across it; a drawing turns them into x and y. A node is a box with room behind it
for what stands beside its output. An edge over several layers passes each of them through a place of its own, so that
no edge runs through a box.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from itertools import pairwise

from symgrad.records import dataclass

Point = tuple[float, float]  # along, across
Edge = tuple[str, str]

SWEEPS = 12
# Between neighbours in a layer, and the width of an edge that passes a layer.
APART, PASSING = 0.6, 0.9
# Between edges where they meet a box, side by side.
ENTRY = 0.85
# Between the room behind one layer and the next layer: room for edges to bend, more where they go far across.
LEAST_GAP, MOST_GAP, STEEPNESS = 1.7, 4.0, 0.3
# Passing edges shall be straight more than nodes shall stand in the middle of their neighbours, light ones still less.
STRAIGHT, LIGHT = 4.0, 0.01


@dataclass(frozen=True, slots=True)
class Block:
    """A box: its size along and across the flow, and the room behind it; `is_first` and `is_last` pin it to an end.

    What is `light` moves out of the way of the others, so that a chain of the heavy ones is straight.
    """

    key: str
    along: float
    across: float
    behind: float = 0.0
    is_first: bool = False
    is_last: bool = False
    is_light: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """The middle of every block, and for every edge the points between its ends.

    These are the end of the room behind its source, then two for each layer that it passes: where it enters and leaves.
    """

    middles: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    along: float
    across: float


@dataclass(slots=True)
class _Layered:
    """Blocks and passing edges in layers; names of what passes are pairs (edge, layer)."""

    layers: list[list[object]]
    above: dict[object, list[object]] = field(default_factory=dict)
    below: dict[object, list[object]] = field(default_factory=dict)
    sizes: dict[object, float] = field(default_factory=dict)
    weights: dict[object, float] = field(default_factory=dict)


def place(blocks: Sequence[Block], edges: Sequence[Edge], alone: Collection[str] = ()) -> Placement:
    """A placement of an acyclic graph; the same graph gives the same placement.

    What is light does not stand beside a block that is `alone`, but in a layer of its own behind it.

    >>> found = place([Block("a", 2, 2), Block("b", 2, 2), Block("c", 2, 2)], [("a", "b"), ("b", "c"), ("a", "c")])
    >>> [found.middles[key][0] for key in "abc"], len(found.routes["a", "c"])
    ([1.0, 4.7, 8.4], 3)
    """
    layer_of = _apart(blocks, _layers(blocks, edges), alone)
    net = _with_passing(blocks, edges, layer_of)
    _order(net)
    across = _across(net)
    count = len(net.layers)
    members = [[b for b in blocks if layer_of[b.key] == k] for k in range(count)]
    starts, ends, at = list[float](), list[float](), 0.0
    for k, own in enumerate(members):
        starts.append(at)
        at += max((b.along for b in own), default=0.0)
        ends.append(at + max((b.behind for b in own), default=0.0))
        at = ends[-1] + (_gap(net, across, k) if k + 1 < count else 0.0)
    middles = {}
    for k, own in enumerate(members):
        thickness = max((b.along for b in own), default=0.0)
        for b in own:
            # A light block stands close to what uses it.
            middle = thickness - b.along / 2 if b.is_light else thickness / 2
            middles[b.key] = (round(starts[k] + middle, 3), across[b.key])
    routes: dict[Edge, tuple[Point, ...]] = {}
    for edge in edges:
        source, target = edge
        route = [(round(ends[layer_of[source]], 3), across[source])]
        for k in range(layer_of[source] + 1, layer_of[target]):
            where = across[edge, k]
            route += [(round(starts[k], 3), where), (round(ends[k], 3), where)]
        routes[edge] = tuple(route)
    height = max(across[x] + net.sizes[x] / 2 for own in net.layers for x in own)
    return Placement(middles, routes, at, height)


def _layers(blocks: Sequence[Block], edges: Sequence[Edge]) -> dict[str, int]:
    """The longest path from a source; what has no source itself stands right before the first that uses it."""
    before: dict[str, list[str]] = {b.key: [] for b in blocks}
    after: dict[str, list[str]] = {b.key: [] for b in blocks}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer: dict[str, int] = {}
    waiting = [b.key for b in blocks]
    while waiting:
        ready = [key for key in waiting if all(a in layer for a in before[key])]
        for key in ready:
            layer[key] = max((layer[a] + 1 for a in before[key]), default=0)
        waiting = [key for key in waiting if key not in layer]
    top = max(layer.values(), default=0)
    for block in blocks:
        if block.is_last:
            layer[block.key] = top + any(not x.is_last and layer[x.key] == top for x in blocks)
    for block in blocks:
        if not before[block.key] and not block.is_first and after[block.key]:
            layer[block.key] = min(layer[key] for key in after[block.key]) - 1
    return layer


def _apart(blocks: Sequence[Block], layer: Mapping[str, int], alone: Collection[str]) -> dict[str, int]:
    """The layers, with one more behind each that holds both something light and a block that stands alone."""
    found = dict(layer)
    for k in sorted({layer[key] for key in alone}, reverse=True):
        light = [b.key for b in blocks if b.is_light and layer[b.key] == k]
        if light:
            found = {key: own + (own > k or key in light) for key, own in found.items()}
    return found


def _with_passing(blocks: Sequence[Block], edges: Sequence[Edge], layer_of: Mapping[str, int]) -> _Layered:
    net = _Layered([[] for _ in range(max(layer_of.values(), default=0) + 1)])
    for block in blocks:
        net.layers[layer_of[block.key]].append(block.key)
        net.sizes[block.key] = block.across
        net.weights[block.key] = LIGHT if block.is_light else 1.0
    for a, b in edges:
        path: list[object] = [a, *(((a, b), k) for k in range(layer_of[a] + 1, layer_of[b])), b]
        for k, x in enumerate(path[1:-1], layer_of[a] + 1):
            net.layers[k].append(x)
            net.sizes[x], net.weights[x] = PASSING, STRAIGHT
        for x, y in pairwise(path):
            net.below.setdefault(x, []).append(y)
            net.above.setdefault(y, []).append(x)
    return net


def _order(net: _Layered) -> None:
    """Sort each layer by the mean place of its neighbours, down and up, and keep the order with the fewest crossings."""
    best, fewest = [list(own) for own in net.layers], _crossings(net)
    for sweep in range(SWEEPS):
        is_down = sweep % 2 == 0
        neighbours = net.above if is_down else net.below
        order = range(1, len(net.layers)) if is_down else range(len(net.layers) - 2, -1, -1)
        for k in order:
            places = {x: place for place, x in enumerate(net.layers[k - 1 if is_down else k + 1])}
            own = {x: float(place) for place, x in enumerate(net.layers[k])}
            means = {x: _mean([places[y] for y in neighbours.get(x, ())], own[x]) for x in own}
            net.layers[k].sort(key=means.__getitem__)
        found = _crossings(net)
        if found < fewest:
            best, fewest = [list(own) for own in net.layers], found
    net.layers = best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(net: _Layered) -> int:
    total = 0
    for upper, lower in pairwise(net.layers):
        places = {x: place for place, x in enumerate(lower)}
        ends = [places[y] for x in upper for y in sorted(net.below.get(x, ()), key=places.__getitem__)]
        total += sum(a > b for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


def _across(net: _Layered) -> dict[object, float]:
    """Where everything stands across the flow: as near to its neighbours' middle as the order and the sizes allow."""
    at: dict[object, float] = {}
    for own in net.layers:
        total = 0.0
        for x in own:
            at[x] = total + net.sizes[x] / 2
            total += net.sizes[x] + APART
    meets = _entries(net)
    for sweep in range(2 * SWEEPS):
        for own in net.layers if sweep % 2 == 0 else net.layers[::-1]:
            wishes = [_wish(x, at, net, meets) for x in own]
            for x, where in zip(own, _spread(wishes, own, net), strict=True):
                at[x] = where
    first = min(at[x] - net.sizes[x] / 2 for own in net.layers for x in own)
    return {x: round(where - first, 3) for x, where in at.items()}


def _entries(net: _Layered) -> dict[tuple[object, object], float]:
    """Where an edge meets the box that it leads to, from the middle of the box."""
    places = {x: place for own in net.layers for place, x in enumerate(own)}
    found = {}
    for y, above in net.above.items():
        for k, x in enumerate(sorted(above, key=places.__getitem__)):
            found[x, y] = (k - (len(above) - 1) / 2) * ENTRY
    return found


def _wish(x: object, at: Mapping[object, float], net: _Layered, meets: Mapping[tuple[object, object], float]) -> float:
    """Where all edges of x would be straightest."""
    above, below = net.above.get(x, []), net.below.get(x, [])
    wishes = [at[y] - meets[y, x] for y in above] + [at[y] + meets[x, y] for y in below]
    # What passes pulls no more than what it leads to.
    pulls = [min(net.weights[y], 1.0) for y in (*above, *below)]
    return sum(p * w for p, w in zip(pulls, wishes, strict=True)) / sum(pulls) if wishes else at[x]


def _spread(wishes: Sequence[float], own: Sequence[object], net: _Layered) -> list[float]:
    """The places nearest to those wished for, in squares, at which neighbours keep their distance."""
    offsets, total = [], 0.0
    for k, x in enumerate(own):
        total += (net.sizes[own[k - 1]] + net.sizes[x]) / 2 + APART if k else 0.0
        offsets.append(total)
    # Less the offsets, the places need only rise: neighbours that would not are pooled at their mean.
    pools: list[list[float]] = []
    for wish, offset, x in zip(wishes, offsets, own, strict=True):
        weight = net.weights[x]
        pools.append([wish - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            b, a = pools.pop(), pools.pop()
            pools.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1], a[2] + b[2]])
    bases = [mean for mean, _, count in pools for _ in range(int(count))]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]


def _gap(net: _Layered, across: Mapping[object, float], k: int) -> float:
    farthest = max(
        (abs(across[x] - across[y]) for x in net.layers[k] for y in net.below.get(x, ())),
        default=0.0,
    )
    return min(MOST_GAP, max(LEAST_GAP, STEEPNESS * farthest))
