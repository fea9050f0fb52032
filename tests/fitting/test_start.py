"""Where a descent begins: the loss is seen to be convex or not, and never wrongly."""

import math
import random

import numpy as np
import pytest

import symgrad as sg
from symgrad.derive.convexity import is_convex, is_probability
from symgrad.derive.ranges import Range
from symgrad.errors import ShapeError
from symgrad.fitting.start import slot_of
from symgrad.problem import Problem

n, d, h, k = sg.dims("n d h k")
X, y, Y = sg.data("X", n, d), sg.data("y", n), sg.data("Y", n, k, one_hot=True)
t, s = sg.data("t", n, binary=True), sg.data("s", n, sign=True)
w, b, W, c = sg.parameter("w", d), sg.parameter("b"), sg.parameter("W", d, k), sg.parameter("c", k)
W1, c1, W2 = sg.parameter("W1", d, h), sg.parameter("c1", h), sg.parameter("W2", h, k)
U, V = sg.parameter("U", n, k), sg.parameter("V", d, k)
lam = sg.hyperparameter("lam", 0.3)
z, Z, H = X @ w + b, X @ W + c, sg.relu(X @ W1 + c1)
POSITIVE_LAM = {"lam": Range(0.3, 0.3)}


def cross_entropy(logits):
    return -sg.mean(sg.sum(Y * sg.log(sg.softmax(logits)), axis=1))


CONVEX = {
    "least squares": sg.sum((z - y) ** 2) / (2 * n),
    "least squares as a dot product": (z - y) @ (z - y),
    "ridge": sg.sum((z - y) ** 2) + lam * sg.sum(w**2),
    "lasso": sg.sum((z - y) ** 2) + lam * sg.sum(sg.abs(w)),
    "logistic": -sg.mean(t * sg.log(sg.sigmoid(z)) + (1 - t) * sg.log(1 - sg.sigmoid(z))),
    "logistic, sigmoid spelled out": -sg.mean(t * sg.log(1 / (1 + sg.exp(-z)))),
    "logistic, signs": sg.sum(sg.log(1 + sg.exp(-s * z))),
    "logistic, softplus": sg.sum(sg.softplus(z) - t * z),
    "softmax": cross_entropy(Z),
    "softmax, log_softmax": -sg.sum(Y * sg.log_softmax(Z)) / n + lam / 2 * sg.sum(W**2),
    "softmax, logsumexp": sg.sum(sg.logsumexp(Z, axis=1)) - sg.sum(Y * Z),
    "Poisson": sg.sum(sg.exp(z) - y * z),
    "Huber": sg.sum(sg.huber(z - y, 1)),
    "hinge": sg.sum(sg.maximum(0, 1 - s * z)),
    "squared hinge": sg.sum(sg.relu(1 - s * z) ** 2),
    "norm": sg.norm(z - y),
    "root of a square plus one": sg.sum((1 + z**2) ** 2),
}
NOT_CONVEX = {
    "two layers": cross_entropy(H @ W2),
    "matrix factorisation": sg.sum((sg.data("R", n, d) - U @ V.T) ** 2),
    "least squares upside down": -sg.sum((z - y) ** 2),
    "squared sigmoid": sg.sum((sg.sigmoid(z) - t) ** 2),
    "a cube": sg.sum(z**3),
    "a penalty of unknown sign": sg.sum((z - y) ** 2) + sg.data("a") * sg.sum(w**2),
    "weights of unknown sign": sg.sum(y * (z - y) ** 2),
    "a sine": sg.sum(sg.sin(z)),
    "square of a convex function that changes sign": sg.sum((sg.exp(z) - 1) ** 2),
    "root of an affine function": sg.sum(sg.sqrt(z)),
    "a condition on the parameters": sg.sum(sg.where(z > 0, z, -z)),
    "a reward of unknown sign": sg.sum(sg.data("a", d) * -(w**2)),
    "log-likelihood of a square": -sg.sum(sg.log(sg.sigmoid(z**2))),
    "log-likelihood of a square, the other class": -sg.sum(sg.log(1 - sg.sigmoid(-(z**2)))),
    "log of a sum of sigmoids": -sg.log(sg.sum(sg.sigmoid(z))),
    "log of a reciprocal": sg.sum(sg.log(1 / (1 + sg.exp(z)))),
    "an unsigned quadratic form": w @ sg.data("A", d, d) @ w,
}


@pytest.mark.parametrize("name", CONVEX)
def test_convex_losses_are_seen(name):
    assert is_convex(CONVEX[name], POSITIVE_LAM)


@pytest.mark.parametrize("name", NOT_CONVEX)
def test_other_losses_are_not(name):
    assert not is_convex(NOT_CONVEX[name], POSITIVE_LAM)


def test_the_sign_of_the_data_counts():
    loss = sg.sum(y * (z - y) ** 2)
    assert is_convex(loss, {"y": Range(0, 5)})
    assert not is_convex(loss, {"y": Range(-1e-9, 5)})
    assert not is_convex(sg.sum(w**2) * lam, {"lam": Range(-1, -1)})
    assert not is_convex((d - 3) * sg.sum(w**2), {"d": Range(2, 2)})
    assert is_convex((d - 3) * sg.sum(w**2), {"d": Range(4, 4)})


FUNCTIONS = [
    sg.exp, sg.log, sg.sqrt, sg.sigmoid, sg.softplus, sg.relu, sg.abs, sg.tanh, sg.sin, lambda e: e**2, lambda e: e**3,
    lambda e: 1 / e, lambda e: 1 - e, lambda e: -e, lambda e: 2 * e + 1, lambda e: e * e, lambda e: sg.huber(e, 1),
    lambda e: sg.maximum(e, 1), lambda e: sg.minimum(e, 1), lambda e: sg.logsumexp(e), lambda e: sg.clip(e, -1, 1),
    lambda e: sg.sum(e * sg.softmax(e)), lambda e: sg.sum(sg.log(sg.softmax(e))), lambda e: sg.norm(e), sg.sum,
    lambda e: 1 + sg.exp(e), lambda e: e**-2, lambda e: e ** 1.5,
]  # fmt: skip


def test_no_random_loss_is_called_convex_wrongly():
    """Jensen's inequality at the middle of random segments, for 600 random compositions."""
    chosen, found = random.Random(7), 0
    x, a = sg.parameter("x", 3), sg.data("a", 3)
    for _ in range(600):
        e = chosen.choice([x, a * x + 1, x - a])
        for _ in range(chosen.randint(1, 4)):
            e = chosen.choice(FUNCTIONS)(e)
            e = e if e.rank else sg.broadcast_to(e, 3)
        loss = sg.sum(e) + (sg.sum(sg.exp(x)) if chosen.random() < 0.3 else 0)
        if is_convex(loss):
            found += 1
            assert_below_its_chords(loss)
    assert found > 100


def assert_below_its_chords(loss):
    f = Problem(loss).compile(prove=False)
    draw = np.random.RandomState(3)
    others = {} if not any(g.name == "a" for g in f.arguments) else {"a": draw.standard_normal(3)}
    with np.errstate(all="ignore"):
        for _ in range(20):
            p, q = 2 * draw.standard_normal((2, 3))
            ends = [float(f.value(x=v, **others)) for v in (p, q)]
            middle = float(f.value(x=(p + q) / 2, **others))
            if all(map(math.isfinite, (*ends, middle))):
                assert middle <= sum(ends) / 2 + 1e-9 * (1 + abs(ends[0]) + abs(ends[1])), str(loss)


@pytest.mark.parametrize("e", [sg.sigmoid(z), sg.softmax(Z), 1 / (1 + sg.exp(-z)), 1 - sg.sigmoid(z), sg.exp(-(z**2))])
def test_probabilities_are_seen(e):
    assert is_probability(e)


@pytest.mark.parametrize(
    "e", [z, sg.tanh(z), sg.exp(z), 1 + sg.sigmoid(z), sg.sum(sg.softmax(Z), axis=1), sg.softplus(z)]
)
def test_scores_are_no_probabilities(e):
    assert not is_probability(e)


def data(seed=0, rows=40):
    draw = np.random.RandomState(seed)
    return draw.standard_normal((rows, 3)), draw.standard_normal(rows)


def started(loss, model=None, **options):
    rows, numbers = data()
    values = {"X": rows, "y": numbers, "t": numbers > 0, "s": np.where(numbers > 0, 1, -1), "R": rows}
    values["Y"] = np.eye(4)[np.arange(len(rows)) % 4]
    problem = Problem(loss, model=model)
    used = {e.name: values[e.name] for e in problem.leaves if e.name in values}
    return problem.fit(used, max_iterations=0, **options)


@pytest.mark.parametrize("name", ["least squares", "ridge", "logistic", "softmax", "Poisson"])
def test_convex_losses_start_at_zero(name):
    result = started(CONVEX[name])
    assert set(result.start.values()) == {"zeros"}
    assert all(not array.any() for array in result.parameters.values())


def test_a_hidden_layer_starts_at_normals_and_its_biases_at_zero():
    wide = sg.parameter("W1", d, h)
    result = started(cross_entropy(sg.relu(X @ wide + c1) @ W2), sizes={"h": 400})
    assert result.start == {"W1": "seeded normals", "c1": "zeros", "W2": "seeded normals"}
    assert np.std(result.parameters["W1"]) * math.sqrt(3) == pytest.approx(1, rel=0.05)
    assert np.std(result.parameters["W2"]) * math.sqrt(400) == pytest.approx(1, rel=0.05)


def test_matrix_factors_start_at_normals():
    result = started(NOT_CONVEX["matrix factorisation"], sizes={"k": 2})
    assert set(result.start.values()) == {"seeded normals"}
    # Each entry of U Vᵀ sums over k = 2, for the transposed factor too.
    assert np.std(result.parameters["U"]) * math.sqrt(2) == pytest.approx(1, rel=0.2)


def test_the_fan_in_is_what_a_product_sums_over():
    sizes = {"n": 5, "d": 3, "h": 7, "k": 2}
    assert [slot_of(p, [U @ V.T], sizes).fan_in for p in (U, V)] == [2, 2]
    assert [slot_of(p, [H @ W2], sizes).fan_in for p in (W1, W2, c1)] == [3, 7, 1]
    assert slot_of(W, [W.T @ sg.data("x", d)], sizes).fan_in == 3


def test_vectors_that_would_stall_start_at_normals():
    u, v = sg.parameter("u", n), sg.parameter("v", d)
    result = started(sg.sum((sg.data("R", n, d) - sg.outer(u, v)) ** 2))
    assert set(result.start.values()) == {"seeded normals"}
    neuron = sg.mean((y - sg.relu(z)) ** 2)  # at w = 0, b = 0 the derivative of relu is 0
    assert set(started(neuron).start.values()) == {"seeded normals"}


def test_a_loss_without_value_at_zero_starts_elsewhere():
    scale = sg.parameter("v")
    result = started(sg.log(sg.sum(y**2) * scale**2) + 1 / scale**2)
    assert result.start == {"v": "seeded normals"}
    assert result.diagnosis is None


def test_the_seed_fixes_the_normals_and_zeros_do_not_shift_them():
    loss = NOT_CONVEX["matrix factorisation"]
    first, again, other = (started(loss, sizes={"k": 2}, seed=seed).parameters["U"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_given_start_is_used():
    result = started(CONVEX["ridge"], start={"w": [1, 2, 3]})
    assert result.parameters["w"].tolist() == [1.0, 2.0, 3.0]
    assert result.start == {"w": "given", "b": "zeros"}
    with pytest.raises(ShapeError, match=r"the start of w has shape \(2,\); give it the shape \(3,\)"):
        started(CONVEX["ridge"], start={"w": [1, 2]})
