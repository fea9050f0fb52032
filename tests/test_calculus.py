"""The rules of one-variable calculus: every step's derivative against SymPy's, and the rule that a textbook would name."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.derive.calculus import bodies_of, differentiate, is_composite, steps_in_order
from symgrad.derive.zero import are_equal
from symgrad.evaluate import Assignment, evaluate
from symgrad.fields import Symbolic
from symgrad.graph.expression import Leaf, Role, elementwise
from symgrad.graph.walk import postorder
from symgrad.primitives.functions import FUNCTIONS
from symgrad.text.from_sympy import from_sympy

x, y, c = sg.parameter("x"), sg.parameter("y"), sg.hyperparameter("c", 0.3)
P, Q = sympy.symbols("P Q", real=True)
a, b = sympy.symbols("a b", real=True)


def sympy_of(e, symbols):
    """A scalar expression as SymPy's, by the evaluator that proofs use."""
    leaves = [n for n in postorder([e]) if isinstance(n, Leaf) and n.role not in (Role.NUMBER, Role.SIZE)]
    values = {n: np.array(symbols.setdefault(n.name, sympy.Symbol(n.name, real=True)), dtype=object) for n in leaves}
    return sympy.S(evaluate([e], values, Assignment({}), Symbolic())[0][()])


def nodes(rule):
    """Every step of the tree, the parts of chains too."""
    found, stack = {}, [rule]
    while stack:
        step = stack.pop()
        if id(step) not in found:
            found[id(step)] = step
            stack += step.children
    return list(found.values())


def assert_true(rule):
    for step in nodes(rule):
        symbols = {}
        f, d = sympy_of(step.expression, symbols), sympy_of(step.derivative, symbols)
        v = symbols.setdefault(step.variable.name, sympy.Symbol(step.variable.name, real=True))
        exact = sympy.diff(f, v)
        assert are_equal(exact, d, kinks=[v]) or agree(exact, d), f"{step.name}: ({f})' is {exact}, not {d}"


def agree(p, q):
    symbols, found = sorted(p.free_symbols | q.free_symbols, key=str), 0
    for seed in range(40):
        random = Random(seed)
        point = {s: sympy.Rational(random.randrange(1, 90), 47) for s in symbols}
        left, right = sympy.N(p.subs(point), 40), sympy.N(q.subs(point), 40)
        if left.is_real and right.is_real and left.is_finite and right.is_finite:
            if abs(left - right) > sympy.Float("1e-30") * (1 + abs(left)):
                return False
            found += 1
    return found > 2


CASES = [
    ((x + sg.sigmoid(y)) / (sg.sigmoid(x) + (x + y) ** 2), "quotient"),
    (sg.log(1 + x**2), "chain"),
    (x**2 * sg.tanh(x), "product"),
    (x**2 * sg.tanh(x) * sg.sin(x), "product"),
    (sg.exp(x) / x**2, "quotient"),
    (y / (1 + x), "constant multiple"),
    (3 * sg.exp(x), "constant multiple"),
    (c * sg.exp(-x * y), "constant multiple"),
    (sg.exp(x), "exponential"),
    (sg.log(x), "logarithm"),
    (x**5, "power"),
    (sg.sqrt(x), "power"),
    (sg.tanh(x), "tanh"),
    (x + sg.sin(x) - 2 * sg.cos(x), "sum"),
    (x**x, "power_of"),
    ((x**2 + 1) ** (x * y), "chain"),
    (sg.maximum(x * y, x**2), "chain"),
    (sg.where(x > y, x**2, sg.sin(x)), "chain"),
    (x * y, "constant multiple"),
    (x, "identity"),
    (y * sg.exp(y), "constant"),
    (elementwise("scalar", x, y, parameter=sympy.Lambda((P, Q), sympy.atan(P * Q) / (1 + P**2))), "quotient"),
    (elementwise("scalar", x, parameter=sympy.Lambda((P,), sympy.exp(P) * sympy.sin(P**2))), "product"),
    (elementwise("scalar", x, parameter=sympy.Lambda((P,), sympy.atan(P))), "scalar"),
    (elementwise("scalar", x**2, parameter=sympy.Lambda((P,), sympy.pi * P)), "chain"),
    (from_sympy(sympy.log(1 + sympy.exp(a * b)) / (1 + a**2), [a]), "quotient"),
]


@pytest.mark.parametrize(("e", "name"), CASES, ids=lambda v: str(v)[:40])
def test_every_step_is_true_and_has_the_name_of_its_rule(e, name):
    variable = x if any(n is x for n in postorder([e])) or name == "constant" else sg.parameter("a")
    rule = differentiate(e, variable)
    assert rule.name == name
    assert_true(rule)


def grown(random, depth):
    """A random scalar expression in x and y."""
    if depth == 0:
        return random.choice([x, x, y, 2 + x])
    left, right = grown(random, depth - 1), grown(random, random.randrange(depth))
    unary = [
        sg.exp,
        sg.sigmoid,
        sg.tanh,
        sg.sin,
        sg.cos,
        sg.softplus,
        lambda e: sg.log(2 + e**2),
        lambda e: e**3,
        lambda e: 2 * e,
    ]
    binary = [
        lambda p, q: p + q,
        lambda p, q: p * q,
        lambda p, q: p - q / 3,
        lambda p, q: p / (2 + q**2),
        lambda p, q: p / (1 + sg.exp(q)) ** 2,
        lambda p, q: 1 / (p * (3 + q**2)),
    ]
    return random.choice(unary)(left) if random.random() < 0.5 else random.choice(binary)(left, right)


@pytest.mark.parametrize("seed", range(60))
def test_every_step_of_a_random_expression_is_true(seed):
    assert_true(differentiate(grown(Random(seed), 3), x))


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if not f.is_family and f.derivatives is not None])
def test_every_function_of_the_table_is_a_rule(name):
    arity = FUNCTIONS[name].arity
    operands = [x, y + 1, y + 2][:arity]
    if name == "where":
        operands[0] = x > y
    assert_true(differentiate(elementwise(name, *operands), x))


def test_steps_stand_in_the_order_in_which_they_rest_on_each_other():
    rule = differentiate((x + sg.sigmoid(y)) / (sg.sigmoid(x) + (x + y) ** 2), x)
    names = [step.name for step in steps_in_order(rule)]
    assert names == ["sum", "sigmoid", "sum", "chain", "sum", "quotient"]
    places = {id(step): k for k, step in enumerate(steps_in_order(rule))}
    for step in steps_in_order(rule):
        held = step.children[1::2] if step.name == "chain" else step.children
        assert all(places[id(s)] < places[id(step)] for s in held if id(s) in places)


def test_a_long_chain_is_no_deeper_than_a_short_one():
    e = x
    for _ in range(3000):
        e = sg.tanh(e)
    assert len(steps_in_order(differentiate(e, x))) == 3000


def test_what_is_linear_is_not_composite():
    assert not is_composite(differentiate(3 * x + y - x / 2, x))
    assert not is_composite(differentiate(sg.tanh(x), x))
    assert is_composite(differentiate(sg.tanh(2 * x), x))


def test_the_function_of_one_entry_is_found_in_arrays():
    n, k = sg.dims("n k")
    Z, Y = sg.parameter("Z", n, k), sg.data("Y", n, k)
    ((body, letter),) = bodies_of(-sg.sum(Y * sg.log(1 + c * Z**2)) / n, Z)
    assert str(body) == "log(1 + c * u**2)"
    assert_true(differentiate(body, letter))
    # A sum over entries, or another array, is no function of one entry.
    assert [str(e) for e, _ in bodies_of(sg.tanh(sg.sum(Z**2)), Z)] == ["u**2"]
    assert bodies_of(sg.softmax(Z), Z) == []
