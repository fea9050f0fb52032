"""Symmetric by construction: K = e^(2s) exp(-D) + I is symmetric where D is."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, transpose
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import rebuild, to_form
from symgrad.rewrite.facts import Facts


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
        if is_square and definition in symmetric_nodes(definition, Facts({}, frozenset(found))):
            found.add(name)
    return frozenset(found)


def symmetric_nodes(root: Expr, facts: Facts) -> set[Expr]:
    """The matrices in an expression that equal their transposes: entries (i, j) and (j, i) are one form.

    A function of symmetric matrices entry by entry is symmetric, and so is an inverse.
    """
    found: set[Expr] = set()
    for node in postorder([root]):
        if node.rank != 2 or node.shape[0] != node.shape[1]:
            continue
        if isinstance(node, Elementwise | Apply):
            is_kept = isinstance(node, Elementwise) or node.primitive == "inv"
            is_so = is_kept and all(e in found or not e.rank for e in node.children)
        else:
            here = Facts({}, frozenset({*facts.symmetric, *found}), finds_zeros=False)
            is_so = here.apply(to_form(node)) == here.apply(to_form(transpose(node)))
        if is_so:
            found.add(node)
    return found


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


def _is_turned_square(node: Contraction) -> bool:
    return node.rank == 2 and node.indices == ((1, 0),) and node.shape[0] == node.shape[1]
