"""Backtracking: the Armijo condition holds at every step, and rounding does not stop the descent early."""

from itertools import pairwise

import numpy as np
import pytest
from optimize.losses import logistic, quadratic, rosenbrock, symmetric

from symgrad.optimize import Cause, Remedy, Stop, gradient_descent
from symgrad.optimize.objective import Point
from symgrad.optimize.step import SUFFICIENT_DECREASE, is_sufficient


def descend(loss, start, **options):
    return gradient_descent(loss, {"w": np.asarray(start, float)}, line_search="backtracking", **options)


def test_every_step_decreases_enough():
    result = descend(rosenbrock, [-1.2, 1.0], tolerance=1e-5, max_iterations=50_000)
    assert result.stop is Stop.GRADIENT_NORM
    np.testing.assert_allclose(result.parameters["w"], 1.0, atol=1e-4)
    for before, after in pairwise(result.history):
        assert after.loss <= before.loss - SUFFICIENT_DECREASE * after.step * before.gradient_norm**2 + 1e-15


@pytest.mark.parametrize("learning_rate", [1e-8, 1.0, 1e8])
def test_any_first_step_will_do(learning_rate):
    # Growing and shrinking by 2 takes 27 iterations from one end to the other.
    result = descend(quadratic(symmetric([1.0, 5.0, 20.0])), np.ones(3), learning_rate=learning_rate)
    assert result.stop is Stop.GRADIENT_NORM
    assert result.iterations < 150


def test_a_step_length_grows_again_after_a_narrow_place():
    result = descend(rosenbrock, [-1.2, 1.0], max_iterations=500)
    steps = [entry.step for entry in result.history[1:]]
    assert any(after > before for before, after in pairwise(steps))


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
def test_rounding_of_the_loss_does_not_stall_the_descent(offset):
    # With an offset of 1e6 rounding hides all but 1e-10 of the loss, where ‖∇L‖ is still 1e-5.
    matrix = symmetric([0.5, 1.0, 3.0, 30.0])

    def loss(w):
        return offset + float((w - 1) @ matrix @ (w - 1)) / 2, {"w": matrix @ (w - 1)}

    result = descend(loss, np.zeros(4), tolerance=1e-11)
    assert result.stop is Stop.GRADIENT_NORM
    assert result.history[-1].gradient_norm <= 1e-11
    np.testing.assert_allclose(result.parameters["w"], 1.0, rtol=0, atol=1e-10)


def test_a_tolerance_of_zero_ends_at_the_limit_of_floating_point():
    result = descend(quadratic(symmetric([0.5, 2.0]), np.array([0.1, 0.7])), np.zeros(2), tolerance=0)
    assert result.stop in (Stop.NO_DECREASE, Stop.GRADIENT_NORM)
    assert result.iterations < 1000
    np.testing.assert_allclose(result.parameters["w"], [0.1, 0.7], rtol=1e-14)


def test_the_condition_in_gradients_is_the_one_in_losses():
    # For L = w²/2 both ask α ≤ 2(1 − c₁); under an offset of 1e9 only the gradients can still tell.
    for offset, w in ((0.0, 1.0), (1e9, 1e-6)):

        def at(w, offset=offset):
            return Point(np.array([w]), offset + w * w / 2, np.array([w]), abs(w))

        for step in (0.1, 1.0, 1.35):
            assert is_sufficient(at(w), at(w - step * w), step)
        for step in (1.45, 2.0, 100.0):
            assert not is_sufficient(at(w), at(w - step * w), step)


def test_gradients_whose_square_overflows_are_followed():
    result = descend(lambda w: (1e160 * float(np.abs(w).sum()), {"w": 1e160 * np.sign(w)}), [1.0], max_iterations=60)
    assert result.stop in (Stop.ITERATION_LIMIT, Stop.NO_DECREASE, Stop.GRADIENT_NORM)
    assert result.loss < 1e158


def test_it_steps_back_from_where_the_loss_is_not_defined():
    # L = w − log w has its minimum at 1, and no value left of 0.
    result = descend(lambda w: (float(w[0] - np.log(w[0])), {"w": 1 - 1 / w}), [0.01], learning_rate=100.0)
    assert result.stop is Stop.GRADIENT_NORM
    np.testing.assert_allclose(result.parameters["w"], 1.0, atol=1e-5)


def test_it_steps_back_from_a_matrix_that_is_not_positive_definite():
    # L = wᵀ1 − log det(diag w + ½I), through a Cholesky factor that does not exist everywhere.
    def loss(w):
        factor = np.linalg.cholesky(np.diag(w) + 0.5 * np.eye(2))
        return float(w.sum() - 2 * np.log(np.diag(factor)).sum()), {"w": 1 - 1 / (w + 0.5)}

    result = descend(loss, [4.0, 9.0], learning_rate=64.0)
    assert result.stop is Stop.GRADIENT_NORM
    np.testing.assert_allclose(result.parameters["w"], 0.5, atol=1e-5)


def test_a_point_with_no_finite_neighbour_is_diagnosed():
    def loss(w):
        return (0.0, {"w": np.ones(1)}) if w[0] == 2.0 else (np.nan, {"w": np.ones(1)})

    result = descend(loss, [2.0])
    assert (result.diagnosis.cause, result.diagnosis.remedy) == (Cause.NOT_FINITE, Remedy.OTHER_START)
    assert result.parameters["w"] == 2.0


def test_a_loss_without_a_minimum_is_said_to_have_none():
    result = descend(quadratic(np.diag([1.0, -1.0])), np.ones(2), max_iterations=5000)
    assert result.diagnosis.cause is Cause.UNBOUNDED
    # Said at the first −∞, not after creeping along its edge.
    assert result.evaluations < 50


def test_it_needs_fewer_gradients_than_a_fixed_step():
    x = np.random.default_rng(3).normal(size=(300, 5)) * [1, 1, 1, 1, 10]
    loss = logistic(x, x @ np.ones(5) > 0, 1e-3)
    fixed = gradient_descent(loss, {"w": np.zeros(5)}, max_iterations=100_000)
    searched = descend(loss, np.zeros(5))
    np.testing.assert_allclose(searched.parameters["w"], fixed.parameters["w"], atol=1e-3)
    assert searched.evaluations < fixed.evaluations / 5
