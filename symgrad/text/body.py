"""The body of a `scalar` function as `str` writes it, "x, y: x*exp(-y)" → a SymPy Lambda; nothing is ever run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import sympy

from symgrad.errors import InputError
from symgrad.text.scan import scan

MOST_NODES = 300
LARGEST_POWER = 100
LARGEST_ARGUMENT = 1000
MOST_BITS = 4096

# SymPy's functions of a real number whose values SymPy can calculate, by the names under which it prints them.
FUNCTIONS: Mapping[str, Any] = {
    f.__name__: f
    for f in (
        sympy.exp, sympy.log, sympy.sqrt, sympy.Abs, sympy.sign, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos,
        sympy.atan, sympy.atan2, sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.acosh, sympy.atanh, sympy.cot,
        sympy.sec, sympy.csc, sympy.sech, sympy.csch, sympy.coth, sympy.erf, sympy.erfc, sympy.erfinv, sympy.gamma,
        sympy.loggamma, sympy.polygamma, sympy.LambertW, sympy.besselj, sympy.bessely, sympy.besseli, sympy.besselk,
        sympy.Max, sympy.Min, sympy.sinc, sympy.Ei, sympy.Si, sympy.Ci,
    )
}  # fmt: skip
CONSTANTS: Mapping[str, Any] = {"pi": sympy.pi, "E": sympy.E, "EulerGamma": sympy.EulerGamma}


def read_body(text: str) -> Any:
    """The Lambda over real symbols; InputError where the text is not such a body.

    >>> read_body("x, y: x*exp(-y)")
    Lambda((x, y), x*exp(-y))
    """
    head, colon, tail = text.partition(":")
    names = [name.strip() for name in head.split(",")]
    if not colon or not all(name.isidentifier() and name not in FUNCTIONS for name in names):
        raise InputError('the function is not understood; write its variables and its value, as "x, y: x*exp(-y)"')
    if len(set(names)) < len(names):
        raise InputError("a variable of the function stands twice; write each once")
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    scanned = scan(tail, "the function", len(head) + 1)
    try:
        tree = ast.parse(scanned.text, mode="exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError("the function is not understood; mend the formula behind its colon") from None
    nodes = sum(1 for _ in ast.walk(tree))
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr) or nodes > MOST_NODES:
        raise InputError(f"the function is no single expression of at most {MOST_NODES} parts; shorten it")
    return sympy.Lambda(tuple(symbols.values()), _value(tree.body[0].value, symbols))


def _value(node: ast.expr, symbols: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name) and (node.id in symbols or node.id in CONSTANTS):
        return symbols[node.id] if node.id in symbols else CONSTANTS[node.id]
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return sympy.Integer(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, symbols)
    if isinstance(node, ast.BinOp):
        return _bounded(_binary(node, symbols))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _bounded(_call(node.func.id, [_value(e, symbols) for e in node.args]))
    raise InputError(
        "the function holds what is not understood; write whole numbers, its variables, + - * / ** and functions"
    )


def _binary(node: ast.BinOp, symbols: Mapping[str, Any]) -> Any:
    a, b = _value(node.left, symbols), _value(node.right, symbols)
    if isinstance(node.op, ast.Add):
        return a + b
    if isinstance(node.op, ast.Sub):
        return a - b
    if isinstance(node.op, ast.Mult):
        return a * b
    if isinstance(node.op, ast.Div) and b != 0:
        return a / b
    is_small = not b.is_number or (b.is_Rational and abs(b) <= LARGEST_POWER and b.q <= LARGEST_POWER)
    if isinstance(node.op, ast.Pow) and is_small and (a != 0 or b.is_positive):
        return a**b
    raise InputError("the function divides by 0, or holds an exponent beyond 100 or an operator that is not understood")


def _call(name: str, arguments: list[Any]) -> Any:
    """A function of SymPy's; numbers as arguments stay small, since their values are calculated at once."""
    if name not in FUNCTIONS:
        raise InputError(
            f"the function holds {name[:40]}, which is not known; write one of {', '.join(list(FUNCTIONS)[:12])}, …"
        )
    if any(e.is_number and not (e.is_Rational and abs(e) <= LARGEST_ARGUMENT) for e in arguments):
        raise InputError(f"the argument of {name} is too large, or not rational; write a smaller number")
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, ValueError):
        raise InputError(f"{name} does not take {len(arguments)} such argument(s); mend the function") from None


def _bounded(e: Any) -> Any:
    if not e.is_finite and e.is_number:
        raise InputError("the function holds a number without a finite value; mend it")
    if e.is_Rational and max(int(e.p).bit_length(), int(e.q).bit_length()) > MOST_BITS:
        raise InputError("the function holds a number that is too long; write a smaller one")
    return e
