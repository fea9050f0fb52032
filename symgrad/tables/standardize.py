"""Z = (X − m)/s, column by column, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.tables.table import Array

CONSTANT_UNITS = 4.0
"""A spread of a few units in the last place is that of a constant: dividing by it would show rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Standardizer:
    """Z = (X − m)/s with m and s `(d,)` the mean and standard deviation of the columns of a training matrix.

    The columns in `constant` have no spread: their scale is 1, and their Z is 0 on the training part.
    """

    mean: Array
    scale: Array
    constant: tuple[int, ...]

    @classmethod
    def fit(cls, x: Array) -> Standardizer:
        """m_j = Σᵢ x_ij / n and s_j² = Σᵢ (x_ij − m_j)² / n of a matrix `(n, d)`.

        Give the training part alone: statistics of the test part would tell the model about it.
        Raises `InputError` for an empty matrix and for values that are not finite.

        >>> Standardizer.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
        Standardizer(mean=array([2., 5.]), scale=array([1., 1.]), constant=(1,))
        """
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2:
            raise ShapeError(f"the data have shape {x.shape}; give a matrix (n, d)")
        if x.shape[0] == 0:
            raise InputError("there are no rows to take a mean of; give at least one")
        if not np.isfinite(x).all():
            row, column = np.argwhere(~np.isfinite(x))[0]
            raise InputError(f"row {row + 1}, column {column + 1} is {x[row, column]}; fill it in")
        mean, scale = x.mean(axis=0), x.std(axis=0)
        slack = CONSTANT_UNITS * np.finfo(np.float64).eps * np.abs(x).max(axis=0)
        is_constant = np.ptp(x, axis=0) <= slack
        # The mean of n equal numbers may round to another number, and then Z would not be 0.
        mean = np.where(is_constant, x[0], mean)
        return cls(mean, np.where(is_constant, 1.0, scale), tuple(map(int, np.flatnonzero(is_constant))))

    def transform(self, x: Array) -> Array:
        """Z = (X − m)/s of a matrix `(n, d)`.

        >>> Standardizer(np.array([2.0]), np.array([4.0]), ()).transform(np.array([[10.0]]))
        array([[2.]])
        """
        return np.asarray((self._checked(x) - self.mean) / self.scale)

    def inverse(self, z: Array) -> Array:
        """X = m + sZ of a matrix `(n, d)`.

        >>> Standardizer(np.array([2.0]), np.array([4.0]), ()).inverse(np.array([[2.0]]))
        array([[10.]])
        """
        return np.asarray(self._checked(z) * self.scale + self.mean)

    def original_units(self, w: Array, b: Array | float) -> tuple[Array, Array]:
        """(w/s, b − (m/s)·w): the affine model Zw + b written in X, with the same values.

        `w` is `(d,)` with a scalar `b`, or `(d, k)` with `b` `(k,)`. Only an affine model can be mapped
        back so.

        >>> Standardizer(np.array([2.0]), np.array([4.0]), ()).original_units(np.array([8.0]), 1.0)
        (array([2.]), array(-3.))
        """
        w = np.asarray(w)
        if w.ndim not in (1, 2) or w.shape[0] != self.mean.size or np.shape(b) != w.shape[1:]:
            raise ShapeError(
                f"the weights {w.shape} and the intercept {np.shape(b)} do not fit {self.mean.size} columns; "
                "give (d,) with a scalar or (d, k) with (k,)"
            )
        scaled = (w.T / self.scale).T
        return scaled, np.asarray(b - self.mean @ scaled)

    def _checked(self, x: Array) -> Array:
        if x.ndim != 2 or x.shape[1] != self.mean.size:
            raise ShapeError(f"the data have shape {x.shape}; give a matrix (n, {self.mean.size})")
        return x
