"""Models of a whole course (tests/models/n*): proved, their lines those of the textbook, values and gradients those of JAX.

The losses, layers and activations by name are compared with PyTorch's functions of the same names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_programs import SIZES, Jax, arrays_of

import symgrad as sg
from symgrad.derive.claim import Answer
from symgrad.derive.derivation import Verdict
from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import CONSTANT_ROLES, Leaf
from symgrad.graph.walk import postorder

MODELS = {p.stem: p for p in sorted((Path(__file__).parent / "models").glob("n*.py"))}
# A power whose exponent varies is compared in numbers.
VERIFIED = {"n11_survival": {"g", "k"}}
LINES = {
    "n01_labels": {"W": "X.T @ (P - one_hot(c)) / n", "b": "sum(P - one_hot(c), axis=0) / n"},
    "n02_embedding": {"w": "H.T @ (sigmoid(z) - y) / n"},
    "n04_cnn": {"b": "sum((softmax(Z) - one_hot(c)) / n, axis=0)"},
    "n08_elastic_net": {"w": "2 * X.T @ (X @ w - y) / n + lam * sign(w) + mu * w"},
    "n12_list_ranking": {"w": "X.T @ (exp(s) * cumsum(1 / r, axis=0) - 1) / n"},
}
n, d, k = sg.dims("n d k")


@pytest.fixture(scope="module")
def jax():
    found = pytest.importorskip("jax", reason="JAX is the outside oracle; install symgrad[oracle]")
    found.config.update("jax_enable_x64", True)
    return Jax()


@pytest.fixture(scope="module")
def derivations():
    known = {}

    def of(name):
        if name not in known:
            known[name] = sg.load(str(MODELS[name])).derive()
        return known[name]

    return of


def test_there_are_twelve():
    assert len(MODELS) == 12


@pytest.mark.parametrize("name", MODELS)
def test_every_line_is_proved(derivations, name):
    for eq in derivations(name).backward:
        verdicts = {line.proof.verdict for line in eq.lines}
        if eq.variable.name in VERIFIED.get(name, ()):
            assert verdicts <= {Verdict.PROVED, Verdict.VERIFIED}
        else:
            assert verdicts == {Verdict.PROVED}, eq.variable.name


@pytest.mark.parametrize("name", LINES)
def test_the_end_is_the_textbooks(name):
    problem = sg.load(str(MODELS[name]))
    for parameter, line in LINES[name].items():
        assert problem.check_claim(f"{parameter} = {line}").answer is Answer.EQUAL, parameter


@pytest.mark.parametrize("name", MODELS)
def test_values_and_gradients_are_those_of_jax(jax, name):
    problem = sg.load(str(MODELS[name]))
    leaves = [e for e in postorder([problem.loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
    f = problem.compile(prove=False)
    derivatives = jax.gradients(problem.loss, [p.name for p in problem.derive(prove=False).parameters])
    for seed in range(3):
        arrays = arrays_of(leaves, seed)
        value, gradients = f(**{a.name: arrays[a.name] for a in f.arguments if a.name in arrays})
        expected, theirs = derivatives(arrays)
        np.testing.assert_allclose(value, expected, rtol=1e-11)
        for name, own in gradients.items():
            np.testing.assert_allclose(own, theirs[name], rtol=1e-9, atol=1e-12)


# ---- by name, against PyTorch


def torch_cases(torch):
    F = torch.nn.functional
    x, y = sg.parameter("x", n), sg.data("y", n)
    X, Y = sg.parameter("X", n, d), sg.data("Y", n, d)
    b, s, c = sg.data("b", n, binary=True), sg.data("s", n, sign=True), sg.labels("c", n, d)
    p = sg.sigmoid(x)
    return {
        "mse": (sg.mse(x, y), lambda a: F.mse_loss(a["x"], a["y"])),
        "mae": (sg.mae(x, y), lambda a: F.l1_loss(a["x"], a["y"])),
        "huber": (sg.huber_loss(x, y, 0.5), lambda a: F.huber_loss(a["x"], a["y"], delta=0.5)),
        "log_cosh": (sg.log_cosh(x, y), lambda a: torch.log(torch.cosh(a["x"] - a["y"])).mean()),
        "hinge": (sg.hinge(x, s), lambda a: torch.clamp(1 - a["s"] * a["x"], min=0).mean()),
        "squared_hinge": (sg.squared_hinge(x, s), lambda a: (torch.clamp(1 - a["s"] * a["x"], min=0) ** 2).mean()),
        "binary_cross_entropy": (
            sg.binary_cross_entropy(p, b), lambda a: F.binary_cross_entropy(torch.sigmoid(a["x"]), a["b"]),
        ),
        "with_logits": (
            sg.binary_cross_entropy_with_logits(x, b), lambda a: F.binary_cross_entropy_with_logits(a["x"], a["b"]),
        ),
        "cross_entropy": (sg.cross_entropy(X, c), lambda a: F.cross_entropy(a["X"], a["c"])),
        "cross_entropy_soft": (
            sg.cross_entropy(X, sg.softmax(Y)), lambda a: F.cross_entropy(a["X"], torch.softmax(a["Y"], 1)),
        ),
        "focal": (
            sg.focal(p, b),
            lambda a: (
                (1 - (q := torch.where(a["b"] > 0, torch.sigmoid(a["x"]), 1 - torch.sigmoid(a["x"])))) ** 2 * -torch.log(q)
            ).mean(),
        ),
        "poisson_nll": (sg.poisson_nll(x, y), lambda a: F.poisson_nll_loss(a["x"], a["y"])),
        "gaussian_nll": (
            sg.gaussian_nll(x, y, sg.exp(x)), lambda a: F.gaussian_nll_loss(a["x"], a["y"], torch.exp(a["x"])),
        ),
        "kl_divergence": (
            sg.kl_divergence(sg.softmax(Y), sg.softmax(X)),
            lambda a: F.kl_div(F.log_softmax(a["X"], 1), torch.softmax(a["Y"], 1), reduction="batchmean"),
        ),
        "cosine_similarity": (sg.sum(sg.cosine_similarity(X, Y)), lambda a: F.cosine_similarity(a["X"], a["Y"]).sum()),
        "triplet": (
            sg.triplet(X, Y, sg.flip(Y, axis=0), margin=2),
            lambda a: torch.clamp(
                ((a["X"] - a["Y"]) ** 2).sum(1) - ((a["X"] - a["Y"].flip(0)) ** 2).sum(1) + 2, min=0
            ).mean(),
        ),
        "elastic_net": (sg.elastic_net(x, 0.1, 0.3), lambda a: 0.1 * a["x"].abs().sum() + 0.15 * (a["x"] ** 2).sum()),
        "layer_norm": (
            sg.sum(sg.layer_norm(X, 1, 0) * Y), lambda a: (F.layer_norm(a["X"], a["X"].shape[1:]) * a["Y"]).sum(),
        ),
        "batch_norm": (
            sg.sum(sg.batch_norm(X, 1, 0) * Y), lambda a: (F.batch_norm(a["X"], None, None, training=True) * a["Y"]).sum(),
        ),
        "attention": (
            sg.sum(sg.attention(X, X, Y) ** 2), lambda a: (F.scaled_dot_product_attention(a["X"], a["X"], a["Y"]) ** 2).sum(),
        ),
        "causal attention": (
            sg.sum(sg.attention(X, Y, X, causal=True) ** 2),
            lambda a: (F.scaled_dot_product_attention(a["X"], a["Y"], a["X"], is_causal=True) ** 2).sum(),
        ),
        "leaky_relu": (sg.sum(sg.leaky_relu(x, 0.2) * y), lambda a: (F.leaky_relu(a["x"], 0.2) * a["y"]).sum()),
        "elu": (sg.sum(sg.elu(x, 0.7) * y), lambda a: (F.elu(a["x"], 0.7) * a["y"]).sum()),
        "selu": (sg.sum(sg.selu(x) * y), lambda a: (F.selu(a["x"]) * a["y"]).sum()),
        "gelu": (sg.sum(sg.gelu(x) * y), lambda a: (F.gelu(a["x"]) * a["y"]).sum()),
        "silu": (sg.sum(sg.silu(x) * y), lambda a: (F.silu(a["x"]) * a["y"]).sum()),
        "mish": (sg.sum(sg.mish(x) * y), lambda a: (F.mish(a["x"]) * a["y"]).sum()),
        "softsign": (sg.sum(sg.softsign(x) * y), lambda a: (F.softsign(a["x"]) * a["y"]).sum()),
        "hard_tanh": (sg.sum(sg.hard_tanh(x) * y), lambda a: (F.hardtanh(a["x"]) * a["y"]).sum()),
        "hard_sigmoid": (sg.sum(sg.hard_sigmoid(x) * y), lambda a: (torch.clamp(a["x"] / 6 + 0.5, 0, 1) * a["y"]).sum()),
        "relu6": (sg.sum(sg.relu6(x) * y), lambda a: (F.relu6(a["x"]) * a["y"]).sum()),
        "norms": (
            sg.norm(X, 1) + sg.norm(X, float("inf")) + sg.norm(X, "fro") + sg.norm(x, 1) + sg.norm(x, float("inf")),
            lambda a: sum(torch.linalg.norm(a["X"], o) for o in (1, float("inf"), "fro"))
            + torch.linalg.norm(a["x"], 1) + torch.linalg.norm(a["x"], float("inf")),
        ),
        "var, std": (
            sg.sum(sg.var(X, axis=0)) + sg.std(x), lambda a: a["X"].var(0, correction=0).sum() + a["x"].std(correction=0),
        ),
    }  # fmt: skip


def test_what_has_a_name_is_what_pytorch_computes():
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    random = np.random.default_rng(1)
    for name, (loss, theirs) in torch_cases(torch).items():
        leaves = [e for e in postorder([loss]) if isinstance(e, Leaf) and e.role not in CONSTANT_ROLES]
        f = sg.Problem(loss).compile(prove=False)
        for _ in range(3):
            arrays = arrays_of(leaves, int(random.integers(1000)))
            value, gradients = f(**{a.name: arrays[a.name] for a in f.arguments if a.name in arrays})
            tensors = {key: torch.tensor(a, requires_grad=key in gradients) for key, a in arrays.items()}
            expected = theirs(tensors)
            expected.backward()
            np.testing.assert_allclose(value, expected.item(), rtol=1e-10, err_msg=name)
            for key, g in gradients.items():
                np.testing.assert_allclose(g, tensors[key].grad.numpy(), rtol=1e-8, atol=1e-10, err_msg=name)


def test_convolutions_and_pooling_are_what_pytorch_computes():
    torch = pytest.importorskip("torch", reason="PyTorch is the outside oracle; install symgrad[oracle]")
    F = torch.nn.functional
    x, w = sg.parameter("x", n, 2, 7, 9), sg.parameter("w", 3, 2, 3, 2)
    s, v = sg.parameter("s", n, 2, 11), sg.parameter("v", 3, 2, 4)
    cases = [
        (
            sg.conv2d(x, w, stride=(2, 1), padding=(1, 0)),
            lambda a: F.conv2d(a["x"], a["w"], stride=(2, 1), padding=(1, 0)),
        ),
        (sg.conv2d(x, w, padding=2), lambda a: F.conv2d(a["x"], a["w"], padding=2)),
        (sg.conv1d(s, v, stride=3, padding=2), lambda a: F.conv1d(a["s"], a["v"], stride=3, padding=2)),
        (sg.max_pool2d(x, 3, 2), lambda a: F.max_pool2d(a["x"], 3, 2)),
        (sg.avg_pool2d(x, (7, 3)), lambda a: F.avg_pool2d(a["x"], (7, 3))),
        (sg.max_pool1d(s, 2, 3), lambda a: F.max_pool1d(a["s"], 2, 3)),
        (sg.avg_pool1d(s, 11), lambda a: F.avg_pool1d(a["s"], 11)),
    ]
    for e, theirs in cases:
        problem = sg.Problem(sg.sum(e**2))
        leaves = [q for q in postorder([e]) if isinstance(q, Leaf) and q.role not in CONSTANT_ROLES]
        arrays = arrays_of(leaves, 0)
        value, gradients = problem.compile(prove=False)(**arrays)
        tensors = {key: torch.tensor(a, requires_grad=True) for key, a in arrays.items()}
        result = theirs(tensors)
        assert tuple(s.at(SIZES) for s in e.shape) == tuple(result.shape)
        loss = (result**2).sum()
        loss.backward()
        np.testing.assert_allclose(value, loss.item(), rtol=1e-11)
        for key, g in gradients.items():
            np.testing.assert_allclose(g, tensors[key].grad.numpy(), rtol=1e-9, atol=1e-11)


# ---- NumPy's indexing


@pytest.mark.parametrize(
    "key", [slice(1, None), slice(None, -1), -1, 0, (slice(None), slice(1, 3)), (0, 2), (slice(0, 3, 2), -1), (None, 1)]
)
def test_indexing_is_numpys(key):
    x = sg.parameter("x", 3, 4)
    a = np.arange(12.0).reshape(3, 4)
    s = sg.parameter("s")
    e = x[key]
    f = sg.Problem(s * sg.sum(e), model=e).compile(prove=False)
    np.testing.assert_array_equal(f.predict(x=a), a[key])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda x: x[4:], ShapeError),
        (lambda x: x[:, 2:2], ShapeError),
        (lambda x: x[::-1], InputError),
        (lambda x: x[0, 0, 0], InputError),
        (lambda x: x[0.5], InputError),
        (lambda x: x["a"], InputError),
        (lambda x: x[sg.labels("c", n, 9)], ShapeError),
        (lambda x: x[sg.arange(4), sg.labels("c", 3, 4)], ShapeError),
        (lambda x: x[sg.arange(3), sg.labels("c", 4, 4)], ShapeError),
        (lambda x: sg.reshape(x, 5), ShapeError),
        (lambda x: sg.concatenate([x, sg.data("y", 3)]), ShapeError),
        (lambda x: sg.concatenate([]), InputError),
        (lambda x: sg.norm(x, 2), InputError),
        (lambda x: sg.cumsum(x, axis=None), InputError),
        (lambda x: sg.one_hot(x), InputError),
        (lambda x: sg.mse(x, sg.data("y", 3)), ShapeError),
        (lambda x: sg.mse(x, x, "all"), InputError),
        (lambda x: sg.matrix_power(x, 2), ShapeError),
        (lambda x: sg.data("z", n)[: 2 * n : 2], ShapeError),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(wrong, error):
    with pytest.raises(error) as refused:
        wrong(sg.parameter("x", 3, 4))
    assert "\n" not in str(refused.value)
    assert ";" in str(refused.value)


def test_labels_are_no_numbers():
    with pytest.raises(InputError, match=r"^c holds labels.* sg\.one_hot\(c\)"):
        sg.Problem(sg.sum(sg.parameter("w", n) * sg.labels("c", n, k))).derive()


@pytest.mark.parametrize("sides", [(6, 6), (28, 28), (28, 32), (7, 6)])
def test_a_mean_over_axes_of_literal_sizes_is_proved(sides):
    """1/28² follows the stand-in of 28; 784 would be a size of its own."""
    A = sg.parameter("A", n, *sides)
    problem = sg.Problem(sg.sum(sg.mean(A**2, axis=(1, 2)) ** 2))
    assert {eq.proof.verdict for eq in problem.derive().backward} == {Verdict.PROVED}
    at = np.random.default_rng(0).normal(size=(2, *sides))
    _, gradients = problem.compile()(A=at)
    expected = 4 * (at**2).mean(axis=(1, 2))[:, None, None] * at / np.prod(sides)
    assert np.allclose(gradients["A"], expected, rtol=1e-12)
