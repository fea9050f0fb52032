"""Metrics, against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as outside

from symgrad.errors import InputError, ShapeError
from symgrad.tables import accuracy, log_loss, mae, mse, r2

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_regression(shape):
    y = RANDOM.normal(size=shape) * 3 + 20
    prediction = y + RANDOM.normal(size=shape)
    assert mse(y, prediction) == pytest.approx(outside.mean_squared_error(y, prediction), rel=1e-14)
    assert mae(y, prediction) == pytest.approx(outside.mean_absolute_error(y, prediction), rel=1e-14)
    assert r2(y, prediction) == pytest.approx(outside.r2_score(y, prediction), rel=1e-14)


def test_r2_of_the_mean_is_zero_and_of_a_constant_undefined():
    y = RANDOM.normal(size=20)
    assert r2(y, np.full(20, y.mean())) == pytest.approx(0.0, abs=1e-15)
    assert math.isnan(r2(np.ones(5), np.ones(5)))


def test_accuracy():
    y, prediction = RANDOM.integers(0, 3, 60), RANDOM.integers(0, 3, 60)
    assert accuracy(y, prediction) == outside.accuracy_score(y, prediction)
    names = np.array(["a", "b", "c"])
    assert accuracy(names[y], names[prediction]) == accuracy(y, prediction)


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_loss_of_many_classes(k, dtype):
    scores = RANDOM.normal(size=(80, k)) * 3
    p = (np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)).astype(dtype)
    codes = RANDOM.integers(0, k, 80)
    tolerance = 1e-13 if dtype is np.float64 else 1e-6
    assert log_loss(codes, p) == pytest.approx(outside.log_loss(codes, p, labels=range(k)), rel=tolerance)


def test_log_loss_of_two_classes():
    p, y = RANDOM.uniform(size=80), RANDOM.integers(0, 2, 80)
    assert log_loss(y, p) == pytest.approx(outside.log_loss(y, p), rel=1e-13)
    assert log_loss(y, p) == pytest.approx(log_loss(y, np.column_stack([1 - p, p])), rel=1e-15)


def test_certain_and_wrong_costs_what_it_costs_in_scikit_learn():
    assert log_loss(np.array([0, 1]), np.array([1, 0])) == pytest.approx(
        outside.log_loss([0, 1], np.array([1.0, 0.0])), rel=1e-14
    )
    assert log_loss(np.array([1, 0]), np.array([1.0, 0.0])) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("metric", [mse, mae, r2, accuracy])
def test_shapes_that_would_broadcast_are_refused(metric):
    with pytest.raises(ShapeError, match=r"y has shape \(3,\), the prediction \(3, 1\)"):
        metric(np.ones(3), np.ones((3, 1)))
    with pytest.raises(InputError, match="no rows"):
        metric(np.ones(0), np.ones(0))


@pytest.mark.parametrize(
    ("codes", "p", "message"),
    [
        ([0, 1], [[2.0, -1.0], [0.5, 0.5]], "no probabilities"),
        ([0, 1], [[0.5, 0.6], [0.5, 0.5]], "no probabilities"),
        ([0, 1], [1.5, 0.5], "no probabilities"),
        ([0, 1], [np.nan, 0.5], "no probabilities"),
        ([0, 2], [0.5, 0.5], "not all of 0 to 1"),
        ([-1, 1], [0.5, 0.5], "not all of 0 to 1"),
        ([0.5, 1], [0.5, 0.5], "not all of 0 to 1"),
        ([], [], "no rows"),
        ([0], [0.5, 0.5], "do not fit"),
    ],
)
def test_log_loss_refuses_what_is_no_probability_and_no_code(codes, p, message):
    with pytest.raises(InputError, match=message):
        log_loss(np.array(codes), np.array(p))


def test_accuracy_does_not_compare_text_with_numbers():
    with pytest.raises(InputError, match="text is compared with numbers"):
        accuracy(np.array(["0", "1"]), np.array([0, 1]))
    with pytest.raises(ShapeError, match="one class a row"):
        accuracy(np.ones((2, 2)), np.ones((2, 2)))
