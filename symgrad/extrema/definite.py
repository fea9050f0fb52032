"""Is an array of second derivatives positive (semi)definite? Seen from how it is made, or not claimed.

Every term of H over the axes α and then α' has to be Σ w · Π K(a, a') · F(α, …) F(α', …): factors that stand in pairs at
mirrored indices, kernels that are positive definite between an index and its mirror image (an identity, a positive
definite matrix), weights w that are never negative. Each such term is a Gram matrix, and their sum is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from symgrad.derive.convexity import curve_of
from symgrad.derive.ranges import Range
from symgrad.extrema.found import Condition, Need
from symgrad.extrema.upright import upright
from symgrad.graph.expression import MARKS, Apply, Elementwise, Expr, Leaf, Linear, Role, power
from symgrad.graph.walk import postorder
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.form import Factor, Form, Term, relabel
from symgrad.rewrite.matrix import to_expression

Mirror = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known or supposed of names: bounds, those that are greater than 0, matrices that are positive definite."""

    bounds: Mapping[str, Range] = field(default_factory=dict)
    positive: frozenset[str] = frozenset()
    definite: frozenset[Expr] = frozenset()

    def is_definite(self, e: Expr) -> bool:
        """Whether a square matrix is seen to be symmetric and positive definite."""
        if isinstance(e, Apply) and e.primitive == "inv":
            return self.is_definite(e.operands[0])
        if isinstance(e, Leaf) and (e.role is Role.IDENTITY or "positive_definite" in e.facts):
            return True
        return e in self.definite

    def is_symmetric(self, e: object) -> bool:
        """Whether a matrix is seen to equal its transpose."""
        if isinstance(e, Apply) and e.primitive == "inv":
            return self.is_symmetric(e.operands[0])
        return isinstance(e, Expr) and (self.is_definite(e) or (isinstance(e, Leaf) and "symmetric" in e.facts))

    def is_nonnegative(self, e: Expr) -> bool:
        """Whether no entry is seen to be negative."""
        return curve_of(e, self.bounds).range.low >= 0

    def is_nonpositive(self, e: Expr) -> bool:
        """Whether no entry is seen to be positive."""
        return curve_of(e, self.bounds).range.high <= 0

    def is_positive(self, e: Expr) -> bool:
        """Whether every entry is seen to be greater than 0.

        >>> from symgrad.primitives.language import data, exp
        >>> c = data("c", positive=True)
        >>> Known().is_positive(exp(data("x")) + 2 * c), Known().is_positive(data("x") + c)
        (True, False)
        """
        sure: set[Expr] = set()
        for node in postorder([e]):
            if self._is_positive(node, sure):
                sure.add(node)
        return e in sure

    def _is_positive(self, node: Expr, sure: set[Expr]) -> bool:
        if isinstance(node, Leaf):
            is_number = node.role is Role.NUMBER and isinstance(node.value, Fraction) and node.value > 0
            return is_number or node.role is Role.SIZE or "positive" in node.facts or node.name in self.positive
        if isinstance(node, Linear):
            return all(c > 0 and e in sure for c, e in node.terms) or self._one_less_a_share(node)
        if isinstance(node, Elementwise):
            always = node.function in {"exp", "sigmoid", "softplus"}
            return always or (node.function == "power" and node.children[0] in sure)
        if isinstance(node, Apply):
            return node.primitive == "softmax" or (node.primitive in MARKS and node.children[0] in sure)
        return all(e in sure for e in node.children)

    def _one_less_a_share(self, node: Linear) -> bool:
        """1 - σ(u)."""
        if len(node.terms) != 2:
            return False
        (p, one), (q, share) = node.terms
        whole = curve_of(one).range
        is_sigmoid = isinstance(share, Elementwise) and share.function == "sigmoid"
        return p == 1 and q == -1 and whole == Range(1, 1) and is_sigmoid


@dataclass(frozen=True, slots=True)
class Definite:
    """The sign of a symmetric array: +1 where vᵀHv ≥ 0 for every v, -1 where ≤ 0; strict under the `strict` conditions."""

    sign: int
    strict: tuple[Condition, ...] | None


def definite(e: Expr, rank: int, known: Known) -> Definite | None:
    """The sign of an array over `rank` axes and as many again; None where it is not seen.

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> X, v = data("X", n, d), data("v", n, positive=True)
    >>> definite(X.T @ (v[:, None] * X), 1, Known()).sign, definite(X.T @ X - v @ v, 1, Known()) is None
    (1, True)
    """
    form = expand(to_form(e))
    if form is None or not form.terms:
        return None
    whole = _sum(upright(to_form(e)), rank, known)
    return whole if whole is not None else _sum(form, rank, known)


def _sum(form: Form, rank: int, known: Known) -> Definite | None:
    """Of terms that all have one sign."""
    if not form.terms:
        return None
    found = [_term(t, rank, known) for t in form.terms]
    signs = {part.sign for part in found if part is not None}
    if None in found or len(signs) != 1:
        return None
    (sign,) = signs
    strict = [part.strict for part in found if part is not None and part.strict is not None]
    return Definite(sign, min(strict, key=len) if strict else None)


def _term(term: Term, rank: int, known: Known) -> Definite | None:
    sign = 1 if term.coefficient > 0 else -1
    scalars = [f for f in term.factors if not f.indices]
    is_sure = True
    for f in scalars:
        e = _raised(f)
        if known.is_nonpositive(e):
            sign, is_sure = -sign, False
        elif not known.is_nonnegative(e):
            return None
        else:
            is_sure = is_sure and known.is_positive(e)
    factors, fixed = _on_diagonal([f for f in term.factors if f.indices], rank)
    start = {k: rank + k for k in range(rank) if k not in fixed}
    start |= {b: a for a, b in start.items()} | {k: k for k in fixed}
    for mirror, roles in _ways(factors, start, known):
        strict = _strict(factors, mirror, roles, rank, known) if is_sure else None
        return Definite(sign, strict)
    return None


def _raised(f: Factor) -> Expr:
    e = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
    return power(e, f.power)


def _on_diagonal(factors: Sequence[Factor], rank: int) -> tuple[list[Factor], set[int]]:
    """An identity between an axis and its mirror image makes them one index."""
    kept, fixed = list(factors), set[int]()
    for f in factors:
        own = tuple(sorted(f.indices))
        if _is_identity(f) and len(own) == 2 and own[1] == own[0] + rank:
            kept = [g for g in kept if g is not f]
            fixed.add(own[0])
    return relabel(kept, {k + rank: k for k in fixed}), fixed


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY


# ---- the mirror

Roles = dict[int, str]


def _ways(factors: Sequence[Factor], start: Mirror, known: Known) -> Iterator[tuple[dict[int, int], Roles]]:
    """Every reading of a product as pairs, kernels and weights, with the mirror image of each index."""
    yield from _extend(list(range(len(factors))), factors, dict(start), {}, known)


def _extend(
    left: list[int], factors: Sequence[Factor], mirror: dict[int, int], roles: Roles, known: Known
) -> Iterator[tuple[dict[int, int], Roles]]:
    if not left:
        yield mirror, roles
        return
    # Those that hold an index whose image is known come first.
    k = next((k for k in left if any(i in mirror for i in factors[k].indices)), left[0])
    f, rest = factors[k], [m for m in left if m != k]
    own = f.indices
    if len(own) == 2 and f.power == 1 and isinstance(f.atom, Expr) and known.is_definite(f.atom):
        joined = _joined(mirror, [(own[0], own[1])])
        if joined is not None and own[0] != own[1]:
            yield from _extend(rest, factors, joined, {**roles, k: "kernel"}, known)
    joined = _joined(mirror, [(i, i) for i in own])
    if joined is not None and known.is_nonnegative(_raised(f)):
        yield from _extend(rest, factors, joined, {**roles, k: "weight"}, known)
    for m in rest:
        is_same = factors[m].atom.digest == f.atom.digest and factors[m].power == f.power
        if not is_same or factors[m].indices == own:
            continue
        ways = [factors[m].indices, factors[m].indices[::-1]] if known.is_symmetric(f.atom) else [factors[m].indices]
        for there in ways:
            joined = _joined(mirror, list(zip(own, there, strict=True)))
            if joined is not None:
                others = [x for x in rest if x != m]
                yield from _extend(others, factors, joined, {**roles, k: "pair", m: "image"}, known)


def _joined(mirror: Mirror, pairs: Sequence[tuple[int, int]]) -> dict[int, int] | None:
    """The mirror with more images, or None where they contradict it."""
    result = dict(mirror)
    for a, b in pairs:
        if result.setdefault(a, b) != b or result.setdefault(b, a) != a:
            return None
    return result


def _strict(
    factors: Sequence[Factor], mirror: Mirror, roles: Roles, rank: int, known: Known
) -> tuple[Condition, ...] | None:
    """What has to hold for the term to be positive definite; None where that is not seen."""
    conditions: list[Condition] = []
    for k, role in roles.items():
        if role == "weight" and not known.is_positive(_raised(factors[k])):
            return None
    for axis in range(rank):
        if mirror.get(axis) == axis:
            continue
        holders = [k for k, f in enumerate(factors) if axis in f.indices]
        if len(holders) != 1:
            return None
        (k,) = holders
        f = factors[k]
        if roles[k] == "kernel":
            continue
        if roles[k] not in {"pair", "image"} or len(f.indices) != 2 or f.power != 1:
            return None
        (bound,) = (i for i in f.indices if i != axis)
        ends = {axis, mirror[axis]}
        shared = [
            g
            for m, g in enumerate(factors)
            if {bound, mirror[bound]} & set(g.indices) and roles[m] in {"pair", "image"} and not ends & set(g.indices)
        ]
        if bound < 2 * rank or shared:
            return None
        e = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
        if not known.is_definite(e):
            conditions.append(Condition(Need.FULL_RANK, e if f.indices[1] == axis else e.T))
    used = {i for axis in range(rank) for f in factors if axis in f.indices for i in f.indices if i >= 2 * rank}
    free = {i for f in factors for i in f.indices if i >= 2 * rank} - used - {mirror[i] for i in used}
    return tuple(conditions) if not free else None
