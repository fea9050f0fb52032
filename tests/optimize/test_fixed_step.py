"""Gradient descent with a fixed step, against what is known of it on quadratics."""

import numpy as np
import pytest
from optimize.losses import logistic, quadratic, symmetric

from symgrad.errors import InputError, ShapeError
from symgrad.optimize import Cause, RateOrigin, Remedy, Stop, gradient_descent

SPECTRUM = [0.5, 1.0, 2.0, 7.0]
BOUND = 2 / max(SPECTRUM)


def test_each_iterate_is_the_one_of_the_formula():
    matrix, centre = symmetric(SPECTRUM), np.array([1.0, -2.0, 3.0, 0.5])
    start = np.array([4.0, 4.0, -4.0, 0.0])
    result = gradient_descent(
        quadratic(matrix, centre), {"w": start}, learning_rate=0.1, max_iterations=25, tolerance=0
    )
    # w_k − c = (I − αH)^k (w₀ − c)
    error = np.linalg.matrix_power(np.eye(4) - 0.1 * matrix, 25) @ (start - centre)
    np.testing.assert_allclose(result.parameters["w"], centre + error, rtol=0, atol=1e-13)
    assert [entry.number for entry in result.history] == list(range(26))
    assert {entry.step for entry in result.history[1:]} == {0.1}
    assert result.history[0].step == 0
    assert result.history[-1].loss == result.loss == pytest.approx(error @ matrix @ error / 2)
    assert result.history[-1].gradient_norm == pytest.approx(np.linalg.norm(matrix @ error))
    assert (result.stop, result.iterations, result.evaluations) == (Stop.ITERATION_LIMIT, 25, 26)
    assert result.diagnosis is None


def test_contracts_at_the_theoretical_rate():
    # α = 2/(λ_min + λ_max) contracts by (κ − 1)/(κ + 1) a step, and no fixed step does better.
    matrix = symmetric(SPECTRUM)
    result = gradient_descent(
        quadratic(matrix), {"w": np.ones(4)}, learning_rate=2 / (0.5 + 7.0), max_iterations=80, tolerance=0
    )
    kappa = 7.0 / 0.5
    norms = [entry.gradient_norm for entry in result.history]
    assert (norms[80] / norms[60]) ** (1 / 20) == pytest.approx((kappa - 1) / (kappa + 1), rel=1e-6)


@pytest.mark.parametrize("factor", [0.01, 0.5, 0.99, 0.999])
def test_converges_below_the_bound(factor):
    result = gradient_descent(
        quadratic(symmetric(SPECTRUM), np.full(4, 3.0)),
        {"w": np.zeros(4)},
        learning_rate=factor * BOUND,
        max_iterations=20_000,
    )
    assert (result.stop, result.diagnosis) == (Stop.GRADIENT_NORM, None)
    np.testing.assert_allclose(result.parameters["w"], 3.0, atol=1e-5)


@pytest.mark.parametrize("factor", [1.0005, 1.001, 1.01, 1.5, 10, 1e6])
def test_diverges_above_the_bound_and_names_it(factor):
    result = gradient_descent(
        quadratic(symmetric(SPECTRUM), np.full(4, 3.0)),
        {"w": np.zeros(4)},
        learning_rate=factor * BOUND,
        max_iterations=20_000,
    )
    diagnosis = result.diagnosis
    assert (result.stop, diagnosis.cause, diagnosis.remedy) == (
        Stop.DIVERGED,
        Cause.DIVERGED,
        Remedy.SMALLER_STEP,
    )
    assert diagnosis.curvature.is_quadratic
    assert diagnosis.bound == pytest.approx(BOUND, rel=1e-9)
    assert diagnosis.suggested_rate == pytest.approx(BOUND / 2, rel=1e-9)
    assert diagnosis.iteration == result.iterations < 20_000
    # Proved from the spectrum, long before a loss that rises slowly is back where it started.
    assert factor > 1.01 or result.history[-1].loss < result.history[0].loss
    assert result.loss == min(entry.loss for entry in result.history)
    assert result.loss == quadratic(symmetric(SPECTRUM), np.full(4, 3.0))(result.parameters["w"])[0]


def test_exactly_at_the_bound_it_neither_diverges_nor_counts_as_converged():
    # α = 2/λ reflects the error for ever: w → −w.
    result = gradient_descent(quadratic(np.eye(1) * 4.0), {"w": np.ones(1)}, learning_rate=0.5, max_iterations=2000)
    assert (result.stop, result.is_converged, result.diagnosis) == (Stop.ITERATION_LIMIT, False, None)
    assert result.parameters["w"] == 1.0


def test_a_run_with_the_suggested_rate_converges():
    matrix = symmetric(SPECTRUM)
    failed = gradient_descent(quadratic(matrix), {"w": np.ones(4)}, learning_rate=1.0)
    rate = failed.diagnosis.suggested_rate
    assert gradient_descent(quadratic(matrix), {"w": np.ones(4)}, learning_rate=rate).is_converged


def test_the_default_step_is_one_over_the_largest_eigenvalue():
    result = gradient_descent(quadratic(symmetric(SPECTRUM)), {"w": np.ones(4)})
    assert result.learning_rate == pytest.approx(1 / 7.0, rel=1e-9)
    assert result.rate_origin is RateOrigin.CURVATURE
    assert result.curvature.is_quadratic
    assert result.stop is Stop.GRADIENT_NORM


def test_the_default_step_says_when_it_is_local():
    x = np.random.default_rng(0).normal(size=(50, 3))
    result = gradient_descent(logistic(x, x[:, 0] > 0, 0.01), {"w": np.zeros(3)})
    assert result.rate_origin is RateOrigin.LOCAL_CURVATURE
    # At w = 0 the Hessian of the log-loss is XᵀX/(4n).
    largest = np.linalg.eigvalsh(x.T @ x / 200)[-1] + 0.02
    assert result.learning_rate == pytest.approx(1 / largest, rel=1e-3)
    assert result.stop is Stop.GRADIENT_NORM


def test_where_nothing_curves_upward_the_first_step_has_length_one():
    # −log cosh curves downward everywhere.
    def cap(w):
        return -float(np.sum(np.log(np.cosh(w)))), {"w": -np.tanh(w)}

    result = gradient_descent(cap, {"w": np.full(2, 0.5)}, max_iterations=1)
    assert result.rate_origin is RateOrigin.UNIT_STEP
    assert np.linalg.norm(result.parameters["w"] - 0.5) == pytest.approx(1.0)


def test_a_loss_without_a_minimum_is_said_to_have_none():
    result = gradient_descent(
        quadratic(np.diag([1.0, -1.0])), {"w": np.ones(2)}, learning_rate=0.5, max_iterations=5000
    )
    assert result.diagnosis.cause is Cause.UNBOUNDED
    assert result.diagnosis.remedy is Remedy.BOUND_THE_LOSS
    assert np.isfinite(result.parameters["w"]).all()
    assert "no minimum" in str(result.diagnosis)


@pytest.mark.parametrize("line_search", ["fixed", "backtracking"])
def test_start_and_gradients_are_never_written(line_search):
    handed_out = []

    def loss(w, b):
        gradients = {"w": 2 * w, "b": np.asarray(4 * b)}
        handed_out.append((gradients, {name: g.copy() for name, g in gradients.items()}))
        return float(w @ w + 2 * b * b), gradients

    start = {"w": np.arange(3.0), "b": np.array(2.0)}
    before = {name: value.copy() for name, value in start.items()}
    result = gradient_descent(loss, start, line_search=line_search)
    assert result.is_converged
    for name, value in before.items():
        np.testing.assert_array_equal(start[name], value)
        assert not np.shares_memory(start[name], result.parameters[name])
    for gradients, copies in handed_out:
        for name, copy in copies.items():
            np.testing.assert_array_equal(gradients[name], copy)


def test_the_result_shares_no_memory_with_what_the_loss_has_seen():
    seen = []

    def loss(w, b):
        seen.append(w)
        return float(w @ w + b * b), {"w": 2 * w, "b": 2 * b}

    result = gradient_descent(loss, {"w": np.ones(3), "b": np.ones(())})
    assert not any(np.shares_memory(result.parameters["w"], w) for w in seen)
    result.parameters["w"][:] = 7
    assert abs(result.parameters["b"]) < 1e-6


@pytest.mark.parametrize("line_search", ["fixed", "backtracking"])
def test_a_loss_may_reuse_one_gradient_buffer(line_search):
    matrix, buffer = symmetric(SPECTRUM), np.empty(4)

    def loss(w):
        np.matmul(matrix, w, out=buffer)
        return float(w @ buffer) / 2, {"w": buffer}

    fresh = gradient_descent(quadratic(matrix), {"w": np.ones(4)}, line_search=line_search)
    reused = gradient_descent(loss, {"w": np.ones(4)}, line_search=line_search)
    np.testing.assert_allclose(reused.parameters["w"], fresh.parameters["w"], atol=1e-9)


def test_shapes_and_types_of_parameters_are_kept():
    start = {
        "W": np.ones((2, 3), dtype=np.float32),
        "b": np.float32(1.0),
        "k": np.array([4, 5]),
    }

    def loss(W, b, k):
        assert (W.shape, W.dtype, b.shape, k.dtype) == ((2, 3), np.float32, (), np.float64)
        return float((W**2).sum() + b**2 + (k**2).sum()), {"k": 2 * k, "b": 2 * b, "W": 2 * W}

    result = gradient_descent(loss, start, learning_rate=0.1)
    assert list(result.parameters) == ["W", "b", "k"]
    assert result.parameters["W"].dtype == np.float32
    assert all(abs(value).max() < 1e-6 for value in result.parameters.values())


def test_float32_runs_to_its_own_rounding_and_says_so():
    matrix = symmetric(SPECTRUM).astype(np.float32)
    centre = np.full(4, 3, dtype=np.float32)

    def loss(w):
        return np.float32(100) + (w - centre) @ matrix @ (w - centre) / 2, {"w": matrix @ (w - centre)}

    for line_search in ("fixed", "backtracking"):
        result = gradient_descent(loss, {"w": np.zeros(4, np.float32)}, tolerance=1e-12, line_search=line_search)
        assert result.stop in (Stop.NO_DECREASE, Stop.GRADIENT_NORM)
        assert result.parameters["w"].dtype == np.float32
        np.testing.assert_allclose(result.parameters["w"], 3, rtol=1e-5)


def test_every_iteration_is_reported_as_it_happens():
    seen = []
    result = gradient_descent(quadratic(np.eye(2)), {"w": np.ones(2)}, learning_rate=0.5, on_iteration=seen.append)
    assert tuple(seen) == result.history


def test_the_tolerance_holds_for_small_units_too():
    # The same fit with y in units a million times larger must not stop at the start.
    matrix = symmetric(SPECTRUM)
    large = gradient_descent(quadratic(matrix, np.full(4, 1.0)), {"w": np.zeros(4)})
    small = gradient_descent(quadratic(matrix, np.full(4, 1e-8)), {"w": np.zeros(4)})
    assert small.iterations == pytest.approx(large.iterations, abs=25)
    np.testing.assert_allclose(small.parameters["w"], 1e-8, rtol=1e-4)


@pytest.mark.parametrize("line_search", ["fixed", "backtracking"])
def test_a_step_too_small_for_floating_point_ends_the_run(line_search):
    result = gradient_descent(
        lambda w: (1e-20 * float(w[0]), {"w": np.full(1, 1e-20)}),
        {"w": np.ones(1)},
        learning_rate=1.0,
        line_search=line_search,
        tolerance=0,
    )
    assert (result.stop, result.iterations) == (Stop.NO_DECREASE, 0)


def test_slow_progress_below_the_rounding_of_the_loss_is_progress():
    # With an offset of 1e6 the loss is still from ‖∇L‖ = 1e-5 on; the gradient falls by 1 % a step.
    matrix = symmetric([0.01, 1.0])

    def loss(w):
        return 1e6 + float((w - 1) @ matrix @ (w - 1)) / 2, {"w": matrix @ (w - 1)}

    result = gradient_descent(loss, {"w": np.zeros(2)}, learning_rate=1.0, tolerance=1e-11)
    assert (result.stop, result.iterations > 1000) == (Stop.GRADIENT_NORM, True)


def test_a_slope_that_shows_only_after_many_steps_is_followed():
    # A step promises 1e-16 of a loss of 1; forty of them show.
    result = gradient_descent(
        lambda w: (1 - 1e-8 * float(w[0]), {"w": np.full(1, -1e-8)}),
        {"w": np.zeros(1)},
        learning_rate=1.0,
        tolerance=0,
        max_iterations=1000,
    )
    assert (result.stop, result.iterations) == (Stop.ITERATION_LIMIT, 1000)


def test_a_start_at_the_minimum_stays_there():
    result = gradient_descent(quadratic(np.eye(3)), {"w": np.zeros(3)}, tolerance=0)
    assert (result.stop, result.iterations) == (Stop.GRADIENT_NORM, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -0.1}, "learning rate is -0.1; give a positive number"),
        ({"learning_rate": float("nan")}, "learning rate is nan"),
        ({"line_search": "exact"}, "no line search 'exact'; use 'fixed' or 'backtracking'"),
        ({"max_iterations": -1}, "iteration limit is -1"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"start": {}}, "no parameters to fit"),
        ({"start": {"w": np.array(["a"])}}, "start of w has type <U1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    start = arguments.pop("start", {"w": np.ones(2)})
    with pytest.raises(InputError, match=message):
        gradient_descent(quadratic(np.eye(2)), start, **arguments)


def test_gradients_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"gradient of w has shape \(2, 1\), the parameter \(2,\)"):
        gradient_descent(lambda w: (0.0, {"w": np.ones((2, 1))}), {"w": np.ones(2)})
    with pytest.raises(InputError, match="no gradient for w"):
        gradient_descent(lambda w: (0.0, {"v": np.ones(2)}), {"w": np.ones(2)})
    with pytest.raises(ShapeError, match=r"loss has shape \(2,\)"):
        gradient_descent(lambda w: (w, {"w": w}), {"w": np.ones(2)})
