"""How a derived line is compared with a textbook's: the same normal form, and how much longer it may be."""

from __future__ import annotations

from symgrad.graph.expression import Apply
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts

# A shown line may print this many times the symbols of the textbook's.
LONGEST = 1.2


def dissolved(derivation, e):
    """An expression in the leaves alone: cotangents first, then the intermediates that they are written in."""
    equations = [*derivation.forward, *derivation.backward]
    for eq in reversed(equations):
        e = substitute(e, {eq.target: eq.expression})
    return e


def normal_form(derivation, e):
    """Multiplied out and with every fact used: equal for all ways of writing the same thing."""
    softmaxes = {
        eq.target: eq.expression
        for eq in derivation.forward
        if isinstance(eq.expression, Apply) and eq.expression.primitive == "softmax"
    }
    form = expand(to_form(dissolved(derivation, e)))
    assert form is not None, "too long to be multiplied out"
    return Facts(softmaxes).apply(form)
