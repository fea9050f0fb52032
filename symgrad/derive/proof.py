"""Every step proved: entry by entry against SymPy's derivative, at two assignments of small distinct sizes.

A step's first line is compared with Σ z̄·∂z/∂v, differentiated entrywise by `sympy.diff`; every further line with the one
before it. What the exact comparison does not decide is evaluated to 50 digits at random points; what fails there is an
error. Steps of the same shape are proved once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symgrad.canonical import added, multiplied
from symgrad.derive.alike import Form, form_of
from symgrad.derive.derivation import Derivation, Equation, Proof, Verdict
from symgrad.derive.equality import Differs, in_numbers, named, undecided, verify, worst
from symgrad.derive.partials import Differentiator
from symgrad.derive.reverse import cotangent_of
from symgrad.derive.samples import Symbols, as_array, assignments, entries_of, positive_leaves, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Apply,
    Contraction,
    Elementwise,
    Expr,
    Leaf,
    Linear,
    Role,
    leaf,
    number,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.rewrite.convert import substitute
from symgrad.rewrite.display import Why
from symgrad.rewrite.facts import SYMMETRIC_FACTS
from symgrad.rewrite.form import INDICATORS


def prove(derivation: Derivation) -> Derivation:
    """The derivation with a proof on every line; CheckFailed where a line is wrong."""
    prover = _Prover(derivation)
    return replace(derivation, backward=tuple(prover.equation(eq) for eq in derivation.backward))


def prove_equation(derivation: Derivation, equation: Equation) -> Equation:
    """A backward equation in place of the derivation's own, with a proof on every line; CheckFailed where one is wrong."""
    return _Prover(derivation).equation(equation)


def is_indicator(e: Expr, known: Container[Expr] = ()) -> bool:
    """Whether every entry is 0 or 1: a comparison, a mask of the data, a known one, 1 less one, or a product of such."""
    if isinstance(e, Contraction) and all(i < e.rank for own in e.indices for i in own):
        return all(is_indicator(x, known) for x in e.operands)
    if isinstance(e, Leaf):
        return e in known or "binary" in e.facts or (isinstance(e.value, Fraction) and e.value in (0, 1))
    if isinstance(e, Linear) and [c for c, _ in e.terms] == [1, -1]:
        (_, whole), (_, part) = e.terms
        return _is_ones(whole) and is_indicator(part, known)
    return isinstance(e, Elementwise) and e.function in INDICATORS


def _is_ones(e: Expr) -> bool:
    is_spread = isinstance(e, Contraction) and all(i < e.rank for own in e.indices for i in own)
    return all(isinstance(x, Leaf) and x.value == 1 for x in (e.children if is_spread else (e,)))


class _Prover:
    """The derivation's equations as proofs need them, and the verdicts on the shapes of steps seen so far."""

    def __init__(self, derivation: Derivation) -> None:
        self.loss = derivation.loss
        self.definitions = {eq.target: eq.expression for eq in derivation.forward}
        self.backward = {eq.target: eq for eq in derivation.backward}
        self.indicators = set[Leaf]()
        for e, definition in self.definitions.items():
            self.indicators |= {e} if is_indicator(definition, self.indicators) else set()
        # Every equation that holds a variable, not only those with a contribution: a share of 0 is proved too.
        self.uses: dict[Leaf, list[Leaf]] = {}
        for target, expression in self.definitions.items():
            for node in postorder([expression]):
                if isinstance(node, Leaf):
                    self.uses.setdefault(node, []).append(target)
        self._known: dict[object, tuple[Form, tuple[Proof, ...]]] = {}
        self._symmetric: dict[Leaf, bool] = {}
        self.by = Differentiator()

    def symmetric(self, claimed: Sequence[Leaf]) -> frozenset[Leaf]:
        """The names that equal their transposes by definition; CheckFailed where one is claimed that does not."""
        for e in claimed:
            is_assumed = bool(e.facts & SYMMETRIC_FACTS)
            if e in self.definitions and not is_assumed and not self._is_symmetric(e):
                raise CheckFailed(f"{e.name} is not symmetric; this is a defect of symgrad, please report the model")
        return frozenset(e for e, is_so in self._symmetric.items() if is_so)

    def _is_symmetric(self, name: Leaf) -> bool:
        """Whether the entries (i, j) and (j, i) of a definition are equal, by symbols, at all assignments of sizes."""
        if name not in self._symmetric:
            definition = self.definitions[name]
            leaves = [e for e in postorder([definition]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
            known = {e for e in leaves if e in self.definitions and _is_square(e) and self._is_symmetric(e)}
            self._symmetric[name] = _is_square(name) and all(
                _equals_transpose(definition, {e: e in known for e in leaves}, a)
                for a in assignments(sizes_in([definition]))
            )
        return self._symmetric[name]

    def softmax_axis(self, e: Expr) -> int:
        """The axis along which a softmax, or the name of one, sums to 1; CheckFailed where it is none."""
        definition = self.definitions.get(e) if isinstance(e, Leaf) else e
        axis = (
            definition.option("axis") if isinstance(definition, Apply) and definition.primitive == "softmax" else None
        )
        if not isinstance(axis, int):
            raise CheckFailed(f"{e} is not a softmax; this is a defect of symgrad, please report the model")
        return axis

    def equation(self, eq: Equation) -> Equation:
        """The equation with a proof on every line."""
        if not eq.lines or eq.lines[-1].expression is not eq.expression:
            raise CheckFailed(
                f"the step ({eq.label}) for {eq.name} does not end in its last line; please report the model"
            )
        step = _Step(eq, self)
        form = step.form()
        if form.key not in self._known:
            self._known[form.key] = form, step.proofs()
        proofs = renamed(*self._known[form.key], form)
        lines = tuple(replace(line, proof=p) for line, p in zip(eq.lines, proofs, strict=True))
        worst = next((p for p in proofs if p.verdict is not Verdict.PROVED), proofs[0])
        return replace(eq, lines=lines, proof=worst)


def _is_given(e: Leaf) -> bool:
    return e.role is not Role.INTERMEDIATE


def _free(e: Leaf) -> Leaf:
    """The name without the facts that are assumed of it."""
    return leaf(e.name, e.shape, e.role)


def _is_square(e: Leaf) -> bool:
    return e.rank == 2 and e.shape[0] == e.shape[1]


def _equals_transpose(definition: Expr, leaves: Mapping[Leaf, bool], sizes: Assignment) -> bool:
    symbols = Symbols(sizes)
    values = {e: symbols.array(e, ("symmetric",) if is_symmetric else ()) for e, is_symmetric in leaves.items()}
    (a,) = evaluate([definition], values, sizes, Symbolic())
    n = len(a)
    return all(are_equal(sympy.S(a[i, j]), sympy.S(a[j, i])) for i in range(n) for j in range(i))


def renamed(proved: Form, proofs: Sequence[Proof], form: Form) -> tuple[Proof, ...]:
    """The proofs of a step in the sizes of another one of the same form."""
    pairs = zip(proved.names, form.names, strict=True)
    names = {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}
    return tuple(replace(p, sizes=tuple({names.get(s, s): k for s, k in a.items()} for a in p.sizes)) for p in proofs)


class _Step:
    """One backward equation with all that its proof needs."""

    def __init__(self, eq: Equation, program: _Prover) -> None:
        assert eq.variable is not None
        self.eq, self.variable = eq, eq.variable
        self.indicators = program.indicators
        self.by = program.by
        targets = program.uses.get(eq.variable, [])
        self.uses = [(target, program.definitions[target]) for target in targets]
        self.seeds: list[Expr] = [number(1) if t is program.loss else cotangent_of(t) for t in targets]
        put_in = dict.fromkeys(c for line in eq.lines for c in line.reason.put_in)
        # In the order of the sweep: what one of them is made of is put in before it.
        self.upstream = {c: above.expression for c, above in program.backward.items() if c in put_in}
        self.softmaxes = {
            e: program.softmax_axis(e) for line in eq.lines for fact, e in line.reason.facts if fact == "softmax"
        }
        needed = {e for line in eq.lines for e in line.reason.by}
        # Definitions that a line uses, in the order of the program: each may hold the ones before it.
        self.used = {e: d for e, d in program.definitions.items() if e in needed} if needed else {}
        claimed = [e for line in eq.lines for fact, e in line.reason.facts if fact == "symmetric"]
        self.symmetric = program.symmetric([e for e in claimed if isinstance(e, Leaf)])

    def roots(self) -> list[Expr]:
        """Everything that the proof reads, in a fixed order."""
        pairs = [*self.uses, *self.upstream.items(), *self.used.items()]
        return [
            self.variable,
            *self.seeds,
            *(e for pair in pairs for e in pair),
            *(x.expression for x in self.eq.lines),
            *self.softmaxes,
        ]

    def form(self) -> Form:
        """The shape of the step: what it says but for names and sizes, and what is known of which names."""
        roots = self.roots()
        leaves = [e for e in postorder(roots) if isinstance(e, Leaf)]
        marks = tuple(k for k, e in enumerate(leaves) if e in self.indicators)
        symmetric = tuple(k for k, e in enumerate(leaves) if e in self.symmetric)
        counts = (len(self.uses), len(self.upstream), len(self.used), tuple(self.softmaxes.values()))
        return form_of(roots, (*counts, marks, symmetric), is_numbered=False)

    def proofs(self) -> tuple[Proof, ...]:
        """The verdict on each line, over all assignments of sizes."""
        chosen = assignments(sizes_in(self.roots()))
        verdicts = [_Comparison(self, a).verdicts() for a in chosen]
        sizes = named(chosen)
        return tuple(Proof(worst({v[k] for v in verdicts}), sizes) for k in range(len(self.eq.lines)))


class _Comparison:
    """A step at one assignment of sizes."""

    def __init__(self, step: _Step, sizes: Assignment) -> None:
        self.step, self.sizes, self.s = step, sizes, Symbolic()
        self.symbols = Symbols(sizes)
        leaves = [e for e in postorder(step.roots()) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
        # A derivative is taken entry by entry, every entry of a computed value free; data have their facts.
        self.opaque: dict[Leaf, Array] = {e: self.symbols.array(e if _is_given(e) else _free(e)) for e in leaves}
        # Facts that lines may use: of what is symmetric by definition, or assumed to have them.
        self.found = {e: self.symbols.array(e, ("symmetric",)) for e in leaves if e in step.symmetric}
        self.found |= {e: self.symbols.array(e) for e in leaves if e.facts and not _is_given(e)}
        # A softmax, named or not, is any array that sums to 1 along its axis, where a line uses no more of it than that.
        self.stand_ins: dict[Expr, Expr] = {}
        for k, (e, axis) in enumerate(step.softmaxes.items()):
            stand_in = leaf(f"softmax_{k}_", e.shape, Role.INTERMEDIATE)
            self.stand_ins[e] = stand_in
            self.found[stand_in] = self.symbols.summing_to_one(e.shape, axis)
        for e in positive_leaves(step.roots()) & self.opaque.keys():
            self.symbols.positives.update(entries_of(self.opaque[e]))
        for e in step.indicators & self.opaque.keys():
            self.symbols.binaries.update(entries_of(self.opaque[e]))
        # A use's target (H, where H = tanh Z and Z is the variable) takes the value that it has by definition.
        self.values = dict(self.opaque)
        # What was evaluated with the names opaque, and by definition.
        self._seen: tuple[dict[Expr, Array], dict[Expr, Array]] = {}, {}
        for k, (target, expression) in enumerate(step.uses):
            # One use may stand in another's definition: h = exp(u w), where u holds w too.
            earlier = {t for t, _ in step.uses[:k]}
            values = self.opaque if earlier.isdisjoint(postorder([expression])) else dict(self.values)
            self.values[target] = self._at([expression], values)[0]

    def _at(self, roots: Sequence[Expr], values: Mapping[Leaf, Array]) -> list[Array]:
        """The arrays of some roots; with the names opaque, or by definition, each expression is evaluated once."""
        opaque, defined = self._seen
        known = opaque if values is self.opaque else defined if values is self.values else None
        return evaluate(roots, values, self.sizes, self.s, known)

    def verdicts(self) -> list[Verdict]:
        """PROVED or VERIFIED for each line; CheckFailed where neither.

        Each line is compared with all names opaque first: most steps need no more, and a sum of exponentials of sums of
        products (softmax of X W in place of softmax of Z) is never multiplied out.
        """
        derivative = self._derivative()
        opaque = self._sides(derivative, self.opaque)
        verdicts = [self._by_inverses(k) or self._equal(k, pair) for k, pair in enumerate(opaque)]
        if None in verdicts:
            exact = self._sides(self._by_definition(derivative), self.values)
            for k, pair in enumerate(exact):
                verdicts[k] = verdicts[k] or self._equal(k, pair) or self._verified(k, pair)
        return [verdict for verdict in verdicts if verdict is not None]

    def _by_inverses(self, line: int) -> Verdict | None:
        """VERIFIED where inverses cancel from the line before to this one; None for all other lines.

        An entry of (A X B)⁻¹ is a quotient of polynomials too long to be compared symbol by symbol.
        """
        lines = self.step.eq.lines
        if lines[line].reason.kind is not Why.INVERT:
            return None
        try:
            return in_numbers(lines[line - 1].expression, lines[line].expression, self.sizes, self.step.used)
        except Differs as e:
            raise self._failure(line, str(e)) from None

    def _by_definition(self, derivative: Array) -> Array:
        defined = {
            symbol: value
            for target, _ in self.step.uses
            for symbol, value in zip(entries_of(self.opaque[target]), entries_of(self.values[target]), strict=True)
        }
        return as_array([sympy.S(entry).xreplace(defined) for entry in entries_of(derivative)], np.shape(derivative))

    def _sides(self, derivative: Array, values: Mapping[Leaf, Array]) -> list[tuple[Array, Array]]:
        """What each line is compared with, and the line: the derivative for the first, the line before for the others."""
        lines = [line.expression for line in self.step.eq.lines]
        first = self._at(lines[:1], values)[0]
        if len(lines) == 1:
            return [(derivative, first)]
        known = {**values, **self.found}
        for target, definition in self.step.used.items():
            known[target] = self._at([substitute(definition, self.stand_ins)], known)[0]
        for cotangent, expression in self.step.upstream.items():
            known[cotangent] = self._at([substitute(expression, self.stand_ins)], known)[0]
        # With nothing more known the first line has been evaluated already.
        at = known if self.found or self.step.used or self.step.upstream else values
        return [(derivative, first), *pairwise(self._at([substitute(e, self.stand_ins) for e in lines], at))]

    def _equal(self, line: int, pair: tuple[Array, Array]) -> Verdict | None:
        """PROVED where the two sides agree entry by entry; None where that is not decided."""
        a, b = pair
        if np.shape(a) != np.shape(b):
            raise self._failure(line, f"the shapes are {np.shape(a)} and {np.shape(b)}")
        return None if any(True for _ in self._undecided(a, b, line)) else Verdict.PROVED

    def _verified(self, line: int, pair: tuple[Array, Array]) -> Verdict:
        """VERIFIED where what is undecided agrees in numbers; CheckFailed where it does not."""
        for x, y in self._undecided(*pair, line):
            self._verify(x, y, line)
        return Verdict.VERIFIED

    def _derivative(self) -> Array:
        """Σ over uses and entries of z̄·∂z/∂v, differentiated entrywise by SymPy, every other name held."""
        v = self.opaque[self.step.variable]
        total: dict[Any, list[Any]] = {symbol: [] for symbol in entries_of(v)}
        for seed, (_, expression) in zip(self.step.seeds, self.step.uses, strict=True):
            zbar, z = self._at([seed, expression], self.opaque)
            for weight, entry in zip(entries_of(zbar), entries_of(z), strict=True):
                for symbol, partial in self.step.by.partials(sympy.S(entry), total.keys()):
                    total[symbol].append(multiplied((weight, partial)))
        return as_array([added(terms) for terms in total.values()], np.shape(v))

    def _undecided(self, a: Array, b: Array, line: int) -> Iterator[tuple[Any, Any]]:
        """The pairs of entries that the exact comparison does not find equal."""
        # A derivative is compared off its kinks; two ways of writing one are compared everywhere.
        kinks = set(entries_of(self.opaque[self.step.variable])) if line == 0 else set()
        return undecided(a, b, self.symbols, kinks)

    def _verify(self, x: Any, y: Any, line: int) -> None:
        try:
            verify(x, y, self.symbols)
        except Differs as e:
            raise self._failure(line, str(e)) from None

    def _failure(self, line: int, what: str) -> CheckFailed:
        expression = self.step.eq.lines[line].expression
        return CheckFailed(
            f"the step ({self.step.eq.label}) for {self.step.variable.name} is not proved: in its line {line + 1},"
            f" {expression}, an entry differs ({what}); this is a defect of symgrad, please report the model"
        )
