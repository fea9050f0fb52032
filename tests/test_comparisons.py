"""Comparisons that derivations leave behind are told by one sign, and those of which one must hold add up to 1."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.derive.derivation import Verdict
from symgrad.rewrite.comparisons import one_of_three, told_by_sign
from symgrad.rewrite.convert import to_form
from symgrad.rewrite.expand import expand
from symgrad.rewrite.matrix import to_expression

n = sg.dims("n")
x, y, a = sg.parameter("x", n), sg.data("y", n), sg.data("a", n)
q = sg.hyperparameter("q", 0.9)


def proved(loss, **names):
    derivation = sg.Problem(loss, names=names).derive()
    assert {line.proof.verdict for eq in derivation.backward for line in eq.lines} == {Verdict.PROVED}
    return derivation


def test_the_quantile_loss_ends_in_its_textbook_line():
    r = y - x
    derivation = proved(sg.mean(sg.maximum(q * r, (q - 1) * r)), r=r)
    (slope,) = [eq for eq in derivation.backward if eq.variable.name == "r"]
    assert str(slope.expression) == "(q - (0 > r) - equal(r, 0) / 2) / n"


def test_a_leak_by_a_maximum_is_told_by_the_sign_of_its_argument():
    gradient = proved(sg.sum(sg.maximum(x - a, (x - a) / 10))).gradients["x"]
    assert str(gradient) == "(x > a) + 11 * equal(x, a) / 20 + (a > x) / 10"


def test_an_absolute_value_by_a_maximum_is_a_sign():
    assert str(proved(sg.sum(sg.maximum(x, -x))).gradients["x"]) == "(x > 0) - (0 > x)"


def in_numbers(e, values):
    return np.asarray(sg.Problem(sg.sum(e * sg.parameter("p", n))).compile(prove=False)(**values, p=np.ones(9))[1]["p"])


SIDES = [
    (3 * x, 2 * x - 1),
    (x - a, 2 * a - 2 * x),
    (a, x),
    (x, x / 7),
    (-x, -3 * x),
    (x * x - a, x * x + 2 * a),
    (x * a, 2 * x * a - a * x + x),
]


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("function", ["greater", "less", "greater_equal", "less_equal", "equal"])
def test_a_comparison_keeps_its_value(sides, function):
    u, v = sides
    compare = {
        "greater": lambda u, v: u > v,
        "less": lambda u, v: u < v,
        "greater_equal": lambda u, v: u >= v,
        "less_equal": lambda u, v: u <= v,
        "equal": sg.equal,
    }[function]
    e = compare(u, v)
    short = to_expression(told_by_sign(to_form(e)))
    values = {"x": np.array([-1.0, -1, -1, 0, 0, 0, 2, 2, 2]), "a": np.array([-1.0, 0, 2] * 3)}
    held = {leaf.name for leaf in sg.Problem(sg.sum(e) + sg.sum(x + a)).leaves}
    values = {name: value for name, value in values.items() if name in held}
    whole = {name: e + 0 * (x + a) for name, e in (("before", e), ("after", short))}
    assert np.array_equal(in_numbers(whole["before"], values), in_numbers(whole["after"], values))


def test_three_brackets_add_up_where_two_have_one_coefficient():
    three = 2 * (x > a) + 2 * sg.equal(a, x) + 5 * (x < a)
    assert str(to_expression(one_of_three(to_form(three)))) == "2 + 3 * (a > x)"
    different = 2 * (x > a) + 3 * sg.equal(a, x) + 5 * (x < a)
    assert one_of_three(to_form(different)) == to_form(different)
    elsewhere = (x > a) + sg.equal(x, y) + (x < a)
    assert one_of_three(to_form(elsewhere)) == to_form(elsewhere)


def test_three_brackets_in_a_product_leave_the_rest_of_it():
    X = sg.data("X", n, sg.dims("d"))
    three = X.T @ (q * (x > 0) + q * sg.equal(x, 0) + q * (x < 0))
    assert str(to_expression(one_of_three(expand(to_form(three))))) == "q * sum(X, axis=0)"
