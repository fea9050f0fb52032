"""Bounds from below on the symbols of a form: what is too long already is not written out to be counted."""

from __future__ import annotations

from symgrad.graph.expression import Apply, Leaf, Role
from symgrad.graph.sizes import Size
from symgrad.rewrite.cost import cost
from symgrad.rewrite.form import ONLY, Factor, Form, Term, atom_key

# A product with a sum in parentheses: these, and the sign between the terms of the sum.
PARENTHESES, SIGN = 2, 1


def least_cost(form: Form) -> int:
    """The atoms of a form, their powers, the signs between its terms: it has more symbols as long as its terms stay.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.convert import to_form
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n = dims("n")
    >>> x, y, z = data("x", n), data("y", n), data("z", n)
    >>> form = to_form(x * y**2 - x * z)
    >>> least_cost(form), cost(to_expression(form))
    (6, 8)
    """
    if any(map(_is_padding, _factors(form))):
        return 0
    inside = [least_cost(f.atom) if isinstance(f.atom, Form) else _least(f) for f in _factors(form)]
    return sum(inside) + SIGN * (len(form.terms) - 1)


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
    if len(form.terms) != 2 or any(map(_is_padding, _factors(form))):
        return 0
    a, b = (_weights(term) for term in form.terms)
    apart = sum(a.values()) + sum(b.values()) + SIGN
    common = [key for key in a if key in b]
    if not common:
        return apart
    shared = sum(min(a[key], b[key]) for key in common)
    one = len(common) in (len(a), len(b)) and all(a[key] and b[key] for key in common)
    signs = _signs(form, set(common))
    return min(apart, apart - shared + PARENTHESES + one + signs)


def _weights(term: Term) -> dict[bytes, int]:
    """What each atom of a product prints at least, all its places together."""
    found: dict[bytes, int] = {}
    for f in term.factors:
        key = atom_key(f.atom)
        found[key] = found.get(key, 0) + _least(f)
    if any(_is_size(f) and f.power < 0 for f in term.factors):
        # One quotient for all sizes.
        found[b"over"] = 1
    return found


def _signs(form: Form, common: set[bytes]) -> int:
    """The signs of an elementwise product between the arrays in common and the sum; other products may print none."""
    factors, rank = _factors(form), len(form.shape)
    if any(i >= rank for f in factors for i in f.indices) or any(map(_is_identity, factors)):
        return 0
    arrays = [f for f in factors if any(i != ONLY for i in f.indices)]
    shared = {atom_key(f.atom) for f in arrays} & common
    # Without an array in the sum it is a number in front.
    return max(len(shared) - all(atom_key(f.atom) in common for f in arrays), 0)


def _least(f: Factor) -> int:
    if isinstance(f.atom, Form):
        return 1
    if _is_size(f):
        # Sizes are multiplied into one, in which every name is left; of (n - m)(n + m) less may be.
        return int(isinstance(f.atom, Leaf) and isinstance(f.atom.value, Size) and f.atom.value.is_name)
    return cost(f.atom) + (f.power != 1)


def _factors(form: Form) -> list[Factor]:
    return [f for term in form.terms for f in term.factors]


def _is_padding(f: Factor) -> bool:
    """Whether an atom is padded with zeros: what stands side by side is written without them."""
    return isinstance(f.atom, Apply) and f.atom.primitive == "pad"


def _is_size(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.SIZE


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY
