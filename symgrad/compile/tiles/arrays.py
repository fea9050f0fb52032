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
    is_ours = m.flags.c_contiguous and all(x.dtype == float for x in (m, b, a))
    if not is_ours or max(b.shape[1], a.shape[1]) >= LARGE:
        return m @ b, m.T @ a
    finite, left, right = both_sides(m, np.ascontiguousarray(b.T), np.ascontiguousarray(a))
    if finite != 0:
        sharing.told()
    return left, right


def aligned(x: Array) -> Array:
    """A copy in rows that starts where a line of the cache does."""
    copy = sharing.aligned(x.shape, x.dtype)
    copy[...] = x
    return copy
