"""Names put back: where a step spells out what a name is defined as, the name stands for it again.

Two laws. A product that holds all factors of a definition holds its name: O ⊙ (X - U Vᵀ) is E, P⁻¹ e is u. And a
quotient's numerator is the name times the denominator: with Z = (X - μ)/√(v + ε), X - μ is Z √(v + ε). A denominator is
not 0 where the definition has a value, so that neither law loses a point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.graph.expression import Apply, Expr, Leaf, apply
from symgrad.graph.sizes import ONE
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import map_groups
from symgrad.rewrite.form import ONLY, WHOLE, Factor, Form, Term, bound_indices, extents, make_term, with_terms


def refolded(form: Form, name: Leaf, definition: Expr) -> Form:
    """The form with the name wherever one of the laws finds its definition; the form itself where none does.

    >>> from symgrad.graph.expression import Role, leaf
    >>> from symgrad.primitives.language import data, dims
    >>> from symgrad.rewrite.matrix import to_expression
    >>> n = dims("n")
    >>> x, v, u = data("x", n), data("v", n), data("u", n)
    >>> z = leaf("z", x.shape, Role.INTERMEDIATE)
    >>> str(to_expression(refolded(to_form(u * (x - v) ** 2), z, (x - v) / u)))
    'u**3 * z**2'
    """
    for whole in map(to_form, (definition, *_spelled_otherwise(definition))):
        if len(whole.terms) == 1 and whole.terms[0].coefficient:
            form = _refolded(form, name, whole.terms[0])
    return form


def _spelled_otherwise(definition: Expr) -> Iterator[Expr]:
    """A⁻¹(a - b) as -A⁻¹(b - a), so that either is found."""
    if isinstance(definition, Apply) and PRIMITIVES[definition.primitive].is_linear:
        *others, last = definition.operands
        yield -apply(definition.primitive, [*others, -last], definition.options, definition.shape)


def _refolded(form: Form, name: Leaf, product: Term) -> Form:
    # Either law needs all that stands above the fraction bar; most forms hold nothing of most definitions.
    held = {f.digest for f in form.factors}
    if not held.issuperset([f.digest for f in product.factors if f.power is WHOLE or f.power > 0]):
        return form
    inner = map_groups(form, lambda group: _refolded(group, name, product))
    rank = len(inner.shape)
    return with_terms(inner, [_quotients(_products(t, name, product, rank), name, product, rank) for t in inner.terms])


def _products(term: Term, name: Leaf, product: Term, rank: int) -> Term:
    """The whole product replaced by its name, as often as it occurs."""
    while True:
        found = next(_places(list(term.factors), product, name, rank), None)
        if found is None:
            return term
        rest, indices = found
        factors = [*rest, Factor(name, indices, WHOLE)]
        c = term.coefficient / product.coefficient
        term = make_term(c, factors, rank)


def _places(
    factors: list[Factor], product: Term, name: Leaf, rank: int
) -> Iterator[tuple[list[Factor], tuple[int, ...]]]:
    """What is left of the factors where all of the product's are found, and the indices at which it stands."""
    axes = name.rank
    bound = set(bound_indices(product.factors, axes))

    def extend(
        left: Sequence[Factor], free: list[Factor], names: dict[int, int]
    ) -> Iterator[tuple[list[Factor], tuple[int, ...]]]:
        if not left:
            hidden = [names[i] for i in bound]
            outside = {i for f in free for i in f.indices}
            if all(i >= rank and i not in outside for i in hidden) and len(set(hidden)) == len(hidden):
                yield free, tuple(names.get(k, ONLY) for k in range(axes))
            return
        wanted = left[0]
        for k, f in enumerate(free):
            if f.digest != wanted.digest or f.power * wanted.power <= 0 or abs(f.power) < abs(wanted.power):
                continue
            joined = _joined(names, wanted.indices, f.indices)
            if joined is not None:
                over = f.power - wanted.power
                rest = [Factor(f.atom, f.indices, over)] if over else []
                yield from extend(left[1:], [*free[:k], *rest, *free[k + 1 :]], joined)

    covered = {i for f in product.factors for i in f.indices}
    # One factor alone is most often as short as its name.
    is_telling = len(product.factors) > 1 or any(isinstance(f.atom, Apply) for f in product.factors)
    if is_telling and {k for k, s in enumerate(name.shape) if s != ONE} <= covered:
        yield from extend(product.factors, factors, {})


def _joined(names: dict[int, int], own: tuple[int, ...], there: tuple[int, ...]) -> dict[int, int] | None:
    joined = dict(names)
    for i, j in zip(own, there, strict=True):
        if (i == ONLY) != (j == ONLY):
            return None
        if joined.setdefault(i, j) != j:
            return None
    return joined


def _quotients(term: Term, name: Leaf, product: Term, rank: int) -> Term:
    """The numerator of the product replaced by name × denominator, at every whole power."""
    above = [f for f in product.factors if f.power is WHOLE or f.power > 0]
    if len(above) != 1 or len(product.factors) < 2 or above[0].power != 1:
        return term
    numerator = above[0]
    long = [k for k, s in enumerate(name.shape) if s != ONE]
    if sorted(i for i in numerator.indices if i != ONLY) != long or bound_indices(product.factors, name.rank):
        return term
    below = [f for f in product.factors if f is not numerator]
    factors, c = list[Factor](), term.coefficient
    for f in term.factors:
        if f.digest != numerator.digest or f.power.denominator != 1:
            factors.append(f)
            continue
        at = {axis: f.indices[place] for place, axis in enumerate(numerator.indices)} | {ONLY: ONLY}
        factors.append(Factor(name, tuple(at.get(k, ONLY) for k in range(name.rank)), f.power))
        factors += [Factor(g.atom, tuple(at[i] for i in g.indices), -g.power * f.power) for g in below]
        c /= product.coefficient ** int(f.power)
    return make_term(c, factors, rank, extents([*term.factors, *factors]))
