"""The fields in which expressions are evaluated: SymPy expressions for proofs, 50-digit reals for checks and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import mpmath
import numpy as np
import sympy

from symgrad.atoms import (
    Determinant,
    InverseEntry,
    IsLargest,
    Largest,
    lower_factor,
    lower_inverse,
    shared_largest,
)
from symgrad.canonical import added, chosen, is_bare, multiplied
from symgrad.primitives.entry import Array, Scalar


class ArrayField:
    """What both fields share: loops over object arrays."""

    def each(self, f: Callable[[Scalar], Scalar], a: Array) -> Array:
        """f of every entry."""
        source = np.asarray(a, dtype=object)
        result = np.empty(source.shape, dtype=object)
        for place in np.ndindex(source.shape):
            result[place] = f(source[place])
        return result

    def add_up(self, items: list[Scalar]) -> Scalar:
        """The sum of a list of elements."""
        return sum(items[1:], items[0]) if items else 0

    def greater(self, a: Scalar, b: Scalar) -> Any:
        """Whether a > b."""
        return a > b

    def times(self, arrays: Sequence[Array]) -> Array:
        """The product of arrays, entry by entry, broadcast against each other."""
        return reduce(mul, arrays)

    def plus(self, arrays: Sequence[Array]) -> Array:
        """The sum of arrays of one shape, entry by entry."""
        return reduce(add, arrays)

    def sum(self, a: Array, axis: int | tuple[int, ...] | None, *, keepdims: bool = False) -> Array:
        """The sum over axes."""
        source = np.asarray(a, dtype=object)
        axes = range(source.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        gone = {k % source.ndim for k in axes} if source.ndim else set()
        kept = [k for k in range(source.ndim) if k not in gone]
        result = np.empty([source.shape[k] for k in kept], dtype=object)
        moved = source.transpose([*kept, *gone])
        for place in np.ndindex(result.shape):
            result[place] = self.add_up(list(np.asarray(moved[place], dtype=object).ravel()))
        if keepdims:
            return result.reshape([1 if k in gone else s for k, s in enumerate(source.shape)])
        return result

    def matmul(self, a: Array, b: Array) -> Array:
        """The matrix product of object arrays."""
        return np.asarray(np.dot(a, b), dtype=object)


def _gathered(f: Callable[[Sequence[Scalar]], Scalar], arrays: Sequence[Array]) -> Array:
    """f of the entries at each place of arrays of one shape."""
    result = np.empty(arrays[0].shape, dtype=object)
    places = zip(*(a.ravel() for a in arrays), strict=True)
    for k, items in enumerate(places):
        result.flat[k] = f(items)
    return result


class Symbolic(ArrayField):
    """SymPy expressions over the rationals: what proofs compare."""

    def number(self, value: Any) -> Scalar:
        """An exact number as a SymPy number."""
        return sympy.Rational(value.numerator, value.denominator)

    def pi(self) -> Scalar:
        """π."""
        return sympy.pi

    exp = staticmethod(sympy.exp)
    log = staticmethod(sympy.log)
    tanh = staticmethod(sympy.tanh)
    sin = staticmethod(sympy.sin)
    cos = staticmethod(sympy.cos)
    erf = staticmethod(sympy.erf)
    equal = staticmethod(sympy.Eq)

    def add_up(self, items: list[Scalar]) -> Scalar:
        """One flat SymPy sum."""
        return added(items) if len(items) != 1 else items[0]

    def times(self, arrays: Sequence[Array]) -> Array:
        """One flat SymPy product for each entry."""
        return arrays[0] if len(arrays) == 1 else _gathered(multiplied, np.broadcast_arrays(*arrays))

    def plus(self, arrays: Sequence[Array]) -> Array:
        """One flat SymPy sum for each entry."""
        return arrays[0] if len(arrays) == 1 else _gathered(added, arrays)

    def power(self, x: Scalar, exponent: Any) -> Scalar:
        """x to a rational power."""
        return sympy.Pow(x, self.number(exponent))

    def choose(self, *cases: tuple[Scalar, Any]) -> Scalar:
        """A SymPy Piecewise."""
        return chosen(cases)

    def greater(self, a: Scalar, b: Scalar) -> Any:
        """The SymPy comparison."""
        return sympy.StrictGreaterThan(a, b, evaluate=False) if is_bare(a, b) else a > b

    def scalar(self, body: Any, *operands: Scalar) -> Scalar:
        """The Lambda applied."""
        return body(*operands)

    def largest(self, items: Sequence[Scalar]) -> Scalar:
        """An atom that knows its derivatives."""
        return Largest(*items)

    def is_largest(self, place: int, items: Sequence[Scalar]) -> Scalar:
        """An atom whose derivative is 0."""
        return IsLargest(sympy.Integer(place), *items)

    def cholesky(self, a: Array) -> Array:
        """Atoms that know their derivatives, from what is read of the matrix."""
        n = a.shape[0]
        return lower_factor(n, [a[i, j] for i in range(n) for j in range(i + 1)])

    def determinant(self, a: Array) -> Scalar:
        """An atom that knows its derivative."""
        return Determinant(sympy.Integer(a.shape[0]), *a.ravel())

    def inverse(self, a: Array) -> Array:
        """Atoms that know their derivatives, one for each entry; of a triangular matrix by substitution."""
        n = a.shape[0]
        if all(a[i, j] == 0 for i in range(n) for j in range(i + 1, n)):
            return lower_inverse(a)
        if all(a[i, j] == 0 for i in range(n) for j in range(i)):
            return lower_inverse(a.T).T
        result = np.empty((n, n), dtype=object)
        for i, j in np.ndindex(n, n):
            result[i, j] = InverseEntry(*map(sympy.Integer, (i, j, n)), *a.ravel())
        return result


class Reals(ArrayField):
    """Real numbers with `digits` digits."""

    def __init__(self, digits: int = 50) -> None:
        self.context = mpmath.MPContext()
        self.context.dps = digits

    def number(self, value: Any) -> Scalar:
        """An exact number, rounded."""
        return self.context.mpf(value.numerator) / value.denominator

    def add_up(self, items: list[Scalar]) -> Scalar:
        """The sum, rounded once."""
        return self.context.fsum(items)

    def pi(self) -> Scalar:
        """π."""
        return +self.context.pi

    def exp(self, x: Scalar) -> Scalar:
        """e^x."""
        return self.context.exp(x)

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm; of what is not positive it is not a number."""
        return self.context.log(x) if x > 0 else self.context.nan

    def tanh(self, x: Scalar) -> Scalar:
        """The hyperbolic tangent."""
        return self.context.tanh(x)

    def sin(self, x: Scalar) -> Scalar:
        """The sine."""
        return self.context.sin(x)

    def cos(self, x: Scalar) -> Scalar:
        """The cosine."""
        return self.context.cos(x)

    def erf(self, x: Scalar) -> Scalar:
        """The error function."""
        return self.context.erf(x)

    def power(self, x: Scalar, exponent: Any) -> Scalar:
        """x to a rational power; an even root of a negative number is not a number."""
        if x == 0 and exponent < 0:
            return self.context.nan
        if exponent.denominator == 1:
            return self.context.mpf(x) ** int(exponent)
        if x < 0:
            return self.context.nan
        return self.context.mpf(x) ** self.number(exponent)

    def choose(self, *cases: tuple[Scalar, Any]) -> Scalar:
        """The value of the first case that holds."""
        return next(value for value, condition in cases if condition)

    def equal(self, a: Scalar, b: Scalar) -> Any:
        """Whether both are the same number."""
        return a == b

    def scalar(self, body: Any, *operands: Scalar) -> Scalar:
        """The Lambda's body at these numbers."""
        values = {v: sympy.Float(x, self.context.dps) for v, x in zip(body.variables, operands, strict=True)}
        return self.context.mpf(str(sympy.N(body.expr, self.context.dps, subs=values)))

    def largest(self, items: Sequence[Scalar]) -> Scalar:
        """The largest number."""
        return max(items)

    def is_largest(self, place: int, items: Sequence[Scalar]) -> Scalar:
        """1 where the number at a place is the largest, shared among equal ones."""
        return shared_largest(place, items, self.context.mpf)

    def cholesky(self, a: Array) -> Array:
        """Row by row, of what stands on and below the diagonal; not a number where there is no factor."""
        n = len(a)
        low = np.full((n, n), self.context.mpf(0), dtype=object)
        for i in range(n):
            for j in range(i + 1):
                rest = a[i, j] - sum((low[i, k] * low[j, k] for k in range(j)), self.context.mpf(0))
                if i == j and not rest > 0:
                    return np.full((n, n), self.context.nan, dtype=object)
                low[i, j] = self.context.sqrt(rest) if i == j else rest / low[j, j]
        return low

    def determinant(self, a: Array) -> Scalar:
        """By LU factors; what has no number has none."""
        if not all(map(self.context.isfinite, np.ravel(a))):
            return self.context.nan
        value = self.context.det(self.context.matrix(a.tolist()))
        size = self.context.mpf(1)
        for row in a:
            size *= max((abs(x) for x in row), default=0) or 1
        # What rounding leaves of a singular matrix's determinant.
        return value if abs(value) > size * self.context.mpf(10) ** (-self.context.dps // 2) else self.context.mpf(0)

    def inverse(self, a: Array) -> Array:
        """By LU factors; what has no number has no inverse."""
        if not all(map(self.context.isfinite, np.ravel(a))):
            return np.full(np.shape(a), self.context.nan, dtype=object)
        try:
            inverse = np.array(self.context.inverse(self.context.matrix(a.tolist())).tolist(), dtype=object)
        except ZeroDivisionError:  # mpmath's word for a singular matrix
            return np.full(np.shape(a), self.context.nan, dtype=object)
        largest = max(map(abs, a.ravel()), default=0) * max(map(abs, inverse.ravel()), default=0)
        # Rounding makes an inverse even of a singular matrix, with entries as large as there are digits.
        is_singular = not largest < self.context.mpf(10) ** (self.context.dps // 2)
        return np.full(inverse.shape, self.context.nan, dtype=object) if is_singular else inverse
