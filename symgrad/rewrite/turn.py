"""An expression transposed, in cotangents that stand transposed themselves: what numerator layout prints.

In numerator layout ∂L/∂w of a vector is a row (1 × d) and ∂L/∂W of a d × k matrix is k × d. The transpose of a line is
built product by product, (A B)ᵀ = BᵀAᵀ, down to the cotangents, which are rows there and so lose the ᵀ that they get.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from symgrad.graph.expression import (
    Apply,
    Contraction,
    Expr,
    Leaf,
    Linear,
    Role,
    broadcast_to,
    contraction,
    leaf,
    linear,
    number,
)
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import rebuild
from symgrad.rewrite.cost import cost
from symgrad.rewrite.matrix import transpose

Indices = tuple[int, ...]
NONE: Mapping[Expr, Expr] = MappingProxyType({})


def row_of(e: Leaf) -> Leaf:
    """The leaf that stands for a cotangent in numerator layout: 1 × d for a vector, k × d for a d × k matrix."""
    shape = (ONE, *e.shape) if e.rank == 1 else e.shape[::-1]
    return leaf(e.name, shape, e.role, facts=e.facts, about=e.about, value=e.value)


def turned(e: Expr, stand_ins: Mapping[Expr, Expr] = NONE, symmetric: Collection[Expr] = frozenset()) -> Expr:
    """eᵀ over the rows of its cotangents; of a vector a row of shape (1, n).

    `stand_ins` are other leaves that turn, with what they become; `symmetric` are arrays that are their own transposes.

    >>> from symgrad.derive.reverse import cotangent_of
    >>> from symgrad.primitives.language import data, dims
    >>> n, d, k = dims("n d k")
    >>> X, Z = data("X", n, d), data("Z", n, k)
    >>> print(turned(X.T @ cotangent_of(Z)))
    Z_bar @ X
    """
    return _Turning(stand_ins, symmetric).of(e)


class _Turning:
    """The pieces of one expression: `straight` has the rows of cotangents transposed back, `across` is its transpose."""

    def __init__(self, stand_ins: Mapping[Expr, Expr], symmetric: Collection[Expr]) -> None:
        self._stand_ins, self._symmetric = stand_ins, frozenset(symmetric)
        self._straight: dict[Expr, Expr] = {}
        self._row: dict[Expr, Expr] = {}  # the row of each cotangent, by what stands for the column
        self._holds: set[Expr] = set()  # what cotangents stand in

    def of(self, root: Expr) -> Expr:
        """The transpose of an expression."""
        for node in postorder([root]):
            self._straight[node] = self._straightened(node)
        return self._across(self._straight[root])

    def _straightened(self, node: Expr) -> Expr:
        if isinstance(node, Leaf):
            is_cotangent = node.role is Role.COTANGENT and node.rank > 0
            if not is_cotangent and node not in self._stand_ins:
                return node
            row = self._stand_ins[node] if node in self._stand_ins else row_of(node)
            # A row stands at its own place, not at a column's: what it is in straight expressions is its transpose.
            column = contraction([row], [(1, 0)], node.shape) if node.rank else row
            if node.rank:
                self._row[column] = row
            self._holds.add(column)
            return column
        children = [self._straight[e] for e in node.children]
        new = rebuild(node, children)
        if isinstance(new, Contraction) and not new.rank:
            new = self._opened(new)
        if any(e in self._holds for e in children):
            self._holds.add(new)
        return new

    def _opened(self, node: Contraction) -> Expr:
        """A scalar in which every cotangent is its row, read at its indices the other way round: tr(∂L/∂Z P)."""
        factors = _spliced(node, self._holds)
        operands, indices = list[Expr](), list[Indices]()
        fresh = 1 + max((i for _, own in factors for i in own), default=0)
        for e, own in factors:
            row = self._row.get(e)
            if row is not None and len(own) == 1:
                own, fresh = (fresh, *own), fresh + 1
            elif row is not None:
                own = own[::-1]
            operands.append(e if row is None else row)
            indices.append(own)
        if len(factors) == 1 and factors[0][0] in self._row and factors[0][0].rank == 1:
            # Summed alone, a row stands before a column of ones.
            operands.append(broadcast_to(number(1), factors[0][0].shape))
            indices.append(indices[0][1:])
        return contraction(operands, indices, ())

    def _across(self, root: Expr) -> Expr:
        """The transpose of an expression that has been straightened."""
        found: dict[Expr, Expr] = {}
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, is_ready = stack.pop()
            if node in found:
                continue
            parts = self._parts(node)
            if is_ready or not parts:
                found[node] = self._turned(node, found)
            else:
                stack += [(node, True), *((part, False) for part in parts)]
        return found[root]

    def _parts(self, node: Expr) -> list[Expr]:
        """The operands whose transposes the transpose of a node is made of."""
        if not node.rank or node in self._row:
            return []
        if isinstance(node, Linear):
            return list(node.children)
        return [e for e in node.children if e.rank] if isinstance(node, Contraction) else []

    def _turned(self, node: Expr, found: Mapping[Expr, Expr]) -> Expr:
        if not node.rank:
            return node
        if node in self._row:
            return self._row[node]
        if isinstance(node, Linear):
            apart = linear([(c, found[e]) for c, e in node.terms])
            # (P - Y)ᵀ rather than Pᵀ - Yᵀ; but BᵀAᵀ + C, and Aᵀ + A.
            is_apart = (
                node in self._holds
                or len(node.terms) == 1
                or any(map(_multiplies, node.children))
                or cost(apart) <= cost(node)
            )
            return apart if is_apart else self._flipped(node)
        if isinstance(node, Contraction):
            grouped = self._grouped(node)
            return _contracted(node, found) if grouped is None else grouped
        return self._flipped(node)

    def _flipped(self, e: Expr) -> Expr:
        core = e.children[0] if isinstance(e, Apply) and e.primitive == "inv" else e
        return e if core in self._symmetric else flipped(e)

    def _grouped(self, node: Contraction) -> Expr | None:
        """An elementwise product with (A ⊙ B)ᵀ for what holds no cotangent; None where it is no such product."""
        axes = tuple(range(node.rank))
        factors = [e for e, own in zip(node.operands, node.indices, strict=True) if own]
        if any(own not in ((), axes) for own in node.indices) or len(factors) < 2:
            return None
        is_fixed = [e not in self._holds and not _multiplies(e) for e in factors]
        fixed = [e for e, own in zip(factors, is_fixed, strict=True) if own]
        if len(fixed) < 2:
            return None
        group = self._flipped(contraction(fixed, [axes] * len(fixed), node.shape))
        operands = [e for e, own in zip(node.operands, node.indices, strict=True) if not own]
        for k, e in enumerate(factors):
            if k == is_fixed.index(True):
                operands.append(group)
            elif not is_fixed[k]:
                operands.append(self._across(e))
        return contraction(operands, [(0, 1) if e.rank else () for e in operands], group.shape)


def flipped(e: Expr) -> Expr:
    """eᵀ as it stands; of a vector a row of shape (1, n)."""
    if e.rank == 1:
        return contraction([e], [(1,)], (ONE, *e.shape))
    return transpose(e) if e.rank == 2 else e


def _multiplies(e: Expr) -> bool:
    """Whether an expression is a product of matrices or vectors that is not elementwise, with scalars or without."""
    if isinstance(e, Linear):
        return len(e.terms) == 1 and _multiplies(e.children[0])
    if not isinstance(e, Contraction):
        return False
    factors = [(x, own) for x, own in zip(e.operands, e.indices, strict=True) if own]
    if len(factors) == 1 and all(i < e.rank for i in factors[0][1]):
        return _multiplies(factors[0][0])
    return any(i >= e.rank or len(own) < e.rank for _, own in factors for i in own)


def _spliced(node: Contraction, held: Collection[Expr]) -> list[tuple[Expr, Indices]]:
    """The factors of a scalar; an elementwise product that holds a cotangent is taken apart."""
    found: list[tuple[Expr, Indices]] = []
    for e, own in zip(node.operands, node.indices, strict=True):
        axes = tuple(range(e.rank))
        if isinstance(e, Contraction) and e in held and len(e.operands) > 1 and {*e.indices} <= {(), axes}:
            found += [(x, own if inner else ()) for x, inner in zip(e.operands, e.indices, strict=True)]
        else:
            found.append((e, own))
    return found


def _contracted(node: Contraction, found: Mapping[Expr, Expr]) -> Expr:
    """The same product with its axes exchanged; a factor that would be read against the order stands transposed."""
    is_vector = node.rank == 1
    shape = (ONE, *node.shape) if is_vector else node.shape[::-1]
    # The axes of the result are 0 and 1 in any case; what is summed comes behind them.
    place = {0: 1} if is_vector else {0: 1, 1: 0}
    bound = [i for own in node.indices for i in own if i >= node.rank]
    place |= {i: 2 + k for k, i in enumerate(dict.fromkeys(bound))}
    fresh = 2 + len(bound)
    arrays = [own for own in node.indices if own]
    is_scaled = any(len(own) == 2 and 0 in own for own in arrays)  # diag(v) keeps its column
    is_plain = is_vector and (all(own == (0,) for own in arrays) or _is_matrix_times_vector(arrays))
    operands, indices = list[Expr](), list[Indices]()
    for e, own in zip(node.operands, node.indices, strict=True):
        new = tuple(place[i] for i in own)
        if len(new) == 2 and len(set(new)) == 2 and new[0] != 0 and new[1] != 1:
            e, new = found[e], new[::-1]
        elif len(new) == 1 and (
            is_vector or (new[0] == 1 and not isinstance(e, Leaf) and (_is_sum(e) or not is_scaled))
        ):
            # A column that is read as a row: its own transpose, whose first axis is one place.
            e, new, fresh = found[e], (0 if is_plain else fresh, *new), fresh + 1
        operands.append(e)
        indices.append(new)
    order = _as_matrices(operands, indices)
    return contraction([operands[k] for k in order], [indices[k] for k in order], shape)


def _is_matrix_times_vector(arrays: list[Indices]) -> bool:
    return (1,) in arrays and len(arrays) == 2 and any(own in ((0, 1), (1, 0)) for own in arrays)


def _is_sum(e: Expr) -> bool:
    return isinstance(e, Contraction) and len(e.operands) == 1 and any(i >= e.rank for i in e.indices[0])


def _as_matrices(operands: list[Expr], indices: list[Indices]) -> list[int]:
    """Factors in the order of a matrix product where they are two with one link, else as they stood."""
    order = list(range(len(operands)))
    arrays = [k for k in order if indices[k]]
    if len(arrays) == 2 and indices[arrays[0]][0] != 0 and indices[arrays[1]][0] == 0:
        scalars = [k for k in order if not indices[k]]
        return [*scalars, arrays[1], arrays[0]]
    return order
