"""Extreme arguments: nothing overflows, nothing is nan, no warning (warnings are errors in this test suite)."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad.primitives.language as sg
from symgrad.compile.function import compile_derivation

from compile.models import derived, swept  # isort: skip

n, k = sg.dims("n k")
z, y, Y, Z = sg.parameter("z", n), sg.data("y", n), sg.data("Y", n, k), sg.parameter("Z", n, k)
BOTH = pytest.mark.parametrize("builder", [derived, swept])
EXTREME = np.array([-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4])


def own_softmax(e):
    powers = sg.exp(e)
    return powers / sg.sum(powers, axis=1, keepdims=True)


@BOTH
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_binary_cross_entropy(builder, dtype):
    p = sg.sigmoid(z)
    f = compile_derivation(builder(-sg.sum(y * sg.log(p) + (1 - y) * sg.log(1 - p))))
    labels = (EXTREME > 0).astype(dtype)
    value, gradients = f(y=labels, z=EXTREME.astype(dtype))
    assert abs(value - np.log(2)) < 1e-6
    assert np.abs(gradients["z"] - np.where(EXTREME == 0, 0.5, 0)).max() < 1e-6
    value, gradients = f(y=1 - labels, z=EXTREME.astype(dtype))
    assert np.isclose(value, np.abs(EXTREME).sum() + np.log(2))
    assert np.allclose(gradients["z"], np.where(EXTREME > 0, 1, np.where(EXTREME == 0, -0.5, -1)))


@BOTH
@pytest.mark.parametrize("softmax", [sg.softmax, own_softmax, lambda e: sg.exp(sg.log_softmax(e))])
def test_softmax_with_cross_entropy(builder, softmax):
    f = compile_derivation(builder(-sg.sum(Y * sg.log(softmax(Z)))))
    logits = np.stack([EXTREME, EXTREME[::-1]], axis=1)
    target = np.zeros_like(logits)
    target[:, 0] = 1
    value, gradients = f(Y=target, Z=logits)
    expected = np.logaddexp(0, logits[:, 1] - logits[:, 0]).sum()
    assert np.isclose(value, expected, rtol=1e-14)
    first = np.where(EXTREME > 0, 1, np.where(EXTREME == 0, 0.5, 0))
    assert np.allclose(gradients["Z"], np.stack([first - 1, 1 - first], axis=1), atol=1e-15)


@BOTH
def test_written_out_by_hand(builder):
    loss = (
        sg.sum(sg.log(1 + sg.exp(z))) + sg.sum(y / (1 + sg.exp(-z))) + sg.log(sg.sum(sg.exp(z)))
        + sg.sum(sg.log(sg.sum(sg.exp(Z), axis=1)))
    )  # fmt: skip
    f = compile_derivation(builder(loss))
    value, gradients = f(y=np.ones(7), z=EXTREME, Z=np.stack([EXTREME] * 2, axis=1))
    assert np.isfinite(value)
    assert np.isclose(gradients["z"][-1], 2)
    assert np.allclose(gradients["Z"], 0.5)
    assert np.allclose(gradients["z"][0], 0)


@BOTH
def test_the_norm_at_zero(builder):
    a = sg.data("a", n)
    f = compile_derivation(builder(sg.norm(z - a) + sg.sum(sg.norm(Z, axis=1, keepdims=True))))
    value, gradients = f(a=np.ones(2), z=np.ones(2), Z=np.array([[0.0, 0.0], [3.0, 4.0]]))
    assert value == 5
    assert gradients["z"].tolist() == [0, 0]
    assert np.allclose(gradients["Z"], [[0, 0], [0.6, 0.8]])


@BOTH
def test_a_branch_that_is_not_taken(builder):
    loss = sg.sum(sg.where(z > 0, z * sg.log(z), 0)) + sg.sum(sg.where(y > 0, 1, sg.sqrt(z)))
    f = compile_derivation(builder(loss))
    value, gradients = f(y=np.array([1.0, 1.0, 1.0]), z=np.array([0.0, -1.0, 1.0]))
    assert value == 3
    assert gradients["z"].tolist() == [0, 0, 1]


@BOTH
def test_kinks(builder):
    loss = sg.sum(sg.relu(z)) + sg.sum(abs(z)) + sg.sum(sg.maximum(z, 0))
    _, gradients = compile_derivation(builder(loss))(z=np.zeros(3))
    assert gradients["z"].tolist() == [0, 0, 0]


def test_the_determinant_does_not_overflow():
    m = sg.parameter("M", n, n)
    f = compile_derivation(swept(sg.log(sg.det(m))))
    value, gradients = f(M=1e9 * np.eye(60))
    assert np.isclose(value, 60 * np.log(1e9))
    assert np.allclose(gradients["M"], 1e-9 * np.eye(60))


def test_an_underflowing_probability_is_not_divided_by():
    """0·log 0 in the value, y/p·p in the gradient."""
    f = compile_derivation(swept(-sg.sum(Y * sg.log(sg.softmax(Z)))))
    value, gradients = f(Y=np.array([[1.0, 0.0]]), Z=np.array([[0.0, -1e4]]))
    assert value == 0
    assert gradients["Z"].tolist() == [[0, 0]]


@BOTH
def test_a_minus_sign_before_a_condition(builder):
    # NumPy negates no truth values.
    f = compile_derivation(builder(sg.sum(sg.where(y > 0, y / z, 0))))
    value, gradients = f(y=np.array([1.0, -1.0, 3.0]), z=np.array([2.0, 0.0, 1.0]))
    assert value == 3.5
    assert gradients["z"].tolist() == [-0.25, 0, -3]


@pytest.mark.parametrize("shape", [(6, 4, 2), (9, 70, 3)])
def test_a_matrix_symmetric_by_how_it_is_made_is_factored_once(shape):
    """Factor analysis, Σ = WWᵀ + diag(eˢ): ∂L/∂Σ = (nΣ⁻¹ - Σ⁻¹XᵀXΣ⁻¹)/2."""
    n, d, k = sg.dims("n d k")
    X, W, s = sg.data("X", n, d), sg.parameter("W", d, k), sg.parameter("s", d)
    S = W @ W.T + sg.diag(sg.exp(s))
    f = compile_derivation(derived(sg.sum(X * (X @ sg.inv(S))) / 2 + n * sg.logdet(S) / 2))
    body = f.source[f.source.index("def value_and_gradients") :]
    assert body.count("inverse_and_logdet(") == 1
    assert not any(name in body for name in ("linalg", " logdet("))
    random = np.random.default_rng(4)
    x, w, t = random.normal(size=shape[:2]), random.normal(size=shape[1:]), random.normal(size=shape[1])
    value, gradients = f(X=x, W=w, s=t)
    sigma = w @ w.T + np.diag(np.exp(t))
    inverse = np.linalg.inv(sigma)
    by_sigma = (shape[0] * inverse - inverse @ x.T @ x @ inverse) / 2
    assert np.isclose(value, np.vdot(x, x @ inverse) / 2 + shape[0] * np.linalg.slogdet(sigma)[1] / 2, rtol=1e-12)
    np.testing.assert_allclose(gradients["W"], 2 * by_sigma @ w, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gradients["s"], np.diagonal(by_sigma) * np.exp(t), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("is_turned", [False, True])
def test_systems_are_solved_by_an_inverse_that_is_needed_besides(is_turned):
    """L = tr(A⁻¹) + vᵀA⁻¹u, or with A⁻ᵀ there: ∂L/∂A = -A⁻ᵀA⁻ᵀ - A⁻ᵀ v uᵀ A⁻ᵀ."""
    n = sg.dims("n")
    A, u, v = sg.parameter("A", n, n), sg.data("u", n), sg.data("v", n)
    solution = sg.solve(A.T, u) if is_turned else sg.solve(A, u)
    f = compile_derivation(derived(sg.sum(sg.inv(A) * sg.eye(n)) + sg.sum(sg.inv(A) ** 2) + v @ solution))
    body = f.source[f.source.index("def value_and_gradients") :]
    assert body.count("np.linalg.inv(") == 1
    assert "solve" not in body
    random = np.random.default_rng(5)
    a, b, c = random.normal(size=(5, 5)) + 4 * np.eye(5), random.normal(size=5), random.normal(size=5)
    inverse = np.linalg.inv(a)
    left, right = (b, c) if is_turned else (c, b)
    value, gradients = f(A=a, u=b, v=c)
    assert np.isclose(value, np.trace(inverse) + (inverse**2).sum() + left @ inverse @ right, rtol=1e-12)
    by_inverse = np.eye(5) + 2 * inverse + np.outer(left, right)
    np.testing.assert_allclose(gradients["A"], -inverse.T @ by_inverse @ inverse.T, rtol=1e-10, atol=1e-12)
