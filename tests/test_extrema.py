"""Stationary points: textbook solutions against NumPy and SymPy, every claim in words against the loss around the point.

The numbers here know nothing of how symgrad solves: least squares by `lstsq`, moments by NumPy, kinds by evaluating the
loss in many directions around the point.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import sympy
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.errors import CheckFailed, InputError
from symgrad.evaluate import Assignment, evaluate
from symgrad.extrema import affine, roots
from symgrad.extrema.cancel import quotient
from symgrad.extrema.curvature import sign_of
from symgrad.extrema.definite import Known, definite
from symgrad.extrema.found import Answer, Basis, Kind, Need
from symgrad.extrema.scalars import Solved, ask
from symgrad.extrema.trees import Unknown, decode, encode
from symgrad.extrema.verify import verify_zero
from symgrad.fields import Reals
from symgrad.graph.expression import Role

n, d, k, h = sg.dims("n d k h")
SIZES = {"n": 7, "d": 3, "k": 2, "h": 4}
X, y, Y = sg.data("X", n, d), sg.data("y", n), sg.data("Y", n, k)
w, b, W, B = sg.parameter("w", d), sg.parameter("b"), sg.parameter("W", d, k), sg.parameter("B", k)
lam = sg.hyperparameter("lam", 0.3)
c = sg.data("c", d)
s, t = sg.parameter("s"), sg.parameter("t")
DIRECTIONS = 60


@cache
def problem_of(loss):
    """The problem of a loss, derived once."""
    return sg.Problem(loss)


@cache
def found_of(loss):
    """What is found of a loss."""
    return problem_of(loss).extrema()


def numbers(rng, *, positive=(), definite=(), binary=(), **shapes):
    """Random arrays by name."""
    arrays = {name: rng.standard_normal([SIZES[i] for i in shape]) for name, shape in shapes.items()}
    for name in positive:
        arrays[name] = rng.uniform(0.5, 2, [SIZES[i] for i in shapes[name]])
    for name in definite:
        m = SIZES[shapes[name][0]]
        a = rng.standard_normal((m, m + 2))
        arrays[name] = a @ a.T
    for name in binary:
        arrays[name] = np.array([1.0, 0, 1, 1, 0, 1, 0])
    return arrays


def value_of(e, arrays):
    """An expression over data in numbers."""
    leaves = {x: np.asarray(arrays[x.name]) for x in leaves_in(e) if x.name in arrays}
    field = Reals(30)
    as_objects = {x: np.vectorize(field.context.mpf, otypes=[object])(a) for x, a in leaves.items()}
    return np.asarray(evaluate([e], as_objects, Assignment(SIZES), field)[0], dtype=float)


def leaves_in(e):
    """The leaves with names."""
    from symgrad.graph.walk import postorder

    return [x for x in postorder([e]) if x.kind == "leaf" and x.role not in {Role.NUMBER, Role.SIZE, Role.IDENTITY}]


def placed(extrema, arrays, which=0):
    """The parameters of a point in numbers."""
    point = extrema.points[which]
    return {p.name: value_of(e, arrays) for p, e in point.values.items()}


def around(problem, arrays, at, scale, rng, symmetric=()):
    """How the loss changes along random directions, scaled, from a point; both signs of each direction."""
    f = problem.compile()
    here = f(**arrays, **at)[0]
    changes = []
    for _ in range(DIRECTIONS):
        step = {name: rng.standard_normal(np.shape(a)) for name, a in at.items()}
        for name in symmetric:
            step[name] = step[name] + step[name].T
        for sign in (1, -1):
            moved = {name: a + sign * scale * step[name] for name, a in at.items()}
            with np.errstate(all="ignore"):  # a step may leave the domain: the value is not a number there
                changes.append(f(**arrays, **moved)[0] - here)
    return np.array(changes)


def slope(problem, arrays, at):
    """The largest entry of any gradient."""
    return max(np.abs(g).max() for g in problem.compile()(**arrays, **at)[1].values())


# ---- closed forms in matrices: the loss, its arrays, the solution by NumPy


def centred(a):
    return a - a.mean(axis=0)


K = sg.data("K", n, n, positive_definite=True)
A = sg.data("A", d, d, positive_definite=True)
S = sg.data("S", d, d, positive_definite=True)
q = sg.data("q", n, positive=True)
x = sg.data("x", n)
m, v, p = sg.parameter("m"), sg.parameter("v"), sg.parameter("p")
mu, P = sg.parameter("mu", d), sg.parameter("P", d, d)
z = sg.data("z", n, binary=True)
count = sg.data("y", n, nonnegative=True)
Z = X - mu
V, R = sg.parameter("V", d), sg.parameter("R", d)


def normal(gram, right):
    return np.linalg.solve(gram, right)


def with_ones(a):
    return np.column_stack([a["X"], np.ones(len(a["X"]))])


CASES = {
    "least squares": (
        sg.sum((X @ w - y) ** 2) / (2 * n),
        {"X": "nd", "y": "n"},
        {"w": lambda a: np.linalg.lstsq(a["X"], a["y"], rcond=None)[0]},
    ),
    "ridge": (
        sg.mean((X @ w - y) ** 2) + lam * sg.sum(w**2),
        {"X": "nd", "y": "n"},
        {"w": lambda a: normal(a["X"].T @ a["X"] + 7 * 0.3 * np.eye(3), a["X"].T @ a["y"])},
    ),
    "general least squares": (
        (X @ w - y) @ sg.solve(K, X @ w - y) / 2,
        {"X": "nd", "y": "n", "K": "nn"},
        {"w": lambda a: normal(a["X"].T @ np.linalg.solve(a["K"], a["X"]), a["X"].T @ np.linalg.solve(a["K"], a["y"]))},
    ),
    "weighted least squares": (
        sg.sum(q * (X @ w - y) ** 2),
        {"X": "nd", "y": "n", "q": "n"},
        {"w": lambda a: np.linalg.lstsq(np.sqrt(a["q"])[:, None] * a["X"], np.sqrt(a["q"]) * a["y"], rcond=None)[0]},
    ),
    "with bias": (
        sg.sum((X @ w + b - y) ** 2) / (2 * n),
        {"X": "nd", "y": "n"},
        {
            "w": lambda a: np.linalg.lstsq(with_ones(a), a["y"], rcond=None)[0][:3],
            "b": lambda a: np.linalg.lstsq(with_ones(a), a["y"], rcond=None)[0][3],
        },
    ),
    "ridge with bias": (
        sg.sum((X @ w + b - y) ** 2) + lam * sg.sum(w**2),
        {"X": "nd", "y": "n"},
        {"w": lambda a: normal(centred(a["X"]).T @ centred(a["X"]) + 0.3 * np.eye(3), a["X"].T @ centred(a["y"]))},
    ),
    "several outputs": (
        sg.sum((X @ W + B - Y) ** 2) / (2 * n),
        {"X": "nd", "Y": "nk"},
        {
            "W": lambda a: np.linalg.lstsq(with_ones(a), a["Y"], rcond=None)[0][:3],
            "B": lambda a: np.linalg.lstsq(with_ones(a), a["Y"], rcond=None)[0][3],
        },
    ),
    "quadratic form": (w @ A @ w / 2 - c @ w, {"A": "dd", "c": "d"}, {"w": lambda a: normal(a["A"], a["c"])}),
    "generalised with bias": (
        (X @ w + b - y) @ K @ (X @ w + b - y),
        {"X": "nd", "y": "n", "K": "nn"},
        {
            "w": lambda a: normal(with_ones(a).T @ a["K"] @ with_ones(a), with_ones(a).T @ a["K"] @ a["y"])[:3],
        },
    ),
    "mean of a Gaussian": (
        sg.sum((Z @ sg.inv(S)) * Z) / 2,
        {"X": "nd", "S": "dd"},
        {"mu": lambda a: a["X"].mean(axis=0)},
    ),
    "mean and variance": (
        n * sg.log(v) / 2 + sg.sum((x - m) ** 2) / (2 * v),
        {"x": "n"},
        {"m": lambda a: a["x"].mean(), "v": lambda a: a["x"].var()},
    ),
    "weights and variance": (
        sg.sum((X @ w - y) ** 2) / (2 * v) + n * sg.log(v) / 2,
        {"X": "nd", "y": "n"},
        {
            "w": lambda a: np.linalg.lstsq(a["X"], a["y"], rcond=None)[0],
            "v": lambda a: np.linalg.lstsq(a["X"], a["y"], rcond=None)[1][0] / 7,
        },
    ),
    "means and variances of columns": (
        sg.sum(Z**2 / V) / 2 + n * sg.sum(sg.log(V)) / 2,
        {"X": "nd"},
        {"mu": lambda a: a["X"].mean(axis=0), "V": lambda a: a["X"].var(axis=0)},
    ),
    "rates of columns": (
        sg.sum(R - sg.data("C", n, d, positive=True) * sg.log(R)),
        {"C": "nd"},
        {"R": lambda a: a["C"].mean(axis=0)},
    ),
    "logarithms": (sg.sum(sg.exp(w) - sg.data("c", d, positive=True) * w), {"c": "d"}, {"w": lambda a: np.log(a["c"])}),
    "a logarithmic scale": (
        sg.sum((x - m) ** 2) * sg.exp(-2 * s) / 2 + n * s,
        {"x": "n"},
        {"m": lambda a: a["x"].mean(), "s": lambda a: np.log(a["x"].std())},
    ),
    "Bernoulli": (-sg.sum(z * sg.log(p) + (1 - z) * sg.log(1 - p)), {"z": "n"}, {"p": lambda a: a["z"].mean()}),
    "Poisson": (sg.sum(p - count * sg.log(p)), {"y": "n"}, {"p": lambda a: a["y"].mean()}),
    "exponential": (sg.sum(p * count - sg.log(p)), {"y": "n"}, {"p": lambda a: 1 / a["y"].mean()}),
}
DEFINITE = {"K", "A", "S"}
POSITIVE = {"Poisson": "y", "exponential": "y", "rates of columns": "C", "logarithms": "c"}


def arrays_for(name, seed=0):
    shapes = CASES[name][1]
    return numbers(
        np.random.default_rng(seed),
        positive=[a for a in shapes if a in POSITIVE.get(name, "q")],
        definite=[a for a in shapes if a in DEFINITE],
        binary=[a for a in shapes if a == "z"],
        **shapes,
    )


@pytest.mark.parametrize("name", CASES)
def test_the_solution_is_numpys(name):
    loss, _, expected = CASES[name]
    extrema = found_of(loss)
    arrays = arrays_for(name)
    at = placed(extrema, arrays)
    for parameter, solution in expected.items():
        np.testing.assert_allclose(at[parameter], solution(arrays), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_it_is_a_global_minimum_in_numbers_too(name):
    loss = CASES[name][0]
    problem, extrema = problem_of(loss), found_of(loss)
    (point,) = extrema.points
    assert point.kind is Kind.MINIMUM
    assert point.is_global
    arrays = arrays_for(name, seed=1)
    at = placed(extrema, arrays)
    assert slope(problem, arrays, at) < 1e-9
    rng = np.random.default_rng(2)
    assert (around(problem, arrays, at, 1e-2, rng) > 0).all()
    # Far away too, where the loss has a value there.
    with np.errstate(invalid="ignore", divide="ignore"):
        far = around(problem, arrays, at, 3.0, rng)
    assert (far[np.isfinite(far)] > 0).all()


PRINTED = {
    "least squares": "X.T @ X @ w = X.T @ y",
    "ridge": "(X.T @ X + lam * n * eye(d)) @ w = X.T @ y",
    "general least squares": "X.T @ inv(K) @ X @ w = X.T @ inv(K) @ y",
    "weighted least squares": "X.T @ (q[:, None] * X) @ w = X.T @ (q * y)",
    "quadratic form": "A @ w = c",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_normal_equations_are_the_textbooks(name):
    (step,) = found_of(CASES[name][0]).steps
    assert f"{step.left} = {step.right}" == PRINTED[name]


def test_several_outputs_have_the_normal_equations_of_one():
    (step,) = found_of(sg.sum((X @ W - Y) ** 2)).steps
    assert f"{step.left} = {step.right}" == "X.T @ X @ W = X.T @ Y"
    assert str(step.solution) == "solve(X.T @ X, X.T @ Y)"


def test_a_parameter_on_the_left_is_solved_from_the_right():
    right = sg.parameter("V", k, d)
    problem = sg.Problem(sg.sum((right @ X.T - Y.T) ** 2))
    extrema = problem.extrema()
    arrays = numbers(np.random.default_rng(3), X="nd", Y="nk")
    at = placed(extrema, arrays)["V"]
    np.testing.assert_allclose(at, np.linalg.lstsq(arrays["X"], arrays["Y"], rcond=None)[0].T, atol=1e-9)


def test_a_scalar_slope_and_intercept():
    a, intercept = sg.parameter("a"), sg.parameter("intercept")
    u = sg.data("u", n)
    arrays = numbers(np.random.default_rng(4), u="n", y="n")
    at = placed(found_of(sg.sum((a * u + intercept - y) ** 2)), arrays)
    slope_, offset = np.polyfit(arrays["u"], arrays["y"], 1)
    np.testing.assert_allclose([at["a"], at["intercept"]], [slope_, offset], atol=1e-9)


def test_what_makes_the_solution_exist():
    needs = {
        name: found_of(CASES[name][0]).points[0].conditions for name in ("least squares", "ridge", "quadratic form")
    }
    assert [(c.need, str(c.of)) for c in needs["least squares"]] == [(Need.FULL_RANK, "X")]
    assert [(c.need, str(c.of)) for c in needs["ridge"]] == [(Need.POSITIVE, "lam")]
    assert needs["quadratic form"] == ()
    (condition,) = found_of(CASES["ridge with bias"][0]).points[0].conditions
    assert (condition.need, str(condition.of)) == (Need.POSITIVE, "lam")


def test_ridge_with_a_negative_price_is_not_called_convex():
    negative = sg.hyperparameter("lam", -1)
    extrema = found_of(sg.sum((X @ w - y) ** 2) + negative * sg.sum(w**2))
    assert not extrema.found.curvature.is_convex
    assert extrema.points[0].kind is Kind.UNDECIDED


# ---- matrices that stand in inverses and determinants


def gaussian(rng):
    arrays = numbers(rng, X="nd")
    return arrays, np.cov(arrays["X"].T, bias=True)


def test_the_covariance_and_the_mean_of_a_gaussian():
    problem = sg.Problem(sg.sum((Z @ sg.inv(P)) * Z) / 2 + n * sg.logdet(P) / 2)
    extrema = problem.extrema()
    rng = np.random.default_rng(5)
    arrays, covariance = gaussian(rng)
    at = placed(extrema, arrays)
    np.testing.assert_allclose(at["P"], covariance, atol=1e-12)
    np.testing.assert_allclose(at["mu"], arrays["X"].mean(axis=0), atol=1e-12)
    (point,) = extrema.points
    assert (point.kind, point.is_global, point.symmetric_only) == (Kind.MINIMUM, True, True)
    assert slope(problem, arrays, at) < 1e-9
    assert (around(problem, arrays, at, 1e-3, rng, symmetric=["P"]) > 0).all()


@pytest.mark.parametrize("is_precision", [True, False])
def test_precision_and_covariance_of_known_moments(is_precision):
    inner = P if is_precision else sg.inv(P)
    sign = -1 if is_precision else 1
    problem = sg.Problem(sg.trace(inner @ S) / 2 + sign * sg.logdet(P) / 2)
    extrema = problem.extrema()
    arrays = numbers(np.random.default_rng(6), definite=["S"], S="dd")
    at = placed(extrema, arrays)
    np.testing.assert_allclose(at["P"], np.linalg.inv(arrays["S"]) if is_precision else arrays["S"], atol=1e-9)
    rng = np.random.default_rng(7)
    (point,) = extrema.points
    assert point.symmetric_only
    assert (around(problem, arrays, at, 1e-3, rng, symmetric=["P"]) > 0).all()


def test_among_all_matrices_the_precision_is_a_saddle_point_which_is_why_symmetry_is_said():
    problem = sg.Problem(sg.trace(P @ S) / 2 - sg.logdet(P) / 2)
    arrays = numbers(np.random.default_rng(8), definite=["S"], S="dd")
    at = placed(problem.extrema(), arrays)
    turned = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 0]]) * 1e-3
    f = problem.compile()
    assert f(**arrays, P=at["P"] + turned)[0] < f(**arrays, **at)[0]


def test_a_covariance_is_not_claimed_where_the_moments_are_not_known_to_be_positive_definite():
    M = sg.data("M", d, d)
    (point,) = found_of(sg.trace(sg.inv(P) @ M) / 2 + sg.logdet(P) / 2).points
    assert Need.DEFINITE in {condition.need for condition in point.conditions}


# ---- scalars


def curve(loss, values):
    """A loss of scalars in floats."""
    return float(value_of(loss, {name: np.float64(u) for name, u in values.items()}))


def signs_around(loss, at, scale=1e-2):
    """The signs of the changes on a circle, or on both sides, around a point."""
    names = list(at)
    here = curve(loss, at)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    steps = [(1.0,), (-1.0,)] if len(names) == 1 else [(np.cos(a), np.sin(a)) for a in angles]
    changes = [
        curve(loss, {name: at[name] + scale * step for name, step in zip(names, moved, strict=True)}) - here
        for moved in steps
    ]
    return {int(np.sign(change)) for change in changes if abs(change) > 1e-13}


MEANING = {Kind.MINIMUM: {1}, Kind.MAXIMUM: {-1}, Kind.SADDLE: {1, -1}, Kind.NEITHER: {1, -1}}
SCALARS = {
    "double well": (s**4 - 2 * s**2, {(-1,): Kind.MINIMUM, (0,): Kind.MAXIMUM, (1,): Kind.MINIMUM}),
    "saddle": (s**2 - t**2, {(0, 0): Kind.SADDLE}),
    "Rosenbrock": ((1 - s) ** 2 + 100 * (t - s**2) ** 2, {(1, 1): Kind.MINIMUM}),
    "cubic": (s**3, {(0,): Kind.NEITHER}),
    "fourth power": (s**4, {(0,): Kind.MINIMUM}),
    "minus a sixth power": (-(s**6), {(0,): Kind.MAXIMUM}),
    "monkey": (s**3 - 3 * s, {(1,): Kind.MINIMUM, (-1,): Kind.MAXIMUM}),
    "bowl": (s**2 + s * t + t**2 - 3 * s, {(2, -1): Kind.MINIMUM}),
    "hill": (-(s**2) - s * t - t**2, {(0, 0): Kind.MAXIMUM}),
    "only 0 is real": (s**4 / 4 + s**2 / 2, {(0,): Kind.MINIMUM}),
    "only 1 is in the domain": (s**2 / 2 - sg.log(s), {(1,): Kind.MINIMUM}),
    "mixed": (s**3 - 3 * s * t**2 + 3 * t**2, {(0, 0): Kind.UNDECIDED, (1, 1): Kind.SADDLE, (1, -1): Kind.SADDLE}),
    "softplus": (sg.softplus(s) - s / 2, {(0,): Kind.MINIMUM}),
}


@pytest.mark.parametrize("name", SCALARS)
def test_scalar_points_and_their_kinds(name):
    loss, expected = SCALARS[name]
    extrema = found_of(loss)
    got = {}
    for point in extrema.points:
        assert point.root is not None or point.values
        at = {p.name: float(value_of(e, {})) for p, e in point.values.items()}
        order = [at[i] for i in ("s", "t") if i in at]
        got[tuple(round(u, 9) + 0 for u in order)] = point.kind
        if point.kind in MEANING:
            assert signs_around(loss, at) == MEANING[point.kind], (at, point.kind)
    assert got == expected


def test_the_points_of_a_polynomial_are_sympys():
    u = sympy.Symbol("u", real=True)
    extrema = found_of(s**6 / 6 - s**2 - s)
    mine = sorted(float(sympy.N(point.root.values[s], 20)) for point in extrema.points)
    np.testing.assert_allclose(mine, sorted(map(float, sympy.Poly(u**5 - 2 * u - 1).nroots(n=20)[:3])), atol=1e-12)
    assert extrema.found.is_complete
    assert [point.kind for point in extrema.points] == [Kind.MINIMUM, Kind.MAXIMUM, Kind.MINIMUM]


def test_a_plain_sympy_loss():
    u, a = sympy.symbols("u a")
    problem = sg.Problem(u**2 - 4 * u + a, parameters=[u])
    (point,) = problem.extrema().points
    assert [str(e) for e in point.values.values()] == ["2"]
    assert point.is_global


def test_infinite_families_are_told():
    extrema = found_of(sg.sin(s))
    for point in extrema.points:
        root = point.root
        for member in (-3, 0, 5):
            at = float(root.values[s].subs(root.integer, member))
            assert abs(np.cos(at)) < 1e-12
            assert np.sign(-np.sin(at)) == (1 if point.kind is Kind.MINIMUM else -1)
    assert {point.kind for point in extrema.points} == {Kind.MINIMUM, Kind.MAXIMUM}
    page = extrema.explain()
    assert r"k \in \mathbb{Z}" in page
    assert "infinitely many" in page


@pytest.mark.parametrize("loss", [sg.exp(s), s**3 / 3 + s, sg.exp(s) + s])
def test_a_loss_without_stationary_points(loss):
    extrema = found_of(loss)
    assert extrema.found.answer is Answer.NONE_EXISTS
    assert extrema.points == ()
    assert "no stationary point" in extrema.explain()


def test_no_closed_form_is_not_said_to_be_none():
    extrema = found_of(sg.exp(s) * s + s**2)
    assert extrema.found.answer is Answer.NOT_FOUND
    page = extrema.explain()
    assert "No closed form was found. That does not say that there is none." in page
    assert "no stationary point" not in page


def test_letters_in_a_scalar_loss():
    a, e = sg.data("a"), sg.data("e")
    (point,) = found_of(a * s**2 + e * s).points
    assert str(point.values[s]) == "-e / a / 2"
    assert point.kind is Kind.UNDECIDED
    positive = sg.data("a", positive=True)
    (point,) = found_of(positive * s**2 + e * s).points
    assert (point.kind, point.is_global) == (Kind.MINIMUM, True)
    (point,) = found_of(-positive * s**2 + e * s).points
    assert (point.kind, point.is_global) == (Kind.MAXIMUM, True)


def test_roots_that_are_real_for_some_data_only_say_so():
    a = sg.data("a")
    extrema = found_of(s**4 / 4 - a * s**2 / 2)
    conditions = [{condition.need for condition in point.conditions} for point in extrema.points]
    assert sum(Need.REAL in needs for needs in conditions) == 2
    assert {point.kind for point in extrema.points} == {Kind.UNDECIDED}


@pytest.mark.parametrize(
    ("loss", "kind"),
    [(sg.abs(s) + s**2, Kind.MINIMUM), (-sg.abs(s - 1) * s, Kind.UNDECIDED), (sg.relu(s) - s / 2, None)],
)
def test_at_kinks_only_convexity_speaks(loss, kind):
    kinds = {point.kind for point in found_of(loss).points}
    assert kinds <= ({kind} if kind else {Kind.MINIMUM})


# ---- losses without a closed form


def test_logistic_regression_points_to_fit():
    extrema = found_of(sg.mean(sg.softplus(X @ w + b) - y * (X @ w + b)))
    assert extrema.found.answer is Answer.NOT_FOUND
    assert extrema.found.curvature.is_convex
    assert extrema.points == ()
    page = extrema.explain()
    assert "symgrad fit" in page
    assert r"L(\theta') &\ge L(\theta)" in page


def test_a_poisson_loss_of_unknown_signs_is_not_convex():
    assert not found_of(sg.sum(p - y * sg.log(p))).found.curvature.is_convex


E1 = sg.tanh(X @ sg.parameter("W1", d, h) + sg.parameter("b1", h))
NET = sg.sum((E1 @ sg.parameter("W2", h, k) + sg.parameter("b2", k) - Y) ** 2) / (2 * n)
FACTORS = sg.sum((sg.parameter("U", n, k) @ sg.parameter("V", d, k).T - X) ** 2) / 2


@pytest.mark.parametrize("loss", [NET, FACTORS], ids=["two layers", "matrix factorisation"])
def test_zero_is_a_saddle_point(loss):
    problem, extrema = problem_of(loss), found_of(loss)
    assert extrema.found.answer is Answer.NOT_FOUND
    assert not extrema.found.curvature.is_convex
    (point,) = extrema.points
    assert (point.kind, point.basis) == (Kind.SADDLE, Basis.FLAT_BLOCK)
    rng = np.random.default_rng(9)
    arrays = numbers(rng, X="nd", Y="nk")
    arrays = {name: a for name, a in arrays.items() if name == "X" or loss is NET}
    at = placed(extrema, arrays)
    assert slope(problem, arrays, at) < 1e-12
    changes = around(problem, arrays, at, 1e-3, rng)
    assert (changes > 0).any()
    assert (changes < 0).any()


def test_alternating_least_squares_is_what_can_be_solved():
    partial = found_of(FACTORS).found.partial
    assert {f"{step.left} = {step.right}" for step in partial} == {"U @ (V.T @ V) = X @ V", "V @ (U.T @ U) = X.T @ U"}


def test_a_net_with_kinks_has_no_point_at_zero():
    W1, W2 = sg.parameter("W1", d, h), sg.parameter("W2", h, k)
    assert found_of(sg.sum((sg.relu(X @ W1) @ W2 - Y) ** 2)).points == ()


def test_equations_that_only_others_could_solve_are_not_solved():
    # s = 0 solves ∂L/∂s = 2 s t² = 0 for every t, and nothing is the only solution.
    extrema = found_of(s**2 * t**2)
    assert extrema.found.answer is Answer.NOT_FOUND
    assert not extrema.found.is_complete
    assert {point.kind for point in extrema.points} <= {Kind.UNDECIDED}


def test_an_affine_loss_has_no_equation():
    assert found_of(c @ w).found.answer is Answer.CONSTANT


def test_where_the_matrix_is_never_invertible_no_solution_is_printed():
    few, two = sg.data("F", 2, 3), sg.data("v", 2)
    extrema = found_of(sg.sum((few @ sg.parameter("w", 3) - two) ** 2))
    assert extrema.points == ()
    assert extrema.found.curvature.is_convex


def test_opposite_signs_in_two_vectors_make_a_saddle_point():
    u = sg.parameter("u", n)
    extrema = found_of(sg.sum((X @ w - y) ** 2) - sg.sum((u - y) ** 2))
    (point,) = extrema.points
    assert (point.kind, point.basis) == (Kind.SADDLE, Basis.DEFINITE)


def test_a_quadratic_form_of_any_matrix_is_undecided():
    M = sg.data("M", d, d)
    (point,) = found_of(w @ M @ w / 2 - c @ w).points
    assert point.kind is Kind.UNDECIDED
    page = found_of(w @ M @ w / 2 - c @ w).explain()
    assert "eigenvalues" in page
    assert "global" not in page


# ---- planted mistakes are refused


def test_a_wrong_solution_is_refused(monkeypatch):
    right = affine._solution

    def doubled(*arguments):
        solution, conditions, is_cancelled = right(*arguments)
        return 2 * solution, conditions, is_cancelled

    monkeypatch.setattr(affine, "_solution", doubled)
    with pytest.raises(CheckFailed, match="no stationary point"):
        sg.Problem(sg.sum((X @ w - y) ** 2)).extrema()


def test_a_wrong_matrix_is_refused(monkeypatch):
    right = affine.read_matrix

    def turned(matrix, rank):
        found = right(matrix, rank)
        twice = affine.Form(found.matrix.shape, tuple(term.scaled(2) for term in found.matrix.terms))
        return affine.Reading(found.side, twice)

    monkeypatch.setattr(affine, "read_matrix", turned)
    extrema = sg.Problem(sg.sum((X @ w - y) ** 2)).extrema()
    assert extrema.steps == ()
    assert extrema.points == ()


def test_a_wrong_root_is_dropped(monkeypatch):
    def lying(loss, gradient, unknowns, limit=0):
        answered = ask(loss, gradient, unknowns)
        wrong = [{**root, "values": [value + 1 for value in root["values"]]} for root in answered.roots]
        return Solved((answered.roots[0], *wrong), is_complete=False)

    monkeypatch.setattr(roots, "ask", lying)
    extrema = sg.Problem(s**4 - 2 * s**2).extrema()
    values = sorted(float(value_of(point.values[s], {})) for point in extrema.points)
    assert set(values) <= {-1.0, 0.0, 1.0}


def test_put_in_a_wrong_value_is_no_zero():
    with pytest.raises(CheckFailed, match="no stationary point"):
        verify_zero([2 * s - t], {s: t}, {}, "s")


def test_a_quotient_is_proved():
    M = sg.data("M", d, d)
    N = sg.data("N", d, d)
    assert str(quotient(M + M.T, (M + M.T) @ c, {})) == "c"
    assert quotient(M + N, M @ c, {}) is None
    assert quotient(M, N @ c, {}) is None


# ---- definite or not: never a wrong yes

u4 = sg.data("u", n)
FORMS = {
    "gram": (X.T @ X, 1),
    "weighted gram": (X.T @ (q[:, None] * X), 1),
    "signed weights": (X.T @ (u4[:, None] * X), 0),
    "squared weights": (X.T @ ((u4**2)[:, None] * X), 1),
    "sigmoid weights": (X.T @ ((sg.sigmoid(u4) * (1 - sg.sigmoid(u4)))[:, None] * X), 1),
    "sandwich": (X.T @ K @ X, 1),
    "inverse sandwich": (X.T @ sg.inv(K) @ X, 1),
    "ridge": (X.T @ X + lam * sg.eye(d), 1),
    "minus ridge": (X.T @ X - lam * sg.eye(d), 0),
    "negative": (-(X.T @ X) - sg.eye(d), -1),
    "any": (sg.data("M", d, d) + sg.data("M", d, d).T, 0),
    "outer": (sg.outer(c, c), 1),
    "difference": (X.T @ X - sg.outer(c, c), 0),
    "diagonal": (sg.diag(sg.exp(c)), 1),
    "signed diagonal": (sg.diag(c), 0),
    "product": (A @ S, 0),
    "entrywise": (A * S, 1),
    "two sandwiches": (A @ S @ A, 1),
    "crossed": (X.T @ sg.data("V", n, d), 0),
    "symmetric": (sg.data("T", d, d, symmetric=True), 0),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_sign_that_is_claimed_holds_in_numbers(name):
    e, expected = FORMS[name]
    found = sign_of(e, 1)
    assert (found[0].sign if found else 0) == expected
    rng = np.random.default_rng(10)
    for _ in range(20 if found else 0):
        arrays = numbers(
            rng, positive=["q"], definite=["K", "A", "S"], X="nd", q="n", u="n", K="nn", A="dd", S="dd", c="d", M="dd"
        )
        values = np.linalg.eigvalsh(value_of(e, {**arrays, "lam": np.float64(rng.uniform(0.1, 2))}))
        assert (found[0].sign * values > -1e-9).all()
        if found[0].strict is not None:
            assert (found[0].sign * values > 0).all()


def test_a_product_row_by_row_is_not_called_definite():
    # Σᵢ xᵢₐ xᵢₐ′ vᵢᵦ vᵢᵦ′ needs as many rows as X and V have columns together, whatever their ranks.
    other = sg.data("V", n, k)
    e = sg.einsum("ia,ic,ib,id->abcd", X, X, other, other)
    found = definite(e, 2, Known())
    assert found is not None
    assert (found.sign, found.strict) == (1, None)


# ---- the other process


def test_a_question_without_an_answer_in_time_is_given_up():
    u = sympy.Symbol("u0", real=True)
    hard = u**3 * sympy.sin(u) - sympy.tanh(u) * u
    assert ask(hard, [sympy.diff(hard, u)], [u], limit=0.05) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no clock of what a process computes")
def test_the_time_is_what_the_process_computes_and_not_what_it_waits():
    """Else what is found of a model would hang on what else is running."""
    code = (
        "import time; from symgrad.extrema.worker import stop_after; stop_after(0.2)\n"
        "time.sleep(0.5); print('rested', flush=True)\nwhile True: pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "rested\n"
    assert done.returncode == -signal.SIGPROF


def test_trees_know_a_list_of_classes():
    u = sympy.Symbol("u", real=True)
    e = sympy.exp(-u) * sympy.sqrt(u**2 + 1) + sympy.pi / 7 - sympy.LambertW(u)
    assert decode(encode(e)) == e
    with pytest.raises(Unknown):
        encode(sympy.Function("f")(u))
    with pytest.raises(KeyError):
        decode(["__import__", ["Symbol", "os", []]])


# ---- pages and the command line


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["markdown", "latex"])
@pytest.mark.parametrize("name", ["least squares", "with bias", "mean and variance", "Bernoulli"])
def test_a_page_in_both_languages(name, form, language):
    page = found_of(CASES[name][0]).explain(form, language)
    words = {"en": ("stationary", "global minimum"), "zh": ("驻点", "全局最小值点")}[language]
    assert all(word in page for word in words)
    assert "{" not in re.sub(r"\$.*?\$|```.*?```|\\\w+\*?\{", "", page, flags=re.S) or form == "latex"


def test_the_page_of_least_squares():
    page = found_of(CASES["least squares"][0]).explain()
    assert r"X^{\top} X w &= X^{\top} y" in page
    assert r"w &= (X^{\top} X)^{-1} X^{\top} y" in page
    assert "the columns of $`X`$ are linearly independent" in page
    assert r"L(w') &\ge L(w) + \left\langle \nabla L(w),\, w' - w \right\rangle" in page
    assert "正规方程" in found_of(CASES["least squares"][0]).explain(language="zh")


def test_first_order_condition_only_where_convex():
    for loss in (s**4 - 2 * s**2, FACTORS, NET, w @ sg.data("M", d, d) @ w):
        assert "lies above" not in found_of(loss).explain()


def test_of_some_parameters_only():
    problem = sg.Problem(sg.sum((X @ w + b - y) ** 2))
    extrema = problem.extrema(wrt=["b"])
    assert [p.name for p in extrema.points[0].values] == ["b"]
    with pytest.raises(InputError):
        problem.extrema(wrt=["nothing"])


MODEL = '''"""Two valleys."""
import sympy
x = sympy.Symbol("x")
loss = x**4 - 2*x**2
parameters = [x]
'''


def test_the_command_writes_a_page(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    runner = CliRunner()
    printed = runner.invoke(app, ["extrema", str(path)])
    assert printed.exit_code == 0, printed.output
    assert "local maximum" in printed.output
    written = runner.invoke(app, ["extrema", str(path), "-o", str(tmp_path / "page.tex"), "--lang", "zh"])
    assert written.exit_code == 0, written.output
    assert "极大值点" in (tmp_path / "page.tex").read_text(encoding="utf-8")
    refused = runner.invoke(app, ["extrema", str(path), "--wrt", "y"])
    assert refused.exit_code == 2
    assert len(refused.output.strip().splitlines()) == 1
