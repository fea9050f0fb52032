"""Names put back into an equation: H again where its definition stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symgrad.extrema.found import Step
from symgrad.graph.expression import Expr, Leaf
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.matrix import to_expression


def named_again(step: Step, names: Mapping[Leaf, Expr]) -> Step:
    """The step with names for what they are defined as; those whose definitions hold the others come first."""
    new: dict[Expr, Expr] = {}
    for name, definition in reversed(list(names.items())):
        for written in (definition, to_expression(to_form(definition))):
            if not isinstance(written, Leaf):
                new.setdefault(written, name)
    return replace(
        step,
        left=substitute(step.left, new),
        right=substitute(step.right, new),
        matrix=substitute(step.matrix, new),
        solution=substitute(step.solution, new),
        conditions=tuple(replace(c, of=substitute(c.of, new)) for c in step.conditions),
    )
