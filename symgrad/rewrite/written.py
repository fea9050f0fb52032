"""Expression → sums of products as they stand: identities, equal factors and sums over them are kept, not contracted.

The normal form is what such a line becomes; the two side by side show which terms of a sum are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symgrad.graph.expression import Contraction, Expr, Linear, Shape
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.form import Factor, Form, Term, bound_indices, relabel, size_factor

ONE = Fraction(1)
# A term as it stands is compared by nothing: it is printed or evaluated.
NO_KEY = b""


def as_written(root: Expr) -> Form:
    """The expression as a sum of flat products, a factor for every place where an array stands.

    >>> from symgrad.primitives.language import data, dims, eye
    >>> n = dims("n")
    >>> x = data("x", n)
    >>> [len(as_written(eye(n) @ x).terms[0].factors), len(to_form(eye(n) @ x).terms[0].factors)]
    [2, 1]
    """
    forms: dict[Expr, Form] = {}
    # What is no sum or product of others is taken whole; nothing beneath it is looked at here.
    whole = {node for node in postorder([root]) if not isinstance(node, Linear | Contraction)}
    for node in postorder([root], stop=whole):
        forms[node] = _form(node, forms)
    return forms[root]


def _form(node: Expr, forms: Mapping[Expr, Form]) -> Form:
    if isinstance(node, Linear):
        return Form(node.shape, tuple(t.scaled(c) for c, e in node.terms for t in forms[e].terms))
    if isinstance(node, Contraction):
        return _product(node, [forms[e] for e in node.operands])
    return to_form(node)


def _product(node: Contraction, operands: list[Form]) -> Form:
    """Each operand's factors at its indices; a sum stays in parentheses, unless it stands alone."""
    if len(operands) == 1:
        (form,) = operands
        alone = [Form(form.shape, (term,)) for term in form.terms]
        return Form(node.shape, tuple(t for one in alone for t in product([one], node.indices, node.shape).terms))
    return product(operands, node.indices, node.shape)


def product(forms: Sequence[Form], indices: Sequence[Sequence[int]], shape: Shape) -> Form:
    """Πₖ forms[k][indices[k]] as one term, summed over the indices that are no axes; a sum of terms is one factor.

    A sum over an index that nothing holds any more is its size.
    """
    if any(not form.terms for form in forms):
        return Form(shape, ())
    sizes = {i: s for form, own in zip(forms, indices, strict=True) for i, s in zip(own, form.shape, strict=True)}
    coefficient, factors = ONE, list[Factor]()
    fresh = max([*sizes, len(shape)]) + 1
    for form, own in zip(forms, indices, strict=True):
        (term,) = form.terms if len(form.terms) == 1 else (_in_parentheses(form),)
        bound = bound_indices(term.factors, len(form.shape))
        factors += relabel(term.factors, dict(enumerate(own)) | {i: fresh + k for k, i in enumerate(bound)})
        coefficient, fresh = coefficient * term.coefficient, fresh + len(bound)
    held = {i for f in factors for i in f.indices}
    for i, extent in sizes.items():
        if i >= len(shape) and i not in held:
            c, more = size_factor(extent, ONE)
            coefficient, factors = coefficient * c, [*factors, *more]
    return Form(shape, (Term(coefficient, tuple(factors), NO_KEY),))


def _in_parentheses(form: Form) -> Term:
    return Term(ONE, (Factor(form, tuple(range(len(form.shape))), ONE),), NO_KEY)
