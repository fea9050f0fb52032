"""Gradient descent, θ ← θ − α∇L(θ), with the step fixed or found by backtracking."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from symgrad.errors import InputError
from symgrad.optimize.curvature import Curvature, curvature_at
from symgrad.optimize.diagnosis import Cause, Diagnosis, Remedy
from symgrad.optimize.objective import Array, Layout, Objective, Point, ValueAndGradients
from symgrad.optimize.result import Iteration, RateOrigin, Result, Stop
from symgrad.optimize.step import TakeStep, backtracking_step, fixed_step
from symgrad.optimize.watch import Watch

LineSearch = Literal["fixed", "backtracking"]
OnIteration = Callable[[Iteration], object]
# The way of a descent over at most so many numbers is kept: it can be drawn.
MOST_DRAWN = 2


def gradient_descent(
    value_and_gradients: ValueAndGradients,
    start: Mapping[str, Array],
    *,
    learning_rate: float | None = None,
    line_search: LineSearch = "fixed",
    max_iterations: int = 10_000,
    tolerance: float = 1e-6,
    on_iteration: OnIteration | None = None,
) -> Result:
    """θ ← θ − α∇L(θ) until ‖∇L(θ)‖ ≤ tolerance · min(1, ‖∇L(θ₀)‖).

    `value_and_gradients(**parameters)` returns L and ∂L/∂θ by name, each of its parameter's shape. `start`
    holds θ₀; it and the gradients are never written. Without a `learning_rate` α is 1/λ_max at θ₀; with
    `line_search="backtracking"` α is where the search begins. `on_iteration` sees each entry of the history,
    the start included. A run that diverges or meets NaN does not raise: it stops with the best parameters
    and a diagnosis. Raises `InputError` for arguments out of range and gradients that do not fit.

    >>> import numpy as np
    >>> def loss(w):
    ...     return 0.5 * float(w @ w) - w[0], {"w": w - np.array([1.0, 0.0])}
    >>> result = gradient_descent(loss, {"w": np.array([5.0, 3.0])})
    >>> np.abs(result.parameters["w"].round(9)), str(result.stop), result.iterations
    (array([1., 0.]), 'gradient norm reached', 1)
    """
    _check(learning_rate, line_search, max_iterations, tolerance)
    layout = Layout.of(start)
    objective = Objective(value_and_gradients, layout)
    first = objective.at(layout.pack(start))
    step, origin, curvature = _first_step(objective, first, learning_rate)
    take_step = backtracking_step if line_search == "backtracking" else fixed_step
    descent = _Descent(objective, first, take_step, step, origin, curvature, on_iteration)
    return descent.run(max_iterations, tolerance * min(1.0, first.gradient_norm))


def _check(learning_rate: float | None, line_search: str, max_iterations: int, tolerance: float) -> None:
    if learning_rate is not None and not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"the learning rate is {learning_rate}; give a positive number")
    if line_search not in ("fixed", "backtracking"):
        raise InputError(f"there is no line search {line_search!r}; use 'fixed' or 'backtracking'")
    if max_iterations < 0:
        raise InputError(f"the iteration limit is {max_iterations}; give 0 or more")
    if not tolerance >= 0:
        raise InputError(f"the tolerance is {tolerance}; give 0 or more")


def _first_step(
    objective: Objective, first: Point, learning_rate: float | None
) -> tuple[float, RateOrigin, Curvature | None]:
    """The given α, else 1/λ_max, else (where nothing curves upward) the α of a first step of length 1."""
    if learning_rate is not None:
        return float(learning_rate), RateOrigin.GIVEN, None
    curvature = curvature_at(objective, first)
    if curvature is not None and curvature.largest > 0.0:
        origin = RateOrigin.CURVATURE if curvature.is_quadratic else RateOrigin.LOCAL_CURVATURE
        return 1.0 / curvature.largest, origin, curvature
    usable = first.is_finite and first.gradient_norm > 0.0
    return 1.0 / first.gradient_norm if usable else 1.0, RateOrigin.UNIT_STEP, curvature


@dataclass(slots=True)
class _Descent:
    """One run: what it was given, what it remembers, and how it ends."""

    objective: Objective
    first: Point
    take_step: TakeStep
    step: float
    origin: RateOrigin
    curvature: Curvature | None
    on_iteration: OnIteration | None
    best: Point = field(init=False)
    history: list[Iteration] = field(default_factory=list)
    path: list[Array] = field(default_factory=list)
    is_curvature_known: bool = False

    def __post_init__(self) -> None:
        self.best = self.first
        self.is_curvature_known = self.curvature is not None

    def run(self, max_iterations: int, threshold: float) -> Result:
        """Descend, and judge where that ended."""
        end, point = self._descend(max_iterations, threshold)
        # With all the data in every step, a run that is on its way does not end above where it began.
        if isinstance(end, Stop) and point.loss > self.first.loss + point.rounding:
            end = Cause.DIVERGED
        return self._failed(end, point) if isinstance(end, Cause) else self._ended(end, point)

    def _descend(self, max_iterations: int, threshold: float) -> tuple[Stop | Cause, Point]:
        """Step until something says stop: what it is, and the last point."""
        self._record(self.first, 0.0)
        if not self.first.is_finite:
            return Cause.NOT_FINITE_AT_START, self.first
        point, step, watch = self.first, self.step, Watch(self.first, self.step)
        while point.gradient_norm > threshold:
            if len(self.history) > max_iterations:
                return Stop.ITERATION_LIMIT, point
            move = self.take_step(self.objective, point, step)
            if move.point is None:
                return Stop.NO_DECREASE, point
            before, point, step = point, move.point, move.next_step
            self._record(point, move.step)
            if not point.is_finite:
                return (Cause.UNBOUNDED if point.loss == -math.inf else Cause.NOT_FINITE), point
            self.best = point if point.loss < self.best.loss else self.best
            watch.see(before, point, move.step)
            if watch.is_too_high or (watch.is_rising and self._must_diverge(move.step)):
                return Cause.DIVERGED, point
            if watch.is_still:
                return Stop.NO_DECREASE, point
        return Stop.GRADIENT_NORM, point

    def _record(self, point: Point, step: float) -> None:
        entry = Iteration(len(self.history), point.loss, point.gradient_norm, step)
        self.history.append(entry)
        if point.vector.size <= MOST_DRAWN:
            self.path.append(point.vector.copy())
        if self.on_iteration is not None:
            self.on_iteration(entry)

    def _must_diverge(self, step: float) -> bool:
        """True where the loss is quadratic and α > 2/λ_max; then waiting longer shows nothing new."""
        if not self.is_curvature_known:
            self.curvature = curvature_at(self.objective, self.best)
            self.is_curvature_known = True
        return self.curvature is not None and self.curvature.is_quadratic and step > self.curvature.bound

    def _failed(self, cause: Cause, point: Point) -> Result:
        remedy = Remedy.SMALLER_STEP
        if cause is Cause.UNBOUNDED:
            remedy = Remedy.BOUND_THE_LOSS
        elif cause is Cause.NOT_FINITE_AT_START or self.take_step is backtracking_step:
            # Backtracking has tried every smaller step already.
            remedy = Remedy.OTHER_START
        elif self.curvature is None or not self.curvature.is_quadratic:
            self.curvature = curvature_at(self.objective, self.best)
        diagnosis = Diagnosis(
            cause,
            remedy,
            iteration=len(self.history) - 1,
            loss=point.loss,
            start_loss=self.first.loss,
            best_loss=self.best.loss,
            learning_rate=self.history[-1].step or self.step,
            parameter=self.objective.first_not_finite(point),
            curvature=self.curvature,
        )
        stop = Stop.DIVERGED if cause in (Cause.DIVERGED, Cause.UNBOUNDED) else Stop.NOT_FINITE
        return replace(self._ended(stop, self.best, diagnosis), failed_at=self._parameters(point))

    def _parameters(self, point: Point) -> dict[str, Array]:
        # Copies, so that the caller may write into them whatever the loss has kept of its arguments.
        return {name: array.copy() for name, array in self.objective.layout.unpack(point.vector).items()}

    def _ended(self, stop: Stop, point: Point, diagnosis: Diagnosis | None = None) -> Result:
        return Result(
            self._parameters(point),
            point.loss,
            tuple(self.history),
            stop,
            self.step,
            self.origin,
            self.curvature,
            self.objective.evaluations,
            diagnosis,
            path=tuple(self.path),
        )
