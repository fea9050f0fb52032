"""P⁻ᵀ is P⁻¹ where P is symmetric: in systems and inverses, of sums and functions, named or not; a solution keeps its name."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.derive.derivation import Derivation, Verdict
from symgrad.graph.expression import Expr
from symgrad.problem import Problem

n, d, k = sg.dims("n d k")
X, y, Y, w, W = sg.data("X", n, d), sg.data("y", n), sg.data("Y", n, k), sg.parameter("w", d), sg.parameter("W", d, k)
P, D = sg.data("P", n, n, symmetric=True), sg.data("D", n, n, symmetric=True)
K, N = sg.data("K", n, n, positive_definite=True), sg.data("N", n, n)
lam, s = sg.hyperparameter("lam", 0.3), sg.parameter("s")
I = sg.eye(n)  # noqa: E741  # the identity


def least_squares(a: Expr, names: dict[str, Expr] | None = None) -> Problem:
    """½ eᵀ A⁻¹ e with e = y - X w."""
    e = y - X @ w
    return sg.Problem(e @ sg.solve(a, e) / 2, names={"e": e, **(names or {})})


def derived(problem: Problem) -> Derivation:
    derivation = problem.derive()
    assert all(line.proof.verdict is Verdict.PROVED for eq in derivation.backward for line in eq.lines)
    return derivation


@pytest.mark.parametrize(
    ("matrix", "name"),
    [
        (P, None),
        (K + lam * I, None),
        (sg.exp(D) + K, None),
        (X @ X.T + lam * I, None),
        (s**2 * K + I, "S"),
        (K @ K, "S"),
    ],
    ids=str,
)
def test_the_residual_s_derivative_is_the_solution(matrix, name):
    """∂L/∂e = ½ (A⁻ᵀ e + A⁻¹ e) = u, as A is symmetric."""
    derivation = derived(least_squares(matrix, {name: matrix} if name else {}))
    by_variable = {eq.variable.name: str(eq.expression) for eq in derivation.backward}
    assert by_variable["e"] == "u"
    assert str(derivation.gradients["w"]) == "-X.T @ u"


def test_a_system_inside_of_a_sum_of_named_and_unnamed():
    S = sg.exp(s) * K + I
    derivation = derived(least_squares(S + D, {"S": S}))
    assert str(derivation.gradients["w"]) == "-X.T @ u"
    assert str(derivation.gradients["s"]) == "-exp(s) * (u @ K @ u) / 2"


def test_several_right_hand_sides():
    E = Y - X @ W
    derivation = derived(sg.Problem(sg.sum(E * sg.solve(K + lam * I, E)) / 2, names={"E": E}))
    assert str(derivation.gradients["W"]) == "-X.T @ U"


def test_an_inverse_of_a_sum_without_a_name():
    e = y - X @ w
    derivation = derived(sg.Problem(e @ sg.inv(K + lam * I) @ e / 2, names={"e": e}))
    assert str(derivation.gradients["w"]) == "-X.T @ inv(K + lam * eye(n)) @ e"


@pytest.mark.parametrize("sign", [1, -1])
def test_the_same_system_with_the_other_sign(sign):
    """A⁻¹(b - a) is -u where u = A⁻¹(a - b), and halves come out of a system."""
    v = sg.parameter("v", n)
    derivation = derived(sg.Problem(sign * (y - v) @ sg.solve(K, y - v) / 2))
    assert str(derivation.gradients["v"]) == ("-u" if sign == 1 else "u")


def test_of_a_matrix_that_is_not_symmetric_nothing_is_turned():
    derivation = derived(least_squares(N + K))
    (line,) = [eq.expression for eq in derivation.backward if eq.variable.name == "e"]
    assert str(line) == "(solve(N.T + K, e) + u) / 2"


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    r = np.random.default_rng(seed)
    a = r.normal(size=(6, 6))
    return {"X": r.normal(size=(6, 3)), "y": r.normal(size=6), "w": r.normal(size=3), "P": a + a.T + 9 * np.eye(6)}


def test_the_code_solves_once():
    given = arrays()
    f = least_squares(P).compile()
    body = f.source.split("def value_and_gradients")[1]
    assert body.count("solve(") == 1
    u = np.linalg.solve(given["P"], given["y"] - given["X"] @ given["w"])
    value, gradients = f(**given)
    assert value == pytest.approx((given["y"] - given["X"] @ given["w"]) @ u / 2)
    np.testing.assert_allclose(gradients["w"], -given["X"].T @ u)
    for bound in ({"P"}, {"X", "y"}, {"X", "y", "P"}):
        g = f.bind(**{name: given[name] for name in bound})
        assert g.source.split("def value_and_gradients")[1].split("def value(")[0].count("solve(") <= 1
        value_bound, gradients = g(**{name: a for name, a in given.items() if name not in bound})
        assert value_bound == pytest.approx(value)
        np.testing.assert_allclose(gradients["w"], -given["X"].T @ u)
