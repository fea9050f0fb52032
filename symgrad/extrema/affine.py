"""Gradients that are affine in a parameter: A θ = b, cleared of common factors, its matrix recognised, its solution.

The derivative of the gradient, taken in the normal form, does not hold the parameter: it is an array M of the parameter's
shape twice. Identities in it tell how θ is multiplied: M_ij,kl = A_ik [j = l] is A θ, [i = k] A_lj is θ A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from symgrad.derive.derivation import Line
from symgrad.derive.equality import prove_equal
from symgrad.errors import CheckFailed, DerivationError
from symgrad.extrema.cancel import quotient
from symgrad.extrema.found import Condition, Need, Side, Step
from symgrad.extrema.upright import shortest_written, upright
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Contraction,
    Expr,
    Leaf,
    Role,
    broadcast_to,
    is_number,
    linear,
    number,
    power,
    scale,
    transpose,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.display import Reason, Why
from symgrad.rewrite.expand import expand
from symgrad.rewrite.facts import Facts
from symgrad.rewrite.form import Factor, Form, Term, collect, extents, make_term, relabel
from symgrad.rewrite.matrix import to_expression
from symgrad.rewrite.units import over_units, with_inverses

Indices = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Affine:
    """factor · g = M θ + c as forms, M over the parameter's axes twice."""

    matrix: Form
    constant: Form
    factor: Expr


def holds(e: Expr, leaves: Sequence[Leaf]) -> bool:
    """Whether some of the leaves occur."""
    wanted = set(leaves)
    return any(node in wanted for node in postorder([e]))


def affine_in(g: Expr, theta: Leaf, facts: Facts) -> Affine | None:
    """The gradient as M θ + c, cleared; None where it is not seen to be affine in θ, or does not hold it.

    >>> from symgrad.primitives.language import data, dims, parameter
    >>> n, d = dims("n d")
    >>> X, y, w = data("X", n, d), data("y", n), parameter("w", d)
    >>> found = affine_in(X.T @ (X @ w - y) / n, w, Facts({}))
    >>> str(to_expression(found.matrix)), str(found.factor)
    ('X.T @ X', 'n')
    """
    form = expanded_in(to_form(with_inverses(g, theta)), theta)
    if form is None:
        return None
    form = facts.apply(form)
    with_theta = [t for t in form.terms if any(_atom_holds(f, theta) for f in t.factors)]
    rest = tuple(t for t in form.terms if not any(_atom_holds(f, theta) for f in t.factors))
    if not with_theta:
        return None
    try:
        matrix = over_units(to_expression(Form(g.shape, tuple(with_theta))), theta)
    except DerivationError:
        return None
    return _cleared(facts.apply(matrix), Form(g.shape, rest))


def expanded_in(form: Form, theta: Leaf) -> Form | None:
    """The terms whose sums in parentheses hold θ multiplied out, the others as they are; None where that is too long."""
    terms: list[Term] = []
    for t in form.terms:
        if not any(isinstance(f.atom, Form) and _atom_holds(f, theta) for f in t.factors):
            terms.append(t)
            continue
        out = expand(Form(form.shape, (t,)))
        if out is None:
            return None
        terms += out.terms
    return upright(collect(form.shape, terms))


def _atom_holds(f: Factor, theta: Leaf) -> bool:
    e = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
    return holds(e, [theta])


def _cleared(matrix: Form, constant: Form) -> Affine:
    """Without what all terms share: 2/n in front of everything, v² under everything. Only what cannot be 0 is divided by."""
    terms = [*matrix.terms, *constant.terms]
    shared: list[Factor] = []
    for f in dict.fromkeys((f.atom.digest, f.indices) for t in terms for f in t.factors if not f.indices):
        found = [next((g for g in t.factors if (g.atom.digest, g.indices) == f), None) for t in terms]
        least = min((g.power if g is not None else Fraction(0)) for g in found)
        atom = next(g.atom for g in found if g is not None)
        if least < 0 or (least > 0 and isinstance(atom, Leaf) and atom.role in CONSTANT_ROLES):
            shared.append(Factor(atom, (), -least))
    bottom = lcm(*(t.coefficient.denominator for t in terms))
    top = gcd(*(int(t.coefficient * bottom) for t in terms)) or 1
    sign = -1 if matrix.terms and all(t.coefficient < 0 for t in matrix.terms) else 1
    c = Fraction(sign * bottom, top)
    one = number(1)
    factor = to_expression(Form((), (make_term(c, shared, 0, {}),))) if shared or c != 1 else one
    return Affine(_times(matrix, c, shared), _times(constant, c, shared), factor)


def _times(form: Form, c: Fraction, shared: Sequence[Factor]) -> Form:
    rank = len(form.shape)
    return Form(
        form.shape,
        tuple(make_term(t.coefficient * c, [*t.factors, *shared], rank, extents(t.factors)) for t in form.terms),
    )


# ---- the matrix


@dataclass(frozen=True, slots=True)
class Reading:
    """How the array M multiplies θ."""

    side: Side
    matrix: Form


def read_matrix(matrix: Form, rank: int) -> Reading | None:
    """Which product M θ is; None where it is none that matrices can write.

    A scalar in front, entry by entry, A θ, θ A, or s θᵀ.
    """
    pairs = [(k, rank + k) for k in range(rank)]
    free = [pair for pair in pairs if all(pair in _identities(t) for t in matrix.terms)]
    if len(free) == rank:
        stripped = _stripped(matrix, pairs, {})
        if not any(f.indices and min(f.indices) < rank for t in stripped for f in t.factors):
            return Reading(Side.SCALE, _form((), stripped))
        return Reading(Side.ENTRIES, _form(matrix.shape[:rank], stripped))
    if rank == 1:
        return Reading(Side.LEFT, matrix)
    if rank != 2:
        return None
    if all({(0, 3), (1, 2)} <= _identities(t) for t in matrix.terms):
        stripped = _stripped(matrix, [(0, 3), (1, 2)], {})
        return Reading(Side.TRANSPOSED, _form((), stripped)) if _is_free_of(stripped, {0, 1, 2, 3}) else None
    if free == [(1, 3)]:
        stripped = _stripped(matrix, free, {2: 1}, kept=(0, 2))
        return Reading(Side.LEFT, _form((matrix.shape[0], matrix.shape[2]), stripped)) if stripped else None
    if free == [(0, 2)]:
        stripped = _stripped(matrix, free, {3: 0}, kept=(1, 3))
        return Reading(Side.RIGHT, _form((matrix.shape[3], matrix.shape[1]), stripped)) if stripped else None
    return None


def _identities(t: Term) -> set[Indices]:
    return {tuple(sorted(f.indices)) for f in t.factors if _is_identity(f)}


def _is_identity(f: Factor) -> bool:
    return isinstance(f.atom, Leaf) and f.atom.role is Role.IDENTITY


def _is_free_of(terms: Sequence[Term], axes: set[int]) -> bool:
    return not any(set(f.indices) & axes for t in terms for f in t.factors)


def _stripped(
    matrix: Form, gone: Sequence[Indices], names: Mapping[int, int], kept: Indices | None = None
) -> list[Term]:
    """The terms without those identities; nothing where an axis of an identity stands elsewhere too (`kept` are free)."""
    rank = len(matrix.shape)
    result = []
    for t in matrix.terms:
        factors = [f for f in t.factors if not (_is_identity(f) and tuple(sorted(f.indices)) in set(gone))]
        if kept is not None and any(i < rank and i not in kept for f in factors for i in f.indices):
            return []
        moved = {i: 1000 + i for f in factors for i in f.indices if i >= rank} | dict(names)
        result.append(Term(t.coefficient, tuple(relabel(factors, moved)), t.key))
    return result


def _form(shape: tuple[object, ...], terms: Sequence[Term]) -> Form:
    rank = len(shape)
    made = tuple(make_term(t.coefficient, t.factors, rank, extents(t.factors)) for t in terms)
    return Form(shape, made)  # type: ignore[arg-type]  # sizes


# ---- the equation and its solution


def solve_affine(
    g: Expr, theta: Leaf, facts: Facts, put_in: Sequence[Leaf], definitions: Mapping[Leaf, Expr]
) -> Step | None:
    """The parameter from its own equation g = 0, which is proved equal to A θ = b; None where no law of these applies."""
    found = affine_in(g, theta, facts)
    reading = read_matrix(found.matrix, theta.rank) if found is not None else None
    if found is None or reading is None:
        return None
    matrix = shortest_written(to_expression(reading.matrix), facts)
    right = shortest_written(scale(-1, to_expression(found.constant)), facts)
    left = _product(reading.side, matrix, theta)
    shape = left.shape
    right = broadcast_to(right, shape)
    residual = linear([(1, left), (-1, right)]) if not _is_zero(right) else left
    try:
        (line,) = prove_equal((found.factor * g, residual), [Line(residual, Reason(Why.RULE))], definitions, theta.name)
    except CheckFailed:
        return None
    solution, conditions, is_cancelled = _solution(reading.side, matrix, right, theta, facts, definitions)
    return Step(
        parameter=theta,
        side=reading.side,
        left=left,
        right=right,
        factor=found.factor,
        matrix=matrix,
        solution=solution,
        conditions=conditions,
        put_in=tuple(put_in),
        proof=line.proof,
        is_cancelled=is_cancelled,
    )


def _is_zero(e: Expr) -> bool:
    while isinstance(e, Contraction) and len(e.operands) == 1:
        e = e.operands[0]
    return is_number(e, 0)


def _product(side: Side, matrix: Expr, theta: Leaf) -> Expr:
    if side is Side.LEFT:
        return matrix @ theta
    if side is Side.RIGHT:
        return theta @ matrix
    return matrix * (transpose(theta) if side is Side.TRANSPOSED else theta)


def _solution(
    side: Side, matrix: Expr, right: Expr, theta: Leaf, facts: Facts, definitions: Mapping[Leaf, Expr]
) -> tuple[Expr, tuple[Condition, ...], bool]:
    """θ, what it supposes, and whether A cancels: A⁻¹ b is then written without it."""
    need = {Side.SCALE: Need.NOT_ZERO, Side.TRANSPOSED: Need.NOT_ZERO, Side.ENTRIES: Need.NO_ZERO}.get(
        side, Need.INVERTIBLE
    )
    is_sure = need is Need.NOT_ZERO and is_never_zero(matrix)
    conditions = () if is_sure else (Condition(need, matrix),)
    if _is_zero(right):
        return broadcast_to(number(0), theta.shape), conditions, False
    if side is Side.LEFT:
        cancelled = quotient(matrix, right, definitions)
        solution = shortest_written(cancelled, facts) if cancelled is not None else PRIMITIVES["solve"](matrix, right)
        return solution, conditions, cancelled is not None
    if side is Side.RIGHT:
        return right @ PRIMITIVES["inv"](matrix), conditions, False
    divided = right * power(matrix, -1)
    whole = transpose(divided) if side is Side.TRANSPOSED else divided
    return shortest_written(whole, facts), conditions, False


def is_never_zero(e: Expr) -> bool:
    """Whether a scalar is made of sizes and numbers other than 0."""
    nodes = postorder([e])
    leaves = [x for x in nodes if isinstance(x, Leaf)]
    return (
        all(x.role in {Role.NUMBER, Role.SIZE} and not is_number(x, 0) for x in leaves)
        and all(len(x.children) < 2 or isinstance(x, Contraction) for x in nodes)
        and not any(isinstance(x, Contraction) and not x.children for x in nodes)
    )
