"""Solves equations by SymPy in a process of its own: it reads one JSON line and answers with one, and may be killed.

Run by its path, beside `trees`; SymPy's solvers cannot be interrupted from within.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from symgrad.extrema.trees import Unknown, decode, encode

# Eigenvalues of more unknowns than this have no formula.
MOST_EIGENVALUES = 4
HIGHEST_ORDER = 12
# Longer expressions are not simplified.
MOST_OPERATIONS = 400
# What SymPy's solvers raise when they do not know how to go on.
GIVES_UP = (NotImplementedError, ValueError, TypeError, AttributeError, ZeroDivisionError, KeyError, IndexError)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The real roots of a gradient, with loss, Hessian and its eigenvalues at each; `is_complete` where that is proved."""
    unknowns = [decode(t) for t in question["unknowns"]]
    loss, gradient = decode(question["loss"]), [decode(t) for t in question["gradient"]]
    roots, is_complete = _solved(gradient, unknowns)
    found = []
    for values, integer in roots:
        try:
            found.append(_described(loss, gradient, unknowns, values, integer))
        except (Unknown, *GIVES_UP):
            is_complete = False
    return {"roots": found, "is_complete": is_complete}


Values = dict[Any, Any]


def _solved(gradient: Sequence[Any], unknowns: Sequence[Any]) -> tuple[list[tuple[Values, Any]], bool]:
    """The real solutions, a family with the integer that it runs over; whether there are no others."""
    if len(unknowns) == 1 and gradient[0].free_symbols <= set(unknowns):
        known = _single(gradient[0], unknowns[0])
        if known is not None:
            return known, True
    if len(unknowns) == 1:
        rational = _rational(gradient[0], unknowns[0])
        if rational is not None:
            return rational, True
    try:
        solutions = sympy.solve(list(gradient), list(unknowns), dict=True)
    except GIVES_UP:
        return [], False
    whole = [s for s in solutions if set(s) == set(unknowns)]
    free = [v for s in whole for v in s.values() if v.free_symbols & set(unknowns)]
    real = [(s, None) for s in whole if all(v.is_real is not False for v in s.values())] if not free else []
    is_polynomial = all(g.is_polynomial(*unknowns) for g in gradient)
    return real, is_polynomial and not free and len(whole) == len(solutions) and bool(solutions)


def _single(gradient: Any, x: Any) -> list[tuple[Values, Any]] | None:
    """All real zeros of a function of one number: those of a polynomial isolated, others from a set; None where unknown."""
    if gradient.is_polynomial(x) and gradient != 0:
        try:
            return [({x: v}, None) for v in dict.fromkeys(sympy.Poly(gradient, x).real_roots())]
        except GIVES_UP:
            return None
    try:
        return _from_set(sympy.solveset(gradient, x, sympy.S.Reals), x)
    except GIVES_UP:
        return None


def _rational(gradient: Any, x: Any) -> list[tuple[Values, Any]] | None:
    """All real zeros of a quotient of polynomials with letters in it, where every root of the numerator has a formula."""
    top = sympy.numer(sympy.together(gradient))
    if not top.is_polynomial(x) or not top.has(x):
        return None
    polynomial = sympy.Poly(top, x)
    found = sympy.roots(polynomial)
    if sum(found.values()) < polynomial.degree():
        return None
    return [({x: sympy.factor(v)}, None) for v in found if v.is_real is not False]


def _from_set(found: Any, x: Any) -> list[tuple[Values, Any]] | None:
    """The members of a set of real numbers, families {f(n) : n ∈ ℤ} as one each; None where it is another set."""
    if found == sympy.S.EmptySet:
        return []
    if isinstance(found, sympy.FiniteSet):
        return [({x: v if v.has(sympy.CRootOf) else sympy.radsimp(v)}, None) for v in found]
    if isinstance(found, sympy.ImageSet) and found.base_set == sympy.S.Integers and len(found.lamda.variables) == 1:
        n = sympy.Symbol("k", integer=True, real=True)
        return [({x: sympy.expand(found.lamda(n))}, n)]
    if isinstance(found, sympy.Union):
        parts = [_from_set(a, x) for a in found.args]
        return None if any(p is None for p in parts) else [item for p in parts if p is not None for item in p]
    return None


def _described(
    loss: Any, gradient: Sequence[Any], unknowns: Sequence[Any], values: Values, integer: Any
) -> dict[str, Any]:
    hessian = sympy.Matrix([[_short(g.diff(x).subs(values)) for x in unknowns] for g in gradient])
    # Where the point or the Hessian there has a denominator, it is not 0: the point is in the loss's domain.
    divisors = {
        s for e in (*values.values(), *hessian) if e.free_symbols for s in _factors(sympy.denom(sympy.together(e)))
    }
    known = {s: _not_zero(s) for s in divisors if s.is_Symbol and s != integer}
    at = {x: v.xreplace(known) for x, v in values.items()}
    hessian = hessian.xreplace(known)
    order, derivative = 2, hessian[0, 0]
    if len(unknowns) == 1:
        (x,), rate = unknowns, gradient[0].diff(unknowns[0])
        while derivative == 0 and order < HIGHEST_ORDER:
            rate, order = rate.diff(x), order + 1
            derivative = _short(rate.subs(at))
    is_constant = not hessian.free_symbols
    eigenvalues = _eigenvalues(hessian) if is_constant and len(unknowns) > 1 else []
    return {
        "values": [encode(values[x]) for x in unknowns],
        "integer": None if integer is None else encode(integer),
        "loss": encode(_short(loss.subs(values))),
        "hessian": [encode(e) for e in hessian],
        "eigenvalues": [encode(e) for e in eigenvalues],
        "not_zero": [encode(s) for s in sorted(divisors, key=str) if s != integer and not s.is_positive],
        "order": order,
        "derivative": encode(derivative),
        "sign": _sign(derivative) if len(unknowns) == 1 else None,
        "signs": [_sign(e) for e in eigenvalues],
        "minors": [_sign(_short(hessian[:k, :k].det())) for k in range(1, len(unknowns) + 1)],
    }


def _factors(e: Any) -> set[Any]:
    """The factors of a product that hold symbols: it is 0 where one of them is."""
    return {base for base, _ in (f.as_base_exp() for f in sympy.Mul.make_args(sympy.factor(e))) if base.free_symbols}


def _not_zero(symbol: Any) -> Any:
    """The same symbol, known not to be 0: it stands in a denominator."""
    known = {"positive": True} if symbol.is_nonnegative else {"nonzero": True}
    return sympy.Symbol(symbol.name, real=True, **known)


def _short(e: Any) -> Any:
    """Simplified; there is time for it here, and a limit to it outside. Roots of polynomials stay as they are."""
    return e if e.has(sympy.CRootOf) or e.count_ops() > MOST_OPERATIONS else sympy.factor(sympy.simplify(e))


def _eigenvalues(hessian: Any) -> list[Any]:
    if hessian.rows > MOST_EIGENVALUES or hessian.has(sympy.CRootOf):
        return []
    return [_short(v) for v, count in hessian.eigenvals().items() for _ in range(count)]


def _sign(e: Any) -> int | None:
    """The sign of a number, or of an expression by what is known of its symbols; None where that does not decide."""
    if not e.free_symbols:
        value = sympy.re(sympy.N(e, 50))
        # An eigenvalue of a symmetric matrix is real, however it is written.
        if abs(value) > sympy.Rational(1, 10**30):
            return 1 if value > 0 else -1
    if e.is_zero:
        return 0
    if e.is_positive or e.is_negative:
        return 1 if e.is_positive else -1
    return None


def stop_after(seconds: float) -> None:
    """End this process once it has computed for so long, however busy the machine is; Windows has no such clock."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    asked = json.loads(sys.stdin.read())
    stop_after(asked["seconds"])
    print(json.dumps(answer(asked)))
