"""Signs of differences: of a - b and b - a, equal but for the sign of their term, the one that reads better."""

from __future__ import annotations

from fractions import Fraction

from symgrad.rewrite.expand import holds_sum, map_groups
from symgrad.rewrite.form import WHOLE, Factor, Form, Term, extents, make_term, with_terms


def oriented(form: Form) -> Form:
    """1 - s rather than -(s - 1), and one orientation for a difference that stands twice in a product.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n = dims("n")
    >>> s, a, y = data("s", n), data("a", n), data("y", n)
    >>> str(to_expression(oriented(to_form(y - s * (s - 1))))), str(to_expression(oriented(to_form((s - a) * (a - s)))))
    ('y + s * (1 - s)', '-(s - a)**2')
    """
    if not holds_sum(form):
        return form
    inner = map_groups(form, oriented)
    return with_terms(inner, [_oriented(t, len(inner.shape)) for t in inner.terms])


def _oriented(term: Term, rank: int) -> Term:
    coefficient, factors = term.coefficient, list[Factor]()
    for f in term.factors:
        turned = _negative(f.atom) if isinstance(f.atom, Form) and _is_odd(f.power) else None
        is_before = turned is not None and any(g.atom == turned for g in factors if isinstance(g.atom, Form))
        if turned is not None and (is_before or _reads_better_turned(f.atom, term)):
            coefficient, f = -coefficient, Factor(turned, f.indices, f.power)
        factors.append(f)
    if coefficient == term.coefficient:
        return term
    return make_term(coefficient, factors, rank, extents(term.factors))


def _is_odd(power: Fraction) -> bool:
    return power is WHOLE or (power.denominator == 1 and int(power) % 2 == 1)


def _negative(form: Form) -> Form:
    return Form(form.shape, tuple(t.scaled(Fraction(-1)) for t in form.terms))


def _reads_better_turned(atom: object, term: Term) -> bool:
    """Whether a sum is s - 1 where that makes the term positive, or beside s itself: s(1 - s) is what one knows."""
    if not isinstance(atom, Form) or len(atom.terms) != 2:
        return False
    constants = [t.coefficient for t in atom.terms if not t.factors]
    (other,) = [t for t in atom.terms if t.factors] if len(constants) == 1 else [None]
    if other is None or constants != [-1] or other.coefficient <= 0:
        return False
    beside = {f.digest for f in term.factors}
    return term.coefficient < 0 or all(f.digest in beside for f in other.factors)
