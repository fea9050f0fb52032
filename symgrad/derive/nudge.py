"""What a derivative says, in numbers: one entry of one parameter raised a little, the change predicted and the change found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symgrad.derive.derivation import Derivation
from symgrad.derive.endtoend import gradients_at
from symgrad.derive.samples import Draw, assignments, positive_leaves, sizes_in
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array

EPSILON = Fraction(1, 1000)
DIGITS = 30
MOST_DRAWN = 40


@dataclass(frozen=True, slots=True)
class Nudge:
    """At sample numbers: the loss, one entry of a gradient, and the change of the loss when that entry is raised by ε."""

    parameter: Leaf
    place: tuple[int, ...]
    sizes: Mapping[str, int]
    epsilon: Fraction
    loss: float
    slope: float
    predicted: float
    actual: float


def nudge(derivation: Derivation, loss: Expr) -> Nudge | None:
    """The entry with the steepest slope of the first parameter, at small random numbers; None where no point has a value."""
    sizes = assignments(sizes_in([loss, *(eq.expression for eq in derivation.forward)]), 1)[0]
    s = Reals(DIGITS)
    leaves = [e for e in postorder([loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    positive = positive_leaves([loss])
    for seed in range(MOST_DRAWN):
        draw = Draw(1000 + seed, s)
        values = {e: draw.array(e, sizes, is_positive=seed % 2 == 1 or e in positive) for e in leaves}
        value = evaluate([loss], values, sizes, s)[0][()]
        if s.context.isfinite(value):
            found = _at(derivation, loss, values, sizes, s)
            if found is not None:
                return found
    return None


def _at(derivation: Derivation, loss: Expr, values: dict[Leaf, Array], sizes: Assignment, s: Reals) -> Nudge | None:
    gradients = gradients_at(derivation, values, sizes, s)
    parameter = next((p for p in derivation.parameters if p in values), None)
    if parameter is None:
        return None
    gradient = gradients[parameter]
    place = max(np.ndindex(np.shape(gradient)), key=lambda at: abs(gradient[at]))
    moved = np.array(values[parameter], dtype=object)
    moved[place] = moved[place] + s.number(EPSILON)
    before = evaluate([loss], values, sizes, s)[0][()]
    after = evaluate([loss], {**values, parameter: moved}, sizes, s)[0][()]
    if not s.context.isfinite(after):
        return None
    slope = gradient[place]
    predicted = slope * s.number(EPSILON)
    numbers = [float(x) for x in (before, slope, predicted, after - before)]
    return Nudge(parameter, place, dict(sizes.names), EPSILON, *numbers)
