"""Formulas that have a name of their own, found where the user spelled them out: 1/(1 + e^-u) is σ(u).

Each rule replaces one node by an equal one with a stable kernel and a short derivative. A node that the user named is
never looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction

from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Linear,
    broadcast_to,
    elementwise,
    is_number,
    linear,
    power,
    scale,
    total,
)
from symgrad.graph.patterns import Pattern, read
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import postorder
from symgrad.primitives.normalisers import LOGSUMEXP, NORM, SOFTMAX
from symgrad.rewrite.convert import rebuild


def recognise(roots: Collection[Expr], named: Collection[Expr]) -> dict[Expr, Expr]:
    """Every node below the roots, mapped to itself with the rules applied beneath and at it.

    >>> from symgrad.primitives.language import data, dims, exp, log
    >>> z = data("z", dims("n"))
    >>> e = log(1 + exp(-z))
    >>> str(recognise([e], [])[e])
    'softplus(-z)'
    """
    kept = set(named)
    new: dict[Expr, Expr] = {}
    opaque: set[Expr] = set()
    order = postorder(roots)
    present = set(order)
    for node in order:
        turned = _reassociated(node, present, new)
        built = rebuild(node, [new[e] for e in node.children]) if turned is None else turned
        changed = next((r for rule in RULES[built.kind] if (r := rule(built, opaque)) is not None), built)
        new[node] = changed
        if node in kept:
            opaque.add(changed)
    return new


def _reassociated(node: Expr, present: Collection[Expr], new: Mapping[Expr, Expr]) -> Expr | None:
    """(aᵀB)c = aᵀ(B c), where B c is computed anyway."""
    if not isinstance(node, Contraction) or node.rank or node.indices != ((0,), (0,)):
        return None
    left, c = node.operands
    if not isinstance(left, Contraction) or left.indices != ((1,), (1, 0)):
        return None
    a, b = left.operands
    return new[a] @ (new[b] @ new[c]) if b @ c in present else None


Rule = Callable[[Expr, Collection[Expr]], Expr | None]


def _of_one_plus_exp(e: Expr, opaque: Collection[Expr]) -> Expr | None:
    """u, where e is 1 + e^u."""
    if not isinstance(e, Linear) or e in opaque or len(e.terms) != 2 or any(c != 1 for c, _ in e.terms):
        return None
    ones = [t for t in e.children if _is_one(t)]
    powers = [t for t in e.children if isinstance(t, Elementwise) and t.function == "exp" and t not in opaque]
    return powers[0].operands[0] if len(ones) == len(powers) == 1 else None


def _is_one(e: Expr) -> bool:
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return is_number(e, 1)


def _softplus(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """log(1 + e^u) = softplus(u)."""
    if not isinstance(node, Elementwise) or node.function != "log":
        return None
    u = _of_one_plus_exp(node.operands[0], opaque)
    return None if u is None else elementwise("softplus", u)


def _summands(e: Expr) -> list[tuple[Fraction, Expr]]:
    """The terms of a sum of sums."""
    found: list[tuple[Fraction, Expr]] = []
    stack = [(Fraction(1), e)]
    while stack:
        c, node = stack.pop()
        if isinstance(node, Linear):
            stack += [(c * own, inner) for own, inner in reversed(node.terms)]
        else:
            found.append((c, node))
    return found


def _sigmoid(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """1/(1 + e^u) = σ(-u)."""
    if not isinstance(node, Elementwise) or node.function != "power" or node.parameter != -1:
        return None
    u = _of_one_plus_exp(node.operands[0], opaque)
    if u is None:
        return None
    terms = _summands(u)
    if len(terms) == 1 or all(c < 0 for c, _ in terms):
        return elementwise("sigmoid", linear([(-c, inner) for c, inner in terms]))
    return elementwise("sigmoid", scale(-1, u))


def _logsumexp(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """log Σ e^u = logsumexp(u)."""
    if not isinstance(node, Elementwise) or node.function != "log":
        return None
    found = _sum_of(_in_exp, node.operands[0], opaque)
    return None if found is None else LOGSUMEXP(found[0], axis=found[1], keepdims=found[2])


def _softmax(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """e^u / Σ e^u = softmax(u), where the sum runs along one axis."""
    if not isinstance(node, Contraction) or len(node.operands) != 2:
        return None
    for k in (0, 1):
        above, below = node.operands[k], node.operands[1 - k]
        if not (isinstance(below, Elementwise) and below.function == "power" and below.parameter == -1):
            continue
        found = _sum_of(_in_exp, below.operands[0], opaque)
        is_whole = node.indices[k] == tuple(range(node.rank))
        if found is None or not is_whole or not isinstance(above, Elementwise) or above.function != "exp":
            continue
        u, axes, keepdims = found
        axis = axes if isinstance(axes, tuple) else (axes,)
        along = tuple(range(node.rank)) if axes is None else axis
        own = node.indices[1 - k]
        kept = tuple(i for i in range(node.rank) if i not in along)
        stands = tuple(i for i, s in zip(own, below.shape, strict=True) if s != ONE) if keepdims else own
        if above.operands[0] is u and above not in opaque and len(along) == 1 and stands == kept:
            return SOFTMAX(u, axis=along[0])
    return None


def _in_exp(e: Expr) -> Expr | None:
    """u, where e is e^u."""
    return e.operands[0] if isinstance(e, Elementwise) and e.function == "exp" else None


def _in_square(e: Expr) -> Expr | None:
    """u, where e is u² or u ⊙ u."""
    if isinstance(e, Elementwise) and e.function == "power" and e.parameter == 2:
        return e.operands[0]
    if isinstance(e, Contraction) and e.rank and _is_twice(e) and e.indices[0] == tuple(range(e.rank)):
        return e.operands[0]
    return None


def _is_twice(e: Contraction) -> bool:
    """Whether a product has the same operand twice, with the same indices."""
    return len(e.operands) == 2 and e.operands[0] is e.operands[1] and e.indices[0] == e.indices[1]


def _sum_of(
    argument: Callable[[Expr], Expr | None], e: Expr, opaque: Collection[Expr]
) -> tuple[Expr, tuple[int, ...] | None, bool] | None:
    """u, the axes and whether they are kept, where e is Σ f(u) for the f whose argument is asked for."""
    if not isinstance(e, Contraction) or len(e.operands) != 1 or e in opaque:
        return None
    inner = e.operands[0]
    if isinstance(inner, Contraction) and e.rank == inner.rank + 1:
        # Σ f(u) with its axis put back by [:, None].
        found = _sum_of(argument, inner, opaque)
        is_back = found is not None and not found[2] and found[1] is not None and len(found[1]) == 1
        kept = tuple(k for k in range(e.rank) if found is not None and found[1] is not None and k not in found[1])
        return (found[0], found[1], True) if found is not None and is_back and e.indices == (kept,) else None
    u = argument(inner) if inner not in opaque else None
    if u is None:
        return None
    reading = read(e.indices, e.rank, frozenset(k for k, s in enumerate(e.shape) if s == ONE))
    if reading.pattern is not Pattern.SUM:
        return None
    every = len(reading.axes) == inner.rank and not reading.keepdims
    return u, None if every else reading.axes, reading.keepdims


def _times_one(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """1·e = e, which is left where 1/(1 + e^u) was a quotient."""
    if not isinstance(node, Contraction) or len(node.operands) != 2:
        return None
    for k in (0, 1):
        other, own = node.operands[1 - k], node.indices[1 - k]
        if is_number(node.operands[k], 1) and own == tuple(range(node.rank)):
            return other
    return None


def _squared_norm(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """‖e‖² = Σ e², which has no kink."""
    if not isinstance(node, Elementwise) or node.function != "power" or node.parameter != 2:
        return None
    inner = node.operands[0]
    if not isinstance(inner, Apply) or inner.primitive != "norm" or inner in opaque:
        return None
    axis, keepdims = inner.option("axis"), inner.option("keepdims")
    assert axis is None or isinstance(axis, int | tuple)
    return total(power(inner.operands[0], Fraction(2)), axis, keepdims=bool(keepdims))


def _norm(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """√Σ e² = ‖e‖, whose gradient at 0 has a value."""
    if not isinstance(node, Elementwise) or node.function != "power" or node.parameter != Fraction(1, 2):
        return None
    inner = node.operands[0]
    if isinstance(inner, Contraction) and not inner.rank and inner not in opaque and _is_twice(inner):
        u = inner.operands[0]
        return NORM(u, axis=None) if sorted(inner.indices[0]) == list(range(u.rank)) else None
    found = _sum_of(_in_square, inner, opaque)
    return None if found is None else NORM(found[0], axis=found[1], keepdims=found[2])


def _view_outside(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """f of a scalar that is only broadcast is the broadcast of f."""
    if not isinstance(node, Elementwise) or len(node.operands) != 1 or not node.rank:
        return None
    inner = node.operands[0]
    if not isinstance(inner, Contraction) or len(inner.operands) != 1 or inner.operands[0].rank:
        return None
    return broadcast_to(elementwise(node.function, inner.operands[0], parameter=node.parameter), node.shape)


def _already_triangular(node: Expr, opaque: Collection[Expr]) -> Expr | None:
    """The lower triangle of a Cholesky factor is the factor."""
    if not isinstance(node, Apply) or node.primitive != "tril":
        return None
    inner = node.operands[0]
    return inner if isinstance(inner, Apply) and inner.primitive in {"cholesky", "tril"} else None


# By the kind of node that a rule looks for.
RULES: Mapping[str, tuple[Rule, ...]] = {
    "leaf": (),
    "linear": (),
    "contraction": (_softmax, _times_one),
    "elementwise": (_softplus, _sigmoid, _logsumexp, _squared_norm, _norm, _view_outside),
    "apply": (_already_triangular,),
}
