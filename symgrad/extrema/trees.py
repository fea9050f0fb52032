"""SymPy expressions as plain lists and back, for another process: a whitelist of classes, no text is ever run.

This file and `worker` import SymPy alone: the other process starts them without symgrad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

FUNCTIONS: Mapping[str, Any] = {
    f.__name__: f
    for f in (
        sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.tanh, sympy.sinh,
        sympy.cosh, sympy.asin, sympy.acos, sympy.atan, sympy.asinh, sympy.acosh, sympy.atanh, sympy.Abs, sympy.sign,
        sympy.LambertW, sympy.Max, sympy.Min, sympy.erf, sympy.gamma, sympy.loggamma, sympy.sec, sympy.cot, sympy.csc,
    )
}  # fmt: skip
CONSTANTS: Mapping[str, Any] = {
    "pi": sympy.pi,
    "E": sympy.E,
    "I": sympy.I,
    "GoldenRatio": sympy.GoldenRatio,
    "EulerGamma": sympy.EulerGamma,
}
ASSUMPTIONS = ("integer", "positive", "nonnegative", "nonzero")


class Unknown(Exception):
    """A class that is not on the list."""


def encode(e: Any) -> Any:
    """The tree as lists of strings.

    >>> x = sympy.Symbol("x", real=True)
    >>> decode(encode(sympy.sqrt(x) + sympy.pi / 3)) == sympy.sqrt(x) + sympy.pi / 3
    True
    """
    if isinstance(e, sympy.Symbol):
        return ["Symbol", e.name, [a for a in ASSUMPTIONS if getattr(e, f"is_{a}")]]
    if isinstance(e, sympy.Rational):
        return ["Rational", str(e.p), str(e.q)]
    name = next((name for name, value in CONSTANTS.items() if value == e), None)
    if name is not None:
        return ["Constant", name]
    if isinstance(e, sympy.CRootOf):
        return ["CRootOf", encode(e.expr), encode(e.poly.gen), e.index]
    found = type(e).__name__
    if FUNCTIONS.get(found) is not type(e):
        raise Unknown(found)
    return [found, *map(encode, e.args)]


def decode(tree: Any) -> Any:
    """The expression of a tree."""
    kind, *args = tree
    if kind == "Symbol":
        name, known = args
        return sympy.Symbol(name, real=True, **{a: True for a in ASSUMPTIONS if a in known})
    if kind == "Rational":
        return sympy.Rational(int(args[0]), int(args[1]))
    if kind == "Constant":
        return CONSTANTS[args[0]]
    if kind == "CRootOf":
        return sympy.CRootOf(sympy.Poly(decode(args[0]), decode(args[1])), int(args[2]))
    build: Callable[..., Any] = FUNCTIONS[kind]
    return build(*map(decode, args))
