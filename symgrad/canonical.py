"""What SymPy makes of products, sums and cases, without its search where there is nothing to find.

SymPy looks for common bases, like terms and known signs in whatever it is given, for some 50 to 500 µs. The entries that proofs
are made of are mostly products of distinct symbols, sums of such products, and cases of one symbol: these are built as SymPy
would build them, and everything else is left to it. The results are the same objects either way. All symbols stand for numbers:
what they are multiplied to needs no look at whether they commute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

import sympy

# What orders its two sides.
ORDERED = (sympy.StrictGreaterThan, sympy.GreaterThan, sympy.StrictLessThan, sympy.LessThan)
# What is a factor as a whole.
WHOLE = (sympy.Symbol, sympy.Add, sympy.Function)
# SymPy's order of factors and terms.
_in_order = cmp_to_key(sympy.Basic.compare)


def multiplied(factors: Sequence[Any]) -> Any:
    """The product: at once where no two factors are powers of one base.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> all(multiplied(f) == sympy.Mul(*f) for f in ([y, x], [x, x], [sympy.S.Zero, x], [sympy.S.Half, x * y], [x + 1, y]))
    True
    """
    coefficient = sympy.S.One
    others: list[Any] = []
    bases: set[Any] = set()
    for f in factors:
        for a in f.args if isinstance(f, sympy.Mul) else (f,):
            if isinstance(a, sympy.Rational):
                coefficient = coefficient if a is sympy.S.One else coefficient * a
                continue
            base = a if type(a) is sympy.Symbol else _base_of(a)
            if base is None:
                return sympy.Mul(*factors)
            others.append(a)
            bases.add(base)
    if not coefficient or not others:
        return coefficient
    is_distributed = len(others) == 1 and isinstance(others[0], sympy.Add) and coefficient is not sympy.S.One
    if len(bases) < len(others) or is_distributed:
        return sympy.Mul(*factors)
    others.sort(key=_name if all(map(_is_plain, others)) else _in_order)
    args = others if coefficient is sympy.S.One else [coefficient, *others]
    return args[0] if len(args) == 1 else sympy.Mul._from_args(args, is_commutative=True)


def _base_of(a: Any) -> Any:
    """What a factor is a whole power of; None where SymPy may have more to say of it. All e^x have one base."""
    if type(a) is sympy.exp:
        return sympy.E
    if isinstance(a, WHOLE):
        return a
    return a.base if isinstance(a, sympy.Pow) and a.exp.is_Integer and isinstance(a.base, WHOLE) else None


def _is_plain(e: Any) -> bool:
    return type(e) is sympy.Symbol


def _name(e: Any) -> str:
    """What orders symbols of which the same is assumed."""
    return str(e.name)


def _names(e: Any) -> tuple[int, list[str]]:
    """What orders products of symbols of which the same is assumed."""
    return len(e.args), [a.name for a in e.args]


def added(terms: Sequence[Any]) -> Any:
    """The sum: at once where no two terms are multiples of each other, and none is a number.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> all(added(t) == sympy.Add(*t) for t in ([y, x], [x, 2 * x], [x, 1, y], [x + y, x * y], [y / 2, x * y / 2]))
    True
    """
    parts = [a for t in terms for a in (t.args if isinstance(t, sympy.Add) else (t,))]
    bare = set()
    for a in parts:
        if isinstance(a, sympy.Mul):
            first, *rest = a.args
            bare.add(a.args if not first.is_Number else tuple(rest) if len(rest) > 1 else rest[0])
        elif isinstance(a, (sympy.Symbol, sympy.Function, sympy.Pow)):
            bare.add(a)
        else:
            return sympy.Add(*terms)
    if len(bare) < len(parts) or len(parts) < 2:
        return sympy.Add(*terms)
    are_products = all(isinstance(a, sympy.Mul) and all(map(_is_plain, a.args)) for a in parts)
    return sympy.Add._from_args(sorted(parts, key=_names if are_products else _in_order), is_commutative=True)


def chosen(cases: Sequence[tuple[Any, Any]]) -> Any:
    """The SymPy Piecewise; at once where one comparison of a symbol with a number decides.

    >>> x = sympy.Symbol("x", real=True)
    >>> chosen([(x, x > 0), (sympy.S.Zero, sympy.true)]) == sympy.Piecewise((x, x > 0), (0, True))
    True
    """
    if len(cases) == 2:
        (a, condition), (b, is_else) = cases
        is_plain = isinstance(condition, ORDERED) and is_bare(condition.lhs, condition.rhs)
        if (
            is_plain
            and is_else in (True, sympy.true)
            and a != b
            and not any(isinstance(v, sympy.Piecewise) for v in (a, b))
        ):
            return sympy.Piecewise((a, condition), (b, sympy.true), evaluate=False)
    return sympy.Piecewise(*cases)


def is_bare(a: Any, b: Any) -> bool:
    """Whether a comparison is of a symbol of either sign with a number: SymPy has nothing to find out."""
    return isinstance(a, sympy.Symbol) and isinstance(b, sympy.Rational) and a.is_extended_nonnegative is None


def put_in(e: Any, values: Mapping[Any, Any]) -> Any:
    """The expression with numbers for its symbols, all at once and each shared node once; `subs` takes them one by one.

    Of a case distinction only the case that holds is looked at.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> put_in(sympy.Piecewise((1 / x, x > 0), (x * y + 2, True)), {x: sympy.Integer(0), y: sympy.Integer(5)})
    2
    """
    known = dict(values)

    def of(node: Any) -> Any:
        if not node.args and node not in known:
            return node
        if node not in known:
            known[node] = _case(node, of) if isinstance(node, sympy.Piecewise) else node.func(*map(of, node.args))
        return known[node]

    return of(e)


def _case(node: Any, of: Callable[[Any], Any]) -> Any:
    """The case that holds; the whole distinction from the first condition on that is left open."""
    kept: list[tuple[Any, Any]] = []
    for value, condition in node.args:
        holds = of(condition)
        if holds != sympy.false:
            kept.append((of(value), holds))
        if holds == sympy.true:
            break
    return sympy.Piecewise(*kept) if kept else sympy.nan
