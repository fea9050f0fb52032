"""Functions of whole arrays that are called as NumPy's are, with the loops of `functions`.

A loss whose examples cannot be told apart (attention: every row looks at every other) has no loop over tiles. NumPy's text is
run there, and calls these instead of NumPy's functions, which take two to eight times as long without AVX-512. They raise
NumPy's flags.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import vectorize
from scipy.linalg.lapack import dpotrf, dpotri

from symgrad.compile.tiles import functions, sharing
from symgrad.compile.tiles.products import LARGE, both_sides

NAMES = frozenset({"exp", "tanh", "sigmoid", "softplus"})
Array = Any


@cache
def __getattr__(name: str) -> np.ufunc:
    """A function by its name, compiled when it is first asked for: each takes a third of a second."""
    if name not in NAMES:
        raise AttributeError(name)
    of_a_number = getattr(functions, name).py_func
    of_arrays: np.ufunc = vectorize(["float64(float64)"], fastmath={"contract"}, cache=True)(of_a_number).ufunc
    return of_arrays


def both_products(m: Array, b: Array, a: Array) -> tuple[Array, Array]:
    """m b and mᵀ a, in one pass over m where b and a are narrow: BLAS would copy m twice."""
    return _both_sides(m, b, a, False)[:2] if _is_narrow(m, b, a) else (m @ b, m.T @ a)


def products_and_grams(m: Array, b: Array, a: Array) -> tuple[Array, Array, Array, Array]:
    """m b, mᵀ a, bᵀ b and aᵀ a, in the same pass."""
    return _both_sides(m, b, a, True) if _is_narrow(m, b, a) else (m @ b, m.T @ a, b.T @ b, a.T @ a)


def _is_narrow(m: Array, b: Array, a: Array) -> bool:
    is_ours = all(x.dtype == float for x in (m, b, a)) and m.flags.c_contiguous
    return bool(is_ours) and max(b.shape[1], a.shape[1]) < LARGE


def _both_sides(m: Array, b: Array, a: Array, grams: bool) -> tuple[Array, Array, Array, Array]:
    finite, *found = both_sides(m, np.ascontiguousarray(b), np.ascontiguousarray(a), grams)
    if finite != 0:
        sharing.told()
    return tuple(found)


def inverse_and_logdet(a: Array) -> tuple[Array, Array]:
    """a⁻¹ and log det a of a symmetric a; where it is positive definite by LAPACK's potrf and potri, which use the symmetry."""
    factor, failed = dpotrf(a.T, lower=1, clean=0) if a.dtype == float else (a, 1)
    if failed:
        sign, log = np.linalg.slogdet(a)
        return np.linalg.inv(a), np.where(sign > 0, log, np.nan)[()]
    log = 2 * np.log(np.diagonal(factor)).sum()
    # In LAPACK's order the lower triangle: in rows the upper one.
    inverse = dpotri(factor, lower=1, overwrite_c=1)[0].T
    np.copyto(inverse, inverse.T, where=np.tri(len(a), k=-1, dtype=bool))
    return inverse, log


def aligned(x: Array) -> Array:
    """A copy in rows that starts where a line of the cache does."""
    copy = sharing.aligned(x.shape, x.dtype)
    copy[...] = x
    return copy
