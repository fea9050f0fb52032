"""An operation with an index for each of its axes: what products are made of."""

from __future__ import annotations

from symgrad.compile.operations import Op
from symgrad.compile.order import Indices
from symgrad.records import dataclass


# Never changed once made, and made by the hundred: `frozen` would double the cost of each.
@dataclass(eq=False, slots=True)
class Array:
    """An operation with an index for each axis: x, 1/x where it is a divisor, x⁻¹ where it is an inverse."""

    op: Op
    indices: Indices
    is_divisor: bool = False
    is_inverse: bool = False

    @property
    def key(self) -> tuple[int, bool, bool]:
        """Which array it is, whatever its indices."""
        return id(self.op), self.is_divisor, self.is_inverse
