"""Losses with kinks: a gradient of 0 there is a convention, and second derivatives are no curvature."""

from __future__ import annotations

from dataclasses import replace

from symgrad.extrema.found import Basis, Found, Kind
from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf, Role
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES


def has_kinks(loss: Expr) -> bool:
    """Whether a function with a kink holds a parameter.

    >>> from symgrad.primitives.language import data, parameter, relu, tanh
    >>> x = parameter("x")
    >>> has_kinks(relu(x)), has_kinks(tanh(x) + relu(data("a")))
    (True, False)
    """
    holding: set[Expr] = set()
    for node in postorder([loss]):
        is_parameter = isinstance(node, Leaf) and node.role is Role.PARAMETER
        if is_parameter or any(child in holding for child in node.children):
            holding.add(node)
        if node not in holding or not isinstance(node, Elementwise | Apply):
            continue
        entry = FUNCTIONS[node.function] if isinstance(node, Elementwise) else PRIMITIVES[node.primitive]
        if entry.kink is not None:
            return True
    return False


def without_kinks(loss: Expr, found: Found) -> Found:
    """Of a loss with kinks only what follows from convexity: a subgradient of 0 is a minimum there too."""
    if not has_kinks(loss):
        return found
    points = tuple(
        p
        if p.basis in {Basis.CONVEX, Basis.CONCAVE}
        else replace(p, kind=Kind.UNDECIDED, basis=Basis.UNKNOWN, is_global=False, witness=None)
        for p in found.points
    )
    return replace(found, points=points, is_complete=False, has_kinks=True)
