"""Functions that a user gave as SymPy expressions, as NumPy source with argument names of our own."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.numpy import NumPyPrinter

from symgrad.errors import DerivationError


class _Printer(NumPyPrinter):  # type: ignore[misc]  # SymPy ships no types
    """NumPy's names as `np.…`; what NumPy does not have is refused."""

    def _module_format(self, fqn: str, register: bool = True) -> str:
        module, _, name = fqn.rpartition(".")
        if module and not module.startswith("numpy"):
            raise DerivationError(f"{name} is not in NumPy; write it with functions that are")
        return f"np.{fqn.removeprefix('numpy.')}" if module else fqn


def lambda_source(function: Any, name: str) -> str:
    """The source of a function that computes a SymPy `Lambda` entry by entry, in the type of its arguments.

    >>> t = sympy.Symbol("t; import os")
    >>> print(lambda_source(sympy.Lambda(t, sympy.sin(t) / 2), "f").strip())
    def f(x1):
        return np.asarray((1/2)*np.sin(x1), np.result_type(x1))[()]
    """
    symbols = [sympy.Symbol(f"x{k + 1}") for k in range(len(function.variables))]
    body = function.expr.xreplace(dict(zip(function.variables, symbols, strict=True)))
    unknown = sorted(str(s) for s in body.free_symbols - set(symbols))
    if unknown:
        raise DerivationError(f"the function {function} uses {unknown[0]!r}, which is not one of its arguments")
    arguments = ", ".join(s.name for s in symbols)
    text = _printed(body)
    # An argument may be a Python number, which has no type of its own and leaves that of arrays alone.
    result = f"np.asarray({text}, np.result_type({arguments}))[()]"
    if body.free_symbols != set(symbols):
        shapes = ", ".join(f"np.shape({s.name})" for s in symbols)
        result = f"np.broadcast_to({result}, np.broadcast_shapes({shapes}))"
    return f"\ndef {name}({arguments}):\n    return {result}\n"


def _printed(body: Any) -> str:
    # np.sqrt(2) is a float64, and would turn float32 arrays into float64.
    constants = {
        e: sympy.Float(e.evalf(17), 17)
        for e in sympy.preorder_traversal(body)
        if e.is_number and e.is_real and not e.is_Rational and not e.is_Float
    }
    printer = _Printer({"fully_qualified_modules": True})
    try:
        text: str = printer.doprint(body.xreplace(constants))
    except NotImplementedError as e:
        name = str(e).rpartition(": ")[2]
        raise DerivationError(f"{name} is not in NumPy; write it with functions that are") from e
    if printer._not_supported or "\n" in text:
        names = sorted(type(e).__name__ for e in printer._not_supported)
        raise DerivationError(
            f"{names[0] if names else body} has no NumPy function; write it with functions that NumPy has"
        )
    return text
