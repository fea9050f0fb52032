"""Rows for training and rows for testing, the same ones for the same seed on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.tables.table import Array

LARGEST_SEED = 2**32 - 1


def split(
    n: int, *, test_fraction: float, seed: int, labels: Array | Sequence[Any] | None = None
) -> tuple[Array, Array]:
    """Indices of the training rows and of the ⌈test_fraction · n⌉ test rows, in random order, disjoint.

    With `labels` `(n,)` each class keeps its share in both parts, to within one row, and is never missing
    from the training part. Without them the rows are those of scikit-learn's `train_test_split`.
    Raises `InputError` for arguments out of range and where no row is left to train on; a fraction of 0
    tests nothing.

    >>> train, test = split(5, test_fraction=0.4, seed=0)
    >>> sorted(train.tolist() + test.tolist()), len(test)
    ([0, 1, 2, 3, 4], 2)
    """
    if not 0.0 <= test_fraction < 1.0:
        raise InputError(f"the test fraction is {test_fraction}; give a number from 0 to below 1")
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"the seed is {seed}; give a whole number from 0 to {LARGEST_SEED}")
    count = math.ceil(test_fraction * n)
    if count >= n:
        raise InputError(f"a test fraction of {test_fraction} of {n} rows leaves none to train on; lower it")
    # The legacy generator: NumPy promises its stream for ever, but not that of `default_rng` [nep19].
    random = np.random.RandomState(seed)
    if labels is None:
        order = random.permutation(n)
        return order[count:], order[:count]
    return _stratified(np.asarray(labels), n, count, random)


def _stratified(labels: Array, n: int, count: int, random: np.random.RandomState) -> tuple[Array, Array]:
    if labels.shape != (n,):
        raise ShapeError(f"the labels have shape {labels.shape} for {n} rows; give one a row")
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    test_sizes = _shares(sizes, count)
    order = random.permutation(n)
    is_test = np.zeros(n, dtype=bool)
    for code, size in enumerate(test_sizes):
        is_test[order[codes[order] == code][:size]] = True
    return order[~is_test[order]], order[is_test[order]]


def _shares(sizes: Array, count: int) -> Array:
    """`count` test rows over the classes in proportion: whole parts, then one each by largest remainder."""
    if count > int((sizes - 1).sum()):
        raise InputError(f"{count} test rows leave a class without training rows; lower the test fraction")
    exact = sizes * (count / sizes.sum())
    shares = np.minimum(np.floor(exact).astype(np.int64), sizes - 1)
    # Stable, so that equal remainders go to the first classes on every machine.
    by_remainder = np.argsort(-(exact - shares), kind="stable")
    while shares.sum() < count:
        for code in by_remainder:
            if shares.sum() < count and shares[code] < sizes[code] - 1:
                shares[code] += 1
    return np.asarray(shares)
