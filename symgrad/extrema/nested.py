"""Minima found one parameter after the other: L(θ, φ) ≥ L(θ*, φ) for every φ, and L(θ*, φ) ≥ L(θ*, φ*).

Each parameter's loss, those before it put in, is convex for all values that the others may have; so no convexity in all
parameters together is needed. The last may be a scalar with one stationary point on its whole interval, a minimum there.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.derive.convexity import curve_of
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove
from symgrad.extrema.curvature import by_hessian, in_coordinates, positive_in_domain
from symgrad.extrema.found import Point, Step
from symgrad.extrema.hessians import block_of
from symgrad.graph.expression import Expr, Leaf, Role, leaf
from symgrad.rewrite.convert import substitute


def is_nested_minimum(loss: Expr, steps: Sequence[Step], last: Leaf | None, points: Sequence[Point]) -> bool:
    """Whether the point that steps (and, for the `last` parameter, SymPy) found is a global minimum for that reason.

    >>> from symgrad.primitives.language import data, log, parameter
    >>> x, v = data("x"), parameter("v")
    >>> is_nested_minimum(log(v) + x * x / v, [], v, [])
    False
    """
    unknown = [s.parameter for s in steps] + ([last] if last is not None else [])
    current = loss
    for step in steps:
        theta = step.parameter
        others = [x for x in unknown if x is not theta]
        fixed: dict[Expr, Expr] = {x: leaf(x.name, x.shape, Role.DATA) for x in others}
        held = substitute(current, {**fixed, **positive_in_domain(current, others)})
        if not _is_convex(held, theta):
            return False
        current, unknown = substitute(current, {theta: step.solution}), others
    if last is None:
        return True
    is_interval = bool(positive_in_domain(loss, [last]))
    return is_interval and len(points) == 1 and points[0].is_single_minimum


def _is_convex(loss: Expr, theta: Leaf) -> bool:
    """Whether the loss is convex in its only parameter: by composition, by its Hessian, or in θ⁻¹."""
    if curve_of(loss).convex:
        return True
    derivation = prove(derive(loss, wrt=[theta.name]))
    made = block_of(derivation, theta, theta) if theta.rank < 2 else None
    if made is not None:
        hessian = made.expression
        for eq in reversed(derivation.forward[:-1]):
            hessian = substitute(hessian, {eq.target: eq.expression})
        found = by_hessian(loss, hessian, theta)
        return found is not None and found.is_convex
    found = in_coordinates(loss, theta)
    return found is not None and found.is_convex
