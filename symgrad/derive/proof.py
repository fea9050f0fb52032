"""Every step proved: entry by entry against SymPy's derivative, at two assignments of small distinct sizes.

A step's first line is compared with Σ z̄·∂z/∂v, differentiated entrywise by `sympy.diff`; every further line with the one
before it. What the exact comparison does not decide is evaluated to 50 digits at random points; what fails there is an
error. Steps of the same shape are proved once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symgrad.derive.derivation import Derivation, Equation, Proof, Verdict
from symgrad.derive.equality import Differs, named, undecided, verify, worst
from symgrad.derive.reverse import cotangent_of
from symgrad.derive.samples import Symbols, as_array, assignments, entries_of, positive_leaves, sizes_in
from symgrad.derive.steps import without_names
from symgrad.errors import CheckFailed
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import CONSTANT_ROLES, Apply, Contraction, Elementwise, Expr, Leaf, number
from symgrad.graph.walk import postorder
from symgrad.primitives.entry import Array
from symgrad.rewrite.form import INDICATORS


def prove(derivation: Derivation) -> Derivation:
    """The derivation with a proof on every line; CheckFailed where a line is wrong."""
    prover = _Prover(derivation)
    return replace(derivation, backward=tuple(prover.equation(eq) for eq in derivation.backward))


def is_indicator(e: Expr) -> bool:
    """Whether every entry is 0 or 1: a comparison, or a product of comparisons."""
    if isinstance(e, Contraction) and all(i < e.rank for own in e.indices for i in own):
        return all(map(is_indicator, e.operands))
    return isinstance(e, Elementwise) and e.function in INDICATORS


class _Prover:
    """The derivation's equations as proofs need them, and the verdicts on the shapes of steps seen so far."""

    def __init__(self, derivation: Derivation) -> None:
        self.loss = derivation.loss
        self.definitions = {eq.target: eq.expression for eq in derivation.forward}
        self.backward = {eq.target: eq for eq in derivation.backward}
        self.indicators = {e for e, d in self.definitions.items() if is_indicator(d)}
        # Every equation that holds a variable, not only those with a contribution: a share of 0 is proved too.
        self.uses: dict[Leaf, list[Leaf]] = {}
        for target, expression in self.definitions.items():
            for node in postorder([expression]):
                if isinstance(node, Leaf):
                    self.uses.setdefault(node, []).append(target)
        self._known: dict[tuple[bytes, ...], tuple[Proof, ...]] = {}

    def equation(self, eq: Equation) -> Equation:
        """The equation with a proof on every line."""
        step = _Step(eq, self)
        key = step.key()
        if key not in self._known:
            self._known[key] = step.proofs()
        proofs = self._known[key]
        lines = tuple(replace(line, proof=p) for line, p in zip(eq.lines, proofs, strict=True))
        worst = next((p for p in proofs if p.verdict is not Verdict.PROVED), proofs[0])
        return replace(eq, lines=lines, proof=worst)


class _Step:
    """One backward equation with all that its proof needs."""

    def __init__(self, eq: Equation, program: _Prover) -> None:
        assert eq.variable is not None
        self.eq, self.variable = eq, eq.variable
        self.indicators = program.indicators
        targets = program.uses.get(eq.variable, [])
        self.uses = [(target, program.definitions[target]) for target in targets]
        self.seeds: list[Expr] = [number(1) if t is program.loss else cotangent_of(t) for t in targets]
        put_in = dict.fromkeys(c for line in eq.lines for c in line.reason.put_in)
        # In the order of the sweep: what one of them is made of is put in before it.
        self.upstream = {c: above.expression for c, above in program.backward.items() if c in put_in}
        stated = dict.fromkeys(e for line in eq.lines for _, e in line.reason.facts if isinstance(e, Leaf))
        known = {e: program.definitions.get(e) for e in stated}
        self.softmax = {e: d for e, d in known.items() if isinstance(d, Apply)}

    def roots(self) -> list[Expr]:
        """Everything that the proof reads, in a fixed order."""
        pairs = [*self.uses, *self.upstream.items(), *self.softmax.items()]
        return [
            self.variable,
            *self.seeds,
            *(e for pair in pairs for e in pair),
            *(x.expression for x in self.eq.lines),
        ]

    def key(self) -> tuple[bytes, ...]:
        """The shape of the step: what it says but for the names, and which of these are known to be 0 or 1."""
        renamed = without_names(self.roots())
        marks = [new.digest for new, old in renamed.back.items() if old in self.indicators]
        return (*(e.digest for e in renamed.roots), b"|", *marks)

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
        self.opaque: dict[Leaf, Array] = {e: self.symbols.array(e) for e in leaves}
        for e in positive_leaves(step.roots()) & self.opaque.keys():
            self.symbols.positives.update(entries_of(self.opaque[e]))
        for e in step.indicators & self.opaque.keys():
            self.symbols.binaries.update(entries_of(self.opaque[e]))
        # A use's target (H, where H = tanh Z and Z is the variable) takes the value that it has by definition.
        self.values = dict(self.opaque)
        for target, expression in step.uses:
            self.values[target] = self._at([expression], self.opaque)[0]

    def _at(self, roots: Sequence[Expr], values: Mapping[Leaf, Array]) -> list[Array]:
        return evaluate(roots, values, self.sizes, self.s)

    def verdicts(self) -> list[Verdict]:
        """PROVED or VERIFIED for each line; CheckFailed where neither.

        Each line is compared with all names opaque first: most steps need no more, and a sum of exponentials of sums of
        products (softmax of X W in place of softmax of Z) is never multiplied out.
        """
        derivative = self._derivative()
        defined = {
            symbol: value
            for target, _ in self.step.uses
            for symbol, value in zip(entries_of(self.opaque[target]), entries_of(self.values[target]), strict=True)
        }
        exact = as_array([sympy.S(entry).xreplace(defined) for entry in entries_of(derivative)], np.shape(derivative))
        opaque, by_definition = self._sides(derivative, self.opaque), self._sides(exact, self.values)
        return [self._verdict(k, pairs) for k, pairs in enumerate(zip(opaque, by_definition, strict=True))]

    def _sides(self, derivative: Array, values: Mapping[Leaf, Array]) -> list[tuple[Array, Array]]:
        """What each line is compared with, and the line: the derivative for the first, the line before for the others."""
        lines = [line.expression for line in self.step.eq.lines]
        first = self._at(lines[:1], values)[0]
        known = dict(values)
        for target, definition in self.step.softmax.items():
            known[target] = self._at([definition], known)[0]
        for cotangent, expression in self.step.upstream.items():
            known[cotangent] = self._at([expression], known)[0]
        return [(derivative, first), *pairwise(self._at(lines, known))]

    def _verdict(self, line: int, views: Sequence[tuple[Array, Array]]) -> Verdict:
        """PROVED where the sides agree with the names opaque or by definition, else what numbers say."""
        for a, b in views:
            if np.shape(a) != np.shape(b):
                raise self._failure(line, f"the shapes are {np.shape(a)} and {np.shape(b)}")
            if not any(self._undecided(a, b, line)):
                return Verdict.PROVED
        for x, y in self._undecided(*views[-1], line):
            self._verify(x, y, line)
        return Verdict.VERIFIED

    def _derivative(self) -> Array:
        """Σ over uses and entries of z̄·∂z/∂v, differentiated entrywise by SymPy, every other name held."""
        v = self.opaque[self.step.variable]
        total: dict[Any, list[Any]] = {symbol: [] for symbol in entries_of(v)}
        for seed, (_, expression) in zip(self.step.seeds, self.step.uses, strict=True):
            zbar, z = self._at([seed, expression], self.opaque)
            for weight, entry in zip(entries_of(zbar), entries_of(z), strict=True):
                held: set[Any] = getattr(entry, "free_symbols", set())
                for symbol in total:
                    if symbol in held:
                        total[symbol].append(weight * sympy.diff(entry, symbol))
        return as_array([sympy.Add(*terms) for terms in total.values()], np.shape(v))

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
