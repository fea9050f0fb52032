"""Slips of the pen: an expression → the expressions that differ from it by one mistake of the kind that people make."""

from __future__ import annotations

from fractions import Fraction

from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Leaf,
    Linear,
    Role,
    apply,
    broadcast_to,
    contraction,
    elementwise,
    identity,
    linear,
    number,
    scale,
    size,
    total,
    transpose,
)  # fmt: skip
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.rewrite.convert import substitute

SWAPPED = {
    "tanh": ["sigmoid", "sin"], "sigmoid": ["tanh"], "exp": ["sigmoid"], "sin": ["cos"], "cos": ["sin"],
    "maximum": ["minimum"], "minimum": ["maximum"], "relu": ["absolute"], "log": ["exp"],
}  # fmt: skip


def slips(e, others=()):
    """(kind, expression) pairs: the mistake is made at each node in turn, the shape of the whole is kept."""
    order = postorder([e])
    leaves = [x for x in dict.fromkeys((*order, *others)) if isinstance(x, Leaf)]
    names = sorted({name for x in (*order, *others) for s in x.shape for name in s.names})
    for node in order:
        for kind, wrong in _at(node, leaves, names):
            if wrong.shape == node.shape:
                yield kind, substitute(e, {node: wrong})


def _at(node, leaves, names):
    if isinstance(node, Leaf) and node.role is Role.NUMBER:
        return
    if isinstance(node, Leaf) and node.role is Role.SIZE:
        for name in names:
            if (other := size(Size.symbol(name))) is not node:
                yield "another size", other
        yield "a size lost", number(1)
        return
    yield from _anywhere(node)
    if isinstance(node, Leaf):
        for other in leaves:
            if other is not node and other.shape == node.shape and other.role is not Role.NUMBER:
                yield "another array", other
    if isinstance(node, Linear):
        yield from _sum(node)
    if isinstance(node, Contraction):
        yield from _product(node)
    if isinstance(node, Elementwise):
        yield from _function(node)
    if isinstance(node, Apply):
        yield from _primitive(node)


def _anywhere(node):
    yield "a factor", scale(2, node)
    yield "a factor", scale(Fraction(1, 2), node)
    yield "a sign", scale(-1, node)
    if node.rank == 2 and node.shape[0] == node.shape[1]:
        yield "a transpose", transpose(node)
        yield "the diagonal only", contraction([node, identity(node.shape[0])], [(0, 1), (0, 1)], node.shape)
    if node.rank:
        axis = node.rank - 1
        yield "a sum too many", broadcast_to(total(node, axis, keepdims=True), node.shape)
        yield "a factor of a size", node * size(node.shape[0])
        yield "a factor of a size", node / size(node.shape[axis])


def _sum(node):
    if len(node.terms) > 1:
        for k in range(len(node.terms)):
            yield "a term lost", linear([t for j, t in enumerate(node.terms) if j != k])
    for k in range(len(node.terms)):
        for kind, factor in (("a sign", -1), ("a factor", 2)):
            yield kind, linear([(c * factor if j == k else c, x) for j, (c, x) in enumerate(node.terms)])


def _product(node):
    extents = {
        i: s for x, own in zip(node.operands, node.indices, strict=True) for i, s in zip(own, x.shape, strict=True)
    }
    if len(node.operands) > 1:
        for k in range(len(node.operands)):
            rest = [j for j in range(len(node.operands)) if j != k]
            held = {i for j in rest for i in node.indices[j]}
            if all(i in held for i in node.indices[k] if i >= node.rank):
                operands, own = [node.operands[j] for j in rest], [node.indices[j] for j in rest]
                yield "a factor lost", contraction(operands, own, node.shape)
    for k, (x, own) in enumerate(zip(node.operands, node.indices, strict=True)):
        if x.rank == 2 and x.shape[0] == x.shape[1]:
            turned = [own[::-1] if j == k else other for j, other in enumerate(node.indices)]
            yield "a transpose", contraction(node.operands, turned, node.shape)
    for i in [i for i in extents if i >= node.rank]:
        for axis in range(node.rank):
            # The summed index is read at an axis of the result: the sum is lost, where both have one size.
            if extents[i] == node.shape[axis]:
                merged = [tuple(axis if j == i else j for j in own) for own in node.indices]
                yield "a sum lost", contraction(node.operands, merged, node.shape)


def _function(node):
    for name in SWAPPED.get(node.function, []):
        yield "another function", elementwise(name, *node.operands)
    if node.function == "power":
        for exponent in {node.parameter + 1, node.parameter - 1} - {Fraction(0)}:
            yield "another exponent", node.operands[0] ** exponent
        yield "the power lost", node.operands[0]
    if node.function in {"greater", "greater_equal", "maximum", "minimum"}:
        yield "sides exchanged", elementwise(node.function, *node.operands[::-1])
    if len(node.operands) == 1 and node.function != "power":
        yield "a function lost", node.operands[0]


def _primitive(node):
    if node.primitive == "softmax" and node.operands[0].rank == 2:
        yield "another axis", apply("softmax", node.operands, [("axis", 1 - node.option("axis"))], node.shape)
    if node.primitive == "inv":
        yield "an inverse lost", node.operands[0]
