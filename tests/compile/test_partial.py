"""Sums over some of the examples, and all parameters as one vector."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

import symgrad as sg
from symgrad.errors import InputError, ShapeError

n, d, k, h = sg.dims("n d k h")
X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
z = X @ w + b
r = z - y
x = X * w
centred = x - sg.mean(x, axis=0)
mu, S = sg.parameter("mu", d), sg.parameter("S", d, d)
R = X - mu
SEPARABLE = {
    "a mean": sg.mean(r**2),
    "a sum": sg.sum(sg.log(1 + sg.exp(z))),
    "a mean with a penalty": sg.mean(sg.huber(r, 1)) + w @ w / 2,
    "a sum with a penalty": sg.sum(r**2) + sg.sum(w**2),
    "as many determinants as examples": sg.sum(R * (R @ sg.inv(S))) / 2 + n * sg.logdet(S) / 2,
}
NOT_SEPARABLE = {
    "the mean stands inside": sg.sum((centred / sg.sqrt(sg.mean(centred**2, axis=0) + 1)) ** 3),
    "a root of the sum": sg.sqrt(sg.sum(r**2)),
    "a product of sums": sg.sum(r**2) * sg.sum(z),
    "softmax over the examples": sg.sum(sg.softmax(z) * y),
    "the largest": sg.max(r),
    "running sums": sg.sum(sg.cumsum(z) * y),
    "neighbours": sg.sum((z[1:] - z[:-1]) ** 2),
    "pairs": sg.sum(sg.exp(X @ X.T) * sg.outer(z, z)),
    "parameters of examples": sg.sum((sg.parameter("p", n) - y) ** 2),
    "no examples": sg.sum(w**2),
}


def numbers(size, seed=0):
    random = np.random.default_rng(seed)
    return {"X": random.normal(size=(size, 3)), "y": random.normal(size=size)}


POINT = {"w": np.array([0.3, -0.2, 0.5]), "b": np.array(0.1), "mu": np.full(3, 0.2), "S": np.eye(3) + 0.1}


@pytest.mark.parametrize("name", list(SEPARABLE))
def test_the_parts_make_the_whole(name):
    f = sg.Problem(SEPARABLE[name]).compile(prove=False)
    assert f.separable_axis == "n"
    f = pickle.loads(pickle.dumps(f))
    own = {a.name for a in f.arguments}
    data = {key: a for key, a in numbers(11).items() if key in own}
    at = {key: a for key, a in POINT.items() if key in own}
    parts = [f.partial(**{key: a[i:j] for key, a in data.items()}, **at) for i, j in ((0, 2), (2, 3), (3, 11))]
    loss, gradients, count = parts[0] + parts[1] + parts[2]
    assert count == 11
    value, expected = f(**data, **at)
    whole, found = f.whole(parts[0] + parts[1] + parts[2], **data, **at)
    assert np.isclose(whole, value, rtol=1e-12)
    assert all(np.allclose(found[key], g, rtol=1e-11, atol=1e-12) for key, g in expected.items())
    all_at_once = f.partial(**data, **at)
    assert np.isclose(all_at_once.loss, loss, rtol=1e-12)
    assert all(np.allclose(all_at_once.gradients[key], g, atol=1e-11) for key, g in gradients.items())


@pytest.mark.parametrize("name", list(NOT_SEPARABLE))
def test_what_is_no_sum_over_examples(name):
    problem = sg.Problem(NOT_SEPARABLE[name])
    assert problem.separable_axis is None
    with pytest.raises(InputError, match="no sum over examples"):
        problem.compile(prove=False).partial()


def net():
    H = sg.tanh(X @ sg.parameter("A", d, h))
    return sg.Problem(sg.mean((H @ sg.parameter("u", h) + b - y) ** 2)).compile(prove=False)


def test_one_vector_of_all_parameters():
    f = net()
    g = f.flat(**numbers(20), h=4)
    assert g.shapes == {"A": (3, 4), "u": (4,), "b": ()}
    theta = np.random.default_rng(1).normal(size=g.size)
    parts = g.split(theta)
    assert all(np.shares_memory(part, theta) for part in parts.values())
    value, gradient = g(theta)
    expected = f(**numbers(20), **parts)
    assert np.isclose(value, expected[0])
    assert np.allclose(gradient, g.join(expected[1]))
    assert check_grad(lambda p: g(p)[0], lambda p: g(p)[1], theta) < 1e-5
    assert np.array_equal(g.join(parts), theta)
    with pytest.raises(ShapeError, match=r"theta has shape \(3,\); it needs \(17,\)"):
        g(np.zeros(3))
    with pytest.raises(InputError, match="the size h is in the shape of no data; pass h=…"):
        f.flat(**numbers(20))


def test_it_drives_scipy():
    data = numbers(50)
    g = sg.Problem(sg.sum(r**2)).compile(prove=False).flat(**data)
    found = minimize(g, np.zeros(g.size), jac=True, method="BFGS").x
    columns = np.column_stack([data["X"], np.ones(50)])
    assert np.allclose(found, np.linalg.lstsq(columns, data["y"], rcond=None)[0], atol=1e-5)


def test_second_derivatives_compiled_the_same_way():
    problem = sg.Problem(sg.mean(sg.log(1 + sg.exp(X @ w)) - y * (X @ w)))
    data, at, v = numbers(30), POINT["w"], np.array([1.0, 2.0, -1.0])
    matrix = problem.hessian("w").compile()(X=data["X"], w=at)
    bound = problem.hvp("w").compile().bind(**data)
    p = 1 / (1 + np.exp(-data["X"] @ at))
    assert np.allclose(matrix, (data["X"].T * (p * (1 - p))) @ data["X"] / 30, rtol=1e-13)
    assert np.allclose(bound(w=at, v=v)[1]["w"], matrix @ v, rtol=1e-12)
    assert bound.axis == "n"
