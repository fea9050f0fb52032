"""Expression → normal form. Sums inside products stay in parentheses; `expand` multiplies them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from operator import is_

from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    apply,
    elementwise,
    linear,
    power,
    with_operands,
)
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.cost import cost
from symgrad.rewrite.form import (
    WHOLE,
    Factor,
    Form,
    Term,
    bound_indices,
    collect,
    extents,
    make_term,
    relabel,
    size_factor,
)
from symgrad.rewrite.matrix import to_expression

Indices = tuple[int, ...]


@lru_cache(maxsize=1024)
def to_form(root: Expr) -> Form:
    """The normal form of an expression, products of sums not multiplied out.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> x, y = data("x", n), data("y", n)
    >>> to_form((x + y) - y) == to_form(x), to_form(x * y) == to_form(y * x)
    (True, True)
    """
    found = _Found({})
    for node in postorder([root]):
        found.forms[node] = _form(node, found)
    return found.forms[root]


class _Found:
    """The forms of what a node is made of. The node tells which they are: what is remembered of a node goes by it alone."""

    __slots__ = ("forms",)

    def __init__(self, forms: dict[Expr, Form]) -> None:
        self.forms = forms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Found)

    def __hash__(self) -> int:
        return 0


def transposed(form: Form) -> Form:
    """The form of the transpose of a matrix."""
    return collect(form.shape[::-1], [_moved(t, (1, 0), 2) for t in form.terms])


def single(coefficient: Fraction, factors: list[Factor], node: Expr) -> Form:
    """A form of one term."""
    term = make_term(coefficient, factors, node.rank)
    return Form(node.shape, (term,) if coefficient else ())


@lru_cache(maxsize=4096)
def _form(node: Expr, found: _Found) -> Form:
    forms = found.forms
    if isinstance(node, Leaf):
        return _leaf(node)
    if isinstance(node, Linear):
        return collect(node.shape, [t.scaled(c) for c, e in node.terms for t in forms[e].terms])
    if isinstance(node, Contraction):
        return _contraction(node, forms)
    if isinstance(node, Elementwise) and node.function == "power":
        return _power(node, forms[node.operands[0]])
    if isinstance(node, Elementwise):
        return _elementwise(node, forms)
    assert isinstance(node, Apply)
    return _apply(node, forms)


def _leaf(node: Leaf) -> Form:
    if node.role is Role.NUMBER:
        assert isinstance(node.value, Fraction)
        return single(node.value, [], node)
    if node.role is Role.SIZE:
        assert isinstance(node.value, Size)
        return single(*size_factor(node.value, WHOLE), node)
    return single(WHOLE, [Factor(node, tuple(range(node.rank)), WHOLE)], node)


def _contraction(node: Contraction, forms: Mapping[Expr, Form]) -> Form:
    rank, operands = len(node.shape), [*map(forms.__getitem__, node.children)]
    if not all(f.terms for f in operands):
        return Form(node.shape, ())
    if len(operands) == 1 and max(node.indices[0], default=-1) < rank:
        return collect(node.shape, [_moved(t, node.indices[0], rank) for t in operands[0].terms])
    sizes = dict(enumerate(node.shape))
    for e, own in zip(node.children, node.indices, strict=True):
        sizes.update(zip(own, e.shape, strict=True))
    coefficient, factors, fresh = WHOLE, list[Factor](), max(sizes, default=-1) + 1
    for form, own in zip(operands, node.indices, strict=True):
        c, mine = _as_factors(form, own, fresh)
        fresh = max([fresh - 1, *[i for f in mine for i in f.indices]]) + 1
        coefficient = c if coefficient is WHOLE else coefficient * c
        factors += mine
    term = make_term(coefficient, factors, rank, {**extents(factors, rank), **sizes})
    return collect(node.shape, [term])


def _moved(term: Term, own: Indices, rank: int) -> Term:
    names = dict(enumerate(own))
    names |= {i: 1000 + i for i in bound_indices(term.factors, len(own))}
    factors = relabel(term.factors, names)
    return make_term(term.coefficient, factors, rank)


def _as_factors(form: Form, own: Indices, fresh: int) -> tuple[Fraction, list[Factor]]:
    """A form as factors at the indices `own`: one term is taken apart, a sum becomes one atom in parentheses."""
    if len(form.terms) == 1:
        (term,) = form.terms
        names = dict(enumerate(own))
        names |= {i: fresh + k for k, i in enumerate(bound_indices(term.factors, len(own)))}
        return term.coefficient, relabel(term.factors, names)
    return _grouped(form, own)


def _grouped(form: Form, own: Indices) -> tuple[Fraction, list[Factor]]:
    """The sum as an atom over those axes only that occur in it, what all coefficients share in front of it."""
    used = sorted({i for t in form.terms for f in t.factors for i in f.indices if 0 <= i < len(own)})
    content = _content(form)
    terms = list(_divided(form, content).terms)
    if len(used) < len(own):
        names = {i: k for k, i in enumerate(used)}
        terms = [_moved_to(t, names, len(own), len(used)) for t in terms]
    group = collect(tuple(form.shape[i] for i in used), terms)
    return content, [Factor(group, tuple(own[i] for i in used), WHOLE)]


def _content(form: Form) -> Fraction:
    """What the coefficients of all terms share but for their signs; 1 where they differ."""
    sizes = {abs(t.coefficient) for t in form.terms}
    return sizes.pop() if len(sizes) == 1 else WHOLE


def _divided(form: Form, content: Fraction) -> Form:
    return Form(form.shape, tuple(t.scaled(1 / content) for t in form.terms)) if content != 1 else form


def _moved_to(term: Term, names: Mapping[int, int], old_rank: int, rank: int) -> Term:
    full = dict(names) | {i: 1000 + i for i in bound_indices(term.factors, old_rank)}
    factors = relabel(term.factors, full)
    return make_term(term.coefficient, factors, rank)


def _power(node: Elementwise, base: Form) -> Form:
    exponent = node.parameter if isinstance(node.parameter, Fraction) else Fraction(str(node.parameter))
    if len(base.terms) == 1:
        (term,) = base.terms
        spread = _spread(term, node.rank, exponent)
        if spread is not None:
            return single(*spread, node)
    content, (group,) = _grouped(base, tuple(range(node.rank)))
    if exponent.denominator == 1:
        return single(content ** int(exponent), [Factor(group.atom, group.indices, exponent)], node)
    assert isinstance(group.atom, Form)
    kept = Form(group.atom.shape, tuple(t.scaled(content) for t in group.atom.terms))
    return single(WHOLE, [Factor(kept, group.indices, exponent)], node)


def _spread(term: Term, rank: int, exponent: Fraction) -> tuple[Fraction, list[Factor]] | None:
    """(c·Πf)^p as c^p·Πf^p, where that holds on the whole domain; None where it may not."""
    if bound_indices(term.factors, rank) or not term.coefficient:
        return None
    is_whole = exponent.denominator == 1
    if not is_whole and not _is_plain_root(term):
        return None
    c = term.coefficient ** int(exponent) if is_whole else WHOLE
    return c, [Factor(f.atom, f.indices, f.power * exponent) for f in term.factors]


def _is_plain_root(term: Term) -> bool:
    """√(x) and √(size monomial): no sign can be lost. √(x²) is |x|, and stays."""
    sizes = all(isinstance(f.atom, Leaf) and f.atom.role is Role.SIZE for f in term.factors)
    alone = len(term.factors) == 1 and term.factors[0].power == 1
    return term.coefficient == 1 and (sizes or alone)


def _view(e: Expr) -> tuple[Expr, Indices]:
    """An operand without its transposes and broadcasts, and the axes that it fills."""
    own = tuple(range(e.rank))
    while isinstance(e, Contraction) and len(e.operands) == 1 and all(i < e.rank for i in e.indices[0]):
        if len(set(e.indices[0])) < len(e.indices[0]):
            break
        own = tuple(own[i] for i in e.indices[0])
        e = e.operands[0]
    return e, own


def _canonical(e: Expr, forms: Mapping[Expr, Form]) -> Expr:
    """An operand in the matrix language, so that equal arguments are the same node."""
    core, own = _view(e)
    if core.kind != "leaf":
        return to_expression(forms[e])
    return core if own == tuple(range(e.rank)) and core.shape == e.shape else e


def _elementwise(node: Elementwise, forms: Mapping[Expr, Form]) -> Form:
    operands = [_canonical(e, forms) for e in node.operands]
    node_ = elementwise(node.function, *operands, parameter=node.parameter)
    assert isinstance(node_, Elementwise)
    node, views = node_, [_view(e) for e in operands]
    places = {own for _, own in views if own}
    if len(places) <= 1 and (place := next(iter(places), ())) != tuple(range(node.rank)):
        # f of broadcast operands is the broadcast of f.
        core = elementwise(node.function, *(e for e, _ in views), parameter=node.parameter)
        return single(WHOLE, [Factor(core, place, WHOLE)], node)
    return single(WHOLE, [Factor(node, tuple(range(node.rank)), WHOLE)], node)


def _apply(node: Apply, forms: Mapping[Expr, Form]) -> Form:
    original, first = node, forms[node.operands[0]]
    node_ = apply(node.primitive, [_canonical(e, forms) for e in node.operands], node.options, node.shape)
    assert isinstance(node_, Apply)
    node = node_
    if node.primitive == "inv":
        core, own = _view(node.operands[0])
        if own != (1, 0):
            # (XᵀAᵀX)⁻¹ is the transpose of (XᵀAX)⁻¹, which has fewer symbols.
            other = to_expression(transposed(first))
            core, own = (other, (1, 0)) if cost(other) < cost(node.operands[0]) else (core, own)
        if own == (1, 0):
            inverse = apply("inv", [core], (), core.shape)
            return single(WHOLE, [Factor(inverse, own, WHOLE)], node)
    last = forms[original.operands[-1]]
    if PRIMITIVES[node.primitive].is_linear:
        if len(last.terms) == 1 and _is_scaled(last.terms[0]):
            return _with_scalars_outside(node, last.terms[0])
        content = _content(last)
        if content != 1:
            inner = to_expression(_divided(last, content))
            core = apply(node.primitive, [*node.operands[:-1], inner], node.options, node.shape)
            return single(content, [Factor(core, tuple(range(node.rank)), WHOLE)], node)
    return single(WHOLE, [Factor(node, tuple(range(node.rank)), WHOLE)], node)


def _is_scaled(term: Term) -> bool:
    return term.coefficient != 1 or any(not f.indices for f in term.factors)


def _with_scalars_outside(node: Apply, term: Term) -> Form:
    """f(…, c x) as c f(…, x), f linear in its last operand."""
    scalars = [f for f in term.factors if not f.indices]
    rest = [f for f in term.factors if f.indices]
    *others, last = node.operands
    inner = Form(last.shape, (make_term(WHOLE, rest, last.rank, extents(term.factors)),))
    core = apply(node.primitive, [*others, to_expression(inner)], node.options, node.shape)
    return single(term.coefficient, [*scalars, Factor(core, tuple(range(node.rank)), WHOLE)], node)


def substitute(root: Expr, new: Mapping[Expr, Expr]) -> Expr:
    """The expression with some nodes replaced, the rest rebuilt as it was written."""
    return substitute_in([root], new)[0]


def substitute_in(roots: Sequence[Expr], new: Mapping[Expr, Expr]) -> list[Expr]:
    """The expressions with some nodes replaced; what they share is rebuilt once."""
    rebuilt: dict[Expr, Expr] = {}
    for node in postorder(roots, stop=new):
        rebuilt[node] = new[node] if node in new else rebuild(node, [*map(rebuilt.__getitem__, node.children)])
    return [rebuilt[root] for root in roots]


def rebuild(node: Expr, children: list[Expr]) -> Expr:
    """The same node over other operands."""
    if all(map(is_, node.children, children)):
        return node
    if isinstance(node, Linear):
        from_terms = [(c, e) for (c, _), e in zip(node.terms, children, strict=True)]
        return linear(from_terms)
    if isinstance(node, Elementwise) and node.function == "power":
        # A power of a number is a number.
        return power(children[0], node.parameter)
    return with_operands(node, tuple(children))
