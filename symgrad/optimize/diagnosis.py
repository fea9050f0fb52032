"""Why a run failed and what to do, as data: the sentences in other languages are made elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from symgrad.optimize.curvature import Curvature


class Cause(StrEnum):
    """What ended a run that did not reach a minimum."""

    DIVERGED = "diverged"
    NOT_FINITE = "not finite"
    NOT_FINITE_AT_START = "not finite at start"
    UNBOUNDED = "unbounded below"


class Remedy(StrEnum):
    """What to change before the next run."""

    SMALLER_STEP = "smaller step"
    OTHER_START = "other start or data"
    BOUND_THE_LOSS = "bound the loss"


SAFETY = 10.0
"""Where no curvature explains the failure, the next learning rate to try is this much smaller."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Iteration, cause and remedy of a failed run, with the numbers that prove it.

    `loss` is the one at `iteration`, `parameter` the first whose gradient is not finite there,
    `learning_rate` the step that was taken, `curvature` λ_max where it could be computed (at the best point
    if it is only local). `origin` is the formula and the entry that are not finite, where the caller can tell.
    """

    cause: Cause
    remedy: Remedy
    iteration: int
    loss: float
    start_loss: float
    best_loss: float
    learning_rate: float
    parameter: str | None = None
    curvature: Curvature | None = None
    origin: str | None = None

    @property
    def bound(self) -> float | None:
        """2/λ_max where the curvature was computed and points upward, else None."""
        if self.curvature is None or not math.isfinite(self.curvature.bound):
            return None
        return self.curvature.bound

    @property
    def suggested_rate(self) -> float | None:
        """A learning rate to try next: 1/λ_max where that explains the failure, else a tenth of this one.

        >>> failed = Diagnosis(Cause.DIVERGED, Remedy.SMALLER_STEP, 12, 9e9, 1.0, 1.0, 0.6,
        ...                    curvature=Curvature(4.0, is_quadratic=True))
        >>> failed.suggested_rate
        0.25
        """
        if self.remedy is not Remedy.SMALLER_STEP:
            return None
        if self.bound is not None and self.bound <= self.learning_rate:
            return self.bound / 2.0
        return self.learning_rate / SAFETY

    def __str__(self) -> str:
        """One plain English line: what; what to do."""
        return f"iteration {self.iteration}: {self._what()}; {self._what_to_do()}"

    def _what(self) -> str:
        where = f", and the gradient of {self.parameter} is not finite" if self.parameter else ""
        where += f", because {self.origin}" if self.origin else ""
        match self.cause:
            case Cause.DIVERGED:
                return (
                    f"the loss rose from {self.best_loss:.6g} to {self.loss:.6g} "
                    f"with learning rate {self.learning_rate:.6g}"
                )
            case Cause.NOT_FINITE:
                rate = f"after a step with learning rate {self.learning_rate:.6g}"
                return f"the loss is {self.loss:.6g} {rate}{where}"
            case Cause.NOT_FINITE_AT_START:
                return f"the loss is {self.loss:.6g} at the starting values{where}"
            case Cause.UNBOUNDED:
                return f"the loss fell from {self.start_loss:.6g} to -infinity"

    def _what_to_do(self) -> str:
        match self.remedy:
            case Remedy.OTHER_START:
                return "change the starting values, or the data that take the model out of its domain"
            case Remedy.BOUND_THE_LOSS:
                return "it has no minimum: check its sign, or add a penalty"
            case Remedy.SMALLER_STEP:
                return self._smaller_step()

    def _smaller_step(self) -> str:
        if self.bound is None or self.curvature is None or self.bound > self.learning_rate:
            return f"try {self.suggested_rate:.6g}, or backtracking"
        known = f"2/λ_max = {self.bound:.6g}"
        if self.curvature.is_quadratic:
            return f"the loss is quadratic: use one below {known}, such as {self.suggested_rate:.6g}"
        return f"use one below the local estimate {known}, such as {self.suggested_rate:.6g}, or backtracking"
