"""A⁻¹ b where b is A q: the q that needs no inverse, found by taking A's factors out of b, and proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symgrad.derive.derivation import Line
from symgrad.derive.equality import prove_equal
from symgrad.errors import CheckFailed
from symgrad.graph.expression import Expr, Leaf
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.display import Reason, Why
from symgrad.rewrite.expand import expand
from symgrad.rewrite.form import Factor, Form, Term, collect, extents, make_term, relabel
from symgrad.rewrite.matrix import to_expression

# Ways to find A's factors in b beyond which none is looked for.
MOST_WAYS = 24


def quotient(matrix: Expr, right: Expr, definitions: Mapping[Leaf, Expr]) -> Expr | None:
    """q with A q = b, where A's factors are seen in b; proved entry by entry, None where none is found.

    >>> from symgrad.primitives.language import data, dims, inv, ones
    >>> n, d = dims("n d")
    >>> K, X = data("K", d, d), data("X", n, d)
    >>> print(quotient(n * inv(K), inv(K) @ (X.T @ ones(n)), {}))
    sum(X, axis=0) / n
    """
    a, b = expand(to_form(matrix)), expand(to_form(right))
    if a is None or b is None or not a.terms or not b.terms:
        return None
    for k, form in enumerate(_candidates(a.terms[0], b, len(right.shape))):
        if k == MOST_WAYS:
            break
        q = to_expression(form)
        product = matrix @ q
        try:
            prove_equal((right, product), [Line(product, Reason(Why.RULE))], definitions, "a quotient")
        except CheckFailed:
            continue
        return q
    return None


def _candidates(first: Term, b: Form, rank: int) -> Iterator[Form]:
    """What is left of each term of b when the factors of A's first term are taken out of it."""
    for term in b.terms:
        for rest, column in _without(list(first.factors), list(term.factors), {0: 0}, rank):
            if column is None or any(i == 0 for f in rest for i in f.indices):
                continue
            # The index that A and q share becomes q's first axis.
            moved = {column: 0} | {i: 1000 + i for f in rest for i in f.indices if i >= rank and i != column}
            factors = relabel(rest, moved)
            made = make_term(term.coefficient / first.coefficient, factors, rank, extents(factors))
            yield collect(b.shape, [made])


def _without(
    wanted: Sequence[Factor], held: Sequence[Factor], names: Mapping[int, int], rank: int
) -> Iterator[tuple[list[Factor], int | None]]:
    """The factors that are left when those wanted are taken away, A's index 1 being the index that comes with each."""
    if not wanted:
        yield list(held), names.get(1)
        return
    f, *others = wanted
    if not f.indices:
        same = next((g for g in held if not g.indices and g.atom.digest == f.atom.digest), None)
        left = f.power if same is None else f.power - same.power
        rest = [g for g in held if g is not same]
        if left:
            rest.append(Factor(f.atom, (), -left))
        yield from _without(others, rest, names, rank)
        return
    for g in held:
        if (g.atom.digest, g.power) != (f.atom.digest, f.power):
            continue
        new = dict(names)
        if all(new.setdefault(i, j) == j for i, j in zip(f.indices, g.indices, strict=True)):
            yield from _without(others, [h for h in held if h is not g], new, rank)
