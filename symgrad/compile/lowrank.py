"""A matrix of data less a product of low rank, multiplied out: ‖M - ABᵀ‖² = ‖M‖² - 2⟨A, MB⟩ + ⟨AᵀA, BᵀB⟩.

Where the residual enters only through the sum of its squares and through products with other matrices, (M - ABᵀ)B is
MB - A(BᵀB), and so on: two products as large as M and no matrix of its size, where there were three and one. What a penalty
adds, λA, is multiplied in with the small matrix: A(BᵀB + λI). That pays where the rank is small beside the sizes of M, which
a call tells, and holds its digits where the residual is not small beside M: code has both forms, and a gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.compile.dissolve import Program
from symgrad.compile.stable import power_of, rebuilt, unscaled
from symgrad.graph.expression import (
    Contraction,
    Expr,
    Leaf,
    Linear,
    Role,
    contraction,
    identity,
    linear,
    matmul,
    multiply,
    number,
    scale,
    transpose,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass

MATRIX = 2
TRANSPOSED = (1, 0)
MATMUL = ((0, 2), (2, 1))


@dataclass(frozen=True, slots=True)
class LowRank:
    """The program multiplied out; the sum of squares and that of the data, which the gate compares; (rows, columns, rank).

    `residual` is what was squared.
    """

    program: Program
    residual: Expr
    squares: Expr
    whole: Expr
    sizes: tuple[Size, Size, Size]


@dataclass(frozen=True, slots=True)
class Residual:
    """p·data + q·A Bᵀ."""

    node: Linear
    data: tuple[Fraction, Leaf]
    scale: Fraction
    left: Expr
    right: Expr


def low_rank(program: Program, bound: Collection[str]) -> LowRank | None:
    """The program with its residual multiplied out; None where there is none, or where it enters otherwise."""
    roots = [program.loss, *program.gradients.values()]
    order = postorder(roots)
    for node in order:
        found = _residual(node, bound) if isinstance(node, Linear) else None
        if found is None:
            continue
        values = _multiplied_out(found, order)
        total = next((values[e] for e in order if _is_square_sum(e, found.node)), None)
        if found.node in values or total is None or any(e not in values for e in roots):
            continue
        changed = replace(
            program,
            loss=values[program.loss],
            gradients={name: values[e] for name, e in program.gradients.items()},
            labels={values[e]: label for e, label in program.labels.items() if e in values},
            names={values[e]: name for e, name in program.names.items() if e in values},
            symmetric={values[e]: s for e, s in program.symmetric.items() if e in values},
        )
        m = found.data[1]
        rows, columns = m.shape
        return LowRank(changed, found.node, total, _inner(m, m), (rows, columns, found.left.shape[1]))
    return None


def _residual(node: Linear, bound: Collection[str]) -> Residual | None:
    """p·M + q·A Bᵀ with a matrix M of bound data, A and B parameters or made of them."""
    if node.rank != MATRIX or len(node.terms) != 2:
        return None
    for (p, m), (q, x) in (node.terms, node.terms[::-1]):
        (s, m), (c, x) = unscaled(m), unscaled(x)
        is_data = isinstance(m, Leaf) and m.name in bound and m.role is Role.DATA
        x, (row, column) = _seen(x, (0, 1))
        if not is_data or not isinstance(x, Contraction) or len(x.operands) != 2:
            continue
        # Of a transposed product rows and columns change places.
        place = {0: row, 1: column}
        indices = [tuple(place.get(i, i) for i in own) for own in x.indices]
        (a, first), (b, second) = sorted(map(_seen, x.operands, indices), key=lambda f: 0 not in f[1])
        if a.rank == b.rank == MATRIX and len({*first, *second}) == 3 and 0 in first and 1 in second:
            left = a if first[0] == 0 else transpose(a)
            right = b if second[0] == 1 else transpose(b)
            assert isinstance(m, Leaf)
            return Residual(node, (p * s, m), q * c, left, right)
    return None


def _seen(e: Expr, own: tuple[int, ...]) -> tuple[Expr, tuple[int, ...]]:
    """A transpose as the matrix with its indices the other way round."""
    is_turned = isinstance(e, Contraction) and e.indices == (TRANSPOSED,)
    return (e.children[0], own[::-1]) if is_turned else (e, own)


def _gram(a: Expr, b: Expr) -> Expr:
    """AᵀB."""
    return contraction([a, b], [(2, 0), (2, 1)], (a.shape[1], b.shape[1]))


def _inner(a: Expr, b: Expr) -> Expr:
    return contraction([a, b], [(0, 1), (0, 1)], ())


def _is_square_sum(e: Expr, node: Expr) -> bool:
    """Whether e is Σ node²."""
    if not isinstance(e, Contraction) or e.rank:
        return False
    if len(e.operands) == 1:
        base, exponent = power_of(e.operands[0])
        return base is node and exponent == 2 and sorted(e.indices[0]) == [0, 1]
    return len(e.operands) == 2 and all(x is node for x in e.operands) and e.indices == ((0, 1), (0, 1))


def _multiplied_out(found: Residual, order: Sequence[Expr]) -> dict[Expr, Expr]:
    """What each node becomes; the residual, and what needs it itself, are left out."""
    values: dict[Expr, Expr] = {}
    a, b = found.left, found.right
    (p, m), q = found.data, found.scale
    for e in order:
        if e is found.node:
            continue
        if _is_square_sum(e, found.node):
            both = [
                (p * p, _inner(m, m)),
                (2 * p * q, _inner(a, matmul(m, b))),
                (q * q, _inner(_gram(a, a), _gram(b, b))),
            ]
            values[e] = linear(both)
            continue
        found_product = _product_with(e, found.node)
        if found_product is not None and found_product[1] in values:
            is_turned, x, is_x_turned = found_product
            other = transpose(values[x]) if is_x_turned else values[x]
            one, two, data = (b, a, transpose(m)) if is_turned else (a, b, m)
            values[e] = linear([(q, matmul(one, _gram(two, other))), (p, matmul(data, other))])
        elif all(x in values for x in e.children):
            values[e] = _shifted(rebuilt(e, [values[x] for x in e.children]))
    return values


def _shifted(e: Expr) -> Expr:
    """A(G + cI) for AG + cA, where G is one of the small matrices and c a scalar."""
    terms = list(_terms(e))
    for q, product in terms:
        if not isinstance(product, Contraction) or product.indices != MATMUL:
            continue
        a, small = product.operands
        multiples = {x: factor for _, x in terms if (factor := _factor(x, a)) is not None}
        if multiples and small.shape[0] == small.shape[1] != a.shape[0]:
            one = identity(small.shape[0])
            shifts = [(c / q, multiply(multiples[x], one)) for c, x in terms if x in multiples]
            rest = [(c, x) for c, x in terms if x is not product and x not in multiples]
            return linear([(1, matmul(a, scale(q, linear([(1, small), *shifts])))), *rest])
    return e


def _terms(e: Expr) -> Iterator[tuple[Fraction, Expr]]:
    """(coefficient, array) for each term of a sum, and of the sums in it."""
    for c, x in e.terms if isinstance(e, Linear) else ():
        yield from [(c * q, y) for q, y in _terms(x)] if isinstance(x, Linear) else [(c, x)]


def _factor(e: Expr, a: Expr) -> Expr | None:
    """The scalar c of e = cA."""
    if e is a:
        return number(1)
    if not isinstance(e, Contraction):
        return None
    others = [(x, own) for x, own in zip(e.operands, e.indices, strict=True) if x is not a]
    is_scaled = len(others) == len(e.operands) - 1 and (0, 1) in e.indices and not any(own for _, own in others)
    return contraction([x for x, _ in others], [()] * len(others), ()) if is_scaled else None


def _product_with(e: Expr, node: Expr) -> tuple[bool, Expr, bool] | None:
    """(whether node is transposed, X, whether X is) of a product of node, or of its transpose, and X."""
    if not isinstance(e, Contraction) or e.rank != MATRIX or len(e.operands) != 2:
        return None
    (r, own), (x, other) = (_seen(y, i) for y, i in zip(e.operands, e.indices, strict=True))
    is_product = own in ((0, 2), (2, 0)) and other in ((2, 1), (1, 2))
    return (own == (2, 0), x, other == (1, 2)) if r is node and is_product else None
