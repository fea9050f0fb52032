"""Scalar parameters: the gradient as SymPy expressions, sums over data as symbols, solved in a process that may be killed.

A gradient whose every entry holds the same entry of an array, and no other, is as many equations of one scalar.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from pathlib import Path
from typing import Any

import sympy

from symgrad.derive.convexity import curve_of
from symgrad.extrema.trees import Unknown, decode, encode
from symgrad.fields import Symbolic
from symgrad.graph.expression import Elementwise, Expr, Leaf, Role, Shape
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.records import dataclass
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.form import Factor, Form, Term, extents, make_term
from symgrad.rewrite.matrix import to_expression

WORKER = Path(__file__).with_name("worker.py")
# How long SymPy may work on one problem, in seconds of a processor: what it finds must not hang on what else is running.
TIME_LIMIT = 20.0
# And how long it is waited for, where the processors are busy with other things; by the clock alone where no other is kept.
LONGEST_WAIT = TIME_LIMIT if sys.platform == "win32" else 300.0


class NoScalarForm(Exception):
    """An unknown stands inside an array, where no sum over data can be split off."""


@dataclass(slots=True)
class Alphabet:
    """Symbols for the unknowns, and for every scalar over data that stands beside them, products of sums expanded or not."""

    unknowns: Mapping[Leaf, Any]
    multiplies_out: bool = True
    shape: Shape = ()
    parts: dict[Expr, Any] = field(default_factory=dict)

    def symbol_of(self, e: Expr) -> Any:
        """The symbol of a scalar without unknowns, with what is known of its sign."""
        if e not in self.parts:
            known = {}
            if _is_sure_positive(e):
                known = {"positive": True}
            elif curve_of(e).range.low >= 0:
                known = {"nonnegative": True}
            self.parts[e] = sympy.Symbol(f"c{len(self.parts)}", real=True, **known)
        return self.parts[e]


def _is_sure_positive(e: Expr) -> bool:
    return isinstance(e, Leaf) and (e.role is Role.SIZE or bool(e.facts & {"positive"}))


def alphabet(unknowns: Sequence[Leaf], *, multiplies_out: bool = True) -> Alphabet:
    """Symbols u0, u1, … for unknown scalars."""
    shape = unknowns[0].shape if len(unknowns) == 1 else ()
    return Alphabet({x: sympy.Symbol(f"u{k}", real=True) for k, x in enumerate(unknowns)}, multiplies_out, shape)


def as_sympy(e: Expr, letters: Alphabet) -> Any:
    """A scalar, or each entry of an array, as a SymPy expression of the unknowns, what is of data alone as symbols.

    >>> from symgrad.primitives.language import data, dims, log, parameter, sum
    >>> n = dims("n")
    >>> x, rate = data("x", n), parameter("rate")
    >>> letters = alphabet([rate])
    >>> as_sympy(sum(rate * x - log(rate)), letters), [str(e) for e in letters.parts]
    (c0*u0 - c1*log(u0), ['sum(x)', 'n'])
    """
    form: Form | None = to_form(e)
    if letters.multiplies_out:
        assert form is not None
        form = expand(form)
    if form is None:
        raise NoScalarForm
    return _form(form, letters)


def shortest(gradient: Sequence[Expr], unknowns: Sequence[Leaf]) -> tuple[list[Any], Alphabet]:
    """The gradient in SymPy with as few symbols for data as can be: a sum of squared residuals stays whole.

    >>> from symgrad.primitives.language import data, dims, parameter, sum
    >>> n = dims("n")
    >>> x, m, v = data("x", n), data("m"), parameter("v")
    >>> [str(e) for e in shortest([n / v - sum((x - m) ** 2) / v**2], [v])[1].parts]
    ['n', 'sum((x - m)**2)']
    """
    found: list[tuple[list[Any], Alphabet]] = []
    for multiplies_out in (True, False):
        letters = alphabet(unknowns, multiplies_out=multiplies_out)
        try:
            found.append(([as_sympy(g, letters) for g in gradient], letters))
        except NoScalarForm:
            continue
    if not found:
        raise NoScalarForm
    return min(found, key=lambda way: len(way[1].parts))


def _form(form: Form, letters: Alphabet) -> Any:
    return sympy.Add(*[_term(t, letters) for t in form.terms])


def _term(term: Term, letters: Alphabet) -> Any:
    result: Any = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
    data: list[Factor] = []
    axes = tuple(range(len(letters.shape)))
    for f in term.factors:
        if not _holds(f, letters):
            data.append(f)
        elif f.indices != axes:
            raise NoScalarForm
        else:
            result *= _atom(f, letters) ** sympy.Rational(f.power.numerator, f.power.denominator)
    for component in _components(data, len(axes)):
        if len(component) == 1 and not component[0].indices and isinstance(component[0].atom, Leaf):
            (f,) = component
            result *= letters.symbol_of(f.atom) ** sympy.Rational(f.power.numerator, f.power.denominator)  # type: ignore[arg-type]
        else:
            used = {i for f in component for i in f.indices if i in set(axes)}
            shape = letters.shape if used else ()
            whole = Form(shape, (make_term(Fraction(1), component, len(shape), extents(component)),))
            result *= letters.symbol_of(to_expression(whole))
    return result


def _holds(f: Factor, letters: Alphabet) -> bool:
    e = to_expression(f.atom) if isinstance(f.atom, Form) else f.atom
    return any(node in letters.unknowns for node in postorder([e]) if isinstance(node, Leaf))


def _components(factors: Sequence[Factor], rank: int) -> list[list[Factor]]:
    """Factors that share a summed index, together."""
    groups: list[list[Factor]] = []
    for f in factors:
        bound = {i for i in f.indices if i >= rank}
        touching = [g for g in groups if any(bound & set(h.indices) for h in g)]
        groups = [g for g in groups if g not in touching]
        groups.append([h for g in touching for h in g] + [f])
    return groups


def _atom(f: Factor, letters: Alphabet) -> Any:
    if isinstance(f.atom, Form):
        return _form(f.atom, letters)
    return _node(f.atom, letters)


def _node(e: Expr, letters: Alphabet) -> Any:
    if isinstance(e, Leaf):
        return letters.unknowns[e]
    if not isinstance(e, Elementwise) or e.shape != letters.shape:
        raise NoScalarForm
    function = FUNCTIONS[e.function]
    operands = [as_sympy(x, letters) for x in e.operands]
    return function.body(Symbolic(), *operands, *([e.parameter] if function.is_family else []))


# ---- the other process


@dataclass(frozen=True, slots=True)
class Solved:
    """What SymPy answered: its roots in plain data, and whether it knows that there are no others."""

    roots: tuple[Mapping[str, Any], ...]
    is_complete: bool


def ask(loss: Any, gradient: Sequence[Any], unknowns: Sequence[Any], limit: float = TIME_LIMIT) -> Solved | None:
    """The real zeros of a gradient by SymPy; None where it gives up, or needs more of a processor than the limit."""
    try:
        question = {
            "loss": encode(loss),
            "gradient": [encode(g) for g in gradient],
            "unknowns": [encode(x) for x in unknowns],
            "seconds": limit,
        }
        done = subprocess.run(
            [sys.executable, "-P", str(WORKER)],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=LONGEST_WAIT,
            check=True,
        )
        found = json.loads(done.stdout)
    except (Unknown, subprocess.TimeoutExpired, subprocess.CalledProcessError, json.JSONDecodeError):
        return None
    roots = tuple({**root, **{key: _decoded(root[key]) for key in TREES}} for root in found["roots"])
    return Solved(roots, found["is_complete"])


TREES = ("values", "integer", "loss", "hessian", "eigenvalues", "derivative", "not_zero")


def _decoded(value: Any) -> Any:
    if value is None:
        return None
    return (
        decode(value)
        if isinstance(value[0:1], list) and value and isinstance(value[0], str)
        else [decode(v) for v in value]
    )
