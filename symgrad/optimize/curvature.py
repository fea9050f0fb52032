"""λ_max of the Hessian from differences of gradients: what bounds the step of gradient descent.

Gradient descent with a fixed step α on a quadratic multiplies the error along each eigenvector of the Hessian
by 1 − αλ, so that it converges from every start exactly when α < 2/λ_max.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from symgrad.optimize.objective import Array, Layout, Objective, Point, ValueAndGradients, norm

SEED = 20060731
"""Directions are random but the same in every run, so that a fit can be repeated."""

MOST_PRODUCTS = 100
"""Hessian products that one estimate may cost; a few dozen are usual."""

EXACT_TOLERANCE = 1e-6
"""Relative residual of the eigenpair; the error of the eigenvalue is of the order of its square."""

LOCAL_TOLERANCE = 1e-3
"""A local estimate changes with every step, so that more digits would be false precision."""

CLEAR_OF_ROUNDING = 1e-2
"""A gradient difference this large beside the gradient itself has lost at most two digits."""

LONGER = 1e4
MOST_LENGTHENINGS = 3
"""Lengthened so far, a difference that is still lost beside the gradient counts as none."""

FAR = 64.0
"""How many times as far the check looks in the other direction."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """λ_max of the Hessian; exact and everywhere where the loss is quadratic, else local to one point."""

    largest: float
    is_quadratic: bool

    @property
    def bound(self) -> float:
        """2/λ_max, below which gradient descent converges on a quadratic; ∞ where nothing curves upward.

        >>> Curvature(largest=4.0, is_quadratic=True).bound
        0.5
        """
        return 2.0 / self.largest if self.largest > 0.0 else math.inf


def largest_curvature(value_and_gradients: ValueAndGradients, at: Mapping[str, Array]) -> Curvature | None:
    """λ_max of ∇²L at the arrays `at`, or None where the gradients near it are not finite.

    For a quadratic Hv = ∇L(θ + v) − ∇L(θ) exactly, at any θ and for any v, and that is checked; otherwise a
    central difference of short length stands for Hv at this θ alone. `at` is not changed.

    >>> def loss(w):
    ...     return 0.5 * (w[0] ** 2 + 10 * w[1] ** 2), {"w": np.array([w[0], 10 * w[1]])}
    >>> found = largest_curvature(loss, {"w": np.ones(2)})
    >>> round(found.largest, 9), found.is_quadratic
    (10.0, True)
    """
    layout = Layout.of(at)
    objective = Objective(value_and_gradients, layout)
    return curvature_at(objective, objective.at(layout.pack(at)))


def curvature_at(objective: Objective, point: Point) -> Curvature | None:
    """λ_max of the Hessian at a point that has been evaluated; see `largest_curvature`."""
    if not point.is_finite:
        return None
    random = np.random.RandomState(SEED)
    with np.errstate(all="ignore"):
        length = _quadratic_length(objective, point, random)
        if length == 0.0:
            return Curvature(0.0, is_quadratic=True)
        product = _local_product(objective, point) if length is None else _product(objective, point, length)
        tolerance = LOCAL_TOLERANCE if length is None else EXACT_TOLERANCE
        largest = _largest_eigenvalue(product, random.standard_normal(point.vector.size), tolerance)
    return None if largest is None else Curvature(largest, is_quadratic=length is not None)


def _quadratic_length(objective: Objective, point: Point, random: np.random.RandomState) -> float | None:
    """The length of v at which Hv = g(θ+v) − g(θ) is clear of rounding, 0 if H = 0, None if not quadratic."""
    u, w = (_unit(random.standard_normal(point.vector.size)) for _ in range(2))
    length = max(1.0, norm(point.vector))
    for _ in range(1 + MOST_LENGTHENINGS):
        ahead = objective.at(_moved(point, length, u)).gradient
        forward = ahead - point.gradient
        if not norm(forward) < CLEAR_OF_ROUNDING * point.gradient_norm:
            break
        length *= LONGER
    # Far off and in the other direction, where a piecewise quadratic loss (Huber, |w|) has another piece; and
    # around another point, where a smooth one shows its third derivative.
    far = objective.at(_moved(point, -FAR * length, u)).gradient
    aside = objective.at(_moved(point, length, w))
    beyond = objective.at(_moved(aside, length, u)).gradient
    slack = math.sqrt(np.finfo(point.vector.dtype).eps)
    if max(norm(forward), norm(far - point.gradient)) <= slack * point.gradient_norm:
        return 0.0
    scale = max(norm(point.gradient), norm(ahead), norm(aside.gradient), norm(beyond))
    is_same_far = norm(far - point.gradient + FAR * forward) <= slack * max(norm(far), FAR * scale)
    is_same_aside = norm(beyond - aside.gradient - forward) <= slack * scale
    # Both are false where a gradient overflowed to NaN, as they should be.
    return length if is_same_far and is_same_aside else None


def _product(objective: Objective, point: Point, length: float) -> Callable[[Array], Array]:
    """V ↦ Hv = (g(θ + rv) − g(θ))/r, exact for a quadratic."""
    return lambda v: (objective.at(_moved(point, length, v)).gradient - point.gradient) / length


def _local_product(objective: Objective, point: Point) -> Callable[[Array], Array]:
    """V ↦ Hv by a central difference; ε^⅓ balances its error of order h² against rounding ε/h."""
    step = float(np.finfo(point.vector.dtype).eps) ** (1 / 3) * max(1.0, norm(point.vector))

    def product(v: Array) -> Array:
        ahead, behind = (objective.at(_moved(point, h, v)).gradient for h in (step, -step))
        return np.asarray((ahead - behind) / (2.0 * step))

    return product


def _largest_eigenvalue(product: Callable[[Array], Array], start: Array, tolerance: float) -> float | None:
    """λ_max of a symmetric operator by Lanczos: the power iteration that uses all its iterates, not the last.

    Keeping only the last iterate finds the largest |λ|, of the wrong sign at a saddle, and needs many more
    products. The three-term recurrence loses orthogonality, which repeats eigenvalues but moves none
    [paige1980].
    """
    v, before, beta = _unit(start), np.zeros_like(start), 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(start.size, MOST_PRODUCTS)):
        image = product(v) - beta * before
        diagonal.append(float(v @ image))
        image = image - diagonal[-1] * v
        beta = norm(image)
        if not (math.isfinite(diagonal[-1]) and math.isfinite(beta)):
            return None
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(tridiagonal)
        if beta * abs(vectors[-1, -1]) <= tolerance * np.max(np.abs(values)):
            break
        before, v = v, image / beta
        beside.append(beta)
    return float(values[-1])


def _unit(vector: Array) -> Array:
    return vector / norm(vector)


def _moved(point: Point, length: float, direction: Array) -> Array:
    return (point.vector + length * direction).astype(point.vector.dtype, copy=False)
