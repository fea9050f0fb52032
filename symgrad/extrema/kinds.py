"""What a stationary point is: by convexity, by definite blocks of the Hessian there, or undecided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from symgrad.derive.derivation import Derivation
from symgrad.extrema.curvature import sign_of
from symgrad.extrema.definite import Definite
from symgrad.extrema.found import Basis, Condition, Curvature, Kind, Need, Point
from symgrad.extrema.hessians import Blocks, block_of
from symgrad.extrema.upright import settled, without_identities
from symgrad.extrema.verify import is_identically_zero, is_zero, placed
from symgrad.graph.expression import Expr, Leaf, broadcast_to, number
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import simplify
from symgrad.rewrite.facts import Facts

Dissolve = Callable[[Expr], Expr]
Definitions = Mapping[Leaf, Expr]


def classified(
    point: Point,
    curvature: Curvature,
    blocks: Blocks,
    dissolve: Dissolve,
    definitions: Definitions,
    domain: Mapping[Expr, Expr],
) -> Point:
    """The point with its kind: global where the loss is convex or concave, else by the Hessian at the point."""
    if curvature.is_convex or curvature.is_concave:
        kind, basis = (Kind.MINIMUM, Basis.CONVEX) if curvature.is_convex else (Kind.MAXIMUM, Basis.CONCAVE)
        conditions = joined(point.conditions, curvature.conditions)
        return replace(
            point,
            kind=kind,
            basis=basis,
            is_global=True,
            conditions=conditions,
            symmetric_only=curvature.symmetric_only,
        )
    if not blocks:
        return point
    there = {pair: _there(point, dissolve(b.expression), definitions) for pair, b in blocks.items()}
    zero = {pair: is_zero(e, definitions) for pair, e in there.items()}
    wherever = {a: dissolve(b.expression) for (a, other), b in blocks.items() if a is other and not zero[a, a]}
    signs = {a: _sign_of(a, [e, there[a, a]], domain, definitions) for a, e in wherever.items()}
    strict = {a: (s[0].sign, joined(s[0].strict, s[1])) for a, s in signs.items() if s and s[0].strict is not None}
    up = next((a for a, (sign, _) in strict.items() if sign > 0), None)
    down = next((a for a, (sign, _) in strict.items() if sign < 0), None)
    if up is not None and down is not None:
        conditions = joined(strict[up][1], strict[down][1])
        return replace(
            point, kind=Kind.SADDLE, basis=Basis.DEFINITE, witness=(up, down),
            conditions=joined(point.conditions, conditions),
        )  # fmt: skip
    parameters = [a for a, b in blocks if a is b]
    if len(strict) == len(parameters) and all(zero[a, b] for a, b in blocks if a is not b):
        every = tuple(c for _, own in strict.values() for c in own)
        kind = Kind.MINIMUM if up is not None else Kind.MAXIMUM
        return replace(point, kind=kind, basis=Basis.DEFINITE, conditions=joined(point.conditions, every))
    return _by_flat_block(point, there, zero)


def _sign_of(
    theta: Leaf, written: Sequence[Expr], domain: Mapping[Expr, Expr], definitions: Definitions
) -> tuple[Definite, tuple[Condition, ...]] | None:
    """The strict sign of a diagonal block: wherever the loss is defined, else at the point."""
    for e in written:
        whole = substitute(substitute(e, dict(definitions.items())), dict(domain.items()))
        found = sign_of(whole, theta.rank, is_strict=True)
        if found is not None and found[0].strict is not None:
            return found
    return None


def _there(point: Point, e: Expr, definitions: Definitions) -> Expr:
    return simplify(settled(placed(e, point.values)), Facts(definitions))


def joined(*groups: Sequence[Condition] | None) -> tuple[Condition, ...]:
    """Each condition once; what is positive is not negative."""
    every = {(c.need, c.of): c for group in groups for c in group or ()}
    return tuple(
        c for (need, of), c in every.items() if need is not Need.NONNEGATIVE or (Need.POSITIVE, of) not in every
    )


def _by_flat_block(
    point: Point, there: Mapping[tuple[Leaf, Leaf], Expr], zero: Mapping[tuple[Leaf, Leaf], bool]
) -> Point:
    """A block that is 0 beside one that is not: vᵀHv = 2 uᵀBw + wᵀCw has, for small w, the sign of uᵀBw, which is any."""
    for (a, b), e in there.items():
        if a is b or zero[a, b]:
            continue
        for flat in (a, b):
            if zero.get((flat, flat)):
                supposed = Condition(Need.NOT_ZERO, without_identities(e))
                other = b if flat is a else a
                return replace(
                    point, kind=Kind.SADDLE, basis=Basis.FLAT_BLOCK, witness=(flat, other),
                    conditions=joined(point.conditions, (supposed,)),
                )  # fmt: skip
    return point


def kind_at_zero(
    point: Point,
    derivation: Derivation,
    order: Sequence[str],
    zeros: Sequence[Leaf],
    dissolve: Dissolve,
    definitions: Definitions,
) -> Point:
    """A saddle where two parameters that are 0 have a block that is 0 beside one that is not; else undecided."""
    for k, first in enumerate(zeros):
        for second in zeros[k + 1 :]:
            mixed = block_of(derivation, first, second, order)
            if mixed is None:
                continue
            e = _there(point, dissolve(mixed.expression), definitions)
            if is_zero(e, definitions):
                continue
            for flat in (first, second):
                own = block_of(derivation, flat, flat, order)
                if own is not None and is_identically_zero(dissolve(own.expression), point.values, definitions):
                    pair = {(first, second): e, (flat, flat): broadcast_to(number(0), flat.shape * 2)}
                    return _by_flat_block(point, pair, {(first, second): False, (flat, flat): True})
    return point
