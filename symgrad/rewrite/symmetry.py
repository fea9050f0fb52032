"""Symmetric by construction: K = e^(2s) exp(-D) + I is symmetric where D is."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.graph.expression import Apply, Elementwise, Expr, Leaf, transpose
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import to_form
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
        if name.rank == 2 and name.shape[0] == name.shape[1] and _is_symmetric(definition, frozenset(found)):
            found.add(name)
    return frozenset(found)


def _is_symmetric(definition: Expr, names: frozenset[Leaf]) -> bool:
    """Whether the entries (i, j) and (j, i) are one form, every symmetric part of it written in one orientation."""
    known: dict[Expr, bool] = {}
    for node in postorder([definition]):
        if isinstance(node, Elementwise | Apply) and node.rank == 2:
            same_all = all(known.get(e, not e.rank) for e in node.children)
            known[node] = same_all and (isinstance(node, Elementwise) or node.primitive == "inv")
        elif node.rank == 2 and node.shape[0] == node.shape[1]:
            parts = {e for e, is_so in known.items() if is_so}
            here = Facts({}, frozenset({*names, *parts}), finds_zeros=False)
            known[node] = here.apply(to_form(node)) == here.apply(to_form(transpose(node)))
    return known.get(definition, False)
