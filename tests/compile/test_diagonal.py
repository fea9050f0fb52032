"""A multiple of the identity is added on the diagonal alone: what is written over, what is not, in which type."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg

n, d, k = sg.dims("n d k")
A, B, p = sg.data("A", n, d), sg.parameter("B", d, n), sg.parameter("p")
S, P = sg.data("S", n, n), sg.parameter("P", n, n)
lam = sg.hyperparameter("lam", 0.3)
# Losses, the same by NumPy, and whether a new matrix is there whose diagonal can be shifted.
LOSSES = {
    "of a product": (sg.sum((A @ B + lam * sg.eye(n)) ** 4), lambda v: ((v["A"] @ v["B"] + 0.3 * v["I"]) ** 4).sum(), True),
    "taken away": (
        sg.sum((A @ B - sg.exp(p) * sg.eye(n)) ** 4),
        lambda v: ((v["A"] @ v["B"] - np.exp(v["p"]) * v["I"]) ** 4).sum(),
        True,
    ),
    "one, before it": (sg.sum((sg.eye(n) + A @ B) ** 4) * p, lambda v: ((v["A"] @ v["B"] + v["I"]) ** 4).sum() * v["p"], True),
    "less than it": (sg.sum((p * sg.eye(n) - A @ B) ** 4), lambda v: ((v["p"] * v["I"] - v["A"] @ v["B"]) ** 4).sum(), False),
    "to an argument": (sg.sum((S + p * sg.eye(n)) ** 4), lambda v: ((v["S"] + v["p"] * v["I"]) ** 4).sum(), False),
    "to a parameter, twice": (
        sg.sum((P + lam * sg.eye(n)) ** 4) + sg.sum((sg.tanh(P) + lam * sg.eye(n)) ** 4),
        lambda v: ((v["P"] + 0.3 * v["I"]) ** 4).sum() + ((np.tanh(v["P"]) + 0.3 * v["I"]) ** 4).sum(),
        True,
    ),
    "a quotient": (
        sg.logdet(sg.exp(S) @ sg.exp(S).T * p + sg.eye(n) / lam**2),
        lambda v: np.linalg.slogdet(np.exp(v["S"]) @ np.exp(v["S"]).T * v["p"] + v["I"] / 0.09)[1],
        True,
    ),
}  # fmt: skip


def arrays_of(problem, seed=0):
    random = np.random.default_rng(seed)
    shapes = {"A": (5, 3), "B": (3, 5), "S": (5, 5), "P": (5, 5), "p": ()}
    return {e.name: np.asarray(random.uniform(0.5, 1.5, shapes[e.name])) for e in problem.leaves if e.name in shapes}


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_diagonal_is_shifted(name):
    loss, by_numpy, is_shifted = LOSSES[name]
    problem = sg.Problem(loss)
    f = problem.compile(prove=False)
    arrays = arrays_of(problem)
    before = {key: a.copy() for key, a in arrays.items()}
    data = {key: arrays[key] for key in arrays if key in "AS"}
    parameters = {key: arrays[key] for key in arrays if key not in "AS"}
    functions = [lambda **given: f(**data, **given), f.bind(**data) if data else f]
    assert (".flat[:: n + 1]" in f.source) is is_shifted
    for function in functions:
        value, gradients = function(**parameters)
        np.testing.assert_allclose(value, by_numpy({**arrays, "I": np.eye(5)}), rtol=1e-12)
        for key, a in parameters.items():
            step = 1e-5 * np.random.default_rng(1).normal(size=a.shape)
            ahead, behind = (by_numpy({**arrays, key: a + s * step, "I": np.eye(5)}) for s in (1, -1))
            np.testing.assert_allclose(np.vdot(gradients[key], step), (ahead - behind) / 2, rtol=1e-6)
    # Nothing that was passed has been written to.
    assert all(np.array_equal(arrays[key], before[key]) for key in arrays)
    narrow = {key: a.astype(np.float32) for key, a in arrays.items()}
    value, gradients = f(**narrow)
    assert {np.asarray(x).dtype for x in (value, *gradients.values())} == {np.dtype(np.float32)}


def test_no_identity_is_written_that_is_only_added():
    """One multiple for two matrices that are written over."""
    M, U, V = sg.data("M", n, d), sg.parameter("U", n, k), sg.parameter("V", d, k)
    problem = sg.Problem(sg.sum((M - U @ V.T) ** 2) + lam * (sg.sum(U**2) + sg.sum(V**2)))
    random = np.random.default_rng(3)
    m, u, v = random.normal(size=(250, 160)), random.normal(size=(250, 3)), random.normal(size=(160, 3))
    g = problem.compile(prove=False).bind(M=m)
    assert "np.eye" not in g.source
    assert g.source.count(".flat[:: k + 1] += lam") == 2
    residual = u @ v.T - m
    for by_default, weight in ((True, 0.3), (False, 2.5)):
        gradients = g(U=u, V=v)[1] if by_default else g(U=u, V=v, lam=weight)[1]
        np.testing.assert_allclose(gradients["U"], 2 * residual @ v + 2 * weight * u, rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(gradients["V"], 2 * residual.T @ u + 2 * weight * v, rtol=1e-10, atol=1e-9)
