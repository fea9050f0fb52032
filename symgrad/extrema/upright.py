"""Forms in one way of writing: sums in parentheses never transposed, functions of numbers as numbers, identities left out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy

from symgrad.fields import Symbolic
from symgrad.graph.expression import Contraction, Elementwise, Expr, Leaf, Role, broadcast_to, number
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.rewrite.convert import rebuild, to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.display import simplify
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.form import Factor, Form, Term, bound_indices, collect, extents, make_term, relabel
from symgrad.rewrite.matrix import to_expression
from symgrad.rewrite.symmetry import untransposed


def upright(form: Form) -> Form:
    """The form with every matrix in parentheses the way round that is shorter to write: (X - μ)ᵀ, not Xᵀ - μ 1ᵀ."""
    terms = []
    for t in form.terms:
        factors = [_upright(f) for f in t.factors]
        terms.append(make_term(t.coefficient, factors, len(form.shape), extents(t.factors)))
    return collect(form.shape, terms)


def shortest_written(e: Expr, facts: Facts) -> Expr:
    """The shorter of what the display normal form makes of an expression, and of the expression upright."""
    ways = [untransposed(way, facts) for way in (simplify(e, facts), to_expression(upright(to_form(e))))]
    return min(ways, key=lambda way: (cost(way), len(str(way))))


def _upright(f: Factor) -> Factor:
    if not isinstance(f.atom, Form) or len(f.indices) != 2:
        return f
    turned = _transposed(f.atom)
    here, there = ((cost(to_expression(a)), a.digest) for a in (f.atom, turned))
    return f if here <= there else Factor(turned, f.indices[::-1], f.power)


def _transposed(form: Form) -> Form:
    names = {0: 1, 1: 0}
    terms: list[Term] = []
    for t in form.terms:
        moved = relabel(t.factors, names | {i: i for i in bound_indices(t.factors, 2)})
        terms.append(make_term(t.coefficient, moved, 2, extents(moved)))
    return collect(form.shape[::-1], terms)


def settled(root: Expr) -> Expr:
    """The expression with functions of numbers as the numbers that they are, where these are rational.

    >>> from symgrad.primitives.language import data, exp, ones, tanh
    >>> print(settled(data("a") + exp(0) - tanh(0 * number(1))))
    a + 1 - 0
    """
    new: dict[Expr, Expr] = {}
    for node in postorder([root]):
        built = rebuild(node, [new[child] for child in node.children])
        new[node] = _value(built)
    return new[root]


def _value(node: Expr) -> Expr:
    if not isinstance(node, Elementwise) or not node.operands:
        return node
    numbers = [_number(e) for e in node.operands]
    if any(v is None for v in numbers) or node.function == "scalar":
        return node
    function = FUNCTIONS[node.function]
    extra = [node.parameter] if function.is_family else []
    try:
        value: Any = sympy.S(function.body(Symbolic(), *numbers, *extra))
    except ZeroDivisionError:
        return node
    if not isinstance(value, sympy.Rational):
        return node
    return broadcast_to(number(Fraction(int(value.p), int(value.q))), node.shape)


def _number(e: Expr) -> Any:
    """The number that every entry is, or None."""
    while isinstance(e, Contraction) and len(e.operands) == 1 and all(i < e.rank for i in e.indices[0]):
        e = e.operands[0]
    form = to_form(e)
    if not form.terms:
        return sympy.Integer(0)
    if len(form.terms) == 1 and not form.terms[0].factors:
        c = form.terms[0].coefficient
        return sympy.Rational(c.numerator, c.denominator)
    return None


def without_identities(e: Expr) -> Expr:
    """What is 0 exactly where e is: a product of an array with identities at axes of their own is 0 where the array is.

    >>> from symgrad.primitives.language import data, dims, eye, einsum
    >>> n, d = dims("n d")
    >>> print(without_identities(einsum("ik,jl->ijkl", -data("X", n, n), eye(d))))
    X
    """
    form: Form | None = to_form(e)
    if form is not None and len(form.terms) != 1:
        form = expand(form)
    if form is None or len(form.terms) != 1:
        return e
    (term,) = form.terms
    kept = [f for f in term.factors if not _is_alone(f, term.factors)]
    used = sorted({i for f in kept for i in f.indices if i < len(form.shape)})
    names = {i: k for k, i in enumerate(used)} | {i: 1000 + i for i in bound_indices(kept, len(form.shape))}
    moved = relabel(kept, names)
    made = make_term(Fraction(1), [f for f in moved if f.indices or not _is_size(f)], len(used), extents(moved))
    shape = tuple(form.shape[i] for i in used)
    return to_expression(Form(shape, (made,)))


def _is_size(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.SIZE


def _is_alone(f: Factor, factors: Sequence[Factor]) -> bool:
    if not (isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY):
        return False
    return not any(set(f.indices) & set(g.indices) for g in factors if g is not f)
