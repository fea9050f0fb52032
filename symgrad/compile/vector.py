"""All parameters as one vector θ, for optimisers: θ ↦ (value, gradient vector)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from symgrad.errors import ShapeError

Array = Any
Function = Callable[..., tuple[Any, Mapping[str, Array]]]


class Flat:
    """f(θ) → (value, gradient), both by one vector; `scipy.optimize.minimize(f, theta, jac=True)` takes it as it is.

    Parameters are views of θ, nothing is copied; the gradient is a new vector.
    """

    def __init__(self, function: Function, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._function = function
        self.shapes = dict(shapes)
        ends = list(accumulate(prod(shape) for shape in shapes.values()))
        self.size = ends[-1] if ends else 0
        self._places = {
            name: (slice(end - prod(shape), end), shape)
            for (name, shape), end in zip(shapes.items(), ends, strict=True)
        }

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """(L, ∂L/∂θ)."""
        value, gradients = self._function(**self.split(theta))
        return float(value), self.join(gradients)

    def split(self, theta: Array) -> dict[str, Array]:
        """The parameters as views of θ.

        >>> f = Flat(lambda **p: (0.0, p), {"W": (2, 1), "b": ()})
        >>> f.split(np.array([1.0, 2.0, 3.0]))
        {'W': array([[1.],
               [2.]]), 'b': array(3.)}
        """
        theta = np.asarray(theta)
        if theta.shape != (self.size,):
            raise ShapeError(
                f"theta has shape {theta.shape}; it needs ({self.size},), the entries of {', '.join(self.shapes)}"
            )
        return {name: theta[place].reshape(shape) for name, (place, shape) in self._places.items()}

    def join(self, arrays: Mapping[str, Array]) -> Array:
        """Parameters, or gradients, as one new vector."""
        parts = [np.asarray(arrays[name]).reshape(-1) for name in self._places]
        return np.concatenate(parts) if parts else np.zeros(0)
