"""Products laid flat: rational × arrays[indices]; a factor that is a product itself is spliced in.

Nothing is computed twice by that. Transposes, broadcasts, diagonals, identities and ones are only indices
here, and sums over axes are indices of no axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from fractions import Fraction

from symgrad.compile.products import merged
from symgrad.compile.stable import WHOLE, is_multiple, is_product, is_view
from symgrad.graph.expression import (
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    Shape,
    size,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

Indices = tuple[int, ...]
MOST_FACTORS = 32
MANY = 2


# Never changed once made, and made by the hundred: `frozen` would double the cost of each.
@dataclass(eq=False, slots=True)
class Flat:
    """coefficient · Π operands[indices], summed over indices ≥ len(shape); the labels of what it took in."""

    coefficient: Fraction
    operands: tuple[Expr, ...]
    indices: tuple[Indices, ...]
    shape: Shape
    sizes: Mapping[int, Size]
    labels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sharing:
    """How often each node is used, which products dissolve in the one that uses them, and the labels of all.

    The others stand on their own, because they are used more than once and not spread.
    """

    uses: Mapping[Expr, int]
    spliced: Set[Expr]
    labels: Mapping[Expr, tuple[int, ...]]

    def is_alike(self, e: Expr, other: Sharing) -> bool:
        """Whether `flatten` meets a node of both in the same way in both."""
        is_split = (e in self.spliced) != (e in other.spliced)
        return not is_split and (self.uses[e] == other.uses[e] or not _is_squared(e))


def is_scaled(e: Expr) -> bool:
    """Whether `e` is a product, or a multiple of one thing."""
    return isinstance(e, Contraction) or is_multiple(e)


def is_spreading(e: Contraction) -> bool:
    """Whether `e` has more axes than what it is made of: spliced it costs less."""
    rank = len(e.shape)
    return all(len(x.shape) < rank for x in e.operands) and is_product(e)


def sharing(roots: Iterable[Expr], labels: Mapping[Expr, tuple[int, ...]]) -> Sharing:
    """How often each node is used, views passing their own uses on to what they look at."""
    wanted = list(roots)
    order = postorder(wanted)
    products = [node for node in order if isinstance(node, Contraction)]
    views = {node for node in products if is_view(node)}
    spread = views | _beside_vectors(order, wanted, views) | {node for node in products if is_spreading(node)}
    uses = dict.fromkeys(order, 0)
    for root in wanted:
        uses[root] += 1
    for node in reversed(order):
        passed = uses[node] if node in spread else 1
        for child in node.children:
            uses[child] = min(MANY, uses[child] + passed)
    return Sharing(uses, spread | {node for node in order if uses[node] == 1 and is_scaled(node)}, labels)


def _beside_vectors(order: Iterable[Expr], roots: Iterable[Expr], views: Set[Expr]) -> set[Expr]:
    """Matrix products that only ever multiply vectors: A B v needs A B nowhere, however often it is used."""
    # What each node is, seen through views; operands come first.
    seen: dict[Expr, Expr] = {}
    candidates: dict[Expr, bool] = {}
    for node in order:
        if node in views:
            seen[node] = seen[node.children[0]]
            continue
        seen[node] = node
        is_contraction, rank = isinstance(node, Contraction), len(node.shape)
        if is_contraction and rank == MANY and not is_product(node):
            candidates.setdefault(node, True)
        if not is_contraction or (rank > 1 and all(len(seen[x].shape) != 1 for x in node.children)):
            for x in node.children:
                candidates[seen[x]] = False
    for root in roots:
        candidates[seen[root]] = False
    return {e for e, is_so in candidates.items() if is_so}


def flatten(root: Expr, shared: Sharing) -> Flat:
    """The product that `root` is, which is one or a multiple of something."""
    coefficient, labels = WHOLE, list[int]()
    operands: list[Expr] = []
    indices: list[Indices] = []
    sizes: dict[int, Size] = dict(enumerate(root.shape))
    stack: list[tuple[Expr, Indices]] = [(root, tuple(range(root.rank)))]
    while stack:
        node, own = stack.pop()
        is_open = node is root or node in shared.spliced
        if is_open and len(stack) + len(operands) < MOST_FACTORS:
            if node is not root:
                labels += shared.labels.get(node, ())
            if isinstance(node, Linear):
                coefficient *= node.terms[0][0]
                stack.append((node.terms[0][1], own))
            elif isinstance(node, Contraction):
                stack += _opened(node, own, sizes)[::-1]
        elif isinstance(node, Leaf) and node.role is Role.NUMBER:
            assert isinstance(node.value, Fraction)
            coefficient *= node.value
        elif _is_square(node, own, root.rank, shared):
            stack += [(node.children[0], own)] * 2
        else:
            operands.append(node)
            indices.append(own)
    return _tidied(Flat(coefficient, tuple(operands), tuple(indices), root.shape, sizes, tuple(labels)))


def _opened(node: Contraction, own: Indices, sizes: dict[int, Size]) -> list[tuple[Expr, Indices]]:
    """The operands of a product with indices of the product that it is spliced into."""
    place = dict(enumerate(own))
    found = []
    for e, inner in zip(node.operands, node.indices, strict=True):
        for axis, i in enumerate(inner):
            if i not in place:
                place[i] = len(sizes)
                sizes[len(sizes)] = e.shape[axis]
        found.append((e, tuple([place[i] for i in inner])))
    return found


def _is_square(e: Expr, own: Indices, rank: int, shared: Sharing) -> bool:
    """Whether `e` is x² summed over: x·x is one inner product, without the squares."""
    return _is_squared(e) and any(i >= rank for i in own) and shared.uses[e] == 1


def _is_squared(e: Expr) -> bool:
    return isinstance(e, Elementwise) and e.function == "power" and e.parameter == MANY


def _tidied(flat: Flat) -> Flat:
    """Identities renamed away, x·x⁻¹ cancelled, sums over an index that nothing has counted."""
    rank = len(flat.shape)
    pairs, renamed = list(zip(flat.operands, flat.indices, strict=True)), set[int]()
    if any(_is_identity(e) for e in flat.operands):
        pairs, renamed = _without_identities(pairs, rank)
    pairs = merged(pairs)
    coefficient = flat.coefficient
    covered = {i for _, own in pairs for i in own}
    for i in range(rank, len(flat.sizes)):
        if i in covered or i in renamed:
            continue
        count = flat.sizes[i].value
        if count is None:
            pairs.append((size(flat.sizes[i]), ()))
        else:
            coefficient *= count
    operands, indices = tuple([e for e, _ in pairs]), tuple([own for _, own in pairs])
    return Flat(coefficient, operands, indices, flat.shape, flat.sizes, flat.labels)


def _without_identities(pairs: list[tuple[Expr, Indices]], rank: int) -> tuple[list[tuple[Expr, Indices]], set[int]]:
    """Σⱼ δᵢⱼ xⱼ = xᵢ; an identity whose two indices are both axes of the result stays."""
    renamed: set[int] = set()
    kept: list[tuple[Expr, Indices]] = []
    pending = pairs[::-1]
    while pending:
        e, own = pending.pop()
        if not _is_identity(e):
            kept.append((e, own))
            continue
        a, b = min(own), max(own)
        if b < rank and a != b:
            kept.append((e, own))
        elif a != b:
            renamed.add(b)
            kept = [(x, _renamed(inner, b, a)) for x, inner in kept]
            pending = [(x, _renamed(inner, b, a)) for x, inner in pending]
    return kept, renamed


def _is_identity(e: Expr) -> bool:
    return isinstance(e, Leaf) and e.role is Role.IDENTITY


def _renamed(own: Indices, old: int, new: int) -> Indices:
    return tuple(new if i == old else i for i in own)
