"""Symmetric by construction: K = e^(2s) exp(-D) + I is symmetric where D is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symgrad.graph.expression import Contraction, Expr, Leaf
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import rebuild, substitute, to_form
from symgrad.rewrite.facts import Facts, equals_its_transpose, symmetric_nodes
from symgrad.rewrite.form import Atom, Form
from symgrad.rewrite.matrix import to_expression


def symmetric_names(definitions: Mapping[Leaf, Expr]) -> frozenset[Leaf]:
    """The names of matrices that equal their transposes because of what they are made of, in the order of a program.

    >>> from symgrad.graph.expression import Role, leaf
    >>> from symgrad.primitives.language import data, dims, exp
    >>> n = dims("n")
    >>> X, D = data("X", n, n), data("D", n, n, symmetric=True)
    >>> K, M = (leaf(name, D.shape, Role.INTERMEDIATE) for name in "KM")
    >>> [e.name for e in symmetric_names({K: exp(D) + X.T @ X, M: K @ X})]
    ['K']
    """
    found: set[Leaf] = set()
    for name, definition in definitions.items():
        is_square = name.rank == 2 and name.shape[0] == name.shape[1]
        if is_square and equals_its_transpose(definition, Facts({}, frozenset(found))):
            found.add(name)
    return frozenset(found)


def untransposed(root: Expr, facts: Facts) -> Expr:
    """The expression with Sᵀ written S where S is symmetric.

    >>> from symgrad.primitives.language import data, dims, inv
    >>> n = dims("n")
    >>> S, x = data("S", n, n, symmetric=True), data("x", n)
    >>> str(untransposed(inv(S).T @ x, Facts({})))
    'inv(S) @ x'
    """
    known: set[Expr] | None = None
    new: dict[Expr, Expr] = {}
    for node in postorder([root]):
        new[node] = rebuild(node, [new[e] for e in node.children])
        if isinstance(node, Contraction) and _is_turned_square(node):
            known = symmetric_nodes(root, facts) if known is None else known
            if node.children[0] in known:
                new[node] = new[node.children[0]]
    return new[root]


def upright_inside(form: Form, facts: Facts) -> Form:
    """The form with Sᵀ written S inside its functions and primitives, where S is symmetric; the facts used are noted.

    (Sᵀ)⁻¹ x is S⁻¹ x, and (Kᵀ + σ² I)⁻¹ x is (K + σ² I)⁻¹ x.

    >>> from symgrad.primitives.language import data, dims, eye, solve
    >>> n = dims("n")
    >>> K, x = data("K", n, n, positive_definite=True), data("x", n)
    >>> facts = Facts({})
    >>> str(to_expression(upright_inside(to_form(solve((K + eye(n)).T, x)), facts)))
    'solve(K + eye(n), x)'
    >>> [(fact, str(e)) for fact, e in facts.used]
    [('symmetric', 'K')]
    """
    if not form.holds(_is_composed):
        return form
    inside = [e for e in postorder(_composed(form)) if isinstance(e, Contraction) and _is_turned_square(e)]
    upright: dict[Expr, Expr] = {e: e.children[0] for e in inside if equals_its_transpose(e.children[0], facts)}
    if not upright:
        return form
    facts.used |= dict.fromkeys(("symmetric", s) for e in upright.values() for s in facts.grounds(e))
    return to_form(substitute(to_expression(form), upright))


def _composed(form: Form) -> Iterator[Expr]:
    """What stands in the products of a form and is made of more than products: f(…), (…)⁻¹ …"""
    for f in (f for term in form.terms for f in term.factors):
        if isinstance(f.atom, Form):
            yield from _composed(f.atom)
        elif not isinstance(f.atom, Leaf):
            yield f.atom


def _is_composed(atom: Atom) -> bool:
    return not isinstance(atom, Leaf)


def _is_turned_square(node: Contraction) -> bool:
    return node.rank == 2 and node.indices == ((1, 0),) and node.shape[0] == node.shape[1]
