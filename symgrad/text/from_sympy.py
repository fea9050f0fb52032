"""A SymPy expression in symbols → the same scalar in the expression graph."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symgrad.errors import InputError
from symgrad.graph.expression import Expr, Leaf, Linear, Role, add, elementwise, leaf, multiply, number, power, scale

# SymPy's name of a function, and ours.
FUNCTIONS: Mapping[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.Abs: "absolute",
    sympy.sign: "sign",
}


def from_sympy(expression: Any, parameters: Sequence[Any]) -> Expr:
    """The scalar expression; symbols among `parameters` are differentiated by, the others are data.

    >>> x, w = sympy.symbols("x w")
    >>> str(from_sympy((w * x - 1) ** 2 / 2, [w]))
    '(w * x - 1)**2 / 2'
    """
    if not isinstance(expression, sympy.Expr):
        raise InputError(f"the loss is a {type(expression).__name__}; assign an expression to it")
    wanted = {symbol.name for symbol in parameters}
    known: dict[Any, Expr] = {}
    for node in sympy.postorder_traversal(expression):
        if node not in known:
            known[node] = _convert(node, known, wanted)
    return known[expression]


def _convert(node: Any, known: Mapping[Any, Expr], parameters: set[str]) -> Expr:
    if isinstance(node, sympy.Symbol):
        return _symbol(node.name, parameters)
    if isinstance(node, sympy.Rational):
        return number(Fraction(int(node.p), int(node.q)))
    if isinstance(node, sympy.Float):
        return number(Fraction(str(node)))
    if isinstance(node, sympy.Add):
        return _sum([known[a] for a in _written(node)])
    if isinstance(node, sympy.Mul):
        result: Expr = number(1)
        for a in _written(node):
            # SymPy lists -2 as the factors -1 and 2.
            result = multiply(result, known[a] if a in known else _convert(a, known, parameters))
        return result
    if isinstance(node, sympy.Pow):
        return power(known[node.base], known[node.exp])
    if node.func in FUNCTIONS and len(node.args) == 1:
        return elementwise(FUNCTIONS[node.func], known[node.args[0]])
    if isinstance(node, sympy.Max | sympy.Min):
        return _extremum(node, known)
    if isinstance(node, sympy.NumberSymbol) or (isinstance(node, sympy.Function) and not _is_undefined(node)):
        return _as_whole(node, known)
    what = f"{node} ({type(node).__name__})"
    raise InputError(f"{what} is not understood in a SymPy loss; use symbols and functions of them")


def _is_undefined(node: Any) -> bool:
    return isinstance(node, sympy.core.function.AppliedUndef)


def _written(node: Any) -> Sequence[Any]:
    """The arguments in the order in which SymPy prints them, so that pages do not depend on hashes."""
    ordered: Sequence[Any] = node.as_ordered_terms() if isinstance(node, sympy.Add) else node.as_ordered_factors()
    return ordered


def _sum(terms: Sequence[Expr]) -> Expr:
    result = terms[0]
    for e in terms[1:]:
        if isinstance(e, Linear) and len(e.terms) == 1 and e.terms[0][0] < 0:
            # -y is subtracted; x + (-y) is how SymPy keeps it, not how it is written.
            result = add(result, scale(-e.terms[0][0], e.children[0]), -1)
        else:
            result = add(result, e)
    return result


def _extremum(node: Any, known: Mapping[Any, Expr]) -> Expr:
    name = "maximum" if isinstance(node, sympy.Max) else "minimum"
    ordered = sorted(node.args, key=sympy.default_sort_key)
    result = known[ordered[0]]
    for a in ordered[1:]:
        result = elementwise(name, result, known[a])
    return result


def _as_whole(node: Any, known: Mapping[Any, Expr]) -> Expr:
    """A function without an entry of its own, kept as SymPy's: its derivative is SymPy's too."""
    varying = [a for a in node.args if a.free_symbols]
    symbols = [sympy.Symbol(f"u{k}", real=True) for k in range(len(varying))]
    if not symbols:
        raise InputError(f"the constant {node} has no exact rational value; pass it as data or as a hyperparameter")
    body = node.func(*(symbols[varying.index(a)] if a.free_symbols else a for a in node.args))
    return elementwise("scalar", *(known[a] for a in varying), parameter=sympy.Lambda(tuple(symbols), body))


def _symbol(name: str, parameters: set[str]) -> Leaf:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(f"the symbol {name!r} cannot be an argument; give it a name of letters and digits")
    return leaf(name, (), Role.PARAMETER if name in parameters else Role.DATA)
