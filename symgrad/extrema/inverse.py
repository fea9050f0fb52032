"""Square matrices that a gradient holds through their inverses alone: the equation is affine in X = θ⁻¹."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.derive.derivation import Derivation
from symgrad.derive.engine import derive
from symgrad.derive.proof import prove
from symgrad.extrema.affine import expanded_in, holds, solve_affine
from symgrad.extrema.found import Condition, Need, Side, Step
from symgrad.extrema.upright import shortest_written
from symgrad.graph.expression import Apply, Expr, Leaf, Role, leaf, power, scale
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.convert import rebuild, substitute, to_form
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.matrix import to_expression


def inverse_of(e: Expr) -> Expr:
    """e⁻¹; (e⁻¹)⁻¹ is e."""
    if isinstance(e, Apply) and e.primitive == "inv":
        return e.operands[0]
    return PRIMITIVES["inv"](e)


def solve_by_inverse(
    g: Expr, theta: Leaf, facts: Facts, put_in: Sequence[Leaf], definitions: Mapping[Leaf, Expr]
) -> Step | None:
    """θ = (θ⁻¹)⁻¹ where g is affine in θ⁻¹: the precision matrix of a Gaussian."""
    if theta.rank != 2 or theta.shape[0] != theta.shape[1]:
        return None
    form = expanded_in(to_form(g), theta)
    if form is None:
        return None
    whole = PRIMITIVES["inv"](theta)
    unknown = inverse_leaf(theta)
    swapped = substitute(to_expression(form), {whole: unknown})
    if holds(swapped, [theta]):
        return None
    step = solve_affine(swapped, unknown, facts, put_in, definitions)
    if step is None:
        return None
    solution = inverse_of(step.solution)
    return replace(
        step,
        parameter=theta,
        side=Side.INVERSE,
        left=substitute(step.left, {unknown: whole}),
        solution=solution,
        conditions=(*step.conditions, Condition(Need.INVERTIBLE, step.solution)),
    )


def solve_in_inverse(
    loss: Expr, theta: Leaf, facts: Facts, put_in: Sequence[Leaf], definitions: Mapping[Leaf, Expr]
) -> Step | None:
    """θ = Q⁻¹ where the loss holds θ through its inverse and its determinant: the covariance of a Gaussian.

    Stationary points do not depend on the coordinates: ∂L/∂Q = 0 exactly where ∂L/∂θ = 0. The step's equation is in Q,
    and is proved from the derivative by Q; put into ∂L/∂θ its solution is verified in numbers.
    """
    if theta.rank != 2 or theta.shape[0] != theta.shape[1]:
        return None
    other = inverse_leaf(theta)
    written = in_inverse(loss, theta, other)
    if written is None:
        return None
    g = _gradient(prove(derive(written, wrt=[other.name])), other)
    step = solve_by_inverse(g, other, facts, put_in, definitions)
    if step is None:
        return None
    back = PRIMITIVES["inv"](theta)
    return replace(
        step,
        parameter=theta,
        left=substitute(step.left, {PRIMITIVES["inv"](other): theta, other: back}),
        solution=shortest_written(inverse_of(step.solution), facts),
        in_coordinates=True,
    )


def _gradient(derivation: Derivation, x: Leaf) -> Expr:
    """∂L/∂x with every name put in."""
    g = derivation.gradients[x.name]
    for eq in (*reversed(derivation.backward), *reversed(derivation.forward[:-1])):
        g = substitute(g, {eq.target: eq.expression})
    return g


def inverse_leaf(theta: Leaf) -> Leaf:
    """The parameter Q that stands for θ⁻¹."""
    return leaf(f"{theta.name}_inverse", theta.shape, Role.PARAMETER)


def in_inverse(loss: Expr, theta: Leaf, other: Leaf) -> Expr | None:
    """The loss over Q = θ⁻¹; None where θ stands elsewhere than in inverses and determinants.

    >>> from symgrad.primitives.language import data, dims, inv, logdet, parameter, trace
    >>> d = dims("d")
    >>> S, V, Q = data("S", d, d), parameter("V", d, d), parameter("Q", d, d)
    >>> print(in_inverse(trace(inv(V) @ S) + logdet(V), V, Q))
    trace(Q @ S) + -logdet(Q)
    """
    new: dict[Expr, Expr] = {}
    for node in postorder([loss]):
        built = rebuild(node, [new[child] for child in node.children])
        if isinstance(node, Apply) and node.operands[0] is theta:
            if node.primitive == "inv":
                built = other
            elif node.primitive == "solve":
                built = other @ new[node.operands[1]]
            elif node.primitive == "logdet":
                built = scale(-1, PRIMITIVES["logdet"](other))
            elif node.primitive == "det":
                built = power(PRIMITIVES["det"](other), -1)
        new[node] = built
    found = new[loss]
    return None if holds(found, [theta]) or not holds(found, [other]) else found
