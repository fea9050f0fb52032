"""Runs expressions entry by entry over a field (see `fields`): the oracle of proofs, checks and worked numbers.

The values of leaves are object arrays; sizes come from an `Assignment`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from fractions import Fraction
from itertools import pairwise

import numpy as np

from symgrad.errors import InputError
from symgrad.graph.expression import MARKS, Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role, Shape
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array, Scalar, Scalars
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass

# A number as a size up to this one is kept in proofs; larger ones (784) are proved at a small stand-in.
LARGEST_KEPT = 6


@dataclass(frozen=True, slots=True)
class Assignment:
    """A whole number for each named size, and for each large number that serves as a size.

    >>> Assignment({"n": 3}, {784: 4}).at(Size.symbol("n") * 2)
    6
    """

    names: Mapping[str, int]
    literals: Mapping[int, int] = field(default_factory=dict)

    def at(self, size: Size) -> int:
        """The number that stands for a size."""
        value = size.value
        if value is not None:
            return self.literals.get(value, value)
        return size.at(self.names)

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """The numbers that stand for a shape."""
        return tuple(self.at(s) for s in shape)


Environment = Mapping[Leaf, Array]


def evaluate(
    roots: Iterable[Expr], leaves: Environment, sizes: Assignment, s: Scalars, known: dict[Expr, Array] | None = None
) -> list[Array]:
    """The arrays of the roots, where the leaves have the given arrays.

    `known` holds what was evaluated before at the same leaves, and takes what is evaluated now.

    >>> import sympy
    >>> from symgrad.fields import Symbolic
    >>> from symgrad.primitives.language import data, dims
    >>> x = data("x", dims("n"))
    >>> values = {x: np.array([sympy.Integer(1), sympy.Integer(2)], dtype=object)}
    >>> evaluate([x * 3 + 1], values, Assignment({"n": 2}), Symbolic())[0].tolist()
    [4, 7]
    """
    wanted = list(roots)
    values: dict[Expr, Array] = {} if known is None else known
    for node in postorder(wanted):
        if node in values:
            continue
        # A sum of arrays without axes is a bare element in NumPy; it stays an array here.
        values[node] = np.asarray(_value(node, values, leaves, sizes, s), dtype=object)
    return [values[root] for root in wanted]


def _value(node: Expr, values: dict[Expr, Array], leaves: Environment, sizes: Assignment, s: Scalars) -> Array:
    if isinstance(node, Leaf):
        return _leaf(node, leaves, sizes, s)
    if isinstance(node, Linear):
        return s.plus([values[e] if c == 1 else s.times([_scalar(s.number(c)), values[e]]) for c, e in node.terms])
    if isinstance(node, Contraction):
        return _contract(node, values, sizes, s)
    if isinstance(node, Elementwise):
        return _elementwise(node, [values[e] for e in node.operands], s)
    assert isinstance(node, Apply)
    if node.primitive in MARKS:
        return values[node.operands[0]]
    entry = PRIMITIVES[node.primitive]
    options = {key: _resolved(value, sizes) for key, value in node.options}
    return np.asarray(entry.forward(s, [values[e] for e in node.operands], options), dtype=object)


def _resolved(option: object, sizes: Assignment) -> object:
    """An option with numbers for sizes."""
    if isinstance(option, tuple):
        return tuple(_resolved(item, sizes) for item in option)
    return sizes.at(option) if isinstance(option, Size) else option


def _leaf(node: Leaf, leaves: Environment, sizes: Assignment, s: Scalars) -> Array:
    if node in leaves:
        return leaves[node]
    if node.role is Role.SIZE:
        assert isinstance(node.value, Size)
        return _scalar(s.number(Fraction(sizes.at(node.value))))
    if node.role in {Role.NUMBER, Role.HYPERPARAMETER} and isinstance(node.value, Fraction):
        return _scalar(s.number(node.value))
    if node.role is Role.IDENTITY:
        n = sizes.at(node.shape[0])
        entries = [s.number(Fraction(int(i == j))) for i in range(n) for j in range(n)]
        return np.array(entries, dtype=object).reshape(n, n)
    if node.role is Role.WINDOW:
        length, windows, width = sizes.shape(node.shape)
        places = np.add.outer(np.arange(windows), np.arange(width)) == np.arange(length)[:, None, None]
        return np.vectorize(lambda is_there: s.number(Fraction(int(is_there))), otypes=[object])(places)
    raise InputError(f"{node.name} has no value; pass one")


def _scalar(value: Scalar) -> Array:
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _elementwise(node: Elementwise, operands: list[Array], s: Scalars) -> Array:
    function = FUNCTIONS[node.function]
    extra = (node.parameter,) if function.is_family else ()
    result = np.empty(np.shape(operands[0]), dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = function.body(s, *(a[place] for a in operands), *extra)
    return result


def _contract(node: Contraction, values: dict[Expr, Array], sizes: Assignment, s: Scalars) -> Array:
    extents = {axis: sizes.at(size) for axis, size in enumerate(node.shape)}
    for e, own in zip(node.operands, node.indices, strict=True):
        extents.update({i: sizes.at(size) for i, size in zip(own, e.shape, strict=True)})
    count = max(extents, default=-1) + 1
    full = tuple(extents.get(i, 1) for i in range(count))
    factors = [
        (e, _aligned(np.asarray(values[e], dtype=object), own, count))
        for e, own in zip(node.operands, node.indices, strict=True)
    ]
    if any(_is_sparse(e) for e in node.operands):
        return _sparse(factors, full, node.rank, s)
    product = np.broadcast_to(s.times([factor for _, factor in factors]), full)
    if count == node.rank:
        return np.array(product, dtype=object)
    return s.sum(product, tuple(range(node.rank, count)))


def _is_sparse(e: Expr) -> bool:
    return isinstance(e, Leaf) and e.role in {Role.IDENTITY, Role.WINDOW}


def _sparse(factors: list[tuple[Expr, Array]], full: tuple[int, ...], rank: int, s: Scalars) -> Array:
    """The sum of products only where no identity or window selector is 0: most of a convolution's grid is."""
    is_there = np.ones(full, dtype=bool)
    for e, a in factors:
        if _is_sparse(e):
            is_there &= a != s.number(Fraction(0))
    places = np.nonzero(is_there)
    own = [np.broadcast_to(a, full)[places] for e, a in factors if not _is_sparse(e)]
    ones = [np.full(len(places[0]) if full else 1, s.number(Fraction(1)), dtype=object)]
    product = s.times(own or ones)
    found: dict[tuple[int, ...], list[Scalar]] = {}
    for *place, value in zip(*places[:rank], product, strict=True):
        found.setdefault(tuple(place), []).append(value)
    result = np.full(full[:rank], s.number(Fraction(0)), dtype=object)
    for at, terms in found.items():
        column = np.empty(len(terms), dtype=object)
        column[:] = terms
        result[at] = s.sum(column, None)[()]
    return result


def _aligned(a: Array, own: tuple[int, ...], count: int) -> Array:
    """`a` with its axes moved to the places `own` of `count`; a repeated index takes the diagonal."""
    names = list(own)
    for first, second in [(x, y) for x, y in pairwise(sorted(names)) if x == y]:
        i = names.index(first)
        j = names.index(second, i + 1)
        a = np.diagonal(a, axis1=i, axis2=j)
        names = [n for k, n in enumerate(names) if k not in (i, j)] + [first]
    order = sorted(range(len(names)), key=lambda k: names[k])
    a = np.asarray(a, dtype=object).transpose(order)
    shape = iter(a.shape)
    return a.reshape([next(shape) if k in names else 1 for k in range(count)])
