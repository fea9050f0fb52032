"""One equation pulled back: from the cotangent of its target to what it adds to the cotangents of the names in it.

Three laws and the table: linearity, contraction, the elementwise chain, and the pullbacks of the primitives.
"""

from __future__ import annotations

from collections.abc import Collection

import sympy

from symgrad.errors import DerivationError
from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    add,
    contraction,
    elementwise,
    identity,
    leaf,
    linear,
    multiply,
    scale,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass

# A step is named after the strongest of the laws on its way.
LAWS = ("linearity", "contraction", "elementwise")


@dataclass(frozen=True, slots=True)
class Pulled:
    """A cotangent, the law or primitive that it came through, and the node to which that was applied."""

    cotangent: Expr
    rule: str
    subject: Expr
    # The other ways, where several lead to one name: each a law or primitive, and the node to which it was applied.
    others: tuple[tuple[str, Expr], ...] = ()


def pull_back(seed: Expr, expression: Expr, target: Leaf | None, wanted: Collection[Leaf]) -> dict[Leaf, Pulled]:
    """Contributions of `target = expression`, whose cotangent is `seed`, to the cotangents of the wanted leaves.

    The target's name stands for the value of the expression where a derivative needs it; None leaves it written out.

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d = dims("n d")
    >>> X, w, y = data("X", n, d), parameter("w", d), data("y", n)
    >>> str(pull_back(y, X @ w, y, [w])[w].cotangent)
    'y @ X'
    """
    order = postorder([expression])
    active: set[Expr] = set(wanted)
    active |= {node for node in order if _touch(node, active)}
    arrived: dict[Expr, Pulled] = {expression: Pulled(seed, LAWS[0], expression)}
    for node in reversed(order):
        here = arrived.get(node)
        if here is None or node not in active or isinstance(node, Leaf):
            continue
        value = target if node is expression and target is not None else node
        for operand, sent in zip(node.children, _operand_cotangents(node, value, here, active), strict=True):
            if operand in active and sent is not None:
                old = arrived.get(operand)
                arrived[operand] = sent if old is None else _added(old, sent)
    return {leaf: arrived[leaf] for leaf in wanted if leaf in arrived}


def _touch(node: Expr, active: set[Expr]) -> bool:
    is_active = any(e in active for e in node.children)
    if is_active:
        active.add(node)
    return is_active


def _added(a: Pulled, b: Pulled) -> Pulled:
    stronger, weaker = (a, b) if _strength(a.rule) >= _strength(b.rule) else (b, a)
    ways = dict.fromkeys([*stronger.others, (weaker.rule, weaker.subject), *weaker.others])
    others = tuple((rule, e) for rule, e in ways if rule != stronger.rule or e is not stronger.subject)
    return Pulled(add(a.cotangent, b.cotangent), stronger.rule, stronger.subject, others)


def _strength(rule: str) -> int:
    return LAWS.index(rule) if rule in LAWS else len(LAWS)


def _stronger(here: Pulled, cotangent: Expr, rule: str, subject: Expr) -> Pulled:
    if _strength(rule) > _strength(here.rule):
        return Pulled(cotangent, rule, subject)
    return Pulled(cotangent, here.rule, here.subject, here.others)


def _operand_cotangents(node: Expr, value: Expr, here: Pulled, active: set[Expr]) -> list[Pulled | None]:
    if isinstance(node, Linear):
        return [_stronger(here, scale(c, here.cotangent), "linearity", node) for c, _ in node.terms]
    if isinstance(node, Contraction):
        return [
            _stronger(here, contraction_cotangent(node, k, here.cotangent), _law(node, k), node)
            if e in active
            else None
            for k, e in enumerate(node.operands)
        ]
    if isinstance(node, Elementwise):
        return [
            _stronger(here, multiply(here.cotangent, _known(d, node)), "elementwise", node)
            if d is not None and e in active
            else None
            for e, d in zip(node.operands, local_derivatives(node, value), strict=True)
        ]
    assert isinstance(node, Apply)
    entry = PRIMITIVES[node.primitive]
    sent = entry.pullback(here.cotangent, value, node.operands, dict(node.options))
    return [_stronger(here, cotangent, entry.name, node) for cotangent in sent]


def _law(node: Contraction, place: int) -> str:
    """Linearity where the operand only meets scalars and keeps its axes; contraction otherwise."""
    meets_scalars = all(not own for k, own in enumerate(node.indices) if k != place)
    return "linearity" if meets_scalars and node.indices[place] == tuple(range(node.rank)) else "contraction"


def contraction_cotangent(node: Contraction, place: int, cotangent: Expr) -> Expr:
    """z̄ contracted with all other operands, read at the indices of the operand in `place`.

    An index that stands twice in the operand (a diagonal) becomes an identity matrix; one that stands nowhere else
    (a sum) becomes a broadcast.
    """
    own = node.indices[place]
    operand = node.operands[place]
    names: dict[int, int] = {}
    extra: list[tuple[Expr, tuple[int, ...]]] = []
    for axis, i in enumerate(own):
        if i in names:
            extra.append((identity(operand.shape[axis]), (names[i], axis)))
        else:
            names[i] = axis
    others = [
        (e, indices) for k, (e, indices) in enumerate(zip(node.operands, node.indices, strict=True)) if k != place
    ]
    fresh = iter(range(operand.rank, 10**6))
    pairs = [(cotangent, tuple(range(node.rank))), *others]
    renamed = []
    for e, indices in pairs:
        for i in indices:
            if i not in names:
                names[i] = next(fresh)
        renamed.append((e, tuple(names[i] for i in indices)))
    operands, places = zip(*renamed, *extra, strict=True)
    return contraction(operands, places, operand.shape)


def local_derivatives(node: Elementwise, value: Expr) -> list[Expr | None]:
    """∂f/∂xₖ at the operands, in the model language; None where it is zero."""
    entry = FUNCTIONS[node.function]
    extra = (node.parameter,) if entry.is_family else ()
    if entry.derivatives is not None:
        return [d(value, *node.operands, *extra) if d is not None else None for d in entry.derivatives]
    body = node.parameter
    if not isinstance(body, sympy.Lambda):
        raise DerivationError(f"{node.function} has no derivative; give its entry one")
    derived = [sympy.Lambda(body.variables, sympy.diff(body.expr, v)) for v in body.variables]
    return [elementwise("scalar", *node.operands, parameter=d) if d.expr != 0 else None for d in derived]


def _known(derivative: Expr, node: Elementwise) -> Expr:
    """A derivative; refused where SymPy only wrote it down, as d/du of floor(u)."""
    body = derivative.parameter if isinstance(derivative, Elementwise) else None
    if isinstance(body, sympy.Lambda) and body.expr.has(sympy.Derivative, sympy.Subs):
        name = node.parameter.expr.func.__name__ if isinstance(node.parameter, sympy.Lambda) else node.function
        raise DerivationError(
            f"SymPy has no derivative of {name}; write the loss without it, or let it hold no parameter", about=node
        )
    return derivative


def accumulate(contributions: list[Expr]) -> Expr:
    """The sum over all uses."""
    return contributions[0] if len(contributions) == 1 else linear([(1, e) for e in contributions])


def cotangent_of(variable: Leaf) -> Leaf:
    """The leaf that stands for ∂L/∂variable."""
    return leaf(variable.name, variable.shape, Role.COTANGENT)
