"""A sufficient test: is the loss convex in all parameters together?

The calculus is that of disciplined convex programming [grant2006]: sums with signs, a convex increasing function of a
convex one, squares of affine ones. Two additions make losses pass as people write them: a node may be log-convex (its
logarithm is convex: e^u, sums of these) or log-concave (σ(u), softmax(u), products of these), so that log Σ e^u and
−log softmax(u) are seen to be convex however they are spelled. A function that has no rule here is of unknown curvature:
a rule that is missing makes the test say no, never a wrong yes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.derive.ranges import ALL, AT_LEAST_ONE, NONNEGATIVE, SIGNED_UNIT, UNIT, Range
from symgrad.graph.expression import Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role
from symgrad.graph.sizes import Size
from symgrad.graph.walk import postorder
from symgrad.records import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """How the entries of one node depend on the parameters, and between which bounds they lie.

    An affine node is convex and concave. `co_log_concave` says that 1 − e is log-concave.
    """

    range: Range = ALL
    is_constant: bool = False
    convex: bool = False
    concave: bool = False
    log_convex: bool = False
    log_concave: bool = False
    co_log_concave: bool = False

    @property
    def affine(self) -> bool:
        """Convex and concave."""
        return self.convex and self.concave

    @property
    def grows_from_zero(self) -> bool:
        """Whether |e| is convex: affine, or convex and never negative, or concave and never positive."""
        return self.affine or (self.convex and self.range.low >= 0) or (self.concave and self.range.high <= 0)


def constant(bounds: Range) -> Curve:
    """A node without parameters."""
    is_signed = bounds.low >= 0
    return Curve(bounds, True, True, True, log_convex=is_signed, log_concave=is_signed)


def curve_of(e: Expr, known: Mapping[str, Range] | None = None) -> Curve:
    """The curve of a node; `known` bounds data, hyperparameters and sizes by name.

    >>> from symgrad.primitives.language import data, dims, log, parameter, sigmoid, softplus, sum
    >>> n, d = dims("n d")
    >>> X, y, w = data("X", n, d), data("y", n), parameter("w", d)
    >>> curve_of(sum(softplus(X @ w)) - y @ X @ w).convex, curve_of(sum(sigmoid(X @ w))).convex
    (True, False)
    """
    bounds = known or {}
    curves: dict[Expr, Curve] = {}
    for node in postorder([e]):
        found = _node(node, [curves[child] for child in node.children], bounds)
        if isinstance(node, Contraction) and not found.convex and is_quadratic_form(node, curves):
            found = Curve(NONNEGATIVE, convex=True)
        curves[node] = found
    return curves[e]


def is_convex(loss: Expr, known: Mapping[str, Range] | None = None) -> bool:
    """Whether the loss is seen to be convex in all parameters together; False says nothing."""
    return curve_of(loss, known).convex


def is_probability(e: Expr) -> bool:
    """Whether every entry is seen to lie between 0 and 1, whatever the parameters and data are."""
    bounds = curve_of(e).range
    return bounds.low >= 0 and bounds.high <= 1


def _node(node: Expr, curves: Sequence[Curve], known: Mapping[str, Range]) -> Curve:
    if isinstance(node, Leaf):
        return _leaf(node, known)
    if isinstance(node, Linear):
        found = _linear([(float(c), curve) for (c, _), curve in zip(node.terms, curves, strict=True)])
    elif isinstance(node, Contraction):
        found = _contraction(node, curves)
    elif isinstance(node, Elementwise):
        rule = ELEMENTWISE.get(node.function)
        found = _power(curves[0], node.parameter) if node.function == "power" else rule(*curves) if rule else Curve()
    else:
        assert isinstance(node, Apply)
        found = APPLY[node.primitive](*curves) if node.primitive in APPLY else Curve()
    return constant(found.range) if all(c.is_constant for c in curves) else found


def _leaf(node: Leaf, known: Mapping[str, Range]) -> Curve:
    if node.role is Role.PARAMETER:
        return Curve(convex=True, concave=True)
    if node.role is Role.NUMBER and isinstance(node.value, Fraction):
        return constant(Range(float(node.value), float(node.value)))
    if node.role in {Role.IDENTITY, Role.WINDOW} or node.facts & {"one_hot", "binary"}:
        return constant(UNIT)
    if isinstance(node.value, Size):
        return constant(_size(node.value, known))
    if node.name in known:
        return constant(known[node.name])
    if "sign" in node.facts:
        return constant(SIGNED_UNIT)
    return constant(NONNEGATIVE if node.facts & {"positive", "nonnegative"} else ALL)


def _size(value: Size, known: Mapping[str, Range]) -> Range:
    if all(name in known for name in value.names):
        number = float(value.at({name: round(known[name].low) for name in value.names}))
        return Range(number, number)
    return AT_LEAST_ONE if all(c > 0 for _, c in value.terms) else ALL


def _linear(terms: Sequence[tuple[float, Curve]]) -> Curve:
    (c, first), *rest = terms
    bounds = first.range * c
    for coefficient, curve in rest:
        bounds = bounds + curve.range * coefficient
    one_minus = next((b for (p, a), (q, b) in _pairs(terms) if p == 1 and q == -1 and a.range == Range(1, 1)), None)
    return Curve(
        bounds,
        convex=all(e.convex if c > 0 else e.concave for c, e in terms),
        concave=all(e.concave if c > 0 else e.convex for c, e in terms),
        log_convex=all(c > 0 and e.log_convex for c, e in terms),
        log_concave=(not rest and c > 0 and first.log_concave) or (one_minus is not None and one_minus.co_log_concave),
        co_log_concave=one_minus is not None and one_minus.log_concave,
    )


def _pairs(terms: Sequence[tuple[float, Curve]]) -> list[tuple[tuple[float, Curve], tuple[float, Curve]]]:
    return [(terms[0], terms[1]), (terms[1], terms[0])] if len(terms) == 2 else []


def _contraction(node: Contraction, curves: Sequence[Curve]) -> Curve:
    """Products, then sums: one factor that varies times a constant of known sign, or the square of one factor."""
    uses = Counter(zip(node.operands, node.indices, strict=True))
    of = dict(zip(node.operands, curves, strict=True))
    is_summed = any(i >= node.rank for own in node.indices for i in own)
    bounds, weight = Range(1, 1), Range(1, 1)
    for (e, _), count in uses.items():
        power = of[e].range.power(count)
        bounds = bounds * power
        weight = weight * power if of[e].is_constant else weight
    bounds = bounds.summed() if is_summed else bounds
    varying = [(e, count) for (e, _), count in uses.items() if not of[e].is_constant]
    product = Curve(
        bounds,
        log_convex=all(c.log_convex for c in curves),
        log_concave=all(c.log_concave for c in curves) and not is_summed,
    )
    if len(varying) != 1:
        return product
    factor, count = varying[0]
    curve = of[factor] if count == 1 else _power(of[factor], Fraction(count))
    signed = _linear([(1.0, curve)]) if weight.low >= 0 else _linear([(-1.0, curve)])
    is_free = weight.low >= 0 or weight.high <= 0
    return replace(
        product,
        convex=curve.affine or (is_free and signed.convex),
        concave=curve.affine or (is_free and signed.concave),
    )


def is_quadratic_form(node: Contraction, curves: Mapping[Expr, Curve]) -> bool:
    """Whether a product is Σ w eₐ Kₐᵦ eᵦ with an affine e, a positive definite K and weights that are never negative."""
    parts = _flattened(node)
    kernels = [
        k for k, (e, own) in enumerate(parts) if _is_definite(e) and len(set(own)) == 2 and min(own) >= node.rank
    ]
    for k in kernels:
        a, b = parts[k][1]
        ends = [(e, own) for m, (e, own) in enumerate(parts) if m != k and (a in own or b in own)]
        rest = [(e, own) for m, (e, own) in enumerate(parts) if m != k and a not in own and b not in own]
        if len(ends) != 2 or not all(curves[e].is_constant and curves[e].range.low >= 0 for e, _ in rest):
            continue
        (e, one), (f, two) = ends
        is_mirrored = {*one, *two} >= {a, b} and tuple({a: b, b: a}.get(i, i) for i in one) == two
        if e is f and is_mirrored and not (a in one and b in one) and curves[e].affine:
            return True
    return False


def _flattened(node: Contraction) -> list[tuple[Expr, tuple[int, ...]]]:
    """The factors of a product of products, with their indices; K⁻¹b of a linear system as a product too."""
    fresh, parts = 1000, list[tuple[Expr, tuple[int, ...]]]()
    stack = list(zip(node.operands, node.indices, strict=True))
    while stack:
        e, own = stack.pop()
        if isinstance(e, Contraction):
            inner = {i for one in e.indices for i in one if i >= e.rank}
            names = {**dict(enumerate(own)), **{i: fresh + k for k, i in enumerate(sorted(inner))}}
            fresh += len(inner)
            stack += [(x, tuple(names[i] for i in one)) for x, one in zip(e.operands, e.indices, strict=True)]
        elif isinstance(e, Apply) and e.primitive == "solve" and _is_definite(e.operands[0]):
            parts.append((e.operands[0], (own[0], fresh)))
            stack.append((e.operands[1], (fresh, *own[1:])))
            fresh += 1
        else:
            parts.append((e, own))
    return parts


def _is_definite(e: Expr) -> bool:
    """Whether a matrix is declared to be positive definite, or is the inverse of one that is."""
    if isinstance(e, Apply) and e.primitive == "inv":
        e = e.operands[0]
    return isinstance(e, Leaf) and "positive_definite" in e.facts


def _power(x: Curve, exponent: object) -> Curve:
    p = Fraction(str(exponent))
    bounds, is_even = x.range.power(p), p > 0 and p.denominator == 1 and p.numerator % 2 == 0
    is_signed = x.range.low >= 0
    return Curve(
        bounds,
        convex=(is_even and x.grows_from_zero)
        or (p >= 1 and is_signed and x.convex)
        or (p < 0 and is_signed and x.concave),
        concave=0 < p <= 1 and x.concave,
        log_convex=x.log_convex if p > 0 else x.log_concave,
        log_concave=x.log_concave if p > 0 else x.log_convex,
    )


def _exp(x: Curve) -> Curve:
    return Curve(x.range.image(_exp_of), convex=x.convex, log_convex=x.convex, log_concave=x.concave)


def _log(x: Curve) -> Curve:
    bounds = x.range.image(lambda v: math.log(v) if v > 0 else -math.inf)
    return Curve(bounds, convex=x.log_convex, concave=x.log_concave or x.concave)


def _sigmoid(x: Curve) -> Curve:
    # log σ(u) is concave and rises, log(1 − σ(u)) = log σ(−u) is concave and falls.
    return Curve(UNIT, log_concave=x.concave, co_log_concave=x.convex)


def _rising(x: Curve) -> Curve:
    return Curve(NONNEGATIVE, convex=x.convex)


def _even(x: Curve) -> Curve:
    return Curve(NONNEGATIVE, convex=x.grows_from_zero)


def _huber(r: Curve, delta: Curve) -> Curve:
    return Curve(NONNEGATIVE, convex=delta.is_constant and delta.range.low >= 0 and r.grows_from_zero)


def _maximum(a: Curve, b: Curve) -> Curve:
    bounds = Range(max(a.range.low, b.range.low), max(a.range.high, b.range.high))
    return Curve(bounds, convex=a.convex and b.convex)


def _minimum(a: Curve, b: Curve) -> Curve:
    bounds = Range(min(a.range.low, b.range.low), min(a.range.high, b.range.high))
    return Curve(bounds, concave=a.concave and b.concave)


def _where(condition: Curve, a: Curve, b: Curve) -> Curve:
    bounds = Range(min(a.range.low, b.range.low), max(a.range.high, b.range.high))
    is_fixed = condition.is_constant
    return Curve(bounds, convex=is_fixed and a.convex and b.convex, concave=is_fixed and a.concave and b.concave)


def _clip(x: Curve, low: Curve, high: Curve) -> Curve:
    return Curve(Range(low.range.low, max(low.range.low, high.range.high)))


def _bounded(bounds: Range) -> Callable[..., Curve]:
    return lambda *operands: Curve(bounds)


def _exp_of(v: float) -> float:
    return math.exp(v) if v < 700 else math.inf


ELEMENTWISE: Mapping[str, Callable[..., Curve]] = {
    "exp": _exp,
    "log": _log,
    "sigmoid": _sigmoid,
    "softplus": _rising,
    "relu": _rising,
    "absolute": _even,
    "huber": _huber,
    "maximum": _maximum,
    "minimum": _minimum,
    "where": _where,
    "clip": _clip,
    **dict.fromkeys(("tanh", "sin", "cos", "sign"), _bounded(SIGNED_UNIT)),
    **dict.fromkeys(("greater", "greater_equal", "equal"), _bounded(UNIT)),
}
APPLY: Mapping[str, Callable[..., Curve]] = {
    "softmax": lambda x: Curve(UNIT, log_concave=x.affine),
    "log_softmax": lambda x: Curve(Range(-math.inf, 0), concave=x.affine),
    "logsumexp": lambda x: Curve(convex=x.convex),
    "norm": _even,
}
