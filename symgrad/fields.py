"""The fields in which expressions are evaluated: SymPy expressions for proofs, 50-digit reals for checks and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import mpmath
import numpy as np
import sympy

from symgrad.canonical import added, chosen, is_bare, multiplied
from symgrad.primitives.entry import Array, Scalar


class InverseEntry(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """Entry (i, j) of X⁻¹, X given by its entries.

    Differentiating the defining equation, dX·Y + X·dY = 0, so ∂yᵢⱼ/∂xₖₗ = -yᵢₖ yₗⱼ. [giles2008, §2.2.3]

    >>> a = sympy.symbols("a:4", real=True)
    >>> y = InverseEntry(0, 0, 2, *a)
    >>> y.diff(a[1]) == -InverseEntry(0, 0, 2, *a) * InverseEntry(1, 0, 2, *a)
    True
    """

    is_real = True

    @classmethod
    def eval(cls, i: Any, j: Any, n: Any, *entries: Any) -> Any:
        """The inverse of a transpose is the transpose of the inverse, so that both have one name."""
        k = int(n)
        turned = tuple(entries[q * k + p] for p in range(k) for q in range(k))
        if turned == tuple(entries):
            return cls(j, i, n, *entries) if i > j else None
        if [e.sort_key() for e in turned] < [e.sort_key() for e in entries]:
            return cls(j, i, n, *turned)
        return None

    def fdiff(self, argindex: int = 1) -> Any:
        """-yᵢₖ yₗⱼ by the entry (k, l) of X."""
        i, j, n, *entries = self.args
        k, row_l = divmod(argindex - 4, int(n))
        return -InverseEntry(i, sympy.Integer(k), n, *entries) * InverseEntry(sympy.Integer(row_l), j, n, *entries)

    def _eval_evalf(self, prec: int) -> Any:
        i, j, n, *entries = self.args
        return sympy.Matrix(int(n), int(n), [e.evalf(n=prec // 3) for e in entries]).inv()[int(i), int(j)]


class Determinant(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """det X, X given by its entries; ∂det/∂xₖₗ = det·(X⁻¹)ₗₖ, Jacobi's formula. [giles2008, §2.2.4]"""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """det·(X⁻¹)ₗₖ by the entry (k, l) of X."""
        n, *entries = self.args
        k, row_l = divmod(argindex - 2, int(n))
        return self * InverseEntry(sympy.Integer(row_l), sympy.Integer(k), n, *entries)

    def _eval_evalf(self, prec: int) -> Any:
        n, *entries = self.args
        return sympy.Matrix(int(n), int(n), [e.evalf(n=prec // 3) for e in entries]).det()


def lower_inverse(a: Array) -> Array:
    """The inverse of a lower triangular matrix, by forward substitution."""
    n = len(a)
    result = np.full((n, n), sympy.S.Zero, dtype=object)
    for i in range(n):
        result[i, i] = 1 / a[i, i]
        for j in range(i):
            result[i, j] = -sum(a[i, k] * result[k, j] for k in range(j, i)) / a[i, i]
    return result


class CholeskyEntry(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """Entry (i, j) of the Cholesky factor L of a symmetric matrix given by its entries on and below the diagonal.

    Differentiating L Lᵀ = A: dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ the lower triangle with half of the diagonal. [murray2016, eq. 8]
    """

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """Entry (i, j) of L Φ(L⁻¹ E L⁻ᵀ), E with a 1 at the place of the entry and at its mirror image."""
        i, j, n, *entries = self.args
        size = int(n)
        places = [(p, q) for p in range(size) for q in range(p + 1)]
        p, q = places[argindex - 4]
        low = lower_factor(size, entries)
        inverse = lower_inverse(low)

        def middle(a: int, b: int) -> Any:
            mirrored = inverse[a, q] * inverse[b, p] if p != q else 0
            return inverse[a, p] * inverse[b, q] + mirrored

        row, column = int(i), int(j)
        return sum(low[row, k] * middle(k, column) / (2 if k == column else 1) for k in range(column, size) if k <= row)

    def _eval_evalf(self, prec: int) -> Any:
        i, j, n, *entries = self.args
        size, filled = int(n), iter(e.evalf(n=prec // 3) for e in entries)
        a = sympy.zeros(size, size)
        for p in range(size):
            for q in range(p + 1):
                a[p, q] = a[q, p] = next(filled)
        try:
            return a.cholesky(hermitian=False)[int(i), int(j)]
        except ValueError:  # SymPy's word for a matrix without a factor
            return sympy.nan


def lower_factor(n: int, entries: Sequence[Any]) -> Array:
    """The factor as atoms, from the entries on and below the diagonal."""
    result = np.full((n, n), sympy.S.Zero, dtype=object)
    for i in range(n):
        for j in range(i + 1):
            result[i, j] = CholeskyEntry(*map(sympy.Integer, (i, j, n)), *entries)
    return result


class Largest(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """max(x₁, …): off ties, ∂max/∂xₖ = [xₖ is the largest]."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """Whether that argument is the largest."""
        return IsLargest(sympy.Integer(argindex - 1), *self.args)

    def _eval_evalf(self, prec: int) -> Any:
        return sympy.Max(*(e.evalf(n=prec // 3) for e in self.args))


class IsLargest(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """1 where argument k is the largest, shared among equal ones, else 0: constant but for jumps."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        """0 wherever there is a derivative."""
        return sympy.S.Zero

    def _eval_evalf(self, prec: int) -> Any:
        k, *items = self.args
        values = [e.evalf(n=prec // 3) for e in items]
        return shared_largest(int(k), values, sympy.Float)


def shared_largest(k: int, items: Sequence[Any], number: Callable[[Any], Any]) -> Any:
    """1 over how many items equal the largest, where item k is one of them; else 0."""
    top = max(items)
    return number(1) / sum(e == top for e in items) if items[k] == top else number(0)


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
