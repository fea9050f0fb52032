"""Identities of the Matrix Cookbook, over all its sections on derivatives: proved, ending in its right side, right in numbers.

An identity fails here where the derived gradient is another one (normal form), is printed longer than the Cookbook's right
side (the measure of the lecture's problems), or differs from JAX's gradient of a loss that knows nothing of symgrad.
"""

from __future__ import annotations

import inspect
from functools import cache

import numpy as np
import pytest
from matrix_cookbook import IDENTITIES
from measure import LONGEST, dissolved, normal_form
from random_programs import compiled

import symgrad as sg
from symgrad.derive.derivation import Verdict
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Reals
from symgrad.graph.expression import Role
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.cost import cost
from symgrad.rewrite.inverses import cancelled_inverses
from symgrad.rewrite.matrix import to_expression

SIZES = {"n": 4, "d": 3, "m": 5, "k": 2, "t": 7, "s": 3}
# Where inverses cancel, entries are quotients of polynomials of 27 symbols and more: compared to 50 digits, not by symbols.
VERIFIED = {
    "51": "(AXB)⁻¹ is taken apart",
    "52": "(XᵀAX)⁻¹ is taken apart",
    "58": "(XXX)⁻¹ is taken apart",
    "62": "X⁻¹ times its inverse is gone",
}
# A Jacobian's or Hessian's line is read in the names of its page; in the leaves alone these are longer than the Cookbook's.
LONG_IN_LEAVES = {"130": "(I - y yᵀ)/‖x - a‖ with y = (x - a)/‖x - a‖ prints half of the right side's symbols"}

NAMES = [identity.name for identity in IDENTITIES]


def leaves_of(identity):
    """The leaves that an identity declares, by name."""
    data, _, parameters = identity.leaves.partition("|")
    return declared(data, sg.data) | declared(parameters, sg.parameter)


def declared(text, make):
    found = {}
    for item in filter(None, map(str.strip, text.split(","))):
        name, *words = item.split()
        facts = {word: True for word in words if word in ("symmetric", "positive_definite")}
        found[name] = make(name, *(size_of(word) for word in words if word not in facts), **facts)
    return found


def size_of(word):
    total, *less = word.split("-")
    plus = [int(part) if part.isdigit() else sg.dims(part) for part in total.split("+")]
    return sum(plus[1:], plus[0]) - (sg.dims(less[0]) if less else 0)


def called(write, known):
    """A side of an identity over leaves (or arrays) and sizes by name."""
    sizes = {name: sg.dims(name) for name in SIZES}
    return write(**{name: known.get(name, sizes.get(name)) for name in inspect.signature(write).parameters})


class Derived:
    """What symgrad makes of an identity's left side, and the right side that is expected."""

    def __init__(self, identity):
        self.leaves = leaves_of(identity)
        (self.parameter,) = [e for e in self.leaves.values() if e.role is Role.PARAMETER]
        left = called(identity.left, self.leaves)
        self.right = called(identity.right, self.leaves)
        if identity.kind == "jacobian":
            found = sg.jacobian(left, self.parameter.name)
        elif identity.kind == "hessian":
            found = sg.Problem(left, names=self.leaves).hessian(self.parameter.name)
        else:
            self.derivation = sg.Problem(left, names=self.leaves).derive()
            self.shown = self.derivation.gradients[self.parameter.name]
            self.lines = [line for eq in self.derivation.backward for line in eq.lines]
            return
        self.derivation, self.shown, self.lines = found.derivation, found.expression, found.lines


@cache
def derived(name):
    return Derived(identity_of(name))


def identity_of(name):
    (found,) = [identity for identity in IDENTITIES if identity.name == name]
    return found


def test_there_are_sixty_over_all_sections():
    assert len({identity.number for identity in IDENTITIES if identity.number}) >= 60
    sections = {identity.section[:3] for identity in IDENTITIES}
    assert sections >= {"2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "8.1"}
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_proved(name):
    verdicts = {line.proof.verdict for line in derived(name).lines}
    if identity_of(name).number in VERIFIED:
        assert verdicts == {Verdict.PROVED, Verdict.VERIFIED}
    else:
        assert verdicts == {Verdict.PROVED}


@pytest.mark.parametrize("name", NAMES)
def test_the_end_is_the_cookbooks_right_side(name):
    it = derived(name)
    assert it.shown.shape == it.right.shape
    assert normal_form(it.derivation, it.shown) == normal_form(it.derivation, it.right)


@pytest.mark.parametrize("name", NAMES)
def test_the_end_is_as_short_as_the_cookbooks_right_side(name):
    it, identity = derived(name), identity_of(name)
    assert cost(it.shown) <= LONGEST * cost(it.right), f"{it.shown} is longer than {it.right}"
    in_leaves = dissolved(it.derivation, it.shown)
    if identity.number not in LONG_IN_LEAVES:
        assert cost(in_leaves) <= LONGEST * cost(it.right), f"{in_leaves} is longer than {it.right}"


def arrays_of(leaves, random):
    """A random array for each leaf, with its facts: square ones are far from singular, their determinants positive."""
    arrays = {}
    for name, e in leaves.items():
        shape = tuple(s.at(SIZES) for s in e.shape)
        a = random.normal(size=shape)
        is_square = len(shape) == 2 and shape[0] == shape[1]
        a = a + 4 * np.eye(shape[0]) if is_square else a
        arrays[name] = a @ a.T if e.facts else a
    return arrays


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_agrees_with_jax(name):
    jax = pytest.importorskip("jax", reason="JAX is the outside oracle; install symgrad[oracle]")
    jax.config.update("jax_enable_x64", True)
    it, identity = derived(name), identity_of(name)
    arrays = arrays_of(it.leaves, np.random.default_rng(len(name)))
    by = it.parameter.name
    rest = {key: a for key, a in arrays.items() if key != by}
    transform = {"gradient": jax.grad, "jacobian": jax.jacobian, "hessian": jax.hessian}[identity.kind]
    derivative = transform(lambda a, rest: identity.jax(jax.numpy, **rest, **{by: a}))
    expected = np.asarray(compiled(jax, derivative)(arrays[by], rest))
    values = {it.leaves[key]: np.vectorize(REALS.number_of, otypes=[object])(a) for key, a in arrays.items()}
    (found,) = evaluate([dissolved(it.derivation, it.shown)], values, Assignment(SIZES), REALS)
    got = np.array(found, dtype=float)
    assert np.abs(expected).max() > 1e-9, "where a gradient vanishes, agreement says nothing"
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


class Numbers(Reals):
    """Reals that floats enter as they are."""

    def number_of(self, value):
        return self.context.mpf(float(value))


REALS = Numbers(30)


# ---- the law of inverses by itself: a product, and what is left of it

n = sg.dims("n")
A, B, X = (sg.data(name, n, n) for name in "ABX")
CANCELLED = [
    (X @ sg.inv(X), "eye(n)"),
    (sg.inv(X) @ X, "eye(n)"),
    (sg.inv(X.T) @ X.T, "eye(n)"),
    (A @ sg.inv(sg.inv(B @ A)) @ sg.inv(A), "A @ B"),
    (sg.inv(A @ X @ B) @ A, "inv(B) @ inv(X)"),
    (B @ sg.inv(2 * X @ B), "inv(X) / 2"),
    (sg.inv(A + X) @ (A + X) @ B, "B"),
    # Nothing cancels here.
    (X.T @ sg.inv(X), "X.T @ inv(X)"),
    (sg.inv(X) @ X.T, "inv(X) @ X.T"),
    (A @ sg.inv(A @ X), "A @ inv(A @ X)"),
    (A @ sg.inv(X), "A @ inv(X)"),
    (sg.inv(A + X) @ A, "inv(A + X) @ A"),
    (sg.inv(A * X) @ A, "inv(A * X) @ A"),
]


@pytest.mark.parametrize(("product", "left"), CANCELLED, ids=[str(product) for product, _ in CANCELLED])
def test_a_matrix_cancels_with_its_own_inverse_alone(product, left):
    changed = to_expression(cancelled_inverses(to_form(product), {})[0])
    assert str(changed) == left
    arrays = {e: np.random.default_rng(1).normal(size=(3, 3)) + k * np.eye(3) for k, e in enumerate((A, B, X))}
    values = {e: np.vectorize(REALS.number_of, otypes=[object])(a) for e, a in arrays.items()}
    before, after = evaluate([product, changed], values, Assignment({"n": 3}), REALS)
    np.testing.assert_allclose(before.astype(float), after.astype(float), rtol=1e-12, atol=1e-12)
