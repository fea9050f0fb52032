"""Functions of whole arrays that are called as NumPy's are, with the loops of `functions`.

A loss whose examples cannot be told apart (attention: every row looks at every other) has no loop over tiles. NumPy's text is
run there, and calls these instead of NumPy's functions, which take two to eight times as long without AVX-512. They raise
NumPy's flags.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import vectorize

from symgrad.compile.tiles import functions

NAMES = frozenset({"exp", "tanh", "sigmoid", "softplus"})


@cache
def __getattr__(name: str) -> np.ufunc:
    """A function by its name, compiled when it is first asked for: each takes a third of a second."""
    if name not in NAMES:
        raise AttributeError(name)
    of_a_number = getattr(functions, name).py_func
    of_arrays: np.ufunc = vectorize(["float64(float64)"], fastmath={"contract"}, cache=True)(of_a_number).ufunc
    return of_arrays
