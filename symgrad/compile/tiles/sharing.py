"""Examples cut into tiles, threads that share them, and the question whether the sums over them are finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS is the one that loops call; it has to be loaded to be held
from threadpoolctl import ThreadpoolController

from symgrad.compile.tiles.compiled import loop
from symgrad.compile.tiles.registers import CACHE_LINE

Array = Any
# So many numbers, of data and of what is made of them, take about a millisecond; to wake another thread takes a tenth of that.
WORTH = 2**21
# So many features to a row that few rows fill the second cache.
LONG = 256


def cut(arrays: Sequence[Array], rows: Sequence[bool], width: int) -> tuple[int, int, list[Array]]:
    """(examples in a tile, 1 << k for each array k that lies in rows, copies cut into tiles of examples).

    An array has axes (tile, ..., example), or (tile, example, ...) where `rows` lets it and features are many.

    A call computes `width` numbers for each example besides the data; those of a tile stay in the cache.
    """
    n = arrays[0].shape[-1]
    # With few features the examples are the longer axis, with many the features are.
    by_rows = tuple([may_be and a.shape[0] > 24 for a, may_be in zip(arrays, rows, strict=True)])
    of_data = sum(a.size for a in arrays) // max(n, 1) + 1
    # A tile of rows is multiplied twice and stays in the second cache; long rows of examples are read fastest from memory.
    longest = (
        max(a.shape[0] for a, is_in_rows in zip(arrays, by_rows, strict=True) if is_in_rows) if any(by_rows) else 0
    )
    most = min(1024, max(128, 2**13 // width), max(32, 2 ** (15 if any(by_rows) else 17) // of_data))
    if longest >= LONG:
        # The next tile is fetched while this one is multiplied, and both stay in the second cache.
        most = min(16, max(4, 2**15 // of_data))
    size = min(2 ** (most.bit_length() - 1), max(n, 1))
    count = -(-n // size)
    found = []
    for a, is_in_rows in zip(arrays, by_rows, strict=True):
        parts = aligned((count, size, *a.shape[:-1]), a.dtype if a.dtype.kind == "i" else np.dtype(float))
        parts[...] = 0
        parts.reshape(-1, *a.shape[:-1])[:n] = np.moveaxis(a, -1, 0)
        if not is_in_rows:
            turned = np.moveaxis(parts, 1, -1)
            parts = aligned(turned.shape, turned.dtype)
            parts[...] = turned
        found.append(parts)
    # One number: numba takes longer to read a tuple.
    return size, sum(is_in_rows << k for k, is_in_rows in enumerate(by_rows)), found


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array that starts where a line of the cache does: of vectors that lie in two lines, each takes two readings."""
    count = math.prod(shape)
    room = np.empty(count + CACHE_LINE // dtype.itemsize, dtype)
    start = -room.ctypes.data % CACHE_LINE // dtype.itemsize
    return room[start : start + count].reshape(shape)


class OneThread:
    """Holds BLAS to one thread while any thread is inside: in a tile, several would wait for each other longer than they work.

    >>> with OneThread():
    ...     np.ones((40, 40)) @ np.ones(40) == np.full(40, 40.0)
    array([ True, ... True])
    """

    def __init__(self) -> None:
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._lock = Lock()
        self._inside = 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = [(x, n) for x in self._libraries if (n := x.get_num_threads()) != 1]
                for library, _ in self._before:
                    library.set_num_threads(1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._before:
                    library.set_num_threads(threads)


# One for the process, as is the number of threads that it holds.
ONE_THREAD = OneThread()


class Team:
    """Threads that each take some of the tiles, if there is enough to do; BLAS has one thread inside them.

    >>> Team(2, WORTH).run(lambda x, first, last: (0.0, x * (last - first)), 5, 1.5)
    [0.0, 7.5]
    """

    def __init__(self, threads: int, work: int) -> None:
        self._threads = threads if work >= WORTH else 1
        self._pool = ThreadPoolExecutor(max(threads - 1, 1))

    def run(self, function: Callable[..., Any], count: int, *arguments: Any) -> list[Any]:
        """The sums of what `function(*arguments, first, last)` gives for the tiles, in the same order at every call."""
        cuts = [k * count // self._threads for k in range(self._threads + 1)]
        with ONE_THREAD:
            others = [self._pool.submit(function, *arguments, i, j) for i, j in pairwise(cuts[1:])]
            total = function(*arguments, cuts[0], cuts[1])
            for other in others:
                total = [a + b for a, b in zip(total, other.result(), strict=True)]
        return list(total)


def told() -> None:
    """Let NumPy tell of an invalid operation, which compiled loops do not."""
    np.subtract(np.inf, np.inf)


@loop
def all_finite(x):
    """0 where all are finite, else not a number."""
    total, entries = 0.0, x.ravel()
    # Over indices: a loop over entries would not be vectorised, and take nine times as long.
    for i in range(entries.size):
        total += 0.0 * entries[i]
    return total
