"""A derived line written otherwise, as text: equal by algebra, by the definitions of the names, or by the facts."""

from __future__ import annotations

from symgrad.graph.expression import Contraction, Leaf, Linear, Role, contraction, leaf, linear, power, total, transpose
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute, to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.matrix import to_expression


def rearranged(d, eq):
    """(kind, text) pairs for the last line of a backward equation."""
    e = eq.expression
    yield "as it is", str(e)
    form = expand(to_form(e))
    if form is not None and len(form.terms) > 1:
        yield "multiplied out", str(to_expression(form))
    for kind, other in (*_dissolved(d, e), *_facts(d, e), *_algebra(e)):
        if str(other) != str(e) and "\n" not in str(other):
            yield kind, str(other)
    yield from _spelled(e)


def _dissolved(d, e):
    """Names put back: each definition alone, each cotangent alone, and everything."""
    equations = (*d.forward, *d.backward)
    inside = {x for x in postorder([e]) if isinstance(x, Leaf)}
    for eq in equations:
        if eq.target in inside:
            yield "a name dissolved", substitute(e, {eq.target: eq.expression})
    for eq in reversed(equations):
        e = substitute(e, {eq.target: eq.expression})
    yield "all names dissolved", e
    form = expand(to_form(e))
    if form is not None:
        yield "dissolved and multiplied out", to_expression(form)


def _facts(d, e):
    """Facts used where they are not needed: Y·ΣY for one-hot rows, s³ for signs, b² for what is 0 or 1, Aᵀ for A."""
    softmaxes = {eq.target for eq in d.forward if getattr(eq.expression, "primitive", "") == "softmax"}
    for x in dict.fromkeys(x for x in postorder([e]) if isinstance(x, Leaf)):
        if "one_hot" in x.facts or (x in softmaxes and x.rank):
            yield "rows that sum to 1", substitute(e, {x: x * total(x, x.rank - 1, keepdims=True)})
        if "sign" in x.facts:
            yield "a sign squared", substitute(e, {x: power(x, 3)})
        if x.facts & {"binary", "one_hot"}:
            yield "0 and 1 squared", substitute(e, {x: power(x, 2)})
        if "symmetric" in x.facts:
            yield "a symmetric matrix turned", substitute(e, {x: transpose(x)})


def _algebra(e):
    for node in postorder([e]):
        if isinstance(node, Linear) and len(node.terms) > 1:
            yield "terms reordered", substitute(e, {node: linear(node.terms[::-1])})
        if isinstance(node, Contraction) and len(node.operands) > 1:
            turned = contraction(node.operands[::-1], node.indices[::-1], node.shape)
            yield "factors reordered", substitute(e, {node: turned})
        if _is_matmul(node) and node.rank == 2:
            a, b = node.operands
            yield "the transpose of a product", substitute(e, {node: (b.T @ a.T).T})
        if isinstance(node, Leaf) and node.role not in {Role.NUMBER, Role.SIZE} and not node.rank:
            yield "a share and the rest", substitute(e, {node: node / 3 + 2 * node / 3})
    yield "twice, less once", 2 * e - e
    yield "a number more", e + 3 - 3


def _is_matmul(node):
    is_product = isinstance(node, Contraction) and len(node.operands) == 2
    return is_product and read(node.indices, node.rank).pattern is Pattern.MATMUL


def _spelled(e):
    """einsum for a matrix product, products with ones for a sum: the node's text is put in for a placeholder's."""
    for node in postorder([e]):
        text = None
        if _is_matmul(node) and [x.rank for x in node.operands] == [2, 2]:
            a, b = node.operands
            kind, text = "einsum", f'einsum("ab,bc->ac", {a}, {b})'
        elif isinstance(node, Contraction) and len(node.operands) == 1:
            (x,), reading = node.operands, read(node.indices, node.rank)
            if reading.pattern is Pattern.SUM and reading.axes == (0,) and not reading.keepdims:
                kind, text = "a sum as a product with ones", f"(ones({x.shape[0]}) @ ({x}))"
        if text is not None and "\n" not in text:
            placeholder = leaf("placeholder", node.shape, Role.DATA)
            yield kind, str(substitute(e, {node: placeholder})).replace("placeholder", text)
