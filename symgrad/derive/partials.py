"""The partial derivatives of entries by their symbols, by SymPy; of entries that differ in their symbols alone, once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import prod
from typing import Any

import sympy
from sympy.polys.rings import ring

from symgrad.canonical import ORDERED, chosen, multiplied

# Polynomials with more terms than this are differentiated as they stand.
MOST_TERMS = 6000

Form = tuple[Any, ...]
Partials = tuple[tuple[Any, Any], ...]


class Differentiator:
    """∂e/∂s for entries e and symbols s.

    The entries of an array are one formula in other symbols, z_ij = Σ_k x_ik w_kj. To rename symbols and to differentiate
    commute: SymPy differentiates each term of such a formula once, and its derivative is renamed.

    >>> x, y, z = sympy.symbols("x y z", real=True)
    >>> partials = Differentiator().partials
    >>> list(partials(sympy.tanh(x) * z, {x, y})), list(partials(sympy.tanh(y) * z, {x, y}))
    ([(x, z*(1 - tanh(x)**2))], [(y, z*(1 - tanh(y)**2))])
    """

    def __init__(self) -> None:
        self._known: dict[Form, tuple[tuple[Any, ...], Partials]] = {}

    def partials(self, e: Any, wanted: Collection[Any]) -> Iterator[tuple[Any, Any]]:
        """∂e/∂s for the wanted symbols s that occur; one that comes more than once has the sum for its derivative."""
        for term in sympy.Add.make_args(e):
            if isinstance(term, sympy.Symbol):
                if term in wanted:
                    yield term, sympy.S.One
                continue
            form, symbols = _form_of(term, wanted)
            if form not in self._known:
                self._known[form] = symbols, tuple(_partials(term, wanted))
            own, known = self._known[form]
            names = dict(zip(own, symbols, strict=True))
            yield from ((names[s], _renamed(slope, names)) for s, slope in known)


def _form_of(e: Any, wanted: Collection[Any]) -> tuple[Form, tuple[Any, ...]]:
    """What an expression is but for the names of its symbols, and its symbols as they first occur.

    A symbol is its number, below 0 where it is wanted, and what SymPy may assume of it.
    """
    places: dict[Any, Any] = {}
    form: list[Any] = []
    stack = [e]
    while stack:
        node = stack.pop()
        if isinstance(node, sympy.Symbol):
            if node not in places:
                number = len(places) + 1
                places[node] = -number if node in wanted else number, node.is_real, node.is_positive
            form.append(places[node])
        elif node.args:
            form.append((node.func, len(node.args)))
            stack += node.args
        else:
            form.append(node)
    return tuple(form), tuple(places)


def _renamed(e: Any, names: Mapping[Any, Any]) -> Any:
    """The expression in other symbols."""
    if isinstance(e, sympy.Symbol):
        return names[e]
    if isinstance(e, sympy.Mul) and all(isinstance(a, sympy.Symbol) for a in e.args):
        return multiplied([names[a] for a in e.args])
    if isinstance(e, sympy.Piecewise):
        return chosen([(_renamed(value, names), _renamed(condition, names)) for value, condition in e.args])
    if isinstance(e, ORDERED) and isinstance(e.lhs, sympy.Symbol) and e.rhs.is_Number:
        return e.func(names[e.lhs], e.rhs, evaluate=False)
    return e.xreplace(names)


def _partials(e: Any, wanted: Collection[Any]) -> Iterator[tuple[Any, Any]]:
    """∂e/∂s for the symbols that occur, by SymPy: of a polynomial in its sparse ring, else as it stands."""
    symbols = sorted(e.free_symbols & set(wanted), key=str)
    if symbols and 1 < _terms(e) <= MOST_TERMS:
        domain, *_ = ring(sorted(e.free_symbols, key=str), sympy.QQ)
        try:
            polynomial = domain.from_expr(e)
        except ValueError:
            pass  # it holds a function or a root
        else:
            yield from ((s, polynomial.diff(domain(s)).as_expr()) for s in symbols)
            return
    yield from ((s, sympy.diff(e, s)) for s in symbols)


def _terms(e: Any) -> int:
    """How many terms an expression has when products are multiplied out."""
    if e.is_Add:
        return sum(map(_terms, e.args))
    return prod(map(_terms, e.args)) if e.is_Mul else 1
