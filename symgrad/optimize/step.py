"""One step along −∇L: of fixed length, or of a length found by backtracking."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from symgrad.optimize.objective import Objective, Point

SUFFICIENT_DECREASE = 0.3
"""c₁: the share of the decrease predicted by the gradient that a step must bring."""

SHRINK = 0.5
"""ρ: what a refused step length is multiplied by."""

GROW = 2.0
"""What the length of an accepted step is multiplied by for the next one."""

MOST_SHRINKS = 1100
"""Halvings from the largest float64 to the smallest and more: the search ends by itself long before."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a step led, its length, and the length to try next; `point` is None where there was no step."""

    point: Point | None
    step: float
    next_step: float


TakeStep = Callable[[Objective, Point, float], Move]


def fixed_step(objective: Objective, point: Point, step: float) -> Move:
    """θ − α∇L(θ), whatever the loss does there; no point where that is θ itself in floating point."""
    moved = point.vector - step * point.gradient
    return Move(None if (moved == point.vector).all() else objective.at(moved), step, step)


def backtracking_step(objective: Objective, point: Point, step: float) -> Move:
    """θ − α∇L(θ) with the first α of α₀, ρα₀, ρ²α₀, … that decreases enough [nocedal2006, alg. 3.1].

    The next search begins at a longer step, since curvature may have fallen. A point that is not finite is
    refused like one that is too high. A loss of −∞ is handed back to be reported, and so is a point that is
    not finite however short the step.
    """
    refused = Move(None, step, step)
    for _ in range(MOST_SHRINKS):
        moved = point.vector - step * point.gradient
        if (moved == point.vector).all():
            break
        trial = objective.at(moved)
        if trial.loss == -math.inf or (trial.is_finite and is_sufficient(point, trial, step)):
            return Move(trial, step, step * GROW)
        refused = Move(None if trial.is_finite else trial, step, step)
        step *= SHRINK
    return refused


def is_sufficient(point: Point, trial: Point, step: float) -> bool:
    """L(θ − α∇L) ≤ L(θ) − c₁α‖∇L‖²: the Armijo condition, judged by slopes where losses are all rounding.

    Once the decrease asked for is below the rounding of L, comparing losses is a lottery and stalls. There
    the condition is put in gradients, ∇L(θ)·∇L(θ − α∇L) ≥ −(1 − 2c₁)‖∇L‖², which is the same one for a
    quadratic [hager2005, the approximate Wolfe conditions].

    >>> import numpy as np
    >>> def at(w):  # L = w²/2
    ...     return Point(np.array([w]), w * w / 2, np.array([w]), abs(w))
    >>> is_sufficient(at(1.0), at(0.0), 1.0), is_sufficient(at(1.0), at(-0.9), 1.9)
    (True, False)
    """
    # Factor by factor: the square of a large norm overflows where the step that goes with it is small.
    asked = SUFFICIENT_DECREASE * (step * point.gradient_norm) * point.gradient_norm
    rounding = point.rounding
    if asked > rounding:
        return trial.loss <= point.loss - asked
    slope = float(point.gradient @ trial.gradient)
    lowest = -(1.0 - 2.0 * SUFFICIENT_DECREASE) * point.gradient_norm**2
    return trial.loss <= point.loss + rounding and slope >= lowest
