"""Compiled loops: the same sums as NumPy's, to the last digits, and functions of a number that hold theirs."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.compile import function, loops, tiles
from symgrad.compile.tiles import sharing
from symgrad.errors import InputError, NotFiniteWarning

from compile.test_bound import BY_EXAMPLE, ROTATED, SIZES, arrays_of  # isort: skip

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from workloads import WORKLOADS

n, d, k = sg.dims("n d k")
X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
# Not computed by loops: fewer rows for all examples are faster.
BY_NUMPY = {"a Gaussian"}
GRID = np.concatenate([np.linspace(-750, 750, 3001), np.linspace(-3, 3, 3001), 10.0 ** np.linspace(-18, 2, 401)])


@tiles.loop
def _mapped(function, x):
    y = np.empty_like(x)
    for i in range(x.size):
        y[i] = function(x[i])
    return y


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (tiles.exp, np.exp),
        (tiles.tanh, np.tanh),
        (tiles.sigmoid, lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)), 1) / (1 + np.exp(-np.abs(x)))),
        (tiles.softplus, lambda x: np.logaddexp(0, x)),
    ],
    ids=["exp", "tanh", "sigmoid", "softplus"],
)
def test_functions_of_a_number_hold_their_digits(ours, theirs):
    found = _mapped(ours, GRID)
    with np.errstate(over="ignore", under="ignore"):
        expected = theirs(GRID)
    # Below the smallest normal number exp gives 0.
    normal = np.isfinite(expected) & (np.abs(expected) > 1e-307)
    np.testing.assert_allclose(found[normal], expected[normal], rtol=7e-16)
    np.testing.assert_allclose(found[~normal], expected[~normal], atol=1e-307)
    ends = np.array([np.nan, np.inf, -np.inf])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(_mapped(ours, ends), [np.nan, theirs(np.inf), theirs(-np.inf)])


def test_log_cosh_holds_its_digits_near_0():
    x = 10.0 ** np.linspace(-8, -1, 71)
    exact = x**2 / 2 - x**4 / 12 + x**6 / 45 - 17 * x**8 / 2520 + 31 * x**10 / 14175 - 691 * x**12 / 935550
    np.testing.assert_allclose(_mapped(tiles.logcosh, x), exact, rtol=1e-11)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 13), (2, 7), (3, 18), (4, 2), (5, 33), (6, 12), (7, 24), (10, 64), (40, 45)]
)
@pytest.mark.parametrize(("rows", "size"), [(1, 1), (3, 8), (64, 64), (61, 64)])
@pytest.mark.parametrize("fetches", [False, True])
def test_products_over_a_tile(shape, rows, size, fetches):
    random = np.random.default_rng(0)
    A, lanes, G = random.normal(size=shape), random.normal(size=(shape[1], size)), random.normal(size=(shape[0], size))
    Z, S = np.full((shape[0], size), np.nan), random.normal(size=shape)
    # What stands behind the examples of a last tile is not read.
    lanes[:, rows:] = G[:, rows:] = np.nan
    in_rows = np.ascontiguousarray(lanes.T)
    expected = A @ lanes[:, :rows], S + G[:, :rows] @ lanes[:, :rows].T
    for product, sum_, data in (
        (tiles.products, tiles.add_products, lanes),
        (tiles.products_of_rows, tiles.add_products_of_rows, in_rows),
    ):
        total = S.copy()
        product(A, data, Z, rows, fetches)
        sum_(G, data, total, rows, *([fetches] if data is in_rows else []))
        np.testing.assert_allclose(Z[:, :rows], expected[0], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(total, expected[1], rtol=1e-12, atol=1e-13)


def test_tiles_hold_every_example_once():
    a, c = np.arange(6.0 * 700).reshape(6, 700), np.arange(700.0)
    assert tiles.cut([a, c], [True, False], 4)[0] == 700
    size, by_rows, (cut, vector) = tiles.cut([a, c], [True, False], 2**12)
    assert (by_rows, cut.shape, vector.shape) == (0, (6, 6, 128), (6, 128))
    np.testing.assert_array_equal(np.concatenate(list(cut), axis=1)[:, :700], a)
    np.testing.assert_array_equal(vector.ravel()[:700], c)
    size, by_rows, (cut, _) = tiles.cut([np.tile(a, (9, 1)), c], [True, False], 4)
    assert (by_rows, cut.shape[1:]) == (1, (size, 54))
    np.testing.assert_array_equal(cut.reshape(-1, 54)[:700], np.tile(a, (9, 1)).T)
    size, by_rows, (cut, _) = tiles.cut([np.tile(a, (50, 1)), c], [True, False], 4)
    assert (by_rows, cut.shape) == (1, (44, 16, 300))
    np.testing.assert_array_equal(cut.reshape(-1, 300)[:700], np.tile(a, (50, 1)).T)


def _bound(problem, arrays, parameters, **options):
    f = problem.compile(prove=False)
    data = {name: a for name, a in arrays.items() if name not in parameters}
    return f.bind(backend="numba", **data, **options), f.bind(**data, **options)


def _assert_same(ours, theirs, arguments, scale=1e-12):
    (value, gradients), (expected, others) = ours(**arguments), theirs(**arguments)
    assert type(value) is np.float64
    assert abs(value - expected) <= scale * abs(expected)
    for name, g in gradients.items():
        assert g.shape == np.shape(others[name])
        assert g.dtype == float
        np.testing.assert_allclose(g, others[name], rtol=scale, atol=scale * np.abs(others[name]).max(initial=1))


# The others are of the same kind as these, or among the workloads below: each takes seconds to compile.
@pytest.mark.parametrize(
    "name", [*sorted({*BY_NUMPY, *ROTATED}), "norms of rows", "standardised", "a net", "labels", "embeddings"]
)
def test_loops_give_the_sums_of_numpy(name, monkeypatch):
    problem = sg.Problem(BY_EXAMPLE[name])
    monkeypatch.setitem(SIZES, "n", 300)
    arrays = arrays_of(problem.leaves)
    parameters = [e.name for e in problem.leaves if e.role.value == "parameter"]
    ours, theirs = _bound(problem, arrays, parameters)
    assert ours.backend == ("numpy" if name in BY_NUMPY else "numba")
    assert theirs.backend == "numpy"
    if name not in BY_NUMPY:
        _assert_same(ours, theirs, {name: arrays[name] for name in parameters})


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if w.name.split()[0] in ("logistic", "softmax")])
def test_loops_over_many_tiles(workload):
    arrays = workload.draw(np.random.default_rng(1), 1000, 37)
    ours, theirs = _bound(workload.problem(), arrays, workload.parameters)
    assert ours.backend == "numba"
    parameters = {name: arrays[name] for name in workload.parameters}
    _assert_same(ours, theirs, parameters, 1e-11)
    _assert_same(ours, lambda **p: workload.hand(**arrays), parameters, 1e-11)


def _random_loss(seed):
    """A sum over examples of what is made of one or two layers by random functions of every kind that loops have."""
    random = np.random.default_rng(seed)
    W, V = sg.parameter("W", d, k), sg.parameter("V", k, k)
    v, u, delta = sg.parameter("v", k), sg.data("u", n), sg.hyperparameter("delta", 0.7)
    maps = [
        sg.tanh, sg.sigmoid, sg.softplus, sg.relu, sg.sin, sg.cos, abs, sg.logcosh, sg.leaky_relu, sg.elu,
        lambda z: sg.exp(sg.tanh(z)), lambda z: sg.log(1 + z**2), lambda z: sg.sqrt(1 + z**2), lambda z: 1 / (2 + z**2),
        lambda z: sg.huber(z, delta), lambda z: sg.clip(z, -1, 1), lambda z: sg.maximum(z, z**2), lambda z: sg.minimum(z, 1),
        lambda z: sg.where(z > 0.3, z**3, sg.sin(z)), lambda z: sg.softmax(z) * z, lambda z: sg.log_softmax(z),
    ]  # fmt: skip

    def mapped(z, least):
        for _ in range(random.integers(least, 3)):
            z = maps[random.integers(len(maps))](z)
        return z

    Z = mapped(X @ W + v, 1)
    if random.random() < 0.5:
        Z = mapped(Z @ V + (X @ W if random.random() < 0.3 else 0), 1)
    ends = [
        lambda: sg.mean(mapped(Z @ v - y, 0) ** 2),
        lambda: sg.sum(u[:, None] * Z**2) / n,
        lambda: sg.mean(sg.logsumexp(Z, axis=1) - y * sg.sum(Z, axis=1)),
        lambda: sg.sum(mapped(Z, 0)) + delta * sg.sum(W**2),
        lambda: sg.mean(u * sg.exp(-sg.sum(Z**2, axis=1)) + y * (Z @ v)),
    ]
    return ends[random.integers(len(ends))]()


# More of them: SYMGRAD_SEEDS=100 pytest tests/compile/test_loops.py
@pytest.mark.parametrize("seed", range(int(os.environ.get("SYMGRAD_SEEDS", "2"))))
def test_loops_of_random_losses(seed, monkeypatch):
    problem = sg.Problem(_random_loss(seed))
    for name, size in {"n": 300, "k": 1 + seed % 7}.items():
        monkeypatch.setitem(SIZES, name, size)
    arrays = arrays_of(problem.leaves, seed)
    # Hyperparameters are bound with the data, or passed with the parameters.
    free = ("parameter", "hyperparameter") if seed % 2 else ("parameter",)
    parameters = [e.name for e in problem.leaves if e.role.value in free]
    ours, theirs = _bound(problem, arrays, parameters)
    assert ("tiles.cut(" in ours.source) == bool(theirs.axis)
    _assert_same(ours, theirs, {name: arrays[name] for name in parameters}, 1e-11)


def test_threads_share_the_tiles(monkeypatch):
    monkeypatch.setattr(sharing, "WORTH", 0)
    workload = next(w for w in WORKLOADS if w.name.startswith("softmax"))
    arrays = workload.draw(np.random.default_rng(1), 1000, 37)
    _, theirs = _bound(workload.problem(), arrays, workload.parameters)
    f = workload.problem().compile(prove=False)
    shared = f.bind(backend="numba", threads=3, **{k: a for k, a in arrays.items() if k in "XY"})
    parameters = {name: arrays[name] for name in workload.parameters}
    _assert_same(shared, theirs, parameters, 1e-11)
    assert shared(**parameters)[0] == shared(**parameters)[0]


def test_a_number_that_is_bound_reaches_the_loops():
    delta = sg.hyperparameter("delta", 1.0)
    problem = sg.Problem(sg.mean(sg.huber(X @ w + b - y, delta)))
    arrays = {**arrays_of(problem.leaves), "delta": 0.3}
    ours, theirs = _bound(problem, arrays, {"w", "b"})
    assert ours.backend == "numba"
    _assert_same(ours, theirs, {name: arrays[name] for name in "wb"})


@pytest.mark.parametrize("of", [lambda z, a: sg.clip(z, -a, a), lambda z, a: z ** (2 + a), lambda z, a: sg.huber(z, a)])
def test_a_number_of_the_call_that_is_made_of_others_reaches_the_loops(of):
    """exp(sin δ) is computed before the loop, whatever reads it there."""
    delta = sg.hyperparameter("delta", 1.0)
    problem = sg.Problem(sg.mean(of(sg.exp(X @ w), sg.exp(sg.sin(delta))) * y))
    arrays = arrays_of(problem.leaves)
    ours, theirs = _bound(problem, arrays, {"w", "delta"})
    assert ours.backend == "numba"
    _assert_same(ours, theirs, {"w": arrays["w"], "delta": 0.3})


def test_the_loss_alone_is_the_same():
    problem = sg.Problem(BY_EXAMPLE["signs"])
    arrays = arrays_of(problem.leaves)
    ours, theirs = _bound(problem, arrays, {"w"})
    np.testing.assert_allclose(ours.value(w=arrays["w"]), theirs.value(w=arrays["w"]), rtol=1e-13)


def test_a_gradient_that_is_not_finite_is_told():
    problem = sg.Problem(sg.sum(sg.exp(X @ w) * y))
    ours, _ = _bound(problem, {"X": np.array([[1e200], [1.0]]), "y": np.array([1.0, 1.0]), "w": 0}, {"w"})
    assert ours.backend == "numba"
    with pytest.warns(NotFiniteWarning):
        ours(w=np.array([3.5e-198]))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        ours(w=np.array([np.nan]))


def test_what_is_not_of_type_float64_is_computed_by_numpy():
    f = sg.Problem(sg.mean(sg.huber(X @ w - y, 1))).compile(prove=False)
    data = {"X": np.ones((3, 2), np.float32), "y": np.ones(3, np.float32)}
    g = f.bind(backend="numba", **data)
    assert g.backend == "numpy"
    assert g(w=np.zeros(2, np.float32))[1]["w"].dtype == np.float32


def test_a_bound_function_with_loops_pickles_and_is_flat():
    problem = sg.Problem(sg.mean(sg.huber(X @ w + b - y, 1)))
    arrays = {"X": np.arange(12.0).reshape(6, 2), "y": np.ones(6)}
    f = problem.compile(prove=False)
    g = f.bind(backend="numba", **arrays)
    again = pickle.loads(pickle.dumps(g))
    assert again(w=[0.1, 0.2], b=0.3)[0] == g(w=[0.1, 0.2], b=0.3)[0]
    value, gradient = f.flat(backend="numba", **arrays)(np.array([0.1, 0.2, 0.3]))
    assert value == g(w=[0.1, 0.2], b=0.3)[0]
    np.testing.assert_array_equal(gradient[:2], g(w=[0.1, 0.2], b=0.3)[1]["w"])


def test_a_backend_that_is_not_there_is_named(monkeypatch):
    f = sg.Problem(sg.mean((X @ w - y) ** 2)).compile(prove=False)
    with pytest.raises(InputError, match="there is no backend 'cuda'; take numpy or numba"):
        f.bind(backend="cuda", X=[[1.0]], y=[1.0])
    for threads, backend in ((0, "numba"), (2, "numpy"), ("2", "numba")):
        with pytest.raises(InputError, match="a whole number from 1 on"):
            f.bind(backend=backend, threads=threads, X=[[1.0]], y=[1.0])
    monkeypatch.setattr(function, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'symgrad\[numba\]'"):
        f.bind(backend="numba", X=[[1.0]], y=[1.0])


def test_every_function_that_a_loop_writes_is_there():
    assert all(hasattr(tiles, name) for name in (*loops.OWN, *loops.NORMALISERS, "softmax_and_log"))
