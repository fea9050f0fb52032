"""Every line of a proof entry by entry, as it is printed, against SymPy's derivative of the equation's own entries.

A printed line is a `Form`; here the same form is evaluated. What is compared: the terms that hold the variable, ∂z/∂v in
each of its ways of writing, the chain rule's sum in each of its own, and that the shares add up to the step's first line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sympy
from chosen import EXAMPLES, problem_at
from random_programs import random_program

import symgrad as sg
from symgrad.canonical import put_in
from symgrad.derive.entries import shares_of
from symgrad.derive.proof import is_indicator
from symgrad.derive.reverse import cotangent_of
from symgrad.derive.samples import Symbols, as_array, assignments, entries_of, sizes_in
from symgrad.derive.zero import are_equal
from symgrad.evaluate import evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import (
    CONSTANT_ROLES,
    Leaf,
    broadcast_to,
    contraction,
    linear,
    number,
    power,
)
from symgrad.graph.walk import postorder
from symgrad.primitives.table import PRIMITIVES
from symgrad.rewrite.form import Form

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted([*EXAMPLES, *(ROOT / "tests" / "models").glob("*.py")])
SEEDS = range(60)


def expression_of(form):
    """A form as an expression, term by term and factor by factor: nothing is put in order, nothing contracted."""
    if not form.terms:
        return broadcast_to(number(0), form.shape)
    return linear([(t.coefficient, term_of(t, form.shape)) for t in form.terms])


def term_of(term, shape):
    factors = [(expression_of(f.atom) if isinstance(f.atom, Form) else f.atom, f) for f in term.factors]
    raised = [power(e, f.power) if f.power != 1 else e for e, f in factors]
    return broadcast_to(contraction([*raised, number(1)], [*(f.indices for f in term.factors), ()], shape), shape)


class Checked:
    """The shares of one step at one assignment of sizes, every name opaque."""

    def __init__(self, derivation, eq, shares):
        self.eq, self.shares = eq, shares
        self.definitions = {f.label: f for f in derivation.forward}
        self.forms = [f for s in shares for f in (s.held, *s.local, *s.followed)]
        roots = [self.definitions[c.label].expression for c in eq.contributions]
        targets = [self.definitions[c.label].target for c in eq.contributions]
        self.roots = [*roots, *map(expression_of, self.forms), eq.lines[0].expression, *targets]
        self.sizes = assignments(sizes_in(self.roots), 1)[0]
        self.symbols, self.s = Symbols(self.sizes), Symbolic()
        leaves = [e for e in postorder(self.roots) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
        leaves += [cotangent_of(t) for t in targets] + [eq.variable]
        self.values = {e: self.symbols.array(e) for e in dict.fromkeys(leaves)}
        for f in derivation.forward:
            if is_indicator(f.expression):
                self.symbols.binaries.update(entries_of(self.values.get(f.target, np.array([]))))

    def at(self, e, values=None):
        return evaluate([e], values or self.values, self.sizes, self.s)[0]

    def assert_equal(self, a, b, what):
        assert np.shape(a) == np.shape(b), what
        kinks = set(entries_of(self.values[self.eq.variable]))
        facts = {"signs": self.symbols.signs, "binaries": self.symbols.binaries}
        for x, y in zip(entries_of(a), entries_of(b), strict=True):
            p, q = sympy.S(x), sympy.S(y)
            assert p == q or are_equal(p, q, **facts, kinks=kinks) or agree(p, q), f"{what}: {p} is not {q}"

    def jacobian(self, e):
        """∂z/∂v by SymPy, with the axes of z, then those of v."""
        z, v = self.at(e), self.values[self.eq.variable]
        result = np.empty((*np.shape(z), *np.shape(v)), dtype=object)
        for i in np.ndindex(np.shape(z)):
            for p in np.ndindex(np.shape(v)):
                result[(*i, *p)] = sympy.diff(z[i], v[p])
        return result

    def check(self):
        total = 0
        for share in self.shares:
            definition = self.definitions[share.contribution.label]
            exact = self.jacobian(definition.expression)
            # The value's name stands for what it is defined as.
            values = {**self.values, definition.target: self.at(definition.expression)}
            held = expression_of(share.held)
            self.assert_equal(self.jacobian(held), exact, "the terms that hold the variable")
            if share.is_whole:
                self.assert_equal(self.at(held), values[definition.target], "the equation")
            for form in share.local:
                self.assert_equal(self.at(expression_of(form), values), exact, "∂z/∂v")
            zbar = np.array(1) if share.target is None else self.values[cotangent_of(share.target)]
            follow = np.tensordot(zbar, exact, axes=zbar.ndim)
            for form in share.followed:
                self.assert_equal(self.at(expression_of(form), values), np.asarray(follow, dtype=object), "Σ z̄ ∂z/∂v")
            total = total + follow
        # A value's name on either side stands for its definition: 1 - h² is the derivative of tanh z.
        defined = {
            symbol: value
            for c in self.eq.contributions
            for f in [self.definitions[c.label]]
            for symbol, value in zip(entries_of(self.values[f.target]), entries_of(self.at(f.expression)), strict=True)
        }
        sides = [np.asarray(a, dtype=object) for a in (total, self.at(self.eq.lines[0].expression))]
        a, b = (as_array([sympy.S(x).xreplace(defined) for x in entries_of(side)], np.shape(side)) for side in sides)
        self.assert_equal(a, b, "the sum")


def agree(p, q):
    """Where the exact comparison does not decide: to 40 digits, at three points at which both sides have a value."""
    symbols = sorted(p.free_symbols | q.free_symbols, key=str)
    found = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        point = {s: sympy.Rational(int(random.integers(1, 60)), 31) for s in symbols}
        a, b = (sympy.N(put_in(e, point), 50) for e in (p, q))
        if a.is_real and b.is_real and a.is_finite and b.is_finite:
            if abs(a - b) > sympy.Float("1e-40") * (1 + abs(a)):
                return False
            found += 1
        if found == 3:
            return True
    return False


def checked_steps(derivation):
    """How many steps have a proof by entries; each is checked."""
    found = 0
    for eq in derivation.backward:
        shares = shares_of(derivation, eq)
        if shares:
            Checked(derivation, eq, shares).check()
            found += 1
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_every_line_by_entries_is_true(path):
    derivation = problem_at(path).derive(prove=False)
    definitions = {eq.label: eq.expression for eq in derivation.forward}
    # An inverse or a determinant has no short formula for its entries: steps through equations with one keep a sentence.
    without = {
        label
        for label, e in definitions.items()
        if any(node.kind == "apply" and PRIMITIVES[node.primitive].definition is None for node in postorder([e]))
    }
    hidden = [eq for eq in derivation.backward if any(c.label in without for c in eq.contributions)]
    assert checked_steps(derivation) >= len(derivation.backward) - len(hidden)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_by_entries_of_a_random_program_is_true(seed):
    program = random_program(seed, most=4)
    problem = sg.Problem(program.loss, names={**{e.name: e for e in program.leaves}, **program.names})
    checked_steps(problem.derive(prove=False))


def test_most_steps_of_random_programs_have_a_proof_by_entries():
    steps = shares = 0
    for seed in SEEDS:
        program = random_program(seed, most=4)
        derivation = sg.Problem(program.loss, names=program.names).derive(prove=False)
        steps += len(derivation.backward)
        shares += sum(bool(shares_of(derivation, eq)) for eq in derivation.backward)
    assert shares > 0.7 * steps
