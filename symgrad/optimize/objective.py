"""The loss as a function of one flat vector, and what is known of it at one point.

Solvers and curvature estimates are linear algebra on one vector θ; a caller's loss takes named arrays.
`Objective` stands between the two. It also decides what counts as *not finite*, in one place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.errors import InputError, ShapeError

Array = NDArray[Any]
ValueAndGradients = Callable[..., tuple[float, Mapping[str, Array]]]

ROUNDING_UNITS = 16.0
"""A loss summed over many examples carries a few units of rounding, not one."""


def norm(vector: Array) -> float:
    """‖v‖ = √(Σ vᵢ²) of a vector `(p,)`, without overflow in the squares.

    >>> norm(np.array([0.0, 4e200]))
    4e+200
    """
    with np.errstate(over="ignore", invalid="ignore"):
        plain = math.sqrt(vector @ vector)
        if math.isfinite(plain):
            return plain
        largest = float(np.max(np.abs(vector)))
        return largest * float(np.linalg.norm(vector / largest)) if math.isfinite(largest) else math.nan


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each named array lies in the flat vector θ, in the order of the starting values."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, start: Mapping[str, Array]) -> Layout:
        """Lay out the arrays of `start`; whole numbers become float64, float32 stays float32.

        Raises `InputError` where there is nothing to fit or an array holds no real numbers.

        >>> Layout.of({"W": np.zeros((2, 3)), "b": 0}).ends
        (6, 7)
        """
        if not start:
            raise InputError("there are no parameters to fit; pass a starting value for each of them")
        arrays = {name: np.asarray(value) for name, value in start.items()}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise InputError(f"the start of {name} has type {array.dtype}; give it real numbers")
        dtypes = tuple(a.dtype if a.dtype.kind == "f" else np.dtype(np.float64) for a in arrays.values())
        ends = tuple(int(end) for end in np.cumsum([array.size for array in arrays.values()]))
        return cls(tuple(arrays), tuple(array.shape for array in arrays.values()), dtypes, ends)

    def pack(self, arrays: Mapping[str, Array]) -> Array:
        """θ of length p: the named arrays one after another, always a fresh vector.

        Fresh, because a caller may hand out the same gradient buffer at every call.
        Raises `InputError` for a missing name and `ShapeError` for a shape other than the parameter's.

        >>> Layout.of({"W": np.eye(2), "b": 3.0}).pack({"b": np.array(5.0), "W": np.eye(2)})
        array([1., 0., 0., 1., 5.])
        """
        vector = np.empty(self.ends[-1], dtype=np.result_type(*self.dtypes))
        begin = 0
        for name, shape, end in zip(self.names, self.shapes, self.ends, strict=True):
            if name not in arrays:
                raise InputError(f"the loss returned no gradient for {name}; return one for every parameter")
            array = np.asarray(arrays[name])
            if array.shape != shape:
                raise ShapeError(
                    f"the gradient of {name} has shape {array.shape}, the parameter {shape}; "
                    "return a gradient of the parameter's shape"
                )
            vector[begin:end] = array.reshape(-1)
            begin = end
        return vector

    def unpack(self, vector: Array) -> dict[str, Array]:
        """The named arrays that a vector `(p,)` holds, each in its own shape and type.

        >>> Layout.of({"W": np.eye(2), "b": 3.0}).unpack(np.arange(5.0))["b"]
        array(4.)
        """
        begins = (0, *self.ends[:-1])
        return {
            name: vector[begin:end].reshape(shape).astype(dtype, copy=False)
            for name, shape, dtype, begin, end in zip(
                self.names, self.shapes, self.dtypes, begins, self.ends, strict=True
            )
        }

    def owner(self, index: int) -> str:
        """The name of the parameter that holds entry `index` of θ.

        >>> Layout.of({"W": np.eye(2), "b": 3.0}).owner(4)
        'b'
        """
        return self.names[int(np.searchsorted(self.ends, index, side="right"))]


@dataclass(frozen=True, slots=True)
class Point:
    """A vector θ `(p,)`, L(θ), ∇L(θ) `(p,)` and ‖∇L(θ)‖."""

    vector: Array
    loss: float
    gradient: Array
    gradient_norm: float

    @property
    def is_finite(self) -> bool:
        """True where the loss and every entry of the gradient are finite."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)

    @property
    def rounding(self) -> float:
        """How far rounding alone can move the loss: ε(|L| + ‖θ‖‖∇L‖), a few units of it.

        The second term is the rounding of θ itself, which is all there is where L is near zero.
        """
        epsilon = float(np.finfo(self.vector.dtype).eps)
        return ROUNDING_UNITS * epsilon * (abs(self.loss) + norm(self.vector) * self.gradient_norm)


@dataclass(slots=True)
class Objective:
    """L as a function of the flat vector, counting how often it is evaluated."""

    value_and_gradients: ValueAndGradients
    layout: Layout
    evaluations: int = 0

    def at(self, vector: Array) -> Point:
        """L and ∇L at `vector` `(p,)`, quietly: overflow and NaN come back as numbers to be judged.

        A matrix that turns out singular or not positive definite is the edge of the loss's domain,
        and there the loss is NaN.
        """
        self.evaluations += 1
        with np.errstate(all="ignore"):
            try:
                value, gradients = self.value_and_gradients(**self.layout.unpack(vector))
            except np.linalg.LinAlgError:
                return Point(vector, math.nan, np.full_like(vector, math.nan), math.nan)
            gradient = self.layout.pack(gradients)
            return Point(vector, _scalar(value), gradient, norm(gradient))

    def first_not_finite(self, point: Point) -> str | None:
        """The first parameter whose gradient is not finite at `point`, or None."""
        found = np.flatnonzero(~np.isfinite(point.gradient))
        return self.layout.owner(int(found[0])) if found.size else None


def _scalar(value: float | Array) -> float:
    array = np.asarray(value)
    if array.size != 1:
        raise ShapeError(f"the loss has shape {array.shape}; return a single number")
    return float(array.reshape(()))
