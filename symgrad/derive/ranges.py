"""Intervals [low, high] of real numbers, ends included or infinite: what is known of the size of a node's entries."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from `low` to `high`.

    >>> Range(-1, 2) * Range(3, 4), Range(-1, 2).power(2)
    (Range(low=-4, high=8), Range(low=0.0, high=4))
    """

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        ends = (other.low, other.high) if isinstance(other, Range) else (other, other)
        products = [_times(a, b) for a in (self.low, self.high) for b in ends]
        return Range(min(products), max(products))

    def power(self, p: Fraction | int) -> Range:
        """All xᵖ: exact where x is not negative or p is a positive whole number, else everything."""
        if p == 1:
            return self
        if p > 0 and p.denominator == 1 and p.numerator % 2 == 0:
            largest = max(abs(self.low), abs(self.high))
            smallest = 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
            return Range(_power(smallest, p), _power(largest, p))
        if self.low < 0:
            return ALL
        ends = (_power(self.low, p), _power(self.high, p))
        return Range(min(ends), max(ends))

    def image(self, rising: Callable[[float], float]) -> Range:
        """All f(x) of a function that rises."""
        return Range(rising(self.low), rising(self.high))

    def summed(self) -> Range:
        """All sums of one or more such numbers."""
        return Range(self.low if self.low >= 0 else -math.inf, self.high if self.high <= 0 else math.inf)


ALL = Range(-math.inf, math.inf)
NONNEGATIVE = Range(0.0, math.inf)
AT_LEAST_ONE = Range(1.0, math.inf)
UNIT = Range(0.0, 1.0)
SIGNED_UNIT = Range(-1.0, 1.0)


def _times(a: float, b: float) -> float:
    # 0 · ∞ is 0 here: an entry is finite, an infinite end says only that no bound is known.
    return 0.0 if a == 0 or b == 0 else a * b


def _power(x: float, p: Fraction | int) -> float:
    if p < 0 and x == 0:
        return math.inf
    try:
        return float(x ** float(p)) if p.denominator != 1 else x ** int(p)
    except OverflowError:
        return math.inf
