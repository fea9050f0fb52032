"""Bounds from below on the symbols of a form: what is too long already is not written out to be counted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgrad.graph.expression import Apply, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.rewrite.cost import INDEX_FORM, INDEX_OPERAND, cost
from symgrad.rewrite.form import ONLY, WHOLE, Factor, Form, Term

# A product with a sum in parentheses: these, and the sign between the terms of the sum.
PARENTHESES, SIGN = 2, 1
# The quotient of all sizes in a product; the power of what has several.
OVER, NO_POWER = b"over", Fraction(0)


def least_cost(form: Form) -> int:
    """What a form prints for certain as long as its terms stay: atoms, powers, numbers, signs, parentheses.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n = dims("n")
    >>> x, y, z = data("x", n), data("y", n), data("z", n)
    >>> form = to_form(x * y**2 - x * z)
    >>> least_cost(form), cost(to_expression(form))
    (8, 8)
    """
    if any(map(_is_padding, _factors(form))):
        return 0
    rank = len(form.shape)
    return sum([_least_as_it_stands(term, rank) for term in form.terms]) + SIGN * (len(form.terms) - 1)


def _least_as_it_stands(term: Term, rank: int) -> int:
    c, factors = term.coefficient, term.factors
    found = (abs(c.numerator) != 1) + (c.denominator != 1) if factors else 1
    # One quotient for all sizes.
    found += any(f.power is not WHOLE and f.power.numerator < 0 and _is_size(f) for f in factors)
    for f in factors:
        if isinstance(f.atom, Form):
            is_sum = len(f.atom.terms) > 1 and (len(factors) > 1 or f.power != 1)
            found += least_cost(f.atom) + (PARENTHESES if is_sum else 0)
        else:
            found += _least(f)
    return found + max(_arrays_multiplied(factors, rank) - 1, 0)


def _arrays_multiplied(factors: Sequence[Factor], rank: int) -> int:
    """How many arrays stand in an elementwise product, which has a sign between any two; 0 where it is another product."""
    if any(i >= rank for f in factors for i in f.indices) or any(map(_is_identity, factors)):
        return 0
    return sum([any(i != ONLY for i in f.indices) for f in factors])


def least_written(form: Form) -> int:
    """The fewest symbols of a product or of a sum of two, whatever is put in front of it; 0 where nothing is known.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> n, d = dims("n d")
    >>> X, u, h = data("X", n, d), data("u", n), data("h", n)
    >>> least_written(to_form(X.T @ (u * (1 - h**2)))), cost(X.T @ (u * (1 - h**2)))
    (9, 10)
    """
    if len(form.terms) != 1:
        return least_of_two(form)
    (term,) = form.terms
    if any(map(_is_padding, term.factors)):
        return 0
    own = _weights(term)
    groups = [f for f in term.factors if isinstance(f.atom, Form)]
    if groups:
        joined = _joined_by_groups(term, groups)
        if joined is None:
            return 0
        own |= {key: min(own[key], more) for key, more in joined.items()}
    if len(term.factors) == 1 or any(map(_is_identity, term.factors)):
        return sum(own.values()) + sum([_least_group(f, 0) - 1 for f in groups])
    # What stands at the same indices is multiplied entry by entry, with a sign.
    places = [f.indices for f in term.factors if ONLY not in f.indices and not isinstance(f.atom, Form)]
    places = [tuple(sorted(own)) for own in places if own and len(set(own)) == len(own)]
    found = sum(own.values()) + SIGN * (len(places) - len(set(places)))
    for f in groups:
        found += _least_group(f, PARENTHESES + SIGN * (tuple(sorted(f.indices)) in places)) - 1
    return found


def least_in_indices(form: Form) -> int:
    """The fewest symbols of a matrix or vector that is one product in index notation; 0 where it may have a matrix form.

    What stands at three indices is multiplied by nothing before the end, and where another factor holds an axis of the
    result with it, that is left then, too: the two are written with their indices.

    >>> from symgrad.primitives.language import data, dims, einsum
    >>> from symgrad.rewrite.convert import to_form
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n, d = dims("n d")
    >>> X, T = data("X", n, d), data("T", n, n, d)
    >>> form = to_form(einsum("ik,ijk->ij", X, T))
    >>> least_in_indices(form), cost(to_expression(form)), least_in_indices(to_form(X @ X.T))
    (22, 22, 0)
    """
    rank = len(form.shape)
    if len(form.terms) != 1 or rank > 2:
        return 0
    (term,) = form.terms
    for f in term.factors:
        own = [i for i in f.indices if i != ONLY]
        if len(own) > 2 and any(i < rank and i in g.indices for g in term.factors if g is not f for i in own):
            groups = [g for g in term.factors if isinstance(g.atom, Form)]
            inside = sum([_least_group(g, 0) - 1 for g in groups])
            return INDEX_FORM + 2 * INDEX_OPERAND + sum(_weights(term).values()) + inside
    return 0


def _joined_by_groups(term: Term, groups: Sequence[Factor]) -> dict[bytes, int] | None:
    """What an atom of a product that stands in its sums too adds there: x beside x (a - b) is the 2 of x².

    None where something could cancel when it is put in front of a sum.
    """
    outside = {f.digest: f.power for f in term.factors}
    found: dict[bytes, int] = {}
    before: set[bytes] = set()
    for group in groups:
        assert isinstance(group.atom, Form)
        inside = _held(group.atom)
        if not before.isdisjoint(inside):
            return None
        before |= inside.keys()
        for key in inside.keys() & outside.keys():
            least = inside[key]
            if least <= 0 or group.power < 0 or outside[key] < 0:
                return None
            found[key] = int(least == outside[key] == 1)
    return found


def _held(group: Form) -> dict[bytes, Fraction]:
    """The atoms of a sum with their powers, those farther inside too; 0 where there are several, or they are inside."""
    found: dict[bytes, Fraction] = {}
    for f in _factors(group):
        key = f.digest
        found[key] = f.power if found.get(key, f.power) == f.power else NO_POWER
        if isinstance(f.atom, Form):
            found |= dict.fromkeys(_held(f.atom), NO_POWER)
    return found


def _least_group(f: Factor, around: int) -> int:
    """The fewest symbols of a sum in a product, which prints `around` it unless the sum becomes a product itself."""
    group = f.atom
    assert isinstance(group, Form)
    factors = _factors(group)
    if len(group.terms) != 2 or any(_is_padding(g) or isinstance(g.atom, Form) for g in factors):
        return 1
    return _least_of_two(group, around if f.power == 1 else 0)


def least_of_two(form: Form) -> int:
    """The fewest symbols of a sum of two products, whatever is put in front of it; 0 for other sums, which are not bounded.

    What both hold is printed once at least, with parentheses; nothing is left of a product but a 1 where all of it is shared.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> n = dims("n")
    >>> u, h = data("u", n), data("h", n)
    >>> least_of_two(to_form(u - u * h**2)), cost(u * (1 - h**2))
    (5, 8)
    """
    factors = _factors(form)
    if len(form.terms) != 2 or any(map(_is_padding, factors)):
        return 0
    groups = {f.atom: f for f in factors if isinstance(f.atom, Form)}
    for term in form.terms if groups else ():
        joined = _joined_by_groups(term, list(groups.values()))
        if joined is None or joined:
            return 0
    return _least_of_two(form, 0, has_signs=True)


def _least_of_two(form: Form, around: int, *, has_signs: bool = False) -> int:
    a, b = (_weights(term) for term in form.terms)
    # A product of nothing is a number.
    apart = sum(a.values()) + sum(b.values()) + SIGN + sum([not term.factors for term in form.terms])
    common = [key for key in a if key in b]
    common = [key for key in common if key == OVER or _can_be_joined(form, key)] if common else []
    if not common:
        return apart + around
    shared = sum([min(a[key], b[key]) for key in common])
    one = len(common) in (len(a), len(b)) and all(a[key] and b[key] for key in common)
    signs = _signs(form, set(common)) if has_signs else 0
    return min(apart + around, apart - shared + PARENTHESES + one + signs)


def _can_be_joined(form: Form, key: bytes) -> bool:
    """Whether an atom of both products may stand in front of them: at the same axes, or where both are summed."""
    rank = len(form.shape)
    a, b = ([f.indices for f in term.factors if f.digest == key] for term in form.terms)
    return any(
        all(i == j or (i >= rank and j >= rank) for i, j in zip(own, other, strict=True)) for own in a for other in b
    )


def _weights(term: Term) -> dict[bytes, int]:
    """What each atom of a product prints at least, all its places together."""
    found: dict[bytes, int] = {}
    has_quotient = False
    for f in term.factors:
        key = f.digest
        found[key] = found.get(key, 0) + _least(f)
        has_quotient |= f.power is not WHOLE and f.power.numerator < 0 and _is_size(f)
    if has_quotient:
        # One quotient for all sizes.
        found[OVER] = 1
    return found


def _signs(form: Form, common: set[bytes]) -> int:
    """The signs of an elementwise product between the arrays in common and the sum; other products may print none."""
    factors = _factors(form)
    if not _arrays_multiplied(factors, len(form.shape)):
        return 0
    arrays = [f for f in factors if any(i != ONLY for i in f.indices)]
    shared = {f.digest for f in arrays} & common
    # Without an array in the sum it is a number in front.
    return max(len(shared) - all(f.digest in common for f in arrays), 0)


def _least(f: Factor) -> int:
    if isinstance(f.atom, Form):
        return 1
    if _is_size(f):
        # Sizes are multiplied into one, in which every name is left; of (n - m)(n + m) less may be.
        return int(isinstance(f.atom, Leaf) and isinstance(f.atom.value, Size) and f.atom.value.is_name)
    return cost(f.atom) + (f.power is not WHOLE and f.power != 1)


def _factors(form: Form) -> list[Factor]:
    return [f for term in form.terms for f in term.factors]


def _is_padding(f: Factor) -> bool:
    """Whether an atom is padded with zeros: what stands side by side is written without them."""
    return isinstance(f.atom, Apply) and f.atom.primitive == "pad"


def _is_size(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.SIZE


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY
