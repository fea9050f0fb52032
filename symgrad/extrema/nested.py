"""Minima found one parameter after the other: L(θ, φ) ≥ L(θ*, φ) for every φ, and L(θ*, φ) ≥ L(θ*, φ*).

Each parameter's loss, those before it put in, is convex for all values that the others may have; so no convexity in all
parameters together is needed. The last may be a scalar with one stationary point on its whole interval, a minimum there.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.derive.convexity import curve_of
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove
from symgrad.extrema.affine import holds
from symgrad.extrema.curvature import by_hessian, in_coordinates, is_partial, positive_in_domain
from symgrad.extrema.found import Point, Step
from symgrad.extrema.hessians import block_of
from symgrad.graph.expression import Apply, Contraction, Expr, Leaf, Linear, Role, leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute


def is_nested_minimum(loss: Expr, steps: Sequence[Step], last: Leaf | None, points: Sequence[Point]) -> bool:
    """Whether the point that steps (and, for the `last` parameter, SymPy) found is a global minimum for that reason.

    `points` are all zeros of the last parameter's equation, where these are known.

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
    if _is_convex(substitute(current, {x: leaf(x.name, x.shape, Role.DATA) for x in unknown if x is not last}), last):
        return True
    return is_positive_axis(loss, last) and len(points) == 1 and points[0].is_single_minimum


def is_positive_axis(loss: Expr, x: Leaf) -> bool:
    """Whether the loss is defined exactly for x > 0 as far as x is concerned: log x occurs, and no log(x - 1).

    >>> from symgrad.primitives.language import log, parameter
    >>> x = parameter("x")
    >>> is_positive_axis(log(x) + 1 / x, x), is_positive_axis(log(x) + 1 / (x - 1), x), is_positive_axis(x**2, x)
    (True, False, False)
    """
    for node in postorder([loss]):
        if not holds(node, [x]) or not is_partial(node):
            continue
        e = node.children[0]
        while _is_positive_multiple(e):
            e = e.children[0]
        if e is not x or isinstance(node, Apply) or (node.kind == "elementwise" and len(node.children) > 1):
            return False
    return bool(positive_in_domain(loss, [x]))


def _is_positive_multiple(e: Expr) -> bool:
    """Whether a node repeats its operand, or multiplies it by a positive number."""
    is_repeated = isinstance(e, Contraction) and len(e.operands) == 1
    return is_repeated or (isinstance(e, Linear) and len(e.terms) == 1 and e.terms[0][0] > 0)


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
