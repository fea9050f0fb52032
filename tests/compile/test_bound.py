"""Bound functions: the same loss and gradients, what depends on data alone once, examples in blocks, few rows for many."""

from __future__ import annotations

import pickle
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.compile import bound_source, laws, lowrank, rotate, spectrum, tailor
from symgrad.compile.columns import side_by_side
from symgrad.compile.dissolve import dissolve
from symgrad.compile.function import compile_derivation
from symgrad.compile.kernels import BLOCKS
from symgrad.compile.loading import loaded
from symgrad.errors import CheckFailed, InputError, NotFiniteWarning, ShapeError
from symgrad.graph.expression import scale

from compile.models import MODELS, arrays_for, derived  # isort: skip

n, d, k, h = sg.dims("n d k h")
X, y, w, b = sg.data("X", n, d), sg.data("y", n), sg.parameter("w", d), sg.parameter("b")
t, W, v = sg.data("t", n, binary=True), sg.parameter("W", d, k), sg.parameter("v", k)
Y, c = sg.data("Y", n, k, one_hot=True), sg.labels("c", n, k)
mu, S = sg.parameter("mu", d), sg.parameter("S", d, d)
lam = sg.hyperparameter("lam", 0.3)
R = X - mu
BY_EXAMPLE = {
    "least squares": sg.mean((X @ w + b - y) ** 2) + lam * w @ w,
    "a penalty with a kink": sg.mean((X @ w + b - y) ** 2) + sg.norm(w),
    "several outputs": sg.sum((X @ W + v - sg.data("T", n, k)) ** 2) / n,
    "a Gaussian": sg.sum(R * (R @ sg.inv(S))) / 2 + n * sg.logdet(S) / 2,
    "logistic": -sg.mean(t * sg.log(sg.sigmoid(X @ w + b)) + (1 - t) * sg.log(1 - sg.sigmoid(X @ w + b))),
    "signs": sg.sum(sg.log(1 + sg.exp(-sg.data("s", n, sign=True) * (X @ w)))) + lam * w @ w,
    "standardised": sg.sum(sg.tanh(((X - sg.mean(X, axis=0)) / sg.std(X, axis=0)) @ w + b) * y),
    "softmax": -sg.mean(sg.sum(Y * sg.log(sg.softmax(X @ W + v)), axis=1)),
    "labels": -sg.mean(sg.log_softmax(X @ W + v)[sg.arange(n), c]),
    "embeddings": sg.sum((sg.parameter("E", k, d)[c] - X) ** 2),
    "huber": sg.mean(sg.huber(X @ w + b - y, 1)),
    "poisson": sg.mean(sg.exp(X @ w) - y * (X @ w)),
    "weights": sg.sum(sg.data("a", n) * (X @ w - y) ** 2) + sg.sum(w**2),
    "a net": sg.mean((sg.tanh(X @ sg.parameter("A", d, h) + sg.parameter("q", h)) @ sg.parameter("u", h) - y) ** 2),
    "norms of rows": sg.sum(sg.norm(X * w, axis=1)) + sg.sum(sg.logsumexp(X @ W, axis=1)),
}
SIZES = {"n": 23, "d": 4, "k": 3, "h": 5}
ROTATED = ("least squares", "a penalty with a kink", "several outputs", "a Gaussian")


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few examples, as if there were many."""
    policy = "rows = min(max(2**19 // width, 2048), 8192)"
    assert policy in BLOCKS
    monkeypatch.setattr(bound_source, "BLOCKS", BLOCKS.replace(policy, "rows = 5"))


def arrays_of(leaves, seed=0):
    random = np.random.default_rng(seed)
    arrays = {}
    for e in leaves:
        shape = tuple(s.at(SIZES) for s in e.shape)
        a = random.normal(size=shape)
        if "one_hot" in e.facts:
            a = np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
        if "binary" in e.facts:
            a = (a > 0).astype(float)
        if "sign" in e.facts:
            a = np.sign(a)
        if e.role.value == "labels":
            a = random.integers(SIZES["k"], size=shape)
        arrays[e.name] = a @ a.T + np.eye(len(a)) if e.name == "S" else a
    arrays.pop("lam", None)
    return arrays


def split(f, arrays):
    data = {a.name for a in f.arguments if a.role in ("data", "labels")}
    return {n: a for n, a in arrays.items() if n in data}, {n: a for n, a in arrays.items() if n not in data}


def assert_same(found, expected, rtol=1e-10):
    assert np.isclose(found[0], expected[0], rtol=rtol)
    assert list(found[1]) == list(expected[1])
    for name, g in expected[1].items():
        assert found[1][name].shape == g.shape
        assert found[1][name].dtype == g.dtype
        assert np.allclose(found[1][name], g, rtol=rtol, atol=rtol * np.abs(g).max(initial=1e-300)), name


@pytest.mark.parametrize("name", list(BY_EXAMPLE))
def test_in_blocks_or_by_few_rows(name, small_blocks):
    problem = sg.Problem(BY_EXAMPLE[name])
    f = problem.compile(prove=False)
    data, rest = split(f, arrays_of(problem.leaves))
    kept = {key: a.copy() for key, a in data.items()}
    g = f.bind(**data)
    assert ("_rotated(" in g.source) == (name in ROTATED)
    assert g.axis == ("" if name in ROTATED else "n")
    for seed in range(2):
        rest = split(f, arrays_of(problem.leaves, seed))[1]
        assert_same(g(**rest), f(**data, **rest))
        assert np.isclose(g.value(**rest), f.value(**data, **rest))
    assert all(np.array_equal(a, kept[key]) for key, a in data.items())
    assert max(map(len, g.source.splitlines())) <= 110
    # The data were copied: what happens to them afterwards changes nothing.
    expected = g(**rest)
    for a in data.values():
        a[...] = 0
    assert_same(g(**rest), expected, 0)
    again = pickle.loads(pickle.dumps(g))
    assert again.source == g.source
    assert_same(again(**rest), expected, 0)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_bound_in_part(name):
    built = derived(MODELS[name][0]())
    arrays = arrays_for(built.leaves)
    f = compile_derivation(built, prove=False)
    data, _ = split(f, arrays)
    expected = f(**arrays)
    for bound in (data, dict(list(data.items())[:1])):
        rest = {key: a for key, a in arrays.items() if key not in bound}
        g = f.bind(**bound)
        found = g(**rest)
        assert_same(found, expected, 1e-8)
        for gradient in found[1].values():
            assert not any(np.shares_memory(gradient, a) for a in [*arrays.values(), *g(**rest)[1].values()])


def test_each_fact_is_checked_when_it_is_bound():
    f = sg.Problem(BY_EXAMPLE["logistic"]).compile(prove=False)
    soft = {"X": np.ones((3, 2)), "t": [0.0, 0.5, 1.0]}
    with pytest.raises(InputError, match=r"^t is declared binary but is not"):
        f.bind(**soft)
    f.bind(**soft, check=False)
    g = sg.Problem(BY_EXAMPLE["softmax"]).compile(prove=False)
    with pytest.raises(InputError, match=r"^Y is declared one_hot"):
        g.bind(X=np.ones((2, 2)), Y=np.full((2, 3), 1 / 3))
    # Not bound, it is checked in each call.
    with pytest.raises(InputError, match=r"^Y is declared one_hot"):
        g.bind(X=np.ones((2, 2)))(Y=np.full((2, 3), 1 / 3), W=np.ones((2, 3)), v=np.ones(3))


def test_labels_whose_classes_the_parameters_tell():
    g = sg.Problem(BY_EXAMPLE["embeddings"]).compile(prove=False).bind(c=[0, 2], X=np.zeros((2, 2)))
    assert g(E=np.ones((3, 2)))[0] == 4
    with pytest.raises(InputError, match=r"^c holds a value that is no label; a label is one of 0 ... 1"):
        g(E=np.ones((2, 2)))


def test_what_does_not_fit_is_told():
    f = sg.Problem(BY_EXAMPLE["least squares"]).compile(prove=False)
    with pytest.raises(InputError, match="there is no argument 'Z'"):
        f.bind(Z=1)
    with pytest.raises(ShapeError, match=r"y has shape \(3,\), declared \(n,\) with n = 2 \(from X\)"):
        f.bind(X=np.ones((2, 2)), y=np.ones(3))
    g = f.bind(X=np.ones((3, 2)), y=np.ones(3))
    with pytest.raises(InputError, match="X is bound; the arguments are w, b, lam"):
        g(X=np.ones((3, 2)), w=np.ones(2), b=0.0)
    with pytest.raises(InputError, match="w is missing"):
        g(b=0.0)
    with pytest.raises(ShapeError, match=r"w has shape \(3,\), declared \(d,\) with d = 2"):
        g(w=np.ones(3), b=0.0)
    assert g(w=np.ones(2), b=0.0, lam=1.0)[0] > g(w=np.ones(2), b=0.0)[0]
    with pytest.warns(NotFiniteWarning, match="w"):
        g(w=[np.nan, 1.0], b=0.0)


def test_a_singular_matrix_is_told():
    g = sg.Problem(BY_EXAMPLE["a Gaussian"]).compile(prove=False).bind(X=np.eye(3)[:, :2])
    with pytest.raises(InputError, match=r"does not exist \(singular matrix\): S"):
        g(S=np.zeros((2, 2)), mu=np.zeros(2))


def test_many_examples_with_columns_of_one_direction():
    """Columns that differ in the eighth digit, residuals of 1e-9: the Gram matrix has lost both."""
    random = np.random.default_rng(0)
    x = random.normal(size=200)
    columns = np.column_stack([x, x + 1e-8 * random.normal(size=200)])
    noise = 1e-9 * random.normal(size=200)
    truth = np.array([1.0, 2.0])
    target = columns @ truth + noise
    rows = [[Fraction(e) for e in row] for row in columns.tolist()]
    exact = [row[0] + 2 * row[1] - Fraction(e) for row, e in zip(rows, target.tolist(), strict=True)]
    loss = float(sum(e * e for e in exact))
    gradient = [float(2 * sum(e * row[j] for e, row in zip(exact, rows, strict=True))) for j in range(2)]
    problem = sg.Problem(sg.sum((X @ w - y) ** 2))
    g = problem.compile(prove=False).bind(X=columns, y=target)
    value, gradients = g(w=truth)
    assert np.isclose(value, loss, rtol=1e-5, atol=0)
    assert np.allclose(gradients["w"], gradient, rtol=1e-4, atol=0)
    square = columns.T @ columns
    moments = truth @ square @ truth - 2 * truth @ (columns.T @ target) + target @ target
    assert not np.isclose(moments, loss, rtol=0.5, atol=0)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (sg.sum(sg.data("a", n) * (X @ w - y) ** 2), "each example has a weight"),
        (sg.sum(sg.tanh(X @ w - y) ** 2), "the columns are not met linearly"),
        (sg.sum((X @ w) ** 4), "four columns meet"),
        (sg.norm(X @ w - y), "the norm is no sum of products"),
        (sg.sum((X @ w - sg.parameter("p", n)) ** 2), "a parameter runs along the examples"),
        (sg.sum((sg.data("D", n, n) @ sg.parameter("p", n)) ** 2), "so does the other axis"),
    ],
)
def test_what_is_not_rotated(loss, reason):
    problem = sg.Problem(loss)
    names = [e.name for e in problem.leaves if e.role.value == "data"]
    assert rotate.rotation(dissolve(problem.derive(prove=False)), names, "ones") is None, reason


def test_a_wrong_rotation_is_refused():
    program = dissolve(sg.Problem(BY_EXAMPLE["least squares"]).derive(prove=False))
    right = rotate.rotation(program, ["X", "y"], "ones")
    rotate.prove_rotation(program, right)
    kinked = dissolve(sg.Problem(BY_EXAMPLE["a penalty with a kink"]).derive(prove=False))
    rotate.prove_rotation(kinked, rotate.rotation(kinked, ["X", "y"], "ones"))
    for wrong in (
        replace(right.program, loss=scale(Fraction(3, 2), right.program.loss)),
        replace(right.program, gradients={**right.program.gradients, "b": right.program.loss}),
    ):
        with pytest.raises(CheckFailed, match="rotating the data changes"):
            rotate.prove_rotation(program, replace(right, program=wrong))


def test_what_is_not_proved_is_not_done(monkeypatch):
    def refuse(*programs):
        raise CheckFailed("no")

    problem = sg.Problem(BY_EXAMPLE["logistic"])
    data, rest = split(problem.compile(prove=False), arrays_of(problem.leaves))
    assert "signs = 1 - 2 * t" in problem.compile().bind(**data).source
    monkeypatch.setattr(laws, "prove_tailored", refuse)
    plain = problem.compile().bind(**data)
    assert "signs" not in plain.source
    assert_same(plain(**rest), problem.compile(prove=False)(**data, **rest))


@pytest.mark.parametrize("spread", [0.5, 29.9, 30.1, 40.0, 800.0])
@pytest.mark.parametrize("is_separated", [True, False])
@pytest.mark.parametrize("count", [60, 3000])
def test_logistic_loss_on_both_sides_of_its_gates(spread, is_separated, count):
    """Products of 1 + eᶻ overflow beyond the one gate, and have lost log(1 + eᶻ) where nearly all are separated."""
    z = np.random.default_rng(1).uniform(-spread, spread, size=count)
    z[0] = spread
    labels = (z > 0).astype(float)
    if not is_separated:
        labels[::2] = 1 - labels[::2]
    f = sg.Problem(BY_EXAMPLE["logistic"]).compile(prove=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradients = f.bind(X=z[:, None], t=labels)(w=[1.0], b=0.0)
    with mpmath.workdps(40):
        u = [mpmath.mpf(e) * (1 - 2 * int(s)) for e, s in zip(z, labels, strict=True)]
        loss = mpmath.fsum(mpmath.log1p(mpmath.exp(e)) for e in u) / count
        slopes = [(1 - 2 * int(s)) / (1 + mpmath.exp(-e)) for e, s in zip(u, labels, strict=True)]
        slope = mpmath.fsum(p * mpmath.mpf(x) for p, x in zip(slopes, z, strict=True)) / count
    assert np.isclose(value, float(loss), rtol=1e-11)
    assert np.isclose(gradients["w"][0], float(slope), rtol=1e-11)


# ---- columns side by side


@pytest.mark.parametrize(
    ("loss", "columns"),
    [
        (sg.sum(sg.huber(X @ w + b - y, 1)), "[X, np.ones((n, 1), X.dtype), y[:, None]]"),
        (sg.sum(sg.exp(2 * (X @ w) - b * y + 3)), "[X, y[:, None], np.ones((n, 1), X.dtype)]"),
        (sg.sum(sg.tanh(y * (X @ w - b))), "[X * y[:, None], y[:, None]]"),
        (sg.sum(sg.tanh(sg.data("B", d, n).T @ w + b)), "[B.T, np.ones((n, 1), B.dtype)]"),
        (sg.sum(sg.cos(X @ w + sg.data("B", n, k) @ v + b)), "[X, B, np.ones((n, 1), X.dtype)]"),
        (sg.sum(sg.tanh(sg.log(1 + X**2) @ w + b) ** 2), "[np.log(1 + X**2), np.ones((n, 1), X.dtype)]"),
    ],
)
def test_an_affine_map_is_one_product(loss, columns):
    """Each in one product with its joined columns, the gradients in another, and as proved as everything else."""
    problem = sg.Problem(loss)
    f = problem.compile(prove=False)
    data, rest = split(f, arrays_of(problem.leaves))
    program = dissolve(problem.derive(prove=False))
    tailor.prove_tailored(program, joined := side_by_side(program, list(data)))
    with pytest.raises(CheckFailed):
        tailor.prove_tailored(program, replace(joined, loss=scale(2, joined.loss)))
    g = f.bind(**data)
    assert f"columns = np.concatenate({columns}, axis=1)" in g.source
    assert g.source.count(".dot(columns)") + g.source.count("columns @ ") == 3
    assert_same(g(**rest), f(**data, **rest))
    assert np.isclose(g.value(**rest), f.value(**data, **rest))


@pytest.mark.parametrize(
    "loss",
    [
        sg.sum(sg.exp(X @ w)),
        sg.sum(sg.tanh(X @ W + v) ** 2),
        sg.sum(sg.tanh(X @ w + sg.parameter("p", n))),
        sg.sum(sg.tanh(sg.tanh(X @ w) + b)),
    ],
)
def test_what_is_not_joined(loss):
    """One column alone, a matrix of sums, a parameter for each example, what is not affine."""
    problem = sg.Problem(loss)
    data, rest = split(f := problem.compile(prove=False), arrays_of(problem.leaves))
    g = f.bind(**data)
    assert "columns = " not in g.source
    assert_same(g(**rest), f(**data, **rest))


# ---- eigenvectors

D = sg.data("D", n, n, symmetric=True)
q, a = sg.parameter("q"), sg.parameter("a")
K = sg.exp(2 * a) * sg.exp(-D / 2) + sg.exp(2 * q) * sg.eye(n)
T = sg.data("T", n, k)
BY_EIGENVECTORS = {
    "Gaussian process": (y @ sg.solve(K, y) + sg.logdet(K)) / 2,
    "several outputs": sg.sum(T * sg.solve(K, T)) + 3 * sg.logdet(K),
    "ridge on kernels": sg.sum((y - D @ sg.solve(D + b**2 * sg.eye(n), y)) ** 2) * (n / sg.trace(sg.eye(n) * b)),
    "a determinant": sg.log(sg.det(a * sg.eye(n) - D)) + sg.trace(sg.inv(a * sg.eye(n) - D)),
}


@pytest.mark.parametrize("name", list(BY_EIGENVECTORS))
def test_a_matrix_of_data_in_the_basis_of_its_eigenvectors(name):
    problem = sg.Problem(BY_EIGENVECTORS[name])
    f = problem.compile(prove=False)
    program = dissolve(problem.derive(prove=False))
    names = [e.name for e in problem.leaves if e.role.value == "data"]
    spectrum.prove_spectrum(program, spectrum.spectrum(program, names, "eigenvalues"))
    random = np.random.default_rng(3)
    for size in (1, 4, 30):
        places = random.uniform(0, 4, size=(size, 2))
        distances = np.square(places[:, None] - places[None]).sum(axis=2)
        known = {"y": random.normal(size=size), "T": random.normal(size=(size, 3)), "D": distances}
        data = {key: known[key] for key in known if key in {e.name for e in problem.leaves}}
        # det(aI - D) > 0 beyond the largest eigenvalue.
        values = {"a": 500.0 if name == "a determinant" else 0.3, "q": -0.2, "b": 0.9}
        rest = {e.name: values[e.name] for e in problem.leaves if e.role.value == "parameter"}
        g = f.bind(**data)
        assert "_eigen(" in g.source
        assert "linalg.inv" not in g.source
        assert "linalg.solve" not in g.source
        assert_same(g(**rest), f(**data, **rest), 1e-9)
        assert np.isclose(g.value(**rest), f.value(**data, **rest), rtol=1e-9)
    with pytest.raises(InputError, match=r"^D is declared symmetric but is not"):
        f.bind(**{**data, "D": np.triu(np.ones((30, 30)))})


def test_eigenvalues_that_are_negative():
    """det > 0 with two of them, det < 0 with one, where the logarithm is no number and a call says so."""
    f = sg.Problem(sg.logdet(D + q * sg.eye(n))).compile(prove=False)
    two, one = np.diag([-2.0, -3.0, 5.0]), np.diag([-2.0, 3.0, 5.0])
    value, gradients = f.bind(D=two)(q=0.5)
    assert np.isclose(value, np.log(1.5 * 2.5 * 5.5))
    assert np.isclose(gradients["q"], -1 / 1.5 - 1 / 2.5 + 1 / 5.5)
    with pytest.warns(NotFiniteWarning):
        assert np.isnan(f.bind(D=one)(q=0.5)[0])
    with pytest.warns(NotFiniteWarning):
        assert np.isnan(f.bind(D=np.full((2, 2), np.nan), check=False)(q=0.5)[0])


def test_eigenvalues_keep_the_digits_of_an_ill_conditioned_matrix():
    """Beside LAPACK's own factors of the whole matrix, with a condition number of 10⁹, in numbers of 40 digits."""
    f = sg.Problem(BY_EIGENVECTORS["Gaussian process"]).compile(prove=False)
    places = np.linspace(0, 3, 14)
    distances, target = np.square(places[:, None] - places[None]), np.sin(places)
    value, gradients = f.bind(D=distances, y=target)(a=0.0, q=-10.0)
    with mpmath.workdps(40):
        matrix = mpmath.matrix(14)
        for i in range(14):
            for j in range(14):
                matrix[i, j] = mpmath.exp(-mpmath.mpf(distances[i, j]) / 2) + (i == j) * mpmath.exp(-20)
        column = mpmath.matrix(target.tolist())
        solved = mpmath.lu_solve(matrix, column)
        quadratic = (column.T * solved)[0]
        exact = (quadratic + mpmath.log(mpmath.det(matrix))) / 2
        inverse = matrix**-1
        trace = mpmath.fsum(inverse[i, i] for i in range(14))
        slope = mpmath.exp(-20) * (trace - mpmath.fsum(e * e for e in solved))
    assert np.isclose(value, float(exact), rtol=1e-7)
    assert np.isclose(gradients["q"], float(slope), rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (sg.logdet(K + sg.exp(-2 * D)), "two matrices with different eigenvectors"),
        (sg.logdet(sg.exp(-a * D) + sg.eye(n)), "a parameter inside"),
        (sg.logdet(K) + sg.sum(sg.tanh(K)), "entry by entry"),
        (sg.logdet(K) + sg.sum(sg.solve(K, y)), "a sum over all rows"),
        (y @ sg.solve(K, sg.parameter("p", n)), "a parameter of that size"),
        (sg.logdet(sg.data("N", n, n) + a * sg.eye(n)), "no symmetry"),
        (sg.logdet(K) + sg.sum(D * sg.outer(y, y)) * q, "another matrix beside it"),
    ],
)
def test_what_is_not_rotated_by_eigenvectors(loss, reason):
    problem = sg.Problem(loss)
    names = [e.name for e in problem.leaves if e.role.value == "data"]
    assert spectrum.spectrum(dissolve(problem.derive(prove=False)), names, "eigenvalues") is None, reason


def test_wrong_eigenvectors_are_refused():
    program = dissolve(sg.Problem(BY_EIGENVECTORS["Gaussian process"]).derive(prove=False))
    right = spectrum.spectrum(program, ["D", "y"], "eigenvalues")
    spectrum.prove_spectrum(program, right)
    for wrong in (
        replace(right.program, loss=scale(Fraction(3, 2), right.program.loss)),
        replace(right.program, gradients={**right.program.gradients, "q": right.program.gradients["a"]}),
    ):
        with pytest.raises(CheckFailed, match="eigenvectors change"):
            spectrum.prove_spectrum(program, replace(right, program=wrong))


# ---- products of low rank

M, U, V = sg.data("M", n, d), sg.parameter("U", n, k), sg.parameter("V", d, k)
OF_LOW_RANK = {
    "factorisation": (sg.sum((U @ V.T - M) ** 2) + lam * (sg.sum(U**2) + sg.sum(V**2))) / 2,
    "the other way round": sg.mean((M - U @ V.T) ** 2) * 3,
    "transposed": sg.sum((M - (V @ U.T).T) ** 2),
    "of a function": sg.sum((2 * M - sg.tanh(U) @ sg.exp(V).T / 3) ** 2),
}


def factors_near(fit, shape=(250, 160, 3)):
    """Factors and a matrix that is their product but for `fit` of its length."""
    random = np.random.default_rng(2)
    left, right = (random.normal(size=(size, shape[2])) for size in shape[:2])
    whole, noise = left @ right.T, random.normal(size=shape[:2])
    return left, right, whole + noise * (fit * np.linalg.norm(whole) / np.linalg.norm(noise))


@pytest.mark.parametrize("name", list(OF_LOW_RANK))
def test_a_product_of_low_rank_is_multiplied_out(name):
    problem = sg.Problem(OF_LOW_RANK[name])
    program = dissolve(problem.derive(prove=False))
    found = lowrank.low_rank(program, ["M"])
    tailor.prove_tailored(program, found.program)
    if name == "factorisation":
        # λU is multiplied in with the small matrix.
        assert str(found.program.gradients["U"]) == 'U @ (einsum("ki,kj->ij", V, V) + lam * eye(k)) - M @ V'
    wrong = {**found.program.gradients, "V": scale(2, found.program.gradients["V"])}
    with pytest.raises(CheckFailed):
        tailor.prove_tailored(program, replace(found.program, gradients=wrong))
    f = problem.compile(prove=False)
    for shape in ((250, 160, 3), (160, 250, 2), (40, 30, 3), (50, 60, 55)):
        left, right, matrix = factors_near(0.3, shape)
        g = f.bind(M=matrix)
        assert "squares > 1e-4" in g.source
        compiled = f.bind(M=matrix, backend="numba")
        assert "products_and_grams(M, " in compiled.source
        for of_uv in (g, compiled, f.bind(M=matrix, backend="numba", threads=2)):
            assert_same(of_uv(U=left, V=right), f(M=matrix, U=left, V=right), 1e-9)
            assert np.isclose(of_uv.value(U=left, V=right), f.value(M=matrix, U=left, V=right))


@pytest.mark.parametrize("fit", [0.3, 0.011, 0.009, 1e-4, 1e-8, 0.0])
def test_a_product_of_low_rank_on_both_sides_of_its_gate(fit):
    """In numbers of 80 bits; ‖R‖² = 1e-4 ‖M‖² is a fit of 0.01."""
    left, right, matrix = factors_near(fit)
    a, b, m = (x.astype(np.longdouble) for x in (left, right, matrix))
    residual = m - a @ b.T
    f = sg.Problem(sg.sum((M - U @ V.T) ** 2)).compile(prove=False)
    value, gradients = f.bind(M=matrix)(U=left, V=right)
    exact = float((residual**2).sum())
    # A residual of rounding errors alone has no digits in any form.
    assert np.isclose(value, exact, rtol=1e-9, atol=1e-25 * float((m**2).sum()))
    for found, right_one in ((gradients["U"], -2 * residual @ b), (gradients["V"], -2 * residual.T @ a)):
        scale_of_it = float(np.abs(right_one).max())
        assert np.abs(found - right_one).max() <= max(1e-9 * scale_of_it, 1e-11 * bool(fit < 1e-6))


def test_the_gate_of_a_product_of_low_rank_is_needed():
    """Without it a fit of 1e-8 has lost its loss."""
    left, right, matrix = factors_near(1e-8)
    exact = float(((matrix.astype(np.longdouble) - left.astype(np.longdouble) @ right.T) ** 2).sum())
    g = sg.Problem(sg.sum((M - U @ V.T) ** 2)).compile(prove=False).bind(M=matrix)
    open_gate = loaded(g.source.replace("squares > 1e-4", "squares > -1e9"), ("bind",))["bind"](matrix)[0]
    assert np.isclose(g(U=left, V=right)[0], exact, rtol=1e-6, atol=0)
    assert not np.isclose(open_gate(left, right)[0], exact, rtol=1e-1, atol=0)


@pytest.mark.parametrize(
    "loss",
    [
        sg.sum(sg.data("H", n, d) * (M - U @ V.T) ** 2),
        sg.sum(abs(M - U @ V.T)),
        sg.sum((M - U @ V.T) ** 2) + sg.sum(sg.tanh(M - U @ V.T)),
        sg.sum((sg.parameter("G", n, d) - U @ V.T) ** 2),
        sg.sum((M - sg.outer(sg.parameter("p", n), w)) ** 2),
    ],
)
def test_what_is_not_multiplied_out(loss):
    """Weights, another loss, the residual itself, no data; a product of vectors is a sum of squares already."""
    assert lowrank.low_rank(dissolve(sg.Problem(loss).derive(prove=False)), ["M", "H"]) is None


def test_a_perfect_fit_loses_no_digits():
    """σ(z) - 1 would be 0 at z = 60; its true value is -8.8e-27."""
    f = sg.Problem(BY_EXAMPLE["logistic"]).compile(prove=False)
    value, gradients = f.bind(X=np.full((5, 1), 60.0), t=np.ones(5))(w=[1.0], b=0.0)
    assert np.isclose(value, np.exp(-60.0), rtol=1e-12)
    assert np.isclose(gradients["b"], -np.exp(-60.0), rtol=1e-12)


def test_many_threads_share_a_bound_function():
    problem = sg.Problem(BY_EXAMPLE["a net"])
    f = problem.compile(prove=False)
    g = f.bind(**split(f, arrays_of(problem.leaves))[0])
    points = [split(f, arrays_of(problem.leaves, seed))[1] for seed in range(8)]
    expected = [g(**p) for p in points]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            for found, right in zip(pool.map(lambda p: g(**p), points), expected, strict=True):
                assert_same(found, right, 0)


def test_float32_stays_and_a_wider_parameter_widens():
    f = sg.Problem(BY_EXAMPLE["logistic"]).compile(prove=False)
    g = f.bind(X=np.ones((4, 2), np.float32), t=np.array([0, 1, 1, 0], np.float32))
    value, gradients = g(w=np.ones(2, np.float32), b=np.float32(0))
    assert value.dtype == gradients["w"].dtype == gradients["b"].dtype == np.float32
    value, gradients = g(w=np.ones(2), b=0)
    assert value.dtype == gradients["w"].dtype == gradients["b"].dtype == np.float64


# ---- arrays written over

A, B = sg.parameter("A", n, k), sg.parameter("B", k, n)
OVERWRITTEN = {
    "a net": BY_EXAMPLE["a net"],
    "read by a product afterwards": sg.sum(sg.tanh(A @ B) ** 2) + sg.sum((sg.tanh(A @ B) @ A) ** 2),
    "seen by a reshape": sg.sum(sg.reshape(sg.tanh(A), (k, n)) ** 3) + sg.sum(sg.tanh(A) ** 2),
    "seen by a slice": sg.sum(sg.tanh(A + 1)[:3] ** 3) + sg.sum(sg.exp(sg.tanh(A + 1))),
    "seen by a transpose": sg.sum(sg.tanh(A @ B).T * sg.exp(sg.tanh(A @ B))),
    "a view of a number for each row": sg.sum((A * A - sg.sum(A * A, axis=1, keepdims=True)) ** 2 / (2 + A**4)),
    "returned": sg.sum(sg.exp(A) * sg.parameter("C", n, k)),
    "two in turn": sg.sum(sg.softmax(A @ B) * sg.tanh(A @ B) / (2 + sg.sin(A @ B))),
    "divided": sg.sum(sg.exp(A) / sg.cos(A) / (3 * sg.outer(sg.parameter("e", n), sg.parameter("u", k)))),
}


@pytest.mark.parametrize("name", list(OVERWRITTEN))
def test_arrays_that_are_written_over_are_read_no_more(name):
    problem = sg.Problem(OVERWRITTEN[name])
    f = problem.compile(prove=False)
    data, rest = split(f, arrays_of(problem.leaves))
    g = f.bind(**data)
    is_over = "out=" in g.source or re.search(r"^ +\w+ [-+*/]= ", g.source, re.M) is not None
    assert is_over == (name != "returned")
    kept = {key: a.copy() for key, a in rest.items()}
    expected = f(**data, **rest)
    found = g(**rest)
    assert_same(found, expected, 1e-12)
    assert_same(g(**rest), found, 0)
    # What is passed is not written over, and what is returned is nobody else's.
    assert all(np.array_equal(a, kept[key]) for key, a in rest.items())
    arrays = [*found[1].values(), *rest.values(), *data.values()]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])


def test_a_narrower_array_is_not_written_over_by_a_wider():
    """exp(lam X) of data in 32 bits; what parameters of 64 bits make of it has 64."""
    f = sg.Problem(sg.sum(sg.tanh(sg.exp(lam * X) + w))).compile(prove=False)
    data = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    value, gradients = f.bind(X=data)(w=np.ones(3))
    expected, right = f(X=data, w=np.ones(3))
    assert value.dtype == gradients["w"].dtype == np.float64
    assert np.isclose(value, expected, rtol=1e-6)
    assert np.allclose(gradients["w"], right["w"], rtol=1e-5)


def test_the_symmetric_inverse_is_that_of_lapack():
    """By halves and below the size where halves begin; not positive definite; log det not a number where it is negative."""
    A, q = sg.data("A", n, n, symmetric=True), sg.parameter("q")
    K = sg.exp(q) * A
    f = sg.Problem(y @ sg.solve(K, y) + sg.logdet(K)).compile(prove=False)
    assert "= inverse_and_logdet(" in f.source
    random = np.random.default_rng(0)
    for size in (5, 64, 65, 130, 201):
        root = random.normal(size=(size, size))
        for a in (root @ root.T + np.eye(size), np.diag([-1.0, -2.0, *np.ones(size - 2)])):
            target = random.normal(size=size)
            value, gradients = f(A=a, y=target, q=0.0)
            solution = np.linalg.solve(a, target)
            assert np.isclose(value, target @ solution + np.linalg.slogdet(a)[1], rtol=1e-9)
            assert np.isclose(gradients["q"], size - target @ solution, rtol=1e-9)
    with pytest.raises(InputError, match=r"^A is declared symmetric but is not"):
        f(A=np.triu(np.ones((3, 3))), y=np.ones(3), q=0.0)


def test_a_size_that_no_array_tells_is_given_with_the_call():
    """It is known where the arrays are read, which look it up among the sizes that fitted."""
    a = sg.parameter("a")
    f = sg.Problem(sg.sum((y - a * d) ** 2)).compile()
    arrays = {"y": np.arange(3.0), "a": np.array(2.0)}
    g = f.bind(y=arrays["y"])
    for size in (4, 5, 4):
        (value, gradients), (expected, theirs) = g(a=arrays["a"], d=size), f(**arrays, d=size)
        assert value == expected == ((arrays["y"] - 2 * size) ** 2).sum()
        assert gradients["a"] == theirs["a"] == -2 * size * (arrays["y"] - 2 * size).sum()
