"""Compiled functions in NumPy's text, where a loss is no sum over examples: the same numbers, and NumPy's flags."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile.compiled_text import compiled_calls
from symgrad.compile.tiles import arrays
from symgrad.errors import NotFiniteWarning

n, d = sg.dims("n d")
T, Q, K, V = sg.data("T", n, d), *(sg.parameter(name, n, d) for name in "QKV")
# Every row of these looks at every other.
MIXED = {
    "softmax": sg.softmax(Q @ K.T / sg.sqrt(d)) @ V - T,
    "tanh": sg.tanh(Q @ K.T) @ V - T,
    "sigmoid": sg.sigmoid(Q @ K.T) @ V - T,
    "softplus": sg.softplus(Q @ K.T) @ V - T,
    "logcosh": sg.logcosh(Q @ K.T) @ V - T,
    "normal": sg.normal_pdf(Q @ K.T) @ V - T,
    "log_softmax": sg.log_softmax(Q @ K.T) @ V - T,
    "exp": sg.exp(sg.exp(-((Q @ K.T) ** 2))) @ V - T,
}


def _both(residual, seed=0):
    random = np.random.default_rng(seed)
    names = {leaf.name for leaf in sg.Problem(sg.sum(residual**2)).leaves}
    values = {name: random.normal(size=(6, 3)) for name in sorted(names)}
    f = sg.Problem(sg.sum(residual**2) / 2).compile(prove=False)
    data = {"T": values.pop("T")}
    return f.bind(backend="numba", **data), f.bind(**data), values


@pytest.mark.parametrize("name", MIXED)
def test_a_loss_that_mixes_its_rows_has_compiled_functions(name):
    ours, theirs, values = _both(MIXED[name])
    assert (ours.backend, theirs.backend) == ("numba", "numpy")
    assert not any(text in ours.source for text in ("np.exp(", "np.tanh(", "np.logaddexp("))
    (value, gradients), (expected, others) = ours(**values), theirs(**values)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(ours.value(**values), expected, rtol=1e-13)
    for name in values:
        np.testing.assert_allclose(gradients[name], others[name], rtol=1e-12, atol=1e-13)


def test_a_loss_without_such_functions_is_numpys():
    ours, theirs, _ = _both((Q @ K.T) @ V - T)
    assert ours.backend == "numpy"
    assert ours.source == theirs.source


def test_what_is_not_finite_is_told_as_by_numpy():
    ours, theirs, values = _both(MIXED["exp"] * sg.exp(sg.sum(Q)))
    values["Q"][0, 0] = 1000.0
    for g in (ours, theirs):
        with pytest.warns(NotFiniteWarning):
            g(**values)


def test_an_overflow_that_the_loss_does_not_show_is_told():
    ours, theirs, values = _both(sg.tanh(sg.exp(Q @ K.T)) @ V - T)
    values["Q"], values["K"] = np.full((6, 3), 20.0), np.full((6, 3), 20.0)
    for g in (ours, theirs):
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            g(**values)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        arrays.exp(np.array([1.0, 1000.0]))


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "softplus"])
def test_functions_of_arrays_take_any_shape(name):
    function = getattr(arrays, name)
    x = np.linspace(-3, 3, 24).reshape(2, 3, 4)
    np.testing.assert_array_equal(function(x).ravel(), [function(v) for v in x.ravel()])
    np.testing.assert_array_equal(function(x.T[::-1]), function(x).T[::-1])


def test_a_function_of_arrays_that_is_not_there_is_no_attribute():
    assert not hasattr(arrays, "sinh")


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (5, 3, 2, 2), (100, 37, 7, 4), (700, 400, 31, 20), (90, 50, 130, 5), (3, 0, 2, 2)]
)
def test_both_products_of_a_matrix(sizes):
    n, d, k, r = sizes
    random = np.random.default_rng(0)
    M, B, A = random.normal(size=(n, d)), random.normal(size=(d, k)), random.normal(size=(n, r))
    near = arrays.aligned(M)
    assert not near.size or near.ctypes.data % 64 == 0
    # In rows, in columns, and in numbers for which nothing is compiled.
    for m, b, a, tolerance in (
        (near, B, A, 1e-12),
        (near, B[::-1][::-1], np.asfortranarray(A), 1e-12),
        (M.T.copy().T, B, A, 1e-12),
        (M.astype("f4"), B.astype("f4"), A.astype("f4"), 1e-4),
    ):
        expected = (M @ B, M.T @ A, B.T @ B, A.T @ A)
        for found in (arrays.both_products(m, b, a), arrays.products_and_grams(m, b, a)):
            for x, y in zip(found, expected, strict=False):
                assert x.dtype == m.dtype
                np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * 10)
        assert len(found) == len(expected)


def test_both_products_tell_an_overflow():
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        arrays.both_products(np.full((3, 2), 1e300), np.zeros((2, 2)), np.full((3, 2), 1e300))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        arrays.products_and_grams(np.ones((3, 2)), np.full((2, 2), 1e300), np.ones((3, 2)))


@pytest.mark.parametrize("size", [1, 5, 64, 130])
def test_the_inverse_of_a_symmetric_matrix(size):
    """Positive definite; not; nearly; in numbers for which nothing is compiled."""
    random = np.random.default_rng(0)
    root = random.normal(size=(size, size))
    for a in (
        root @ root.T + np.eye(size),
        -np.eye(size),
        root + root.T,
        (root @ root.T + size * np.eye(size)).astype("f4"),
    ):
        kept = a.copy()
        inverse, log = arrays.inverse_and_logdet(a)
        np.testing.assert_array_equal(a, kept)
        np.testing.assert_allclose(inverse @ a, np.eye(size), atol=1e-10 if a.dtype == float else 1e-4)
        sign, expected = np.linalg.slogdet(a)
        np.testing.assert_allclose(log, expected if sign > 0 else np.nan, rtol=1e-6)


def test_a_gaussian_process_with_a_length_inverts_by_lapack():
    D, y, a, s = sg.data("D", n, n, symmetric=True), sg.data("y", n), sg.parameter("a"), sg.parameter("s")
    kernel = sg.exp(-D * sg.exp(a)) + sg.exp(s) * sg.eye(n)
    f = sg.Problem(y @ sg.solve(kernel, y) + sg.logdet(kernel)).compile(prove=False)
    x = np.linspace(0, 4, 30)
    data = {"D": (x[:, None] - x) ** 2, "y": np.sin(x)}
    ours, theirs = f.bind(backend="numba", **data), f.bind(**data)
    assert "inverse_and_logdet = arrays.inverse_and_logdet" in ours.source
    (value, gradients), (expected, others) = ours(a=0.3, s=-1.0), theirs(a=0.3, s=-1.0)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], rtol=1e-10)


def test_calls_that_write_over_what_they_read_do_not():
    text = "    np.exp(e, out=e)\n    P = np.tanh(Z, out=Z)\n    q = np.logaddexp(0, z)"
    assert compiled_calls(text) == "    e = arrays.exp(e)\n    P = arrays.tanh(Z)\n    q = arrays.softplus(z)"
