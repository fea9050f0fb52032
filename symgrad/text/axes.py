"""Arrays whose axes have indices: products and sums of xᵢⱼ wⱼ become matrix products, broadcasts and sums over axes.

A product is kept as its factors until something needs it whole, so that Σⱼ xᵢⱼ wⱼ is X @ w and never a table of products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Linear,
    Role,
    add,
    contraction,
    index,
    multiply,
    number,
    scale,
    size,
    total,
    transpose,
)
from symgrad.graph.sizes import Size
from symgrad.records import dataclass


@dataclass(frozen=True, eq=False, slots=True)
class Index:
    """An index that runs over `size` values from `start` on; each sum has its own."""

    name: str
    size: Size
    start: int = 0


Indices = tuple[Index, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Factor:
    """An expression whose axes are `indices`, each once."""

    expr: Expr
    indices: Indices


@dataclass(frozen=True, slots=True)
class Product:
    """The product of factors, entry by entry at equal indices."""

    factors: tuple[Factor, ...]

    @property
    def indices(self) -> Indices:
        """Every index, those of the factor with the most axes first."""
        ordered = sorted(self.factors, key=lambda f: -len(f.indices))
        return tuple(dict.fromkeys(i for f in ordered for i in f.indices))

    def renamed(self, names: Mapping[Index, Index]) -> Product:
        """The product with other indices."""
        return Product(tuple(replace(f, indices=tuple(names.get(i, i) for i in f.indices)) for f in self.factors))


def product_of(e: Expr, indices: Indices = ()) -> Product:
    """One factor."""
    return Product((Factor(e, indices),))


def whole(product: Product) -> Factor:
    """The product as one expression over its indices."""
    order, result, c = product.indices, None, Fraction(1)
    if [len(f.indices) for f in product.factors] == [1, 1] and len(order) == 2:
        u, v = product.factors
        return Factor(contraction((u.expr, v.expr), ((0,), (1,)), (*u.expr.shape, *v.expr.shape)), order)
    for f in product.factors:
        if isinstance(f.expr, Leaf) and isinstance(f.expr.value, Fraction) and f.expr.role is Role.NUMBER:
            c *= f.expr.value
            continue
        placed = at(f, order)
        result = placed if result is None else multiply(result, placed)
    if result is None:
        return Factor(number(c), order)
    return Factor(result if c == 1 else scale(c, result), order)


def at(f: Factor, order: Indices) -> Expr:
    """The factor's expression with its axes in the given order, new axes of size 1 where it broadcasts."""
    present = [i for i in order if i in f.indices]
    e = f.expr
    places = [f.indices.index(i) for i in present]
    if places != sorted(places):
        e = transpose(e, places)
    inside = order[order.index(present[0]) :] if present else ()
    return index(e, tuple(slice(None) if i in present else None for i in inside)) if len(inside) > len(present) else e


def added(terms: Sequence[Product]) -> Product:
    """The sum of products, broadcast over the indices that they have together."""
    wholes = [whole(t) for t in terms]
    longest = max(wholes, key=lambda f: len(f.indices)).indices
    order = tuple(dict.fromkeys([*longest, *(i for f in wholes for i in f.indices)]))
    result = at(wholes[0], order)
    for f in wholes[1:]:
        e = at(f, order)
        if isinstance(e, Linear) and len(e.terms) == 1 and e.terms[0][0] < 0:
            # -y is subtracted; x + (-y) is how SymPy keeps it, not how it is written.
            result = add(result, scale(-e.terms[0][0], e.children[0]), -1)
        elif isinstance(e, Leaf) and e.role is Role.NUMBER and isinstance(e.value, Fraction) and e.value < 0:
            result = add(result, number(-e.value), -1)
        else:
            result = add(result, e)
    return product_of(result, order)


def summed(product: Product, i: Index) -> Product:
    """Σᵢ of a product: what does not hold i stays outside; two matrices or vectors that hold it are multiplied."""
    inside = [f for f in product.factors if i in f.indices]
    rest = [f for f in product.factors if i not in f.indices]
    if not inside:
        return Product((*rest, Factor(size(i.size), ())))
    groups: dict[frozenset[Index] | int, Factor] = {}
    for k, f in enumerate(inside):
        # Two vectors are multiplied as they stand; whatever else has the same axes, entry by entry first.
        key = k if len(inside) == 2 and all(g.indices == (i,) for g in inside) else frozenset(f.indices)
        groups[key] = whole(Product((groups[key], f))) if key in groups else f
    left = list(groups.values())
    vector = next((f for f in left if f.indices == (i,)), None)
    if len(left) > 2 and vector is not None:
        # A vector at i scales the last array that holds i.
        left.remove(vector)
        left[-1] = whole(Product((left[-1], vector)))
    place = min(product.factors.index(f) for f in inside)
    before = [f for f in rest if product.factors.index(f) < place]
    return Product((*before, _contracted(left, i), *(f for f in rest if f not in before)))


def easiest(product: Product, pending: Sequence[Index]) -> Index:
    """Which of several indices to sum over first: the one that the fewest matrices hold on their first axis."""
    return min(pending, key=lambda i: sum(len(f.indices) > 1 and f.indices[0] is i for f in product.factors))


def _contracted(factors: Sequence[Factor], i: Index) -> Factor:
    if len(factors) == 1:
        (f,) = factors
        return Factor(_total(f.expr, f.indices.index(i)), tuple(j for j in f.indices if j is not i))
    if len(factors) == 2 and all(len(f.indices) <= 2 for f in factors):
        a, b = factors
        is_vector_last = len(a.indices) < len(b.indices)
        is_leaf_first = len(a.indices) == len(b.indices) == 1 and isinstance(b.expr, Leaf) and a.expr.kind != "leaf"
        if is_vector_last or is_leaf_first or _turns(b, a, i) < _turns(a, b, i):
            a, b = b, a
        left = transpose(a.expr) if len(a.indices) == 2 and a.indices[1] is not i else a.expr
        right = transpose(b.expr) if len(b.indices) == 2 and b.indices[0] is not i else b.expr
        return Factor(left @ right, tuple(j for f in (a, b) for j in f.indices if j is not i))
    kept = tuple(dict.fromkeys(j for f in factors for j in f.indices if j is not i))
    place = {j: k for k, j in enumerate((*kept, i))}
    shape = tuple(j.size for j in kept)
    return Factor(contraction([f.expr for f in factors], [[place[j] for j in f.indices] for f in factors], shape), kept)


def _total(e: Expr, axis: int) -> Expr:
    """The sum over an axis; a sum of sums is one sum over both axes."""
    outer = total(e, axis)
    if not (isinstance(e, Contraction) and len(e.operands) == 1 and isinstance(outer, Contraction)):
        return outer
    (inner,), (own,) = e.indices, outer.indices
    fresh = len(outer.shape) + e.rank
    return contraction(e.operands, [[own[k] if k < e.rank else fresh + k for k in inner]], outer.shape)


def _turns(a: Factor, b: Factor, i: Index) -> int:
    """How many matrices stand transposed in a @ b; a vector stays what it is."""
    if len(a.indices) != len(b.indices) or len(a.indices) < 2:
        return 0
    return (a.indices[1] is not i) + (b.indices[0] is not i)
