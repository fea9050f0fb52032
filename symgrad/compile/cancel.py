"""Quotients that cancel, before code could compute 0/0: x·x⁻¹ is gone, and (a/p + b/q)·p is a + b·p/q.

In a gradient as the rules give it, p·(y/p) stands where p has underflowed to 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgrad.compile.stable import Factor, factors, power_of, product_of, quotient, quotient_of_exponentials, unscaled
from symgrad.graph.expression import Contraction, Expr, Linear, linear, number, power
from symgrad.graph.sizes import Size

MOST_TERMS = 16


def cancelled(e: Expr) -> Expr | None:
    """xᵃ·x⁻ᵇ = xᵃ⁻ᵇ."""
    if not isinstance(e, Contraction) or len(e.operands) < 2:
        return None
    found, sizes = factors(e)
    kept = merged(found)
    return None if len(kept) == len(found) else product_of(kept, sizes, e.shape)


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
    found, sizes = factors(e)
    for k, (x, own) in enumerate(found):
        if not isinstance(x, Linear) or not 1 < len(x.terms) <= MOST_TERMS:
            continue
        rest = found[:k] + found[k + 1 :]
        divided = {(base, i) for f, i in rest for base, exponent in [power_of(f)] if exponent > 0}
        opened = [_opened(c, t, own, sizes) for c, t in x.terms]
        if any(_meets(f, rest, divided) for _, term, _ in opened for f in term):
            products = [_multiplied([*rest, *term], every, e) for _, term, every in opened]
            return linear((c * p, x) for (c, _, _), (p, x) in zip(opened, products, strict=True))
    return None


def _multiplied(found: list[Factor], sizes: Mapping[int, Size], e: Contraction) -> tuple[Fraction, Expr]:
    """(coefficient, product) of the factors of one term; what meets in it may cancel in a further sum."""
    c, product = unscaled(product_of(merged(found), sizes, e.shape))
    for rule in (quotient_of_exponentials, cancelled, distributed):
        # Each time a reciprocal is gone, so this ends.
        while (better := rule(product)) is not None:
            p, product = unscaled(better)
            c *= p
    return c, product


def _meets(f: Factor, rest: list[Factor], divided: set[Factor]) -> bool:
    """Whether a factor of a term cancels against one of those that the sum is multiplied with."""
    base, exponent = power_of(f[0])
    if exponent >= 0:
        return False
    return (base, f[1]) in divided or any(quotient(x, f) is not None for x in rest)


def _opened(
    c: Fraction, term: Expr, own: tuple[int, ...], sizes: Mapping[int, Size]
) -> tuple[Fraction, list[Factor], dict[int, Size]]:
    """(coefficient, factors, sizes of all indices) of a term whose axes are the indices `own`."""
    p, term = unscaled(term)
    c *= p
    every = dict(sizes)
    if not isinstance(term, Contraction):
        return c, [(term, own)], every
    found, inner_sizes = factors(term)
    place = dict(enumerate(own))
    for i in range(term.rank, len(inner_sizes)):
        place[i] = len(every)
        every[len(every)] = inner_sizes[i]
    return c, [(x, tuple(place[i] for i in indices)) for x, indices in found], every
