"""What tells a run that fails or has finished from one that is merely not monotone."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.optimize.objective import Point

PATIENCE = 10
"""Iterations in a row that must look bad before anything is concluded from them."""

GROWTH = 1e6
"""How many times the scale of the starting loss is too high; good runs have been seen to rise by 1e4."""

QUIET = 200
"""Iterations in a row without progress beyond rounding, after which there is none to come."""

ESCAPING = 10.0
"""A gradient this many times its smallest norm is leaving a saddle, however still the loss is."""


@dataclass(slots=True)
class Watch:
    """Counts, over a run with fixed data, how long the loss has been rising, too high, or still.

    Rising: on a quadratic L_k − L* is a sum of c_i(1 − αλ_i)^{2k}, convex in k, so that a loss that rises
    once rises for ever. Other losses rise for a while on good runs, and are left alone until they are too
    high. Too high: above the start by `GROWTH` times |L₀| or the decrease α‖∇L₀‖² that the first step
    promised, whichever is larger; the second, because |L₀| alone may be near zero by accident. Still:
    neither loss nor gradient moves beyond rounding, and rounding is all that a step promises.
    """

    start: Point
    first_step: float
    rising: int = 0
    high: int = 0
    quiet: int = 0
    ceiling: float = field(init=False)
    quiet_loss: float = field(init=False)
    smallest_gradient: float = field(init=False)

    def __post_init__(self) -> None:
        promised = self.first_step * self.start.gradient_norm * self.start.gradient_norm
        self.ceiling = self.start.loss + GROWTH * max(abs(self.start.loss), promised)
        self.quiet_loss = self.start.loss
        self.smallest_gradient = self.start.gradient_norm

    def see(self, before: Point, point: Point, step: float) -> None:
        """Take note of one more step, of length `step` from `before` to `point`, both finite."""
        rounding = point.rounding
        self.rising = self.rising + 1 if point.loss > before.loss else 0
        self.high = self.high + 1 if point.loss > self.ceiling else 0
        # A step that promises more than rounding and brings nothing is too long; that is no end of descent.
        is_promising = step * point.gradient_norm * point.gradient_norm > rounding
        is_lower = point.loss < self.quiet_loss - rounding
        is_flatter = point.gradient_norm < self.smallest_gradient
        is_escaping = point.gradient_norm > ESCAPING * self.smallest_gradient
        self.quiet = 0 if is_promising or is_lower or is_flatter or is_escaping else self.quiet + 1
        if self.quiet == 0:
            self.quiet_loss = point.loss
        self.smallest_gradient = min(self.smallest_gradient, point.gradient_norm)

    @property
    def is_rising(self) -> bool:
        """True where the loss has risen for `PATIENCE` iterations in a row."""
        return self.rising >= PATIENCE

    @property
    def is_too_high(self) -> bool:
        """True where the loss has been too high for `PATIENCE` iterations in a row."""
        return self.high >= PATIENCE

    @property
    def is_still(self) -> bool:
        """True where neither loss nor gradient has made progress for `QUIET` iterations in a row."""
        return self.quiet >= QUIET
