"""Branches that must not be computed where they do not hold: where(r > 0, log r, 0) takes no log of 0.

The argument of what is singular becomes 1 there: where(r > 0, log(where(r > 0, r, 1)), 0) has the same value. In a
gradient the branch is a factor, [r > 0]/r, and the same is done.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.compile.operations import COMPARISONS
from symgrad.compile.products import Factor, Sizes, product_of
from symgrad.compile.stable import is_function, is_one, rebuilt
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Shape,
    elementwise,
    number,
)

# Branches are short formulas; what is longer is left alone.
LONGEST = 60


def branch_of(e: Expr) -> Expr | None:
    """where(c, a, b) with a guarded where c does not hold, and b where it does."""
    if not isinstance(e, Elementwise) or e.function != "where":
        return None
    c, a, b = e.operands
    guarded = _guarded(a, c, is_first=True), _guarded(b, c, is_first=False)
    if guarded[0] is a and guarded[1] is b:
        return None
    return elementwise("where", c, *guarded)


def factor_of_branch(found: list[Factor], sizes: Sizes, shape: Shape) -> Expr | None:
    """[c]·f with a singular f guarded where c does not hold, (1 - [c])·f where it does."""
    for x, own in found:
        c, is_first = _condition(x)
        if c is None:
            continue
        new = [(_guarded(y, c, is_first=is_first) if own == at and y is not x else y, at) for y, at in found]
        if any(y is not old for (y, _), (old, _) in zip(new, found, strict=True)):
            return product_of(new, sizes, shape)
    return None


def is_condition(e: Expr) -> bool:
    """Whether `e` is [c] or 1 - [c]."""
    return _condition(e)[0] is not None


def _condition(e: Expr) -> tuple[Expr | None, bool]:
    """(c, True) of [c], (c, False) of 1 - [c]."""
    if isinstance(e, Elementwise) and e.function in COMPARISONS:
        return e, True
    if isinstance(e, Linear) and len(e.terms) == 2:
        (p, one), (q, c) = e.terms
        is_comparison = isinstance(c, Elementwise) and c.function in COMPARISONS
        if p == 1 and q == -1 and is_comparison and is_one(one):
            return c, False
    return None, True


def _guarded(e: Expr, c: Expr, *, is_first: bool) -> Expr:
    """`e` with 1 for the argument of what is singular, where the branch is not taken."""
    if not isinstance(e, (Elementwise, Linear, Contraction)) or e.shape != c.shape:
        return e
    inside = _entrywise(e)
    values: dict[Expr, Expr] = {}
    for node in inside:
        children = [values.get(x, x) for x in node.children]
        if _is_singular(node) and not is_function(children[0], "where"):
            one = number(1)
            x = children[0]
            children[0] = elementwise("where", c, *((x, one) if is_first else (one, x)))
        values[node] = rebuilt(node, children)
    return values[e]


def _entrywise(root: Expr) -> list[Expr]:
    """The nodes whose entries reach `root` at the same place only, operands first; root alone where they are many."""
    order: dict[Expr, None] = {}
    stack = [(root, False)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order[node] = None
        elif node not in order:
            stack.append((node, True))
            stack += [(x, False) for x in _same_place(node) if x.kind != "leaf"]
        if len(stack) > LONGEST or len(order) > LONGEST:
            return [root]
    return list(order)


def _same_place(node: Expr) -> list[Expr]:
    if isinstance(node, Contraction):
        whole = tuple(range(node.rank))
        return [x for x, own in zip(node.operands, node.indices, strict=True) if own == whole]
    return list(node.children) if isinstance(node, (Linear, Elementwise)) else []


def _is_singular(e: Expr) -> bool:
    """Whether `e` has no value for some argument; that of a size is none of those."""
    if not isinstance(e, Elementwise):
        return False
    x = e.operands[0]
    if isinstance(x, Leaf) and x.role in CONSTANT_ROLES:
        return False
    if e.function == "power" and isinstance(e.parameter, Fraction):
        return e.parameter < 0 or e.parameter.denominator != 1
    return e.function in ("log", "power_of")
