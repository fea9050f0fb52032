"""λ_max from gradients, against NumPy's eigenvalues."""

import numpy as np
import pytest
from optimize.losses import least_squares, logistic, quadratic, rosenbrock, symmetric

from symgrad.optimize import Curvature, largest_curvature


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 2, 3, 30])
def test_it_is_the_largest_eigenvalue(size, seed):
    random = np.random.default_rng(seed)
    matrix = symmetric(random.uniform(0.1, 10, size), seed)
    found = largest_curvature(quadratic(matrix, random.normal(size=size)), {"w": random.normal(size=size)})
    assert found.is_quadratic
    assert found.largest == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-9)
    assert found.bound == 2 / found.largest


def test_nearly_equal_eigenvalues_do_not_make_it_too_small():
    matrix = symmetric(np.concatenate([np.linspace(1, 9.99, 200), [10.0]]))
    found = largest_curvature(quadratic(matrix), {"w": np.zeros(201)})
    assert found.largest == pytest.approx(10.0, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6, 1e12])
@pytest.mark.parametrize("distance", [1e-6, 1e6, 1e12])
def test_units_do_not_matter(scale, distance):
    matrix, centre = symmetric([1.0, 2.0, 3.0]) * scale, np.array([distance, -distance, 0.0])
    found = largest_curvature(quadratic(matrix, centre), {"w": np.zeros(3)})
    assert found.is_quadratic
    assert found.largest == pytest.approx(3 * scale, rel=1e-8)


def test_least_squares_far_from_its_minimum():
    random = np.random.default_rng(1)
    x = random.normal(size=(100, 4)) * [1, 10, 100, 0.1] + 5
    loss = least_squares(x, 1e7 + random.normal(size=100))
    with_ones = np.column_stack([x, np.ones(100)])
    found = largest_curvature(loss, {"w": np.zeros(4), "b": np.zeros(())})
    assert found.is_quadratic
    assert found.largest == pytest.approx(np.linalg.eigvalsh(2 * with_ones.T @ with_ones / 100)[-1], rel=1e-8)


def test_at_a_saddle_it_is_the_largest_not_the_largest_in_magnitude():
    found = largest_curvature(quadratic(symmetric([-10.0, -1.0, 2.0])), {"w": np.ones(3)})
    assert found.largest == pytest.approx(2.0, rel=1e-9)


def test_a_loss_that_is_linear_or_concave_has_no_bound():
    linear = largest_curvature(lambda w: (float(w.sum()), {"w": np.ones(3)}), {"w": np.ones(3)})
    assert (linear.largest, linear.bound) == (0.0, np.inf)
    concave = largest_curvature(quadratic(-np.eye(2)), {"w": np.ones(2)})
    assert (round(concave.largest, 9), concave.bound) == (-1.0, np.inf)


def huber(w):
    return float(np.where(abs(w) < 1, w * w / 2, abs(w) - 0.5).sum()), {"w": np.clip(w, -1, 1)}


def ridge_with_absolute_values(w):
    return float(w @ w / 2 + abs(w).sum()), {"w": w + np.sign(w)}


def quartic(w):
    return float((w**4).sum()), {"w": 4 * w**3}


def relu_squared(w):
    return float((np.maximum(w, 0) ** 2).sum()), {"w": 2 * np.maximum(w, 0)}


def nearly_quadratic(w):
    return float(w @ w / 2 + 1e-5 * np.cos(w).sum()), {"w": w - 1e-5 * np.sin(w)}


def test_a_gradient_that_is_only_homogeneous_is_not_linear():
    # (Σ w⁴)^½ is of degree 2 along every line through 0, and no quadratic.
    def loss(w):
        value = float(np.sqrt((w**4).sum()))
        return value, {"w": 2 * w**3 / value if value else np.zeros(3)}

    assert not largest_curvature(loss, {"w": np.zeros(3)}).is_quadratic


@pytest.mark.parametrize(
    "loss", [huber, ridge_with_absolute_values, quartic, relu_squared, nearly_quadratic, rosenbrock]
)
@pytest.mark.parametrize("start", [0.0, 0.3, 5.0])
def test_what_is_not_quadratic_is_not_taken_for_it(loss, start):
    found = largest_curvature(loss, {"w": np.array([start, start + 0.1])})
    assert not found.is_quadratic


def test_the_local_estimate_is_the_hessian_there():
    x = np.random.default_rng(2).normal(size=(80, 4))
    w = np.array([0.5, -1.0, 0.2, 0.0])
    p = 1 / (1 + np.exp(-x @ w))
    hessian = x.T @ ((p * (1 - p))[:, None] * x) / 80 + 0.02 * np.eye(4)
    found = largest_curvature(logistic(x, x[:, 0] > 0, 0.01), {"w": w})
    assert not found.is_quadratic
    assert found.largest == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)


def test_there_is_none_where_the_loss_is_not_finite():
    assert largest_curvature(lambda w: (np.nan, {"w": w}), {"w": np.ones(2)}) is None


def test_float32():
    matrix = symmetric([1.0, 2.0, 5.0]).astype(np.float32)
    found = largest_curvature(
        lambda w: (float(w @ matrix @ w) / 2, {"w": matrix @ w}), {"w": np.ones(3, dtype=np.float32)}
    )
    assert found.is_quadratic
    assert found.largest == pytest.approx(5.0, rel=1e-4)


def test_a_bound_that_does_not_exist_is_infinite():
    assert Curvature(-1.0, is_quadratic=True).bound == np.inf
