"""Quotients that cancel, before code could compute 0/0: x·x⁻¹ is gone, and (a/p + b/q)·p is a + b·p/q.

In a gradient as the rules give it, p·(y/p) stands where p has underflowed to 0.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.compile.stable import Factor, factors, is_product, power_of, quotient, quotient_of_exponentials
from symgrad.graph.expression import Contraction, Expr, Linear, contraction, linear, number, power

MOST_TERMS = 16


def cancelled(e: Expr) -> Expr | None:
    """xᵃ·x⁻ᵇ = xᵃ⁻ᵇ."""
    if not isinstance(e, Contraction) or len(e.operands) < 2:
        return None
    found = factors(e)
    kept = merged(found)
    return None if len(kept) == len(found) else _product(kept, e)


def merged(found: list[Factor]) -> list[Factor]:
    """The factors with powers of one base added up where some of them are negative and some are not."""
    powers: dict[Factor, list[Fraction]] = {}
    for x, own in found:
        base, exponent = power_of(x)
        powers.setdefault((base, own), []).append(exponent)
    mixed = {key for key, every in powers.items() if min(every) < 0 < max(every)}
    result: list[Factor] = []
    for x, own in found:
        base, _ = power_of(x)
        if (base, own) not in mixed:
            result.append((x, own))
        elif every := powers.pop((base, own), None):
            exponent = sum(every, Fraction(0))
            if exponent:
                result.append((power(base, number(exponent)), own))
    return result


def distributed(e: Expr) -> Expr | None:
    """(a/p + b)·p = a + b·p: a sum is multiplied out where a factor cancels against one of its terms."""
    if not isinstance(e, Contraction) or len(e.operands) < 2:
        return None
    found = factors(e)
    for k, (x, own) in enumerate(found):
        if not isinstance(x, Linear) or not 1 < len(x.terms) <= MOST_TERMS:
            continue
        rest = found[:k] + found[k + 1 :]
        divided = {(base, i) for base, i, exponent in _powers(rest) if exponent > 0}
        fresh = 1 + max([e.rank, *(i for _, indices in found for i in indices)])
        terms = [_opened(c, t, own, fresh) for c, t in x.terms]
        if any(
            (base, i) in divided for _, term in terms for base, i, exponent in _powers(term) if exponent < 0
        ):
            return linear((c, _multiplied(merged([*rest, *term]), e)) for c, term in terms)
    return None


def _multiplied(found: list[Factor], e: Contraction) -> Expr:
    product = _product(found, e)
    # What was multiplied out may cancel in a further sum; each time a reciprocal is gone, so this ends.
    for rule in (quotient_of_exponentials, cancelled):
        while (better := rule(product)) is not None:
            product = better
    return distributed(product) or product


def _meets(f: Factor, rest: list[Factor], divided: set[Factor]) -> bool:
    """Whether a factor of a term cancels against one of those that the sum is multiplied with."""
    base, exponent = power_of(f[0])
    if exponent >= 0:
        return False
    return (base, f[1]) in divided or any(quotient(x, f) is not None for x in rest)


def _powers(found: list[Factor]) -> list[tuple[Expr, tuple[int, ...], Fraction]]:
    return [(*_base(x, own), power_of(x)[1]) for x, own in found]


def _base(x: Expr, own: tuple[int, ...]) -> Factor:
    return power_of(x)[0], own


def _opened(c: Fraction, term: Expr, own: tuple[int, ...], fresh: int) -> tuple[Fraction, list[Factor]]:
    """(coefficient, factors) of a term whose axes are the indices `own`."""
    while isinstance(term, Linear) and len(term.terms) == 1:
        c, term = c * term.terms[0][0], term.terms[0][1]
    if not isinstance(term, Contraction) or not is_product(term):
        return c, [(term, own)]
    place = dict(enumerate(own))
    inside = factors(term)
    for _, indices in inside:
        for i in indices:
            place.setdefault(i, fresh + i)
    result: list[Factor] = []
    for x, indices in inside:
        inner_c, opened = _opened(Fraction(1), x, tuple(place[i] for i in indices), 2 * fresh + 64)
        c *= inner_c
        result += opened
    return c, result


def _product(found: list[Factor], e: Contraction) -> Expr:
    if not found:
        found = [(number(1), ())]
    # An index that only cancelled factors had, and that was summed, has to be summed still.
    before = {i: s for x, own in factors(e) for i, s in zip(own, x.shape, strict=True) if i >= e.rank}
    lost = [i for i in before if all(i not in own for _, own in found)]
    for i in lost:
        found = [*found, (contraction([number(1)], [()], (before[i],)), (i,))]
    return contraction([x for x, _ in found], [own for _, own in found], e.shape)
