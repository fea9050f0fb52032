"""Is an array 0 at a point? In numbers of 50 digits, at random values of the data that have the stated facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symgrad.derive.derivation import Proof, Verdict
from symgrad.derive.equality import DIGITS, MOST_POINTS, POINTS, Sheet, named
from symgrad.derive.samples import SCALES, Draw, assignments, entries_of, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import CONSTANT_ROLES, Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute


class NoPoint(CheckFailed):
    """At no point that was tried has everything a value."""


# A matrix of more columns than rows has no invertible Gram matrix: sizes are tried until one has values.
MOST_SIZES = 6
GUARD = 15
TRIES = MOST_POINTS // 3


def placed(e: Expr, values: Mapping[Leaf, Expr]) -> Expr:
    """The expression with parameters replaced."""
    return substitute(e, dict(values.items()))


def resolved(values: Mapping[Leaf, Expr]) -> dict[Leaf, Expr]:
    """Each parameter over data alone: what was found in terms of others has these put in."""
    found = dict(values)
    for _ in values:
        found = {p: placed(e, found) for p, e in found.items()}
    return found


def verify_zero(
    roots: Sequence[Expr],
    values: Mapping[Leaf, Expr],
    definitions: Mapping[Leaf, Expr],
    what: str,
    defined: Sequence[Expr] = (),
) -> Proof:
    """That the arrays are 0 where parameters have these values, to 50 digits; CheckFailed where one is not.

    Points at which one of `defined` (the loss) has no value do not count.

    >>> from symgrad.primitives.language import data, parameter
    >>> a, x = data("a"), parameter("x")
    >>> verify_zero([2 * x - a], {x: a / 2}, {}, "x").verdict.value
    'verified numerically'
    """
    everything = [*roots, *defined, *values.values(), *definitions.values()]
    done: list[Assignment] = []
    for sizes in assignments(sizes_in(everything), MOST_SIZES):
        if _at(roots, values, definitions, sizes, what, defined):
            done.append(sizes)
        if len(done) == 2:
            break
    if not done:
        raise NoPoint(f"{what} is not proved: no point was found at which it has a value; please report the model")
    return Proof(Verdict.VERIFIED, named(done))


def _at(
    roots: Sequence[Expr],
    values: Mapping[Leaf, Expr],
    definitions: Mapping[Leaf, Expr],
    sizes: Assignment,
    what: str,
    defined: Sequence[Expr],
) -> int:
    """At how many points everything has a value and is 0; CheckFailed where it has one and is not."""
    s = Reals(DIGITS + GUARD)
    zero = s.context.mpf(10) ** -DIGITS * 10**GUARD
    everything = [*roots, *defined, *values.values(), *definitions.values()]
    leaves = [
        e
        for e in postorder(everything)
        if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES and e not in values and e not in definitions
    ]
    compared = 0
    for seed in range(TRIES):
        draw = Draw(seed, s, SCALES[seed % len(SCALES)])
        arrays = {e: draw.array(e, sizes, is_positive=seed % 2 == 1) for e in leaves}
        try:
            for name, definition in definitions.items():
                arrays[name] = evaluate([definition], arrays, sizes, s)[0]
            points = evaluate(list(values.values()), arrays, sizes, s)
            arrays |= dict(zip(values, points, strict=True))
            entries = [x for found in evaluate(roots, arrays, sizes, s) for x in entries_of(found)]
            others = [x for found in evaluate(defined, arrays, sizes, s) for x in entries_of(found)]
        except ZeroDivisionError:  # mpmath's word for a point outside the domain
            continue
        if not all(map(s.context.isfinite, [*entries, *others])):
            continue
        far = next((x for x in entries if abs(x) > zero), None)
        if far is not None:
            raise CheckFailed(f"{what} is no stationary point: put in, the gradient is {s.context.nstr(far, 5)}, not 0")
        compared += 1
        if compared == POINTS:
            break
    return compared


def is_identically_zero(e: Expr, values: Mapping[Leaf, Expr], definitions: Mapping[Leaf, Expr]) -> bool:
    """Whether an array is 0 for all data and for all parameters but those with values: proved, entry by entry.

    >>> from symgrad.primitives.language import data, dims, parameter, tanh
    >>> n = dims("n")
    >>> X, w = data("X", n, n), parameter("w", n)
    >>> is_identically_zero(tanh(X @ w), {w: 0 * w}, {}), is_identically_zero(X @ w, {}, {})
    (True, False)
    """
    whole = placed(e, values)
    for sizes in assignments(sizes_in([whole, *definitions.values()])):
        sheet = Sheet([whole], sizes, definitions)
        entries = sheet.at(whole, is_opaque=not definitions)
        if any(x != 0 and not are_equal(sympy.S(x), sympy.S(0)) for x in entries_of(entries)):
            return False
    return True


def is_zero(e: Expr, definitions: Mapping[Leaf, Expr]) -> bool:
    """Whether an array over data is 0: proved, or to 50 digits where inverses stand in it."""
    if is_identically_zero(e, {}, definitions):
        return True
    try:
        verify_zero([e], {}, definitions, "an array")
    except CheckFailed:
        return False
    return True
