"""Why a matrix stands transposed: the sum runs over the index that faces away from its neighbour."""

from __future__ import annotations

from symgrad.explain import reasons
from symgrad.explain import sentences as say
from symgrad.explain.document import Inline, Math, Sentence
from symgrad.explain.writing import Writing, listed
from symgrad.graph.expression import Contraction, Expr, Leaf, Role
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.walk import postorder


def facing(writing: Writing, e: Expr) -> list[Inline]:
    """How sums become products of matrices, and which factors come transposed."""
    turned = transposes(writing, e)
    cores = dict.fromkeys(
        x.children[0]
        for node in _products(e)
        for x in node.operands
        if isinstance(x, Contraction) and x.indices == ((1, 0),)
    )
    # In numerator layout the axes of a derivative are exchanged: which of them a sum runs over is not said.
    cores = {x: None for x in cores if not (writing.is_turned and _holds_derivative(x))}
    if len(turned) == 0 and cores:
        arrays = listed([_array(writing, x) for x in cores])
        turned = [Sentence(reasons.TURNED, {"arrays": arrays})]
    return turned


def _array(writing: Writing, e: Expr) -> Math:
    """An array inside a sentence, where a derivative is written with a slash."""
    is_cotangent = isinstance(e, Leaf) and e.role is Role.COTANGENT
    return Math(writing.derivative(e, is_inline=True) if isinstance(e, Leaf) and is_cotangent else writing.tex(e))


def _holds_derivative(e: Expr) -> bool:
    return any(isinstance(x, Leaf) and x.role is Role.COTANGENT for x in postorder([e]))


def _products(e: Expr) -> list[Contraction]:
    """The products of two matrices in an expression."""
    return [
        node
        for node in postorder([e])
        if isinstance(node, Contraction) and read(node.indices, node.rank).pattern is Pattern.MATMUL
    ]


def transposes(writing: Writing, e: Expr) -> list[Inline]:
    """Why a matrix stands transposed at an end of a product: the sum runs over the index that faces away."""
    found: dict[Expr, Inline] = {}
    for node in _products(e):
        left, right = node.operands
        for side, text in ((left, say.TRANSPOSED_LEFT), (right, say.TRANSPOSED_RIGHT)):
            core = side.children[0] if isinstance(side, Contraction) and side.indices == ((1, 0),) else None
            if isinstance(core, Leaf) and not (writing.is_turned and _holds_derivative(core)):
                found.setdefault(core, Sentence(text, {"array": _array(writing, core)}))
    return list(found.values()) if len(found) == 1 else []
