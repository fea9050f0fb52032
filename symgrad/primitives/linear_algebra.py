"""Norms, powers and systems of matrices, defined in the language itself."""

from __future__ import annotations

from typing import Any

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Expr, coerce, elementwise, identity, total
from symgrad.graph.show import show_shape
from symgrad.primitives.entry import square
from symgrad.primitives.matrices import INV, SOLVE
from symgrad.primitives.normalisers import NORM
from symgrad.primitives.selections import MAX
from symgrad.primitives.triangles import TRIL, TRIU

__all__ = ["matrix_power", "norm", "solve_triangular", "squared_distances"]

INFINITY = float("inf")


def norm(a: object, ord: Any = None, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """‖a‖ as NumPy's: Euclidean unless `ord` is 1 or inf; of a whole matrix the Frobenius norm, or the largest sum of |aᵢⱼ|.

    Over an axis, and of a vector, `ord=1` is Σ|aᵢ| and `ord=inf` is max|aᵢ|; of a whole matrix they are the largest
    column and row sum. The spectral norm (`ord=2` of a matrix) is not in the language.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X = data("X", n, d)
    >>> str(norm(X)), str(norm(X, 1, axis=1)), str(norm(X, "fro"))
    ('norm(X)', 'sum(abs(X), axis=1)', 'norm(X)')
    """
    x = coerce(a)
    is_matrix = x.rank == 2 and axis is None
    if ord is None or (ord == "fro" and is_matrix) or (ord == 2 and not is_matrix):
        return NORM(x, axis=axis, keepdims=keepdims)
    if ord not in (1, INFINITY) or (x.rank > 2 and axis is None):
        raise InputError(
            f"norm: ord={ord!r} is not in the language for shape {show_shape(x.shape)}; use 1, 2, inf or 'fro'"
        )
    size = elementwise("absolute", x)
    if is_matrix:
        sums = total(size, 0 if ord == 1 else 1)
        return MAX(sums)[None, None] if keepdims else MAX(sums)
    return total(size, axis, keepdims=keepdims) if ord == 1 else MAX(size, axis=axis, keepdims=keepdims)


def matrix_power(a: object, k: int) -> Expr:
    """A A … A, k times; A⁻¹ … A⁻¹ where k is negative.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> str(matrix_power(data("A", n, n), 3))
    'A @ A @ A'
    """
    x = coerce(a)
    square("matrix_power", x)
    if type(k) is not int or abs(k) > 100:
        raise InputError(f"matrix_power: {k} is no exponent; use a whole number from -100 to 100")
    if k == 0:
        return identity(x.shape[0])
    base = x if k > 0 else INV(x)
    result = base
    for _ in range(abs(k) - 1):
        result = result @ base
    return result


def solve_triangular(a: object, b: object, lower: bool = True) -> Expr:
    """A⁻¹b, reading only the lower (or upper) triangle of A.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> str(solve_triangular(data("L", n, n), data("b", n)))
    'solve(tril(L), b)'
    """
    return SOLVE((TRIL if lower else TRIU)(a), b)


def squared_distances(a: object, b: object) -> Expr:
    """‖aᵢ - bⱼ‖² for the rows of two matrices.

    >>> from symgrad.primitives.language import data, dims
    >>> n, m, d = dims("n m d")
    >>> squared_distances(data("X", n, d), data("C", m, d)).shape
    (n, m)
    """
    x, y = coerce(a), coerce(b)
    if x.rank != 2 or y.rank != 2 or x.shape[1] != y.shape[1]:
        raise ShapeError(
            f"squared_distances: the shapes are {show_shape(x.shape)} and {show_shape(y.shape)};"
            " it takes two matrices with rows of the same length"
        )
    return total((x[:, None, :] - y[None, :, :]) ** 2, 2)
