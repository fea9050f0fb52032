"""A form that is linear in v, with v running over the unit vectors: the matrix (or array) that acts on v.

In the normal form every term holds v exactly once, at some indices. Taking that factor out and making its indices further
axes gives the array M with f(v) = M v: entry (o, a) is entry o of f at the unit vector that is 1 at a.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.errors import DerivationError
from symgrad.graph.expression import Apply, Expr, Leaf, Shape, identity
from symgrad.graph.sizes import ONE as SINGLE
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.convert import rebuild, to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.form import Atom, Factor, Form, Term, bound_indices, collect, extents, make_term, relabel

ONE = Fraction(1)


class NotTaken(Exception):
    """Some term does not show v as one factor: sums have to be multiplied out first."""


def over_units(e: Expr, v: Leaf) -> Form:
    """The array M of shape e.shape + v.shape with e = M v, for an expression that is linear in v.

    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n, d = dims("n d")
    >>> X, p, v = data("X", n, d), data("p", n), data("v", d)
    >>> str(to_expression(over_units(X.T @ (p * (X @ v)) + 2 * v, v)))
    'X.T @ (p[:, None] * X) + 2 * eye(d)'
    """
    form = to_form(with_inverses(e, v))
    try:
        return _taken(form, v)
    except NotTaken:
        out = expand(form)
    if out is None:
        raise DerivationError(f"the result is too long to be written without {v.name}; use its product with a vector")
    try:
        return _taken(out, v)
    except NotTaken:
        raise DerivationError(
            f"the result is not seen to be linear in {v.name}; use its product with a vector"
        ) from None


def with_inverses(e: Expr, v: Leaf) -> Expr:
    """solve(A, b) as A⁻¹ b where b holds v: a factor can only be taken out of a product."""
    new: dict[Expr, Expr] = {}
    holds: set[Expr] = {v}
    for node in postorder([e]):
        if any(child in holds for child in node.children):
            holds.add(node)
        built = rebuild(node, [new[child] for child in node.children])
        is_solve = isinstance(node, Apply) and node.primitive == "solve" and node.children[1] in holds
        new[node] = PRIMITIVES["inv"](built.children[0]) @ built.children[1] if is_solve else built
    return new[e]


def _taken(form: Form, v: Leaf) -> Form:
    return collect((*form.shape, *v.shape), [_term(t, form.shape, v) for t in form.terms])


def _term(term: Term, shape: Shape, v: Leaf) -> Term:
    """The term without v, whose indices have become the last axes."""
    rank, more = len(shape), v.rank
    holders = [k for k, f in enumerate(term.factors) if _holds(f.atom, v)]
    if len(holders) != 1 or term.factors[holders[0]].power != 1:
        raise NotTaken
    place = holders[0]
    # What was summed makes room for the new axes.
    names = {i: i + more for i in bound_indices(term.factors, rank)}
    rest = relabel([f for k, f in enumerate(term.factors) if k != place], names)
    held = tuple(names.get(i, i) for i in term.factors[place].indices)
    atom = term.factors[place].atom
    axes = tuple(range(rank, rank + more))
    if isinstance(atom, Form):
        factors = [*rest, Factor(_taken(atom, v), (*held, *axes), ONE)]
        return make_term(term.coefficient, factors, rank + more, extents(factors))
    if atom is not v:
        raise NotTaken
    taken: dict[int, int] = {}
    units: list[Factor] = []
    for axis, i in zip(axes, held, strict=True):
        if v.shape[axis - rank] == SINGLE:
            continue
        if i >= rank + more and i not in taken:
            taken[i] = axis
        else:
            units.append(Factor(identity(v.shape[axis - rank]), (taken.get(i, i), axis), ONE))
    factors = [*relabel(rest, taken), *units]
    return make_term(term.coefficient, factors, rank + more, extents(factors))


def _holds(atom: Atom, v: Leaf) -> bool:
    if isinstance(atom, Form):
        return any(_holds(f.atom, v) for t in atom.terms for f in t.factors)
    return v in set(postorder([atom]))
