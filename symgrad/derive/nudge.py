"""What a derivative says, in numbers: one entry of one parameter raised a little, the change predicted and the change found."""

from __future__ import annotations

from collections.abc import Mapping
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
from symgrad.records import dataclass

EPSILON = Fraction(1, 1000)
DIGITS = 30
MOST_DRAWN = 40
# A slope that differs more from what is found, as far back in a deep net, says nothing to a reader.
CLOSE = Fraction(1, 50)


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
    """The entry with the steepest slope of a parameter, at small random numbers; None where no point has a value.

    The parameter is the first one of which the change found is close to the one predicted, else the last one.
    """
    sizes = assignments(
        sizes_in([loss, *(eq.expression for eq in derivation.forward), *(eq.target for eq in derivation.backward)]), 1
    )[0]
    s = Reals(DIGITS)
    leaves = [e for e in postorder([loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    positive = positive_leaves([loss])
    flat: Nudge | None = None
    for seed in range(MOST_DRAWN):
        draw = Draw(1000 + seed, s)
        values = {e: draw.array(e, sizes, is_positive=seed % 2 == 1 or e in positive) for e in leaves}
        value = evaluate([loss], values, sizes, s)[0][()]
        if s.context.isfinite(value):
            found = _at(derivation, loss, values, sizes, s)
            if found is not None and found.slope:
                return found
            # Where every unit is off nothing changes: true, and no example.
            flat = flat or found
    return flat


def _at(derivation: Derivation, loss: Expr, values: dict[Leaf, Array], sizes: Assignment, s: Reals) -> Nudge | None:
    gradients = gradients_at(derivation, values, sizes, s)
    last = None
    # Halving the way to the end, a net of any depth is asked a few times only.
    parameters = [p for p in derivation.parameters if p in values]
    while parameters:
        found = _of(parameters[0], gradients[parameters[0]], loss, values, sizes, s)
        if found is not None and abs(found.actual - found.predicted) <= CLOSE * abs(found.predicted):
            return found
        last = found or last
        parameters = parameters[(len(parameters) + 1) // 2 :]
    return last


def _of(
    parameter: Leaf, gradient: Array, loss: Expr, values: dict[Leaf, Array], sizes: Assignment, s: Reals
) -> Nudge | None:
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
