"""Failed runs are told from good ones, and say what failed."""

import pickle
from itertools import pairwise, product

import numpy as np
import pytest
from optimize.losses import logistic, quadratic, symmetric

from symgrad.optimize import Cause, Curvature, Diagnosis, Remedy, Stop, gradient_descent


def test_nan_names_the_parameter_the_iteration_and_the_rate():
    # From w = 4 the steps lead to 3, 2, 1, 0, −1: the square root is gone at the fifth.
    def loss(v, w):
        return float(w[0] + np.sqrt(w[1]) * 0), {
            "v": np.zeros(2),
            "w": np.array([1.0, 1.0 if w[1] >= 0 else np.nan]),
        }

    result = gradient_descent(loss, {"v": np.ones(2), "w": np.full(2, 4.0)}, learning_rate=1.0)
    diagnosis = result.diagnosis
    assert (result.stop, diagnosis.cause, diagnosis.parameter) == (Stop.NOT_FINITE, Cause.NOT_FINITE, "w")
    assert (diagnosis.iteration, diagnosis.learning_rate) == (5, 1.0)
    assert diagnosis.suggested_rate < 1.0
    np.testing.assert_array_equal(result.parameters["w"], 0.0)
    assert np.isnan(result.history[-1].loss)
    assert str(diagnosis).startswith("iteration 5: the loss is nan after a step with learning rate 1")


def test_overflow_in_one_step_still_gives_the_bound():
    result = gradient_descent(quadratic(np.diag([1.0, 4.0])), {"w": np.ones(2)}, learning_rate=1e200)
    assert result.stop is Stop.NOT_FINITE
    assert result.iterations == 1
    assert result.diagnosis.bound == pytest.approx(0.5)
    assert "quadratic: use one below 2/λ_max = 0.5, such as 0.25" in str(result.diagnosis)


def test_nan_at_the_start_blames_the_start():
    def loss(a, b):
        return np.nan, {"a": np.ones(1), "b": np.full(1, np.inf)}

    for line_search in ("fixed", "backtracking"):
        result = gradient_descent(loss, {"a": np.ones(1), "b": np.ones(1)}, line_search=line_search)
        diagnosis = result.diagnosis
        assert (diagnosis.cause, diagnosis.remedy) == (Cause.NOT_FINITE_AT_START, Remedy.OTHER_START)
        assert (diagnosis.iteration, diagnosis.parameter, diagnosis.suggested_rate) == (0, "b", None)


def test_a_loss_that_is_not_quadratic_gets_a_local_bound():
    def quartic(w):
        return float((w**4).sum()), {"w": 4 * w**3}

    result = gradient_descent(quartic, {"w": np.array([1.0, 2.0])}, learning_rate=1.0)
    assert result.diagnosis.cause in (Cause.DIVERGED, Cause.NOT_FINITE)
    assert not result.diagnosis.curvature.is_quadratic
    # The best point is the start, and the Hessian there is diag(12w²).
    assert result.diagnosis.bound == pytest.approx(2 / 48, rel=1e-3)
    assert "local estimate 2/λ_max" in str(result.diagnosis)


@pytest.mark.parametrize(("v", "offset"), [(3e-4, 0.0), (3e-4, 1e-15 - 1.8e-7), (3e-6, 1.0)])
def test_a_catapult_is_not_a_divergence(v, offset):
    # L = (uv)²/2 with α too large for the start: the loss rises well above it for many steps, the curvature
    # u² + v² falls, and the run converges [lewkowycz2020]. Shifted to start near 0 or at 1 it is the same.
    def catapult(u, v):
        return float(u * v) ** 2 / 2 + offset, {"u": np.asarray(u * v * v), "v": np.asarray(v * u * u)}

    start = {"u": np.array(2.0), "v": np.array(v)}
    result = gradient_descent(catapult, start, learning_rate=0.55, max_iterations=2000)
    rises = np.array([entry.loss - result.history[0].loss for entry in result.history])
    promised = 0.55 * result.history[0].gradient_norm ** 2
    assert (rises > 1e3 * promised).sum() > 10
    assert rises.max() < 1e6 * max(promised, abs(result.history[0].loss))
    assert (result.diagnosis, result.stop) == (None, Stop.GRADIENT_NORM)
    assert result.loss - offset < 1e-10


def test_a_loss_that_is_not_quadratic_is_given_up_when_it_is_far_too_high():
    def wavy(w):
        return float(w @ w) / 2 + 0.1 * float(np.cos(w).sum()), {"w": w - 0.1 * np.sin(w)}

    result = gradient_descent(wavy, {"w": np.ones(2)}, learning_rate=3.0)
    assert result.diagnosis.cause is Cause.DIVERGED
    assert not result.diagnosis.curvature.is_quadratic
    assert 1e6 * result.history[0].loss < result.history[-1].loss < 1e25
    assert result.iterations < 40


def test_a_plateau_above_the_start_is_a_divergence_too():
    # From 1 the steps lead to 7 and −23, where max(w, 0) is dead: the gradient is 0, the loss 4.
    def dead(w):
        r = max(w[0], 0.0) - 2
        return float(r * r), {"w": np.array([2 * r if w[0] > 0 else 0.0])}

    result = gradient_descent(dead, {"w": np.array([1.0])}, learning_rate=3.0)
    assert result.diagnosis.cause is Cause.DIVERGED
    assert result.parameters["w"] == 1.0


def test_losses_that_rise_by_rounding_do_not_diverge():
    calls = iter(range(10**6))

    def drifting(w):
        return 1 + float(w[0] ** 2) / 2 + 1e-15 * next(calls), {"w": w.copy()}

    result = gradient_descent(drifting, {"w": np.ones(1)}, learning_rate=0.5, tolerance=1e-12)
    assert (result.stop, result.diagnosis) == (Stop.GRADIENT_NORM, None)


def test_a_run_that_only_oscillates_is_left_alone():
    x = np.random.default_rng(5).normal(size=(60, 3))
    loss = logistic(x, x[:, 0] + 0.5 * x[:, 1] > 0.3, 1e-3)
    result = gradient_descent(loss, {"w": np.zeros(3)}, learning_rate=50.0, max_iterations=3000)
    rises = sum(b.loss > a.loss for a, b in pairwise(result.history))
    assert rises > 1000
    assert result.diagnosis is None


def test_a_run_that_ends_above_its_start_has_diverged_however_slowly():
    # |w| with too long a step hops between −1 and 2 and never rises ten times in a row.
    def loss(w):
        return abs(float(w[0])), {"w": np.sign(w)}

    result = gradient_descent(loss, {"w": np.array([1.0])}, learning_rate=3.0, max_iterations=101)
    assert result.diagnosis.cause is Cause.DIVERGED
    assert result.parameters["w"] == 1.0


def test_a_start_at_the_minimum_survives_its_own_rounding():
    matrix, centre = symmetric([1.0, 30.0]), np.array([0.1, 1 / 3])
    for nudge, line_search in product((0.0, 1e-16, 1e-15), ("fixed", "backtracking")):
        result = gradient_descent(
            quadratic(matrix, centre),
            {"w": centre + nudge},
            learning_rate=0.06,
            line_search=line_search,
            tolerance=1e-3,
        )
        assert result.diagnosis is None
        assert result.is_converged


def test_leaving_a_saddle_is_not_the_end_of_descent():
    # L = (w₀² − 1)²/4 + 1 from 1e-13: for hundreds of iterations the loss does not move a digit.
    def double_well(w):
        return float((w[0] ** 2 - 1) ** 2) / 4 + 1, {"w": w * (w**2 - 1)}

    result = gradient_descent(double_well, {"w": np.array([1e-13])}, learning_rate=0.04)
    assert sum(entry.loss == 1.25 for entry in result.history) > 300
    np.testing.assert_allclose(result.parameters["w"], 1.0, atol=1e-5)


def test_a_diagnosis_is_plain_data():
    result = gradient_descent(quadratic(np.eye(2)), {"w": np.ones(2)}, learning_rate=5.0)
    assert pickle.loads(pickle.dumps(result.diagnosis)) == result.diagnosis
    assert pickle.loads(pickle.dumps(result)).diagnosis == result.diagnosis


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("remedy", list(Remedy))
@pytest.mark.parametrize("curvature", [None, Curvature(4.0, True), Curvature(4.0, False), Curvature(-1.0, False)])
def test_every_diagnosis_is_one_plain_line(cause, remedy, curvature):
    text = str(Diagnosis(cause, remedy, 7, 9e9, 1.0, 0.5, 0.6, "W", curvature))
    assert text.startswith("iteration 7: ")
    assert text.count("; ") == 1
    assert "\n" not in text
    assert "None" not in text
