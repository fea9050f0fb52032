"""An expression of the language as SymPy's: entry by entry at given sizes, or with `Sum` over symbolic ones.

Leaves become entries of `IndexedBase`, scalars symbols, so that what `from_sympy` reads comes out as it went in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from itertools import count
from numbers import Integral
from typing import Any

import numpy as np
import sympy

from symgrad.derive.derivation import Derivation
from symgrad.errors import InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import MARKS, Apply, Contraction, Elementwise, Expr, Leaf, Linear, Role, coerce
from symgrad.graph.sizes import ONE, Size
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array, Scalar
from symgrad.primitives.functions import FUNCTIONS
from symgrad.primitives.table import PRIMITIVES
from symgrad.records import dataclass
from symgrad.rewrite.convert import substitute

LETTERS = "ijklmpqrstuv"
# Their values are those of every expression; they are no symbols of the user's.
FIXED = frozenset({Role.NUMBER, Role.SIZE, Role.IDENTITY, Role.WINDOW})


def to_sympy(
    e: object,
    sizes: Mapping[str, int] | None = None,
    *,
    derivation: Derivation | None = None,
    start: int = 0,
    real: bool = False,
) -> Any:
    """The entries of an expression in SymPy: X becomes X[0, 0], X[0, 1], …, a number a Symbol.

    A scalar is a SymPy expression, a vector or matrix a `Matrix` (a vector is a column), anything else an array. Without
    `sizes` the sums stay `Sum`s over symbolic ranges, and an array is a `Lambda` of its indices. The names of a page (r,
    cotangents) are put in from `derivation`; indices count from `start`; `real` symbols make |x|' simple.

    >>> from symgrad.primitives.language import data, dims, parameter, sum
    >>> n, d = dims("n d")
    >>> X, w = data("X", n, d), parameter("w", d)
    >>> to_sympy(X @ w, sizes={"n": 2, "d": 2})
    Matrix([
    [X[0, 0]*w[0] + X[0, 1]*w[1]],
    [X[1, 0]*w[0] + X[1, 1]*w[1]]])
    >>> to_sympy(sum((X @ w) ** 2), start=1)
    Sum(Sum(X[i, j]*w[j], (j, 1, d))**2, (i, 1, n))
    """
    root = coerce(e)
    symbols = _Symbols(start, {"real": True} if real else {})
    equations = [(eq.target, eq.expression) for eq in (*derivation.forward, *derivation.backward)] if derivation else []
    if sizes is None:
        for target, expression in reversed(equations):
            root = substitute(root, {target: expression})
        return _Formula(symbols).of(root)
    assignment = Assignment({str(name): _whole(name, value) for name, value in sizes.items()})
    _refuse_missing([root, *(e for pair in equations for e in pair)], assignment)
    return _shaped(_entries(root, equations, assignment, symbols))


def _whole(name: object, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"the size {name} is {value!r}; give a whole number from 1")
    return int(value)


def _refuse_missing(roots: Sequence[Expr], sizes: Assignment) -> None:
    extents = {s for node in postorder(roots) for s in node.shape}
    extents |= {node.value for node in postorder(roots) if isinstance(node, Leaf) and isinstance(node.value, Size)}
    missing = sorted({name for s in extents for name in s.names} - sizes.names.keys())
    if missing:
        raise InputError(f"the size {missing[0]} has no value; write sizes={{'{missing[0]}': 3, …}}")
    empty = sorted(str(s) for s in extents if sizes.at(s) < 1)
    if empty:
        raise InputError(f"the size {empty[0]} is less than 1 at these sizes; give others")


# ---- at given sizes


class Explicit(Symbolic):
    """SymPy expressions in which inverse and determinant are rational functions of the entries."""

    def inverse(self, a: Array) -> Array:
        """The adjugate over the determinant."""
        m = sympy.Matrix(a.tolist())
        return np.array((m.adjugate(method="berkowitz") / m.det(method="berkowitz")).tolist(), dtype=object)

    def determinant(self, a: Array) -> Scalar:
        """The sum over permutations."""
        return sympy.Matrix(a.tolist()).det(method="berkowitz")


@dataclass(frozen=True, slots=True)
class _Symbols:
    """The symbols that stand for leaves."""

    start: int
    assumptions: Mapping[str, bool]

    def entry(self, e: Leaf, indices: Sequence[Any]) -> Any:
        """x[i, j], or the symbol of a number."""
        if not indices:
            return sympy.Symbol(e.name, **self.assumptions)
        return sympy.Indexed(sympy.IndexedBase(e.name, **self.assumptions), *indices)

    def array(self, e: Leaf, sizes: Assignment) -> Array:
        """All entries at these sizes."""
        result = np.empty(sizes.shape(e.shape), dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = self.entry(e, [k + self.start for k in place])
        return result


def _entries(root: Expr, equations: Sequence[tuple[Leaf, Expr]], sizes: Assignment, symbols: _Symbols) -> Array:
    """The root's entries; names that an equation defines are computed, those alone that are needed."""
    definitions = dict(equations)
    needed, stack = set[Leaf](), [root]
    while stack:
        for e in postorder([stack.pop()]):
            if isinstance(e, Leaf) and e in definitions and e not in needed:
                needed.add(e)
                stack.append(definitions[e])
    values: dict[Leaf, Array] = {}
    for target, expression in [*(pair for pair in equations if pair[0] in needed), (None, root)]:
        for e in postorder([expression]):
            if isinstance(e, Leaf) and e.role not in FIXED and e not in values:
                values[e] = symbols.array(e, sizes)
        (found,) = evaluate([expression], values, sizes, Explicit())
        if target is None:
            return found
        values[target] = found
    raise AssertionError("the root is the last of the equations")


def _shaped(a: Array) -> Any:
    if a.ndim == 0:
        return sympy.S(a[()])
    if a.ndim <= 2:
        return sympy.Matrix(a.reshape(len(a), -1).tolist()) if a.ndim == 1 else sympy.Matrix(a.tolist())
    return sympy.ImmutableDenseNDimArray(list(a.ravel()), a.shape)


# ---- over symbolic sizes


@dataclass(frozen=True, slots=True)
class _Entry:
    """Entry (i, j, …) of a node, the indices as dummies."""

    indices: tuple[Any, ...]
    formula: Any

    def at(self, indices: Sequence[Any]) -> Any:
        """The formula at other indices."""
        return self.formula.xreplace(dict(zip(self.indices, indices, strict=True)))


@dataclass(slots=True)
class _Formula:
    """One expression's entries as formulas with sums."""

    symbols: _Symbols
    known: dict[Expr, _Entry] = field(default_factory=dict)

    def of(self, root: Expr) -> Any:
        """The scalar, or the Lambda of the root's indices, with letters for all indices."""
        spelled = _spelled(root)
        for node in postorder([spelled]):
            indices = tuple(sympy.Dummy(integer=True) for _ in node.shape)
            self.known[node] = _Entry(indices, sympy.S(self._entry(node, indices)))
        entry = self.known[spelled]
        taken = {e.name for e in postorder([spelled]) if isinstance(e, Leaf)}
        taken |= {name for e in postorder([spelled]) for s in e.shape for name in s.names}
        own = [*entry.indices, *_bound(entry.formula)]
        letters = {old: sympy.Symbol(name, integer=True) for old, name in zip(own, _letters(taken), strict=False)}
        formula = entry.formula.xreplace(letters)
        return sympy.Lambda(tuple(letters[i] for i in entry.indices), formula) if entry.indices else formula

    def _entry(self, node: Expr, indices: Sequence[Any]) -> Any:
        if isinstance(node, Leaf):
            return self._leaf(node, indices)
        if isinstance(node, Linear):
            return sympy.Add(*(_rational(c) * self.known[e].at(indices) for c, e in node.terms))
        if isinstance(node, Contraction):
            return self._contraction(node, indices)
        if isinstance(node, Elementwise):
            function = FUNCTIONS[node.function]
            extra = (node.parameter,) if function.is_family else ()
            return function.body(Symbolic(), *(self.known[e].at(indices) for e in node.operands), *extra)
        assert isinstance(node, Apply)
        raise InputError(f"{node.primitive} has no formula over symbolic sizes; give numbers, sizes={{'n': 3, …}}")

    def _leaf(self, node: Leaf, indices: Sequence[Any]) -> Any:
        if isinstance(node.value, Fraction) and node.role is Role.NUMBER:
            return _rational(node.value)
        if isinstance(node.value, Size) and node.role is Role.SIZE:
            return _polynomial(node.value)
        if node.role is Role.IDENTITY:
            return sympy.KroneckerDelta(*indices)
        if node.role is Role.WINDOW:
            return sympy.KroneckerDelta(indices[0], indices[1] + indices[2] - self.symbols.start)
        return self.symbols.entry(node, indices)

    def _contraction(self, node: Contraction, indices: Sequence[Any]) -> Any:
        names = dict(enumerate(indices))
        extents: dict[int, Size] = {}
        for e, own in zip(node.operands, node.indices, strict=True):
            extents |= {i: s for i, s in zip(own, e.shape, strict=True) if i >= node.rank}
        names |= {i: self.symbols.start if s == ONE else sympy.Dummy(integer=True) for i, s in extents.items()}
        factors = [
            self.known[e].at([sympy.S(names[i]) for i in own])
            for e, own in zip(node.operands, node.indices, strict=True)
        ]
        limits = [(names[i], *self._range(s)) for i, s in extents.items() if s != ONE]
        product = sympy.Mul(*factors)
        return sympy.Sum(product, *limits) if limits else product

    def _range(self, extent: Size) -> tuple[Any, Any]:
        first = sympy.Integer(self.symbols.start)
        return first, _polynomial(extent) + first - 1


def _spelled(root: Expr) -> Expr:
    """Primitives by their definitions in the language, where they have one; names of intermediates gone."""
    while True:
        found = next((new for node in postorder([root]) if (new := _definition(node)) is not None), None)
        if found is None:
            return root
        root = substitute(root, found)


def _definition(node: Expr) -> dict[Expr, Expr] | None:
    if not isinstance(node, Apply):
        return None
    if node.primitive in MARKS:
        return {node: node.operands[0]}
    definition = PRIMITIVES[node.primitive].definition
    return None if definition is None else {node: definition(node.operands, dict(node.options))}


def _bound(formula: Any) -> list[Any]:
    """The indices of all sums, outer ones first."""
    sums = [node for node in sympy.preorder_traversal(formula) if isinstance(node, sympy.Sum)]
    return list(dict.fromkeys(limits[0] for node in sums for limits in node.limits))


def _letters(taken: set[str]) -> Iterator[str]:
    """i, j, k, …, then i1, j1, …: what no name of the user's is."""
    for turn in count():
        yield from (name for letter in LETTERS if (name := f"{letter}{turn or ''}") not in taken)


def _rational(value: Fraction) -> Any:
    return sympy.Rational(value.numerator, value.denominator)


def _polynomial(value: Size) -> Any:
    """A size in symbols; their names are all that is read."""
    terms = [
        c * sympy.Mul(*(sympy.Symbol(name, integer=True) ** power for name, power in monomial))
        for monomial, c in value.terms
    ]
    return sympy.Add(*terms)
