"""The whole gradient against differences: all parameters at once along a random direction, 50 digits, three points.

The differences are taken of the loss as the user wrote it, not of the derivation's own forward lines, so that naming and
recognising are checked too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.derive.derivation import Derivation, EndToEnd, Equation
from symgrad.derive.samples import Draw, assignments, entries_of, positive_leaves, sizes_in
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, Environment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array, Scalars
from symgrad.records import dataclass

DIGITS = 50
# Digits beyond these, which rounding may eat where the loss cancels; differences below NOISE are what it leaves of 0.
GUARD = 30
NOISE = Fraction(1, 10**52)
POINTS = 3
MOST_DRAWN = 60
# How many points are drawn near 0, and how far away the others are.
NEAR = 40
FAR = (Fraction(9), Fraction(80), Fraction(1, 9))
# Differences err by h² times the third derivative and by 10^-50/h: this h leaves room for a third derivative of 10^20.
STEP = Fraction(1, 10**20)
TOLERANCE = Fraction(1, 10**20)
DEFECT = "this is a defect of symgrad, please report the model"


@dataclass(frozen=True, slots=True)
class Point:
    """Random values of the leaves at one assignment of sizes; `draw` goes on for a direction."""

    values: dict[Leaf, Array]
    sizes: Assignment
    draw: Draw
    s: Reals


def check(derivation: Derivation, loss: Expr, points: int = POINTS) -> Derivation:
    """The derivation with its end-to-end check; CheckFailed where a gradient differs from the differences of `loss`."""
    roots = [loss, *(eq.expression for eq in derivation.forward), *(eq.target for eq in derivation.backward)]
    assumed = [eq.target.name for eq in derivation.forward if eq.target.facts]
    found = compared(
        [loss],
        roots,
        lambda point: _error_at(derivation, loss, point),
        "the gradient differs from the loss's",
        points,
        f"what is assumed of {' or '.join(assumed)} does not hold; mend or drop sg.assume" if assumed else DEFECT,
    )
    return replace(derivation, end_to_end=found)


def compared(
    of: Sequence[Expr],
    roots: Sequence[Expr],
    error_at: Callable[[Point], Fraction | None],
    what: str,
    points: int = POINTS,
    blame: str = DEFECT,
) -> EndToEnd:
    """The largest error over some points at which there is one; CheckFailed where it is no rounding error.

    `of` holds the leaves that get values, `roots` the sizes; None from `error_at` means a point outside the domain.
    `blame` says whose mistake a difference is.
    """
    # A Gram matrix is singular at sizes of which the wrong one is larger: each assignment takes its turn.
    chosen = assignments(sizes_in(roots))
    leaves = [e for e in postorder(of) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    positive, s = positive_leaves(of), Reals(DIGITS + GUARD)
    largest, done = Fraction(0), 0
    for seed in range(MOST_DRAWN):
        error = error_at(_point(seed, leaves, positive, chosen[seed // 4 % len(chosen)], s))
        if error is None:
            continue
        if not error < TOLERANCE:
            raise CheckFailed(f"{what} differences by {float(error):.2g} of its size; {blame}")
        largest, done = max(largest, error), done + 1
        if done == points:
            return EndToEnd(points, largest)
    raise CheckFailed(
        "no point was found at which the loss has a value; state facts such as positive=True for data that need them"
    )


def _point(seed: int, leaves: Sequence[Leaf], positive: Collection[Leaf], sizes: Assignment, s: Reals) -> Point:
    # Near 0 first, where nothing saturates; farther away only where no point near 0 has a value: log(u - 5).
    draw = Draw(seed, s, Fraction(1) if seed < NEAR else FAR[seed % len(FAR)])
    # Half of the points have positive entries only: logarithms and roots of parameters then have a value.
    is_positive = seed % 2 == 1 or seed >= NEAR
    values = {e: draw.array(e, sizes, is_positive=is_positive or e in positive) for e in leaves}
    return Point(values, sizes, draw, s)


def relative_error(slope: Any, up: Any, down: Any, s: Reals) -> Fraction:
    """|slope - (up - down)/2h| over its size."""
    difference = (up - down) / (2 * s.number(STEP))
    if abs(slope - difference) < s.number(NOISE):
        return Fraction(0)
    # The floor is what rounding leaves of a difference, far below what is compared.
    floor = (abs(up) + abs(down)) * s.number(Fraction(1, 10**8))
    relative = abs(slope - difference) / (abs(slope) + abs(difference) + floor)
    return Fraction(str(s.context.nstr(relative, 5, min_fixed=1, max_fixed=0)))


def _error_at(derivation: Derivation, loss: Expr, point: Point) -> Fraction | None:
    """|⟨gradient, direction⟩ - difference| over its size at one random point; None outside the domain."""
    values, sizes, s = point.values, point.sizes, point.s
    direction = {e: point.draw.array(e, sizes) for e in derivation.parameters if e in values}
    at = [evaluate([loss], _moved(values, direction, k, s), sizes, s)[0] for k in (-1, 0, 1)]
    if not all(_is_finite(a, s) for a in at):
        return None
    gradients = gradients_at(derivation, values, sizes, s)
    slope = sum(
        (g * v for e in direction for g, v in zip(entries_of(gradients[e]), entries_of(direction[e]), strict=True)),
        s.number(Fraction(0)),
    )
    return relative_error(slope, at[2][()], at[0][()], s) if s.context.isfinite(slope) else None


def gradients_at(derivation: Derivation, values: Environment, sizes: Assignment, s: Scalars) -> dict[Leaf, Array]:
    """The parameters' gradients by the derivation's own lines, forward and backward."""
    known = values_at((*derivation.forward, *derivation.backward), values, sizes, s)
    wanted = {eq.variable: known[eq.target] for eq in derivation.backward if eq.variable is not None}
    return {p: wanted[p] for p in derivation.parameters}


def values_at(equations: Sequence[Equation], values: Environment, sizes: Assignment, s: Scalars) -> dict[Leaf, Array]:
    """The values of all names that the equations define."""
    known = dict(values)
    for eq in equations:
        known[eq.target] = evaluate([eq.expression], known, sizes, s)[0]
    return known


def _moved(values: dict[Leaf, Array], direction: dict[Leaf, Array], steps: int, s: Reals) -> dict[Leaf, Array]:
    h = s.number(STEP) * steps
    return {**values, **{e: values[e] + direction[e] * h for e in direction}}


def _is_finite(a: Array, s: Reals) -> bool:
    return all(s.context.isfinite(x) for x in entries_of(np.asarray(a, dtype=object)))
