"""Inverses that cancel: (A X B)⁻¹ = B⁻¹X⁻¹A⁻¹ for square matrices, (X⁻¹)⁻¹ = X, and X X⁻¹ = I.

Where a product of square matrices has an inverse, each of them has one: no point is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgrad.graph.expression import Apply, Expr, Leaf, apply, identity
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import map_groups
from symgrad.rewrite.form import (
    ONLY,
    WHOLE,
    Atom,
    Factor,
    Form,
    Term,
    bound_indices,
    extents,
    make_term,
    relabel,
    with_terms,
)
from symgrad.rewrite.matrix import to_expression


def cancelled_inverses(form: Form, definitions: Mapping[Leaf, Expr]) -> tuple[Form, tuple[Leaf, ...]]:
    """The form with every X X⁻¹ gone, inverses of products taken apart where that leads to one; the names looked into.

    >>> from symgrad.primitives.language import data, dims, inv
    >>> n = dims("n")
    >>> A, X, B = (data(name, n, n) for name in "AXB")
    >>> str(to_expression(cancelled_inverses(to_form(B @ inv(A @ X @ B)), {})[0]))
    'inv(X) @ inv(A)'
    """
    if not form.holds(_is_inverse):
        return form, ()
    by: dict[Leaf, None] = {}

    def changed(current: Form) -> Form:
        inner = map_groups(current, changed)
        return with_terms(inner, [_shortened(t, len(inner.shape), definitions, by) for t in inner.terms])

    return changed(form), tuple(by)


def _shortened(term: Term, rank: int, definitions: Mapping[Leaf, Expr], by: dict[Leaf, None]) -> Term:
    """A term with what cancels gone; an inverse is taken apart only where a part of it cancels."""
    while True:
        plain = _cancelled(term, rank)
        if plain is not None:
            term = plain
            continue
        for k, f in enumerate(term.factors):
            parts = _parts(f, definitions)
            if parts is None:
                continue
            apart = _replaced(term, k, parts, rank)
            shorter = _cancelled(apart, rank)
            if shorter is not None:
                if isinstance(f.atom, Apply) and isinstance(name := f.atom.operands[0], Leaf):
                    by[name] = None
                term = shorter
                break
        else:
            return term


def _cancelled(term: Term, rank: int) -> Term | None:
    """The term without one pair X, X⁻¹ that a summed index links; None where there is none."""
    bound = bound_indices(term.factors, rank)
    for i in bound:
        holders = [f for f in term.factors if i in f.indices]
        if len(holders) != 2 or any(f.indices.count(i) != 1 or f.power != 1 for f in holders):
            continue
        for f, g in (holders, holders[::-1]):
            if not (isinstance(f.atom, Apply) and _is_inverse(f.atom)):
                continue
            if f.atom.operands[0].digest != _key(g.atom):
                continue
            a, b = f.indices.index(i), g.indices.index(i)
            if a == b:
                continue
            # X⁻¹X leaves the rows of X⁻¹ and the columns of X, X X⁻¹ the rows of X and the columns of X⁻¹.
            rest = [h for h in term.factors if h is not f and h is not g]
            left = Factor(identity(f.atom.shape[0]), (f.indices[1 - a], g.indices[1 - b]), WHOLE)
            sizes = {j: s for j, s in extents(term.factors).items() if j != i}
            return make_term(term.coefficient, [*rest, left], rank, sizes)
    return None


def _is_inverse(atom: Atom) -> bool:
    return isinstance(atom, Apply) and atom.primitive == "inv"


def _key(atom: Atom) -> bytes:
    return to_expression(atom).digest if isinstance(atom, Form) else atom.digest


def _parts(f: Factor, definitions: Mapping[Leaf, Expr]) -> tuple[Fraction, list[Factor]] | None:
    """(A X B)⁻¹[r, c] as the inverses of the factors, in the order in which their indices lead from r to c."""
    if not _is_inverse(f.atom) or f.power != 1 or ONLY in f.indices:
        return None
    assert isinstance(f.atom, Apply)
    inside = f.atom.operands[0]
    defined = definitions.get(inside) if isinstance(inside, Leaf) else inside
    whole = to_form(defined) if defined is not None else Form(f.atom.shape, ())
    if len(whole.terms) != 1 or not _is_chain(whole.terms[0]):
        return None
    (product,) = whole.terms
    row, column = f.indices
    fresh = 10_000 + 100 * max(f.indices)
    own = {0: column, 1: row} | {i: fresh + k for k, i in enumerate(bound_indices(product.factors, 2))}
    coefficient, turned = 1 / product.coefficient, list[Factor]()
    for k, g in enumerate(product.factors):
        c, mine = _inverse_of(g.atom, (own[g.indices[1]], own[g.indices[0]]), fresh + 100 * (k + 1))
        coefficient *= c
        turned += mine
    return coefficient, turned


def _inverse_of(atom: Atom, indices: tuple[int, int], fresh: int) -> tuple[Fraction, list[Factor]]:
    """The inverse of a matrix at these indices; of an inverse, the matrix itself."""
    e = to_expression(atom) if isinstance(atom, Form) else atom
    if not (isinstance(e, Apply) and e.primitive == "inv"):
        return WHOLE, [Factor(apply("inv", [e], (), e.shape), indices, WHOLE)]
    form = to_form(e.operands[0])
    if len(form.terms) != 1:
        return WHOLE, [Factor(form, indices, WHOLE)]
    (term,) = form.terms
    names = dict(enumerate(indices)) | {i: fresh + k for k, i in enumerate(bound_indices(term.factors, 2))}
    return term.coefficient, relabel(term.factors, names)


def _is_chain(product: Term) -> bool:
    """Whether a product is square matrices one after the other, or the inverse of one."""
    factors = product.factors
    if any(f.power != 1 or len(f.indices) != 2 or f.atom.shape[0] != f.atom.shape[1] for f in factors):
        return False
    if len(factors) == 1:
        return _is_inverse(factors[0].atom) and sorted(factors[0].indices) == [0, 1]
    # Every summed index links two factors, the axes stand in one each: a path, or a path and closed runs beside it.
    counts = [sum(f.indices.count(i) for f in factors) for i in (0, 1)]
    links = bound_indices(factors, 2)
    degrees = [sum(i in f.indices for f in factors) for i in links]
    return counts == [1, 1] and set(degrees) <= {2} and len(links) == len(factors) - 1 and _is_joined(factors)


def _is_joined(factors: tuple[Factor, ...]) -> bool:
    """Whether one walk from axis 0 meets every factor."""
    at, left = 0, list(factors)
    while left:
        following = next((f for f in left if at in f.indices), None)
        if following is None:
            return False
        left.remove(following)
        at = following.indices[1 - following.indices.index(at)]
    return at == 1


def _replaced(term: Term, place: int, parts: tuple[Fraction, list[Factor]], rank: int) -> Term:
    coefficient, inside = parts
    factors = [*term.factors[:place], *inside, *term.factors[place + 1 :]]
    return make_term(term.coefficient * coefficient, factors, rank, extents(factors))
