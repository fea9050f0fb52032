"""Numerator layout: the lines of a derivation transposed, each proved to be the transpose of the line it comes from.

The derivation stays as it is, with gradients of their parameters' shapes: proofs and programs read that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from symgrad.derive.derivation import Derivation, Equation, Line, Proof
from symgrad.derive.equality import prove_equal, worst
from symgrad.derive.steps import without_names
from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Role, Shape
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.turn import NONE, flipped, row_of, turned

Layout = Literal["denominator", "numerator"]
LAYOUTS = ("denominator", "numerator")


def shape_in_rows(shape: Shape) -> Shape:
    """The shape of ∂L/∂v in numerator layout: a row for a vector, d × k for a matrix of shape k × d."""
    return (ONE, *shape) if len(shape) == 1 else shape[::-1]


def in_rows(eq: Equation, stand_ins: Mapping[Expr, Expr] = NONE) -> tuple[Line, ...]:
    """The lines of a step transposed; one that reads like the line before it (Kᵀ is K) is left out."""
    found: list[Line] = []
    symmetric: set[Expr] = set()
    for line in eq.lines:
        symmetric |= _symmetric_in(line)
        expression = turned(line.expression, stand_ins, symmetric)
        if not found or expression is not found[-1].expression:
            found.append(replace(line, expression=expression))
    return tuple(found)


def prove_in_rows(derivation: Derivation) -> Proof:
    """How sure it is that every line, as numerator layout prints it, is the transpose of the proved one.

    InputError where a derivative has more than two axes, CheckFailed where a line is not the transpose.
    """
    for eq in derivation.backward:
        if len(eq.shape) > 2:
            raise InputError(
                f"the derivative by {eq.name} has {len(eq.shape)} axes, and numerator layout is for vectors and"
                " matrices; use --layout denominator"
            )
    proofs: dict[tuple[bytes, ...], Proof] = {}
    for eq in derivation.backward:
        symmetric: set[Expr] = set()
        for line in eq.lines:
            symmetric |= _symmetric_in(line)
            straight = flipped(line.expression)
            row = _over_columns(turned(line.expression, NONE, symmetric), line.expression)
            # Lines that are the same but for names, as in the layers of a net, are compared once.
            key = tuple(e.digest for e in without_names([straight, row]).roots)
            if key not in proofs or symmetric:
                definitions = _definitions_of(derivation, symmetric)
                what = f"the step ({eq.label}) for {eq.name} in numerator layout"
                (proved,) = prove_equal((straight, row), [Line(row, line.reason)], definitions, what)
                proofs[key] = proved.proof
    verdict = worst({proof.verdict for proof in proofs.values()})
    widest = max(proofs.values(), key=lambda p: max((len(s) for s in p.sizes), default=0), default=None)
    return Proof(verdict, widest.sizes if widest is not None else ())


def _symmetric_in(line: Line) -> set[Expr]:
    return {array for fact, array in line.reason.facts if fact == "symmetric"}


def _over_columns(row: Expr, line: Expr) -> Expr:
    """A transposed line with the cotangents of the line itself put in for its rows."""
    held = [x for x in postorder([line]) if isinstance(x, Leaf) and x.role is Role.COTANGENT and x.rank]
    return substitute(row, {row_of(x): flipped(x) for x in held})


def _definitions_of(derivation: Derivation, names: set[Expr]) -> dict[Leaf, Expr]:
    """What names are made of, down to the declared arrays, in the order of computation."""
    wanted, found = set(names), dict[Leaf, Expr]()
    for eq in reversed(derivation.forward):
        if eq.target in wanted:
            found[eq.target] = eq.expression
            wanted |= set(postorder([eq.expression]))
    return dict(reversed(found.items()))
