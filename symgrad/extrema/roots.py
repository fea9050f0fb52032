"""What SymPy answers, judged: each root substituted into the gradient, complex ones and those outside the domain dropped."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy

from symgrad.derive.derivation import Proof, Verdict
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed, InputError
from symgrad.extrema.affine import holds
from symgrad.extrema.found import Basis, Condition, Curvature, Kind, Need, Point, Root, Step
from symgrad.extrema.scalars import Alphabet, NoScalarForm, Solved, as_sympy, ask, shortest
from symgrad.extrema.upright import shortest_written
from symgrad.extrema.verify import resolved, verify_zero
from symgrad.graph.expression import Expr, Leaf, Role, broadcast_to, elementwise, leaf, number, power
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.facts import Facts
from symgrad.text.from_sympy import FUNCTIONS, from_sympy

DIGITS = 50
SMALL = sympy.Rational(1, 10**40)
# The members of an infinite family that are put in.
MEMBERS = range(-2, 3)


@dataclass(frozen=True, slots=True)
class Answered:
    """The points that hold, and whether there are no others."""

    points: tuple[Point, ...]
    is_complete: bool


def solved_by_sympy(
    loss: Expr,
    gradients: Mapping[Leaf, Expr],
    unknowns: Sequence[Leaf],
    steps: Sequence[Step],
    definitions: Mapping[Leaf, Expr],
    curvature: Curvature,
) -> Answered | None:
    """The stationary points in scalar unknowns; None where SymPy finds none and does not know that there are none.

    Parameters that `steps` found over data alone count as data, and are put in at the end.
    """
    put_in = {s.parameter: s.solution for s in steps if s.parameter not in set(unknowns)}
    inner = {p: e for p, e in put_in.items() if holds(e, unknowns)}
    try:
        equations, letters = shortest([substitute(gradients[x], dict(inner.items())) for x in unknowns], unknowns)
    except NoScalarForm:
        return None
    try:
        whole = as_sympy(substitute(loss, dict(inner.items())), letters)
    except NoScalarForm:
        whole = sympy.Integer(0)
    symbols = list(letters.unknowns.values())
    solved = ask(whole, equations, symbols)
    if solved is None:
        return None
    points = [_point(root, equations, whole, letters, (loss, gradients, put_in, definitions)) for root in solved.roots]
    if letters.shape and len(solved.roots) != 1:
        # Each entry could be any of several roots.
        return None
    kept = [_judged(p, root, curvature) for p, root in zip(points, solved.roots, strict=True) if p is not None]
    return _answer(kept, solved)


def _answer(kept: Sequence[Point], solved: Solved) -> Answered | None:
    if not kept and (solved.roots or not solved.is_complete):
        return None
    return Answered(tuple(kept), solved.is_complete)


Setting = tuple[Expr, Mapping[Leaf, Expr], Mapping[Leaf, Expr], Mapping[Leaf, Expr]]


def _point(
    found: Mapping[str, Any], equations: Sequence[Any], whole: Any, letters: Alphabet, setting: Setting
) -> Point | None:
    """A root with its proof; None where it is not real, not in the domain, or does not solve the equations."""
    symbols = list(letters.unknowns.values())
    at = dict(zip(symbols, found["values"], strict=True))
    size = len(symbols)
    root = Root(
        dict(zip(letters.unknowns, found["values"], strict=True)),
        found["integer"],
        found["loss"],
        sympy.Matrix(size, size, found["hessian"]),
        tuple(found["eigenvalues"]),
        found["order"],
        found["derivative"],
    )
    residuals = [e.subs(at) for e in equations]
    pairs = zip(residuals, equations, strict=True)
    is_exact = all(r == 0 or _is_root_of(e, at, symbols) or are_equal(r, sympy.S(0)) for r, e in pairs)
    values = _expressions(at, letters)
    if not any(v.free_symbols - {found["integer"]} for v in at.values()) and not letters.parts and not letters.shape:
        if not _holds_in_numbers(residuals, whole.subs(at), list(at.values()), found["integer"]):
            return None
        return Point(values or {}, Kind.UNDECIDED, Basis.UNKNOWN, _proof(is_exact), root=root, shown=values or {})
    if values is None:
        return None
    loss, gradients, put_in, definitions = setting
    everything = resolved({**put_in, **values})
    try:
        verified = verify_zero(list(gradients.values()), everything, definitions, "a root", [loss])
    except CheckFailed:
        return None
    conditions = _conditions(values, letters, at, found["not_zero"])
    root = replace(root, has_data=True, conditions=conditions)
    proof = Proof(Verdict.PROVED) if is_exact else verified
    return Point(everything, Kind.UNDECIDED, Basis.UNKNOWN, proof, root=root, conditions=conditions, shown=values)


def _proof(is_exact: bool) -> Proof:
    return Proof(Verdict.PROVED if is_exact else Verdict.VERIFIED)


def _is_root_of(equation: Any, at: Mapping[Any, Any], symbols: Sequence[Any]) -> bool:
    """Whether a polynomial is divisible by the one whose root was put in."""
    value = at[symbols[0]]
    if len(symbols) > 1 or not isinstance(value, sympy.CRootOf) or not equation.is_polynomial(symbols[0]):
        return False
    divisor = sympy.Poly(value.expr, value.poly.gen).as_expr().xreplace({value.poly.gen: symbols[0]})
    return bool(sympy.rem(sympy.Poly(equation, symbols[0]), sympy.Poly(divisor, symbols[0])).is_zero)


def _holds_in_numbers(residuals: Sequence[Any], loss: Any, values: Sequence[Any], integer: Any) -> bool:
    """Whether the values are real, the loss is, and the gradient is 0 to 50 digits; a family at some of its members."""
    for k in MEMBERS if integer is not None else (0,):
        numbers = [sympy.N(e.subs(integer, k) if integer is not None else e, DIGITS) for e in (*values, loss)]
        if not all(x.is_finite and abs(sympy.im(x)) < SMALL for x in numbers):
            return False
        rest = [sympy.N(e.subs(integer, k) if integer is not None else e, DIGITS) for e in residuals]
        if not all(abs(x) < SMALL for x in rest):
            return False
    return True


def _expressions(at: Mapping[Any, Any], letters: Alphabet) -> dict[Leaf, Expr] | None:
    """The root over the user's arrays; None where it has no form in the model language."""
    values: dict[Leaf, Expr] = {}
    for x, symbol in letters.unknowns.items():
        e = _expression(at[symbol], letters)
        if e is None:
            return None
        values[x] = e
    return values


def _expression(e: Any, letters: Alphabet) -> Expr | None:
    back: dict[Expr, Expr] = {leaf(s.name, (), Role.DATA): part for part, s in letters.parts.items()}
    try:
        if not letters.shape:
            return substitute(from_sympy(e, []), back)
        by_name = {s.name: part for part, s in letters.parts.items()}
        return shortest_written(broadcast_to(_entrywise(e, by_name), letters.shape), Facts({}))
    except InputError:
        return None


def _entrywise(e: Any, back: Mapping[str, Expr]) -> Expr:
    """A SymPy expression with arrays for its symbols, entry by entry."""
    if isinstance(e, sympy.Symbol):
        return back[e.name]
    if isinstance(e, sympy.Rational):
        return number(Fraction(int(e.p), int(e.q)))
    parts = [_entrywise(a, back) for a in e.args]
    if isinstance(e, sympy.Add | sympy.Mul):
        return reduce(operator.add if e.is_Add else operator.mul, parts)
    if isinstance(e, sympy.Pow):
        return power(*parts)
    if e.func not in FUNCTIONS:
        raise InputError(f"{e} has no form in the model language; give another expression")
    return elementwise(FUNCTIONS[e.func], *parts)


def _conditions(
    values: Mapping[Leaf, Expr], letters: Alphabet, at: Mapping[Any, Any], not_zero: Sequence[Any]
) -> tuple[Condition, ...]:
    """What the root and the Hessian there divide by, and what it takes a root or a logarithm of."""
    found = [_expression(e, letters) for e in not_zero]
    supposed = [Condition(Need.NO_ZERO if e.rank else Need.NOT_ZERO, e) for e in found if e is not None]
    for x, v in zip(values, at.values(), strict=True):
        roots = [p for p in v.atoms(sympy.Pow) if not p.exp.is_integer]
        if v.is_real is None and (roots or v.atoms(sympy.log)):
            supposed.append(Condition(Need.REAL, values[x]))
    return tuple(supposed)


# ---- its kind


def _judged(point: Point, found: Mapping[str, Any], curvature: Curvature) -> Point:
    if curvature.is_convex or curvature.is_concave:
        kind, basis = (Kind.MINIMUM, Basis.CONVEX) if curvature.is_convex else (Kind.MAXIMUM, Basis.CONCAVE)
        return replace(
            point, kind=kind, basis=basis, is_global=True, conditions=(*point.conditions, *curvature.conditions)
        )
    kind, basis = _single(found) if found["sign"] is not None or len(found["values"]) == 1 else _several(found)
    return replace(point, kind=kind, basis=basis)


def _single(found: Mapping[str, Any]) -> tuple[Kind, Basis]:
    """By the first derivative that is not 0: of even order an extremum, of odd order none."""
    sign, order = found["sign"], found["order"]
    if not sign:
        return Kind.UNDECIDED, Basis.SINGULAR if sign == 0 else Basis.UNKNOWN
    basis = Basis.DEFINITE if order == 2 else Basis.DERIVATIVES
    if order % 2:
        return Kind.NEITHER, basis
    return (Kind.MINIMUM if sign > 0 else Kind.MAXIMUM), basis


def _several(found: Mapping[str, Any]) -> tuple[Kind, Basis]:
    """By the signs of the eigenvalues; where they hold data, by the leading principal minors."""
    signs: list[int | None] = found["signs"]
    if signs:
        if 1 in signs and -1 in signs:
            return Kind.SADDLE, Basis.EIGENVALUES
        if set(signs) == {1} or set(signs) == {-1}:
            return (Kind.MINIMUM if signs[0] == 1 else Kind.MAXIMUM), Basis.EIGENVALUES
        return Kind.UNDECIDED, Basis.SINGULAR if 0 in signs else Basis.UNKNOWN
    minors: list[int | None] = found["minors"]
    if all(m == 1 for m in minors):
        return Kind.MINIMUM, Basis.DEFINITE
    if all(m == (-1) ** k for k, m in enumerate(minors, 1)):
        return Kind.MAXIMUM, Basis.DEFINITE
    if any(m == -1 for m in minors[1::2]):
        return Kind.SADDLE, Basis.DEFINITE
    return Kind.UNDECIDED, Basis.UNKNOWN
