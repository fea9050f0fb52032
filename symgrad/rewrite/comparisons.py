"""Comparisons in the normal form: told by the sign of one term, and added up where one of three must hold."""

from __future__ import annotations

from fractions import Fraction

from symgrad.graph.expression import Contraction, Elementwise, Expr, elementwise, is_number
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.expand import expand, map_groups
from symgrad.rewrite.form import INDICATORS, Atom, Form, Term, collect, extents, make_term
from symgrad.rewrite.matrix import to_expression

GREATER, EQUAL, LESS = 1, 0, -1


def told_by_sign(form: Form) -> Form:
    """[a > b] as [u > v] where a - b is a positive multiple of u - v, as [v > u] where a negative one, if that is shorter.

    >>> from symgrad.primitives.language import data, dims
    >>> x, a, q = data("x", dims("n")), data("a", dims("n")), data("q")
    >>> print(to_expression(told_by_sign(to_form(q * x > (q - 1) * x))))
    x > 0
    >>> print(to_expression(told_by_sign(to_form((x - a) / 10 > x - a))), to_expression(told_by_sign(to_form(x > a))))
    a > x x > a
    """
    if not form.holds(_is_comparison):
        return form
    root = to_expression(form)
    found: dict[Expr, Expr] = {}
    for node in postorder([root]):
        if isinstance(node, Elementwise) and _is_comparison(node):
            shorter = _by_sign(node)
            if cost(shorter) < cost(node) or (node.function == "equal" and _is_zero(node.operands[0])):
                found[node] = shorter
    return to_form(substitute(root, found)) if found else form


def _is_comparison(atom: Atom) -> bool:
    return isinstance(atom, Elementwise) and atom.function in INDICATORS


def _by_sign(node: Elementwise) -> Expr:
    a, b = node.operands
    difference = expand(to_form(a - b))
    if difference is None or not difference.terms:
        return node
    sizes = {abs(t.coefficient) for t in difference.terms}
    sign = 1 if difference.terms[0].coefficient > 0 else -1
    content = sign * (sizes.pop() if len(sizes) == 1 else 1)
    terms = [t.scaled(Fraction(1) / content) for t in difference.terms]
    is_pair = len(terms) == 2 and terms[1].coefficient < 0
    left, right = (terms[:1], [terms[1].scaled(Fraction(-1))]) if is_pair else (terms, [])
    u, v = (to_expression(Form(difference.shape, tuple(side))) for side in (left, right))
    is_turned = sign < 0 and node.function != "equal"
    return elementwise(node.function, *((v, u) if is_turned else (u, v)))


def _is_zero(e: Expr) -> bool:
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return is_number(e, 0)


@dataclass(frozen=True, slots=True)
class _Bracket:
    """One of [a > b], [a = b], [b > a] in a term: which two are compared where, what else the term holds."""

    group: tuple[object, ...]
    relation: int
    rest: Term


def one_of_three(form: Form) -> Form:
    """[a > b] + [a = b] + [b > a] = 1, also as a part of longer sums.

    >>> from symgrad.primitives.language import data, dims, equal
    >>> x, q = data("x", dims("n")), data("q")
    >>> print(to_expression(one_of_three(to_form(q * (x > 0) + q * equal(x, 0) + (q - 1) * (x < 0)))))
    q * (x > 0) + q * equal(x, 0) + (q - 1) * (0 > x)
    >>> print(to_expression(one_of_three(expand(to_form(q * (x > 0) + q * equal(x, 0) + (q - 1) * (x < 0))))))
    q - (0 > x)
    """
    if not form.holds(_is_comparison):
        return form
    inner = map_groups(form, one_of_three)
    groups: dict[tuple[object, ...], dict[int, tuple[int, Term]]] = {}
    for place, term in enumerate(inner.terms):
        for bracket in _brackets(term, len(inner.shape)):
            own = groups.setdefault(bracket.group, {})
            own[bracket.relation] = (place, bracket.rest)
            if len(own) == 3 and len({rest.coefficient for _, rest in own.values()}) < 3:
                return one_of_three(_added_up(inner, own))
    return inner


def _brackets(term: Term, rank: int) -> list[_Bracket]:
    found = []
    for k, f in enumerate(term.factors):
        if not isinstance(f.atom, Elementwise) or f.atom.function not in ("greater", "equal") or f.power != 1:
            continue
        a, b = f.atom.operands
        rest = [g for j, g in enumerate(term.factors) if j != k]
        left = make_term(term.coefficient, rest, rank, extents(term.factors))
        relation = EQUAL if f.atom.function == "equal" else GREATER if a.digest < b.digest else LESS
        group = (*sorted((a.digest, b.digest)), f.indices, left.key)
        found.append(_Bracket(group, relation, left))
    return found


def _added_up(form: Form, own: dict[int, tuple[int, Term]]) -> Form:
    """The form with c (the coefficient that most of the three have) of each of the three replaced by c."""
    coefficients = [rest.coefficient for _, rest in own.values()]
    common = max(coefficients, key=coefficients.count)
    changes: dict[int, Fraction] = {place: rest.coefficient - common for place, rest in own.values()}
    first, (_, rest) = min(changes), next(iter(own.values()))
    terms: list[Term] = []
    for place, term in enumerate(form.terms):
        if place == first:
            terms.append(rest.scaled(common / rest.coefficient))
        if place in changes:
            terms.append(term.scaled(changes[place] / term.coefficient))
        else:
            terms.append(term)
    return collect(form.shape, terms)
