"""Functions that SymPy has not, with their derivatives: entries of inverses and of Cholesky factors, determinants, maxima."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import sympy

from symgrad.primitives.entry import Array

# Precisions at which a factor is computed, in bits: multiples of this.
STEP = 256


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
        return _inverted(int(n), tuple(entries), prec // 3)[int(i), int(j)]


@lru_cache(maxsize=64)
def _inverted(n: int, entries: tuple[Any, ...], digits: int) -> Any:
    """The inverse in numbers, once for all of its entries."""
    return sympy.Matrix(n, n, [e.evalf(n=digits) for e in entries]).inv()


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
        # SymPy asks for a few more digits from one term of a sum to the next: few factors serve them all.
        low = _factored(int(n), tuple(entries), -(-prec // STEP) * STEP)
        return sympy.nan if low is None else sympy.Float(low[int(i), int(j)]._mpf_, precision=prec)


@lru_cache(maxsize=256)
def _factored(n: int, entries: tuple[Any, ...], precision: int) -> Any:
    """The factor in numbers of so many bits, once for all of its entries; None where there is none."""
    context = mpmath.MPContext()
    context.prec = precision
    filled, a = iter(e.evalf(n=context.dps) for e in entries), context.zeros(n)
    for p in range(n):
        for q in range(p + 1):
            entry = next(filled)
            if not entry.is_Number:
                return None
            a[p, q] = a[q, p] = context.make_mpf(sympy.Float(entry, context.dps)._mpf_)
    try:
        return context.cholesky(a)
    except ValueError:  # mpmath's word for a matrix without a factor
        return None


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
