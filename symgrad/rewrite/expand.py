"""Multiplying out: sums in parentheses at whole positive powers are distributed over the product that holds them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from symgrad.graph.expression import CONSTANT_ROLES, Leaf, Role
from symgrad.rewrite.form import (
    WHOLE,
    Atom,
    Factor,
    Form,
    IsSymmetric,
    Term,
    bound_indices,
    extents,
    make_term,
    never,
    relabel,
    with_terms,
)

# Products of sums beyond this many terms are no longer readable, and are left in parentheses.
MOST_TERMS = 48
HIGHEST_POWER = 4


class Exactly:
    """A form, by which what was made of it is found again, written alike."""

    __slots__ = ("form",)

    def __init__(self, form: Form) -> None:
        self.form = form

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exactly) and (self.form is other.form or self.form.exact == other.form.exact)

    def __hash__(self) -> int:
        return hash(self.form.exact)


def expand(form: Form, *, only_reciprocals: bool = False, is_symmetric: IsSymmetric = never) -> Form | None:
    """Distribute sums over products; None where the result would be too long to read.

    With `only_reciprocals`, only sums that hold a reciprocal are distributed: (a/p + b/q)·p·q becomes a·q + b·p, and
    what cancels is gone before anything else is multiplied out.
    """
    if len(form.terms) <= MOST_TERMS and not _is_to_distribute(form, only_reciprocals):
        return form
    if is_symmetric is never:
        return _expanded(Exactly(form), only_reciprocals)
    return _distributed(form, only_reciprocals, is_symmetric)


@lru_cache(maxsize=2048)
def _expanded(exactly: Exactly, only_reciprocals: bool) -> Form | None:
    return _distributed(exactly.form, only_reciprocals, never)


def _is_to_distribute(form: Form, only_reciprocals: bool) -> bool:
    for term in form.terms:
        for f in term.factors:
            if is_open(f) and (not only_reciprocals or has_reciprocal(f.atom)):
                return True
    return False


def _distributed(form: Form, only_reciprocals: bool, is_symmetric: IsSymmetric) -> Form | None:
    pending, done = list(reversed(form.terms)), list[Term]()
    while pending:
        term = pending.pop()
        found = _next_group(term, only_reciprocals)
        if found is None:
            done.append(term)
        else:
            pending += reversed(_distribute(term, found, len(form.shape), is_symmetric))
        if len(pending) + len(done) > MOST_TERMS:
            return None
    return with_terms(form, done)


def _next_group(term: Term, only_reciprocals: bool) -> int | None:
    """Which factor to distribute next: sums with reciprocals first, since what they cancel need not be multiplied out."""
    groups = [k for k, f in enumerate(term.factors) if is_open(f)]
    with_reciprocal = [k for k in groups if has_reciprocal(term.factors[k].atom)]
    chosen = with_reciprocal or ([] if only_reciprocals else groups)
    return chosen[0] if chosen else None


def is_open(f: Factor) -> bool:
    """Whether a factor is a sum in parentheses that can be distributed."""
    if not isinstance(f.atom, Form):
        return False
    return f.power is WHOLE or (f.power.denominator == 1 and 0 < f.power.numerator <= HIGHEST_POWER)


def has_reciprocal(atom: Atom) -> bool:
    """Whether a sum holds a value in a denominator (sizes, numbers and hyperparameters do not count)."""
    if not isinstance(atom, Form):
        return False
    factors = [f for term in atom.terms for f in term.factors]
    for f in factors:
        is_below = f.power is not WHOLE and f.power.numerator < 0
        if (is_below and not _is_constant(f.atom)) or has_reciprocal(f.atom):
            return True
    return False


def _is_constant(atom: Atom) -> bool:
    return isinstance(atom, Leaf) and atom.role in {*CONSTANT_ROLES, Role.HYPERPARAMETER}


def _distribute(term: Term, place: int, rank: int, is_symmetric: IsSymmetric) -> list[Term]:
    group = term.factors[place]
    assert isinstance(group.atom, Form)
    rest = [f for k, f in enumerate(term.factors) if k != place]
    if group.power is not WHOLE and group.power > 1:
        rest.insert(place, Factor(group.atom, group.indices, group.power - 1))
    sizes = extents(term.factors)
    fresh = max([rank - 1, *sizes]) + 1
    products = []
    for inner in group.atom.terms:
        names = dict(enumerate(group.indices))
        names |= {i: fresh + k for k, i in enumerate(bound_indices(inner.factors, len(group.indices)))}
        factors = [*rest[:place], *relabel(inner.factors, names), *rest[place:]]
        c = term.coefficient * inner.coefficient
        products.append(make_term(c, factors, rank, {**extents(factors), **sizes}, is_symmetric))
    return products


def map_groups(form: Form, change: Callable[[Form], Form]) -> Form:
    """The form with `change` applied to every sum in parentheses; a sum that became one term loses them."""
    if not holds_sum(form):
        return form
    rank = len(form.shape)
    terms = []
    for term in form.terms:
        if not any(isinstance(f.atom, Form) for f in term.factors):
            terms.append(term)
            continue
        sizes = extents(term.factors)
        changed = [change(f.atom) if isinstance(f.atom, Form) else f.atom for f in term.factors]
        if all(a is f.atom and not _is_alone(a) for a, f in zip(changed, term.factors, strict=True)):
            terms.append(term)
            continue
        coefficient, factors = term.coefficient, list[Factor]()
        for f, atom in zip(term.factors, changed, strict=True):
            if not isinstance(f.atom, Form):
                factors.append(f)
                continue
            fresh = max([rank - 1, *sizes, *(i for g in factors for i in g.indices)]) + 1
            c, mine = _unwrapped(Factor(atom, f.indices, f.power), fresh)
            coefficient *= c
            factors += mine
        if coefficient:
            terms.append(make_term(coefficient, factors, rank, {**extents(factors), **sizes}))
    return with_terms(form, terms)


def holds_sum(form: Form) -> bool:
    """Whether a factor of the form is a sum in parentheses."""
    for term in form.terms:
        for f in term.factors:
            if isinstance(f.atom, Form):
                return True
    return False


def _is_alone(atom: Atom) -> bool:
    """Whether parentheses hold no sum: one term, or nothing."""
    return isinstance(atom, Form) and len(atom.terms) < 2


def _unwrapped(f: Factor, fresh: int) -> tuple[Fraction, list[Factor]]:
    """A factor without parentheses where they hold one term only and its power is whole."""
    assert isinstance(f.atom, Form)
    if not f.atom.terms and f.power > 0:
        return Fraction(0), []
    if len(f.atom.terms) != 1 or f.power.denominator != 1:
        return WHOLE, [f]
    (term,) = f.atom.terms
    bound = bound_indices(term.factors, len(f.indices))
    if bound and f.power != 1:
        return WHOLE, [f]
    names = dict(enumerate(f.indices)) | {i: fresh + k for k, i in enumerate(bound)}
    moved = relabel(term.factors, names)
    return term.coefficient ** int(f.power), [Factor(g.atom, g.indices, g.power * f.power) for g in moved]


def opened(form: Form) -> Form:
    """A form that is one sum in parentheses and nothing else, without them; every other form as it is."""
    if len(form.terms) != 1 or len(form.terms[0].factors) != 1:
        return form
    (f,) = form.terms[0].factors
    if not isinstance(f.atom, Form) or form.terms[0].coefficient != 1:
        return form
    whole = tuple(range(len(form.shape)))
    return f.atom if f.power == 1 and f.indices == whole else form
