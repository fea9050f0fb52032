"""SymPy's matrix expressions as arrays: a matrix of one column is a vector, one of one row and column a number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import sympy

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, broadcast_to, contraction, identity, number, power
from symgrad.graph.sizes import ONE
from symgrad.primitives.matrices import INV
from symgrad.records import dataclass
from symgrad.text.axes import Index, Product, added, at, product_of, summed, whole
from symgrad.text.sympy_arrays import Arrays, shown, size_of

# X**k is written out up to this power.
MOST_MULTIPLIED = 20


@dataclass(frozen=True, slots=True)
class Matrix:
    """A product over a row and a column index; None where the matrix has only one row or column."""

    product: Product
    row: Index | None
    column: Index | None


def is_matrix(node: Any) -> bool:
    """Whether a node is one of SymPy's matrix expressions."""
    return isinstance(node, sympy.MatrixExpr)


def matrix(node: Any, parts: Sequence[Product | Matrix], arrays: Arrays) -> Matrix:
    """The value of a matrix expression, its parts' values given."""
    if isinstance(node, sympy.MatrixSymbol):
        row, column = _indices(node)
        axes = tuple(i for i in (row, column) if i is not None)
        return Matrix(product_of(arrays.array(node, tuple(i.size for i in axes)), axes), row, column)
    if isinstance(node, sympy.Identity | sympy.ZeroMatrix | sympy.matrices.OneMatrix):
        return _constant(node)
    if isinstance(node, sympy.MatMul):
        return reduce(_times, [_as_matrix(p) for p in parts])
    if isinstance(node, sympy.MatAdd | sympy.HadamardProduct):
        first, *others = map(_as_matrix, parts)
        moved = [first.product, *(_at(m, first.row, first.column) for m in others)]
        if isinstance(node, sympy.MatAdd):
            return Matrix(added(moved), first.row, first.column)
        return Matrix(Product(tuple(f for p in moved for f in p.factors)), first.row, first.column)
    if isinstance(node, sympy.Transpose):
        m = _as_matrix(parts[0])
        return Matrix(m.product, m.column, m.row)
    if isinstance(node, sympy.HadamardPower) and not is_matrix(node.exp):
        m, exponent = _as_matrix(parts[0]), whole(_as_matrix(parts[1]).product)
        f = whole(m.product)
        return Matrix(product_of(power(f.expr, exponent.expr), f.indices), m.row, m.column)
    if isinstance(node, sympy.Inverse):
        return _inverse(node, parts[0])
    if isinstance(node, sympy.MatPow):
        return _power(node, parts[0])
    raise InputError(
        f"{shown(node)} ({type(node).__name__}) is not understood in a SymPy loss; use +, *, .T, Inverse, Trace,"
        " Determinant and HadamardProduct"
    )


def square(value: Product | Matrix, node: Any) -> Expr:
    """A square matrix as one expression, its row axis first."""
    m = _as_matrix(value)
    if m.row is None or m.column is None:
        raise InputError(f"{shown(node)} is taken of a matrix of one row or column; write the number itself")
    return at(whole(m.product), (m.row, m.column))


def joined(e: Expr) -> Expr:
    """The trace."""
    return contraction([e], [(0, 0)], ())


def _indices(node: Any) -> tuple[Index | None, Index | None]:
    sizes = [size_of(extent, f"the shape of {shown(node)}") for extent in node.shape]
    row, column = (None if s == ONE else Index(name, s) for name, s in zip(("row", "column"), sizes, strict=True))
    return row, column


def _constant(node: Any) -> Matrix:
    row, column = _indices(node)
    axes = tuple(i for i in (row, column) if i is not None)
    if isinstance(node, sympy.Identity) and row is not None:
        return Matrix(product_of(identity(row.size), axes), row, column)
    value = number(0 if isinstance(node, sympy.ZeroMatrix) else 1)
    return Matrix(product_of(broadcast_to(value, tuple(i.size for i in axes)), axes), row, column)


def _as_matrix(value: Product | Matrix) -> Matrix:
    return value if isinstance(value, Matrix) else Matrix(value, None, None)


def _at(m: Matrix, row: Index | None, column: Index | None) -> Product:
    names = {own: new for own, new in ((m.row, row), (m.column, column)) if own is not None and new is not None}
    return m.product.renamed(names)


def _times(a: Matrix, b: Matrix) -> Matrix:
    """A B; a number in front scales."""
    if a.column is None or b.row is None:
        # A number times a matrix, or a column times a row: nothing is summed.
        row, column = (_fresh(i) if i is not None else None for i in (b.row, b.column))
        factors = (*a.product.factors, *_at(b, row, column).factors)
        return Matrix(Product(factors), a.row or row, a.column or column)
    # Every matrix of a product has indices of its own, also where it is the same matrix again.
    link, last = _fresh(a.column), None if b.column is None else _fresh(b.column)
    left, right = a.product.renamed({a.column: link}), _at(b, link, last)
    return Matrix(summed(Product((*left.factors, *right.factors)), link), a.row, last)


def _fresh(i: Index) -> Index:
    return Index(i.name, i.size)


def _inverse(node: Any, part: Product | Matrix) -> Matrix:
    m = _as_matrix(part)
    if m.row is None or m.column is None:
        return Matrix(product_of(power(whole(m.product).expr, -1)), None, None)
    return Matrix(product_of(INV(square(m, node)), (m.row, m.column)), m.row, m.column)


def _power(node: Any, part: Product | Matrix) -> Matrix:
    if not node.exp.is_Integer or not 0 < abs(node.exp) <= MOST_MULTIPLIED:
        raise InputError(f"{shown(node)}: the power of a matrix is a whole number up to {MOST_MULTIPLIED}; write it so")
    m = _as_matrix(part)
    m = _inverse(node, m) if node.exp < 0 else m
    if m.row is None or m.column is None:
        return Matrix(product_of(power(whole(m.product).expr, abs(int(node.exp)))), None, None)
    e = square(m, node)
    result = e
    for _ in range(abs(int(node.exp)) - 1):
        result = result @ e
    return Matrix(product_of(result, (m.row, m.column)), m.row, m.column)
