"""Rules for stable code: log(softmax) → log_softmax, log(1 + eˣ) → softplus, eˣ/Σeˣ → softmax …

Each rule looks at one node whose operands have been rewritten already, and gives an equal node or None. Names are
dissolved by then: a rule sees through `P = softmax(Z)`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from operator import is_

from symgrad.graph.expression import (
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Linear,
    apply,
    contraction,
    elementwise,
    is_number,
    linear,
    multiply,
    number,
    power,
    scale,
)
from symgrad.graph.sizes import ONE
from symgrad.graph.walk import fold
from symgrad.primitives.table import PRIMITIVES

WHOLE = Fraction(1)
Rule = Callable[[Expr], Expr | None]
# The rules by the kind of node that they look at.
Rules = Mapping[str, tuple[Rule, ...]]


def is_function(e: Expr, name: str) -> bool:
    """Whether `e` is name(…), entry by entry."""
    return isinstance(e, Elementwise) and e.function == name


def is_primitive(e: Expr, name: str) -> bool:
    """Whether `e` is name(…) on whole arrays."""
    return isinstance(e, Apply) and e.primitive == name


def is_view(e: Expr) -> bool:
    """Whether `e` has only the entries of its operand: permuted, repeated, with or without axes of size 1."""
    if not isinstance(e, Contraction) or len(e.indices) != 1:
        return False
    (own,) = e.indices
    rank = len(e.shape)
    if len(set(own)) < len(own):
        return False
    sizes = e.operands[0].shape
    # Nothing is summed: so it is with most.
    return max(own, default=0) < rank or all(i < rank or sizes[k] == ONE for k, i in enumerate(own))


def is_product(e: Expr) -> bool:
    """Whether `e` is a contraction that sums nothing."""
    if not isinstance(e, Contraction):
        return False
    rank, pairs = len(e.shape), zip(e.operands, e.indices, strict=True)
    return all(i < rank or x.shape[k] == ONE for x, own in pairs for k, i in enumerate(own))


def power_of(e: Expr) -> tuple[Expr, Fraction]:
    """(x, p) of x**p.

    >>> from symgrad.graph.expression import Role, leaf
    >>> power_of(leaf("x", (), Role.DATA) ** -2)
    (<leaf (): x>, Fraction(-2, 1))
    """
    if isinstance(e, Elementwise) and e.function == "power" and isinstance(e.parameter, Fraction):
        return e.operands[0], e.parameter
    return e, WHOLE


def is_reciprocal(e: Expr) -> bool:
    """Whether `e` is x**p with p < 0."""
    is_power = isinstance(e, Elementwise) and e.function == "power" and isinstance(e.parameter, Fraction)
    return is_power and e.parameter.numerator < 0  # type: ignore[attr-defined]  # it is a power by a Fraction


def rebuilt(node: Expr, children: list[Expr]) -> Expr:
    """The same node on other operands."""
    if all(map(is_, node.children, children)):
        return node
    if isinstance(node, Linear):
        return linear((c, e) for (c, _), e in zip(node.terms, children, strict=True))
    if isinstance(node, Contraction):
        return contraction(children, node.indices, node.shape)
    if isinstance(node, Elementwise):
        return elementwise(node.function, *children, parameter=node.parameter)
    assert isinstance(node, Apply)
    return apply(node.primitive, children, node.options, node.shape)


def unscaled(e: Expr) -> tuple[Fraction, Expr]:
    """(c, x) of c·x."""
    c = WHOLE
    while isinstance(e, Linear) and len(e.terms) == 1:
        c, e = e.terms[0][0] if c is WHOLE else c * e.terms[0][0], e.terms[0][1]
    return c, e


def is_multiple(e: Expr) -> bool:
    """Whether `e` is c·x."""
    return isinstance(e, Linear) and len(e.terms) == 1


def negated(e: Expr) -> Expr:
    """-e, and x of -x."""
    if isinstance(e, Linear) and len(e.terms) == 1 and e.terms[0][0] == -1:
        return e.terms[0][1]
    return scale(-1, e)


def is_one(e: Expr) -> bool:
    """Whether `e` is the number 1, or an array of it."""
    while is_view(e):
        e = e.children[0]
    return is_number(e, 1)


def _one_and(e: Expr, sign: int) -> Expr | None:
    """The e of 1 + sign·e, written in either order."""
    if not isinstance(e, Linear) or len(e.terms) != 2:
        return None
    for (c, one), (d, other) in (e.terms, e.terms[::-1]):
        if c == 1 and d == sign and is_one(one):
            return other
    return None


def summed_exponentials(e: Expr) -> tuple[Expr, tuple[int, ...]] | None:
    """(u, axes) of Σ e^u over those axes, the others kept in order."""
    if not isinstance(e, Contraction) or len(e.operands) != 1 or not is_function(e.operands[0], "exp"):
        return None
    (own,) = e.indices
    kept = [i for i in own if i < e.rank]
    if len(set(own)) < len(own) or kept != list(range(e.rank)) or len(kept) == len(own):
        return None
    return e.operands[0].children[0], tuple(k for k, i in enumerate(own) if i >= e.rank)


def log_of(e: Expr) -> Expr | None:
    """log of softmax z, σ(z), 1 - σ(z), 1 + eᶻ, Σ eᶻ, eᶻ or det A, without overflow and without log 0."""
    if not is_function(e, "log"):
        return None
    (x,) = e.children
    if isinstance(x, Apply) and x.primitive == "softmax":
        return PRIMITIVES["log_softmax"](x.operands[0], axis=x.option("axis"))
    if is_primitive(x, "det"):
        return PRIMITIVES["logdet"](x.children[0])
    if is_function(x, "exp"):
        return x.children[0]
    if is_function(x, "sigmoid"):
        return scale(-1, elementwise("softplus", negated(x.children[0])))
    added = _one_and(x, 1)
    if added is not None and is_function(added, "exp"):
        return elementwise("softplus", added.children[0])
    taken = _one_and(x, -1)
    if taken is not None and is_function(taken, "sigmoid"):
        return scale(-1, elementwise("softplus", taken.children[0]))
    summed = summed_exponentials(x)
    return None if summed is None else PRIMITIVES["logsumexp"](summed[0], axis=summed[1])


def reciprocal_of_one_plus_exp(e: Expr) -> Expr | None:
    """1/(1 + eᶻ)ᵖ = σ(-z)ᵖ."""
    base, exponent = power_of(e)
    added = _one_and(base, 1) if base is not e and exponent < 0 else None
    if added is None or not is_function(added, "exp"):
        return None
    return power(elementwise("sigmoid", negated(added.children[0])), number(-exponent))


def power_of_power(e: Expr) -> Expr | None:
    """(xᵃ)ᵇ = xᵃᵇ for whole a and b."""
    base, exponent = power_of(e)
    if base is e:
        return None
    inner, own = power_of(base)
    if inner is base or exponent.denominator != 1 or own.denominator != 1:
        return None
    return power(inner, number(own * exponent))


def exp_of_log_softmax(e: Expr) -> Expr | None:
    """e^{log softmax z} = softmax z."""
    if not is_function(e, "exp") or not isinstance(e.children[0], Apply) or e.children[0].primitive != "log_softmax":
        return None
    inner = e.children[0]
    return PRIMITIVES["softmax"](inner.operands[0], axis=inner.option("axis"))


def view_outwards(e: Expr) -> Expr | None:
    """f(view of x) = view of f(x): fewer entries to compute, and rules above see f(x)."""
    if not isinstance(e, Elementwise) or len(e.operands) != 1 or not is_view(e.operands[0]):
        return None
    view = e.operands[0]
    assert isinstance(view, Contraction)
    return contraction([elementwise(e.function, view.operands[0], parameter=e.parameter)], view.indices, e.shape)


def multiple_of_multiple(e: Expr) -> Expr | None:
    """Two coefficients in a row are one."""
    c, x = unscaled(e)
    return linear([(c, x)]) if isinstance(e, Linear) and e.children[0] is not x else None


def view_of_view(e: Expr) -> Expr | None:
    """Two views in a row are one."""
    if not is_view(e) or not is_view(e.children[0]):
        return None
    inner = e.children[0]
    assert isinstance(e, Contraction)
    assert isinstance(inner, Contraction)
    outer = e.indices[0]
    fresh = max([e.rank - 1, *outer]) + 1
    own = [outer[i] if i < inner.rank else fresh + i for i in inner.indices[0]]
    return contraction(inner.operands, [own], e.shape)


def sum_before_view(e: Expr) -> Expr | None:
    """A sum that keeps its axes with size 1, or repeats them, is a view of the sum without them."""
    if not isinstance(e, Contraction):
        return None
    rank = len(e.shape)
    axes = {i for own in e.indices for i in own if i < rank}
    if len(axes) == rank or is_view(e):
        return None
    covered = sorted(axes)
    place = {axis: k for k, axis in enumerate(covered)}
    core_indices = [[place.get(i, i + e.rank) for i in own] for own in e.indices]
    core = contraction(e.operands, core_indices, tuple(e.shape[axis] for axis in covered))
    return contraction([core], [covered], e.shape)


def reciprocal_of_norm(e: Expr) -> Expr | None:
    """1/‖x‖ in a gradient is 0 where x is 0: the convention that the page states."""
    if not isinstance(e, Elementwise) or e.function != "power" or not isinstance(e.parameter, Fraction):
        return None
    if e.parameter >= 0 or not is_primitive(e.operands[0], "norm"):
        return None
    inverse = elementwise("inverse_or_zero", e.operands[0])
    return inverse if e.parameter == -1 else elementwise("power", inverse, parameter=-e.parameter)


def huber_by_clip(e: Expr) -> Expr | None:
    """h(r) = c (r - c/2) with c = clip(r, -δ, δ), the slope, which a gradient needs in any case."""
    if not is_function(e, "huber"):
        return None
    r, delta = e.children
    c = elementwise("clip", r, -delta, delta)
    return multiply(c, linear([(1, r), (Fraction(-1, 2), c)]))


def provable(root: Expr) -> Expr:
    """The expression with 1/x for what is 1/x but at 0, by a convention of code: the engine of proofs knows no code."""

    def visit(node: Expr, children: list[Expr]) -> Expr:
        return power(children[0], number(-1)) if is_function(node, "inverse_or_zero") else rebuilt(node, children)

    return fold([root], visit)[root]


STABLE: Rules = {
    "linear": (multiple_of_multiple,),
    "contraction": (view_of_view, sum_before_view),
    "elementwise": (
        huber_by_clip,
        view_outwards,
        power_of_power,
        log_of,
        reciprocal_of_one_plus_exp,
        exp_of_log_softmax,
    ),
}


def stabilise(e: Expr, rules: Rules, known: Collection[Expr] = ()) -> Expr:
    """`e` rewritten at its root until no rule has anything to say; `known` nodes need no second look.

    >>> from symgrad.primitives.language import data, dims, log, softmax
    >>> str(stabilise(log(softmax(data("z", dims("n")))), STABLE))
    'log_softmax(z)'
    """
    while (better := _better(e, rules)) is not None:
        e = better
    # The operand of a view or of a multiple may be new, made by a rule; it is neither itself.
    if (is_view(e) or is_multiple(e)) and all(e.children[0] is not k for k in known):
        return rebuilt(e, [stabilise(e.children[0], rules, known)])
    return e


def _better(e: Expr, rules: Rules) -> Expr | None:
    """What the first rule that has anything to say makes of `e`."""
    for rule in rules.get(e.kind, ()):
        better = rule(e)
        if better is not None and better is not e:
            return better
    return None
