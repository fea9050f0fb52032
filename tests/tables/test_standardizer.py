"""Standardising, against scikit-learn and against its own inverse."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from symgrad.errors import InputError, ShapeError
from symgrad.tables import Standardizer

X = np.random.default_rng(0).normal(size=(40, 3)) * [1, 100, 1e-3] + [5, -1e4, 0]


def test_scikit_learn_agrees():
    ours, theirs = Standardizer.fit(X), StandardScaler().fit(X)
    np.testing.assert_allclose(ours.mean, theirs.mean_)
    np.testing.assert_allclose(ours.scale, theirs.scale_)
    new = X[:5] + 1
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), atol=1e-9)


def test_columns_have_mean_zero_and_variance_one():
    z = Standardizer.fit(X).transform(X)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose((z**2).mean(axis=0), 1)


def test_the_inverse_is_the_inverse():
    s = Standardizer.fit(X)
    np.testing.assert_allclose(s.inverse(s.transform(X)), X, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8, -3.3e-9])
def test_constant_columns_are_reported_and_become_zero(value):
    x = np.column_stack([X[:, 0], np.full(40, value)])
    s = Standardizer.fit(x)
    assert s.constant == (1,)
    assert s.scale[1] == 1.0
    np.testing.assert_array_equal(s.transform(x)[:, 1], 0.0)


def test_a_spread_of_one_unit_in_the_last_place_is_a_constant():
    x = np.array([[0.1], [np.nextafter(0.1, 1)]])
    assert Standardizer.fit(x).constant == (0,)


def test_a_small_spread_is_not_a_constant():
    x = np.array([[1.0], [1.0 + 1e-12]])
    assert Standardizer.fit(x).constant == ()


@pytest.mark.parametrize("k", [None, 1, 4])
def test_weights_in_original_units_predict_the_same(k):
    random = np.random.default_rng(1)
    shape = (3,) if k is None else (3, k)
    w, b = random.normal(size=shape), random.normal(size=shape[1:])
    s = Standardizer.fit(X)
    original_w, original_b = s.original_units(w, b)
    np.testing.assert_allclose(X @ original_w + original_b, s.transform(X) @ w + b, rtol=1e-9)
    assert (original_w.shape, original_b.shape) == (w.shape, np.shape(b))


def test_nothing_is_written():
    x, w = X.copy(), np.ones(3)
    s = Standardizer.fit(x)
    s.inverse(s.transform(x))
    s.original_units(w, 0.0)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(w, 1)


def test_what_does_not_fit_is_refused():
    s = Standardizer.fit(X)
    with pytest.raises(ShapeError, match=r"give a matrix \(n, 3\)"):
        s.transform(X[:, :2])
    with pytest.raises(ShapeError, match="do not fit 3 columns"):
        s.original_units(np.ones(2), 0.0)
    with pytest.raises(ShapeError, match="do not fit 3 columns"):
        s.original_units(np.ones((3, 2)), 0.0)
    with pytest.raises(ShapeError, match=r"give a matrix \(n, d\)"):
        Standardizer.fit(X[:, 0])
    with pytest.raises(InputError, match="no rows"):
        Standardizer.fit(X[:0])
    with pytest.raises(InputError, match="row 2, column 1 is nan"):
        Standardizer.fit(np.array([[1.0], [np.nan]]))
