"""The Boston pipeline, table to test error, on arrays alone, against ordinary least squares."""

from pathlib import Path

import numpy as np
import pytest
from optimize.losses import least_squares

from symgrad.optimize import RateOrigin, Stop, gradient_descent
from symgrad.tables import Standardizer, mse, r2, read_table, split

BOSTON = Path(__file__).parents[2] / "examples" / "data" / "boston.csv"


@pytest.fixture(scope="module")
def houses():
    table = read_table(BOSTON)
    x, y = table.numbers("CRIM:LSTAT"), table.column("MEDV")
    train, test = split(len(table), test_fraction=0.2, seed=0)
    return x[train], y[train], x[test], y[test]


@pytest.fixture(scope="module")
def ols(houses):
    x, y, x_test, y_test = houses
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    return solution, mse(y_test, x_test @ solution[:-1] + solution[-1])


@pytest.mark.parametrize(("line_search", "most"), [("fixed", 2000), ("backtracking", 300)])
def test_defaults_reach_least_squares(houses, ols, line_search, most):
    x, y, x_test, y_test = houses
    scale = Standardizer.fit(x)
    start = {"w": np.zeros(13), "b": np.zeros(())}
    result = gradient_descent(least_squares(scale.transform(x), y), start, line_search=line_search)
    assert (result.stop, result.rate_origin) == (Stop.GRADIENT_NORM, RateOrigin.CURVATURE)
    assert result.iterations < most
    w, b = scale.original_units(result.parameters["w"], result.parameters["b"])
    assert mse(y_test, x_test @ w + b) == pytest.approx(ols[1], rel=1e-5)
    np.testing.assert_allclose(np.append(w, b), ols[0], rtol=1e-4)
    assert 0.5 < r2(y_test, x_test @ w + b) < 0.7


def test_without_standardising_the_bound_is_found_all_the_same(houses):
    x, y, *_ = houses
    with_ones = np.column_stack([x, np.ones(len(x))])
    largest = np.linalg.eigvalsh(2 * with_ones.T @ with_ones / len(x))[-1]
    result = gradient_descent(least_squares(x, y), {"w": np.zeros(13), "b": np.zeros(())}, learning_rate=0.01)
    assert result.diagnosis.bound == pytest.approx(2 / largest, rel=1e-8)
    assert result.iterations <= 10
