"""Losses in the model language, each beside the same loss in PyTorch: the outside oracle of these tests."""

from __future__ import annotations

import numpy as np
import torch

import symgrad.primitives.language as sg
from symgrad.derive.engine import derive

from compile.by_hand import Hand, derivation  # isort: skip

n, d, k, h = sg.dims("n d k h")
SIZES = {"n": 7, "d": 3, "k": 4, "h": 5}
X, y, a, c = sg.data("X", n, d), sg.data("y", n), sg.data("a", n), sg.data("c", n)
Y = sg.data("Y", n, k, one_hot=True)
S = sg.data("S", n, n, symmetric=True)
A, B, C = (sg.data(name, n, n) for name in "ABC")
w, b, q, W, v = (
    sg.parameter("w", d), sg.parameter("b"), sg.parameter("q", n), sg.parameter("W", d, k), sg.parameter("v", k),
)  # fmt: skip
M = sg.parameter("M", n, n)
U, V = sg.parameter("U", n, k), sg.parameter("V", d, k)
W1, b1 = sg.parameter("W1", d, h), sg.parameter("b1", h)
W2, b2 = sg.parameter("W2", h, k), sg.parameter("b2", k)
Q, K = sg.parameter("Q", n, k), sg.parameter("K", h, k)
R = sg.data("R", n, h)
lam = sg.hyperparameter("lam", 0.3)
ys = sg.data("ys", n, sign=True)
T3 = sg.data("T3", n, d, k)


def ridge():
    """Σ (Xw - y)² + lam Σ w²."""
    return sg.sum((X @ w - y) ** 2) + lam * sg.sum(w**2)


def softmax_regression():
    """Cross-entropy of softmax(XW + v)."""
    return -sg.mean(sg.sum(Y * sg.log(sg.softmax(X @ W + v)), axis=1))


def relu_net():
    """Two layers, cross-entropy, decay."""
    probabilities = sg.softmax(sg.relu(X @ W1 + b1) @ W2 + b2)
    return -sg.sum(Y * sg.log(probabilities)) / n + lam / 2 * (sg.sum(W1**2) + sg.sum(W2**2))


def bce():
    """Binary cross-entropy of sigmoid(Xw + b)."""
    p = sg.sigmoid(X @ w + b)
    return -sg.mean(y * sg.log(p) + (1 - y) * sg.log(1 - p))


def bce_torch(t):
    p = torch.sigmoid(t["X"] @ t["w"] + t["b"])
    return -(t["y"] * torch.log(p) + (1 - t["y"]) * torch.log(1 - p)).mean()


def relu_net_torch(t):
    p = torch.softmax(torch.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"], 1)
    decay = t["lam"] / 2 * ((t["W1"] ** 2).sum() + (t["W2"] ** 2).sum())
    return -(t["Y"] * torch.log(p)).sum() / len(p) + decay


def own_softmax(z):
    e = sg.exp(z)
    return e / sg.sum(e, axis=1, keepdims=True)


def batch_norm():
    x = X * w + sg.sin(X)
    centred = x - sg.mean(x, axis=0)
    variance = sg.mean(centred**2, axis=0)
    return sg.sum((centred / sg.sqrt(variance + 1e-5)) ** 3)


def batch_norm_torch(t):
    x = t["X"] * t["w"] + torch.sin(t["X"])
    z = (x - x.mean(0)) / torch.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-5)
    return (z**3).sum()


MODELS = {
    "ridge": (ridge, lambda t: ((t["X"] @ t["w"] - t["y"]) ** 2).sum() + t["lam"] * (t["w"] ** 2).sum()),
    "softmax": (
        softmax_regression,
        lambda t: -(t["Y"] * torch.log_softmax(t["X"] @ t["W"] + t["v"], 1)).sum(1).mean(),
    ),
    "net": (relu_net, relu_net_torch),
    "bce": (bce, bce_torch),
    "sandwich": (lambda: a @ sg.inv(M) @ c, lambda t: t["a"] @ torch.linalg.inv(t["M"]) @ t["c"]),
    "inverse trace": (
        lambda: sg.trace(A @ sg.inv(M)) + sg.sum(sg.inv(M) ** 2),
        lambda t: torch.trace(t["A"] @ torch.linalg.inv(t["M"])) + (torch.linalg.inv(t["M"]) ** 2).sum(),
    ),
    "solve": (lambda: sg.sum(sg.solve(M, A) * B), lambda t: (torch.linalg.solve(t["M"], t["A"]) * t["B"]).sum()),
    "logdet": (lambda: sg.logdet(M), lambda t: torch.logdet(t["M"])),
    "log of det": (lambda: sg.log(sg.det(M)) + sg.det(M / 3), lambda t: torch.logdet(t["M"]) + torch.det(t["M"] / 3)),
    "quadratic": (lambda: q @ A @ q, lambda t: t["q"] @ t["A"] @ t["q"]),
    "symmetric": (lambda: q @ S @ q, lambda t: t["q"] @ t["S"] @ t["q"]),
    "norm": (lambda: sg.norm(q - a) + sg.sum(sg.norm(X * w, axis=1)), None),
    "trace": (
        lambda: sg.trace(A @ M @ B @ M.T @ C),
        lambda t: torch.trace(t["A"] @ t["M"] @ t["B"] @ t["M"].T @ t["C"]),
    ),
    "least squares": (
        lambda: sg.sum((A @ M @ B + C) ** 2),
        lambda t: ((t["A"] @ t["M"] @ t["B"] + t["C"]) ** 2).sum(),
    ),
    "factors": (lambda: sg.sum((X - U @ V.T) ** 2), lambda t: ((t["X"] - t["U"] @ t["V"].T) ** 2).sum()),
    "diagonal": (
        lambda: sg.sum((sg.diag(q) @ X) ** 2) + sg.sum((M @ sg.diag(q)) ** 2) + sg.trace(M) + sg.sum(sg.diag(q)),
        lambda t: (
            (torch.diag(t["q"]) @ t["X"]).pow(2).sum()
            + (t["M"] @ torch.diag(t["q"])).pow(2).sum() + torch.trace(t["M"]) + t["q"].sum()
        ),
    ),
    "outer": (
        lambda: sg.sum(sg.outer(q, q) * M) + sg.sum(sg.exp(sg.outer(a, w))),
        lambda t: (torch.outer(t["q"], t["q"]) * t["M"]).sum() + torch.exp(torch.outer(t["a"], t["w"])).sum(),
    ),
    "poisson": (
        lambda: sg.sum(sg.exp(X @ w) - y * (X @ w)),
        lambda t: (torch.exp(t["X"] @ t["w"]) - t["y"] * (t["X"] @ t["w"])).sum(),
    ),
    "logistic": (
        lambda: w @ w / 2 + lam * sg.sum(sg.log(1 + sg.exp(-ys * (X @ w)))),
        lambda t: t["w"] @ t["w"] / 2 + t["lam"] * torch.log(1 + torch.exp(-t["ys"] * (t["X"] @ t["w"]))).sum(),
    ),
    "huber": (
        lambda: sg.sum(sg.huber(X @ w - y, lam)),
        lambda t: torch.nn.functional.huber_loss(t["X"] @ t["w"], t["y"], reduction="sum", delta=float(t["lam"])),
    ),
    "attention": (
        lambda: sg.sum(X * (sg.softmax(Q @ K.T / sg.sqrt(k)) @ sg.parameter("P", h, d))),
        lambda t: (t["X"] * (torch.softmax(t["Q"] @ t["K"].T / t["Q"].shape[1] ** 0.5, 1) @ t["P"])).sum(),
    ),
    "own softmax": (
        lambda: sg.sum(own_softmax(X @ W) * Y) + sg.sum(sg.log(sg.sum(sg.exp(X @ W), axis=1))),
        lambda t: (torch.softmax(t["X"] @ t["W"], 1) * t["Y"]).sum() + torch.logsumexp(t["X"] @ t["W"], 1).sum(),
    ),
    "own sigmoid": (
        lambda: sg.sum(y / (1 + sg.exp(-(X @ w)))), lambda t: (t["y"] * torch.sigmoid(t["X"] @ t["w"])).sum(),
    ),
    "batch norm": (batch_norm, batch_norm_torch),
    "maximum": (
        lambda: sg.sum(sg.maximum(X @ w, y) * sg.where(y > 0, X @ w, 1)) + sg.sum(abs(q - 1)),
        lambda t: (
            torch.maximum(t["X"] @ t["w"], t["y"]) * torch.where(t["y"] > 0, t["X"] @ t["w"], 1.0)
        ).sum() + (t["q"] - 1).abs().sum(),
    ),
    "constant": (
        lambda: sg.sum(M) + sg.sum(w) * 2 + b + sg.sum(sg.relu(W)),
        lambda t: t["M"].sum() + 2 * t["w"].sum() + t["b"] + torch.relu(t["W"]).sum(),
    ),
    "powers": (
        lambda: sg.sum((1 + w**2) ** -2) + sg.sum(sg.sqrt(1 + q**2)) + sg.sum((2 + sg.sin(v)) ** 1.5) + 2**b,
        lambda t: (
            (1 + t["w"] ** 2).pow(-2).sum() + torch.sqrt(1 + t["q"] ** 2).sum()
            + (2 + torch.sin(t["v"])).pow(1.5).sum() + 2 ** t["b"]
        ),
    ),
    "mixed": (
        lambda: sg.sum(sg.tanh(X @ W) * v) + sg.sum(sg.logsumexp(X @ W, axis=1)) + sg.logsumexp(W) + b * sg.sum(W, axis=0) @ v,
        lambda t: (
            (torch.tanh(t["X"] @ t["W"]) * t["v"]).sum() + torch.logsumexp(t["X"] @ t["W"], 1).sum()
            + torch.logsumexp(t["W"].flatten(), 0) + t["b"] * (t["W"].sum(0) @ t["v"])
        ),
    ),
    "shared": (lambda: b1 @ b1 + b1 @ b2_like(), lambda t: t["b1"] @ t["b1"] + t["b1"] @ t["z"]),
    "batched": (
        lambda: sg.sum((T3 @ v) ** 2) + sg.sum((X @ W * sg.sum(T3, axis=1)) ** 2),
        lambda t: ((t["T3"] @ t["v"]) ** 2).sum() + ((t["X"] @ t["W"] * t["T3"].sum(1)) ** 2).sum(),
    ),
    "batched products": (
        lambda: sg.sum((T3 @ sg.transpose(T3, (0, 2, 1)) @ sg.parameter("E", n, d, d)) ** 2),
        lambda t: ((t["T3"] @ t["T3"].transpose(1, 2) @ t["E"]) ** 2).sum(),
    ),
    "fractions": (
        lambda: (b + sg.sigmoid(w @ w)) / (sg.sigmoid(b) + (b + 2) ** 2),
        lambda t: (t["b"] + torch.sigmoid(t["w"] @ t["w"])) / (torch.sigmoid(t["b"]) + (t["b"] + 2) ** 2),
    ),
    "repeated": (
        lambda: sg.sum(sg.broadcast_to(w**2, n, d)) + sg.sum(sg.broadcast_to(b, n, d)) * b + (q @ (1 / q)) * b,
        lambda t: 7 * (t["w"] ** 2).sum() + 21 * t["b"] ** 2 + 7 * t["b"] + 0 * t["q"].sum(),
    ),
    "alike": (
        lambda: sg.sum(sg.exp(w + sg.parameter("u", d))) + sg.sum(W) + sg.sum(V),
        lambda t: torch.exp(t["w"] + t["u"]).sum() + t["W"].sum() + t["V"].sum(),
    ),
    "switches": (
        lambda: sg.sum(sg.relu(X @ w) * y) * lam + 2 * b * sg.sum((q > 0) * (q > 1)) + sg.sum((q > 0) * a) * lam * b,
        lambda t: (
            (torch.relu(t["X"] @ t["w"]) * t["y"]).sum() * t["lam"] + 2 * t["b"] * (t["q"] > 1).sum()
            + ((t["q"] > 0) * t["a"]).sum() * t["lam"] * t["b"] + 0 * t["q"].sum()
        ),
    ),
}  # fmt: skip


def b2_like():
    return sg.parameter("z", h)


MODELS["norm"] = (
    MODELS["norm"][0],
    lambda t: torch.linalg.norm(t["q"] - t["a"]) + torch.linalg.norm(t["X"] * t["w"], dim=1).sum(),
)


def derived(loss, model=None):
    """The derivation by the derive layer."""
    return derive(loss, model=model)


def swept(loss, model=None):
    """One forward equation, gradients as the rules give them."""
    hand = Hand()
    hand("L", loss)
    return derivation(hand, model=model)


def arrays_for(leaves, seed=0, dtype=np.float64):
    """Random arrays for the leaves, with their facts."""
    random = np.random.default_rng(seed)
    found = {}
    for leaf in leaves:
        if leaf.role.value == "hyperparameter":
            continue
        shape = tuple(size.at(SIZES) for size in leaf.shape)
        array = random.normal(size=shape)
        if "one_hot" in leaf.facts:
            array = np.eye(shape[-1])[random.integers(shape[-1], size=shape[:-1])]
        if "symmetric" in leaf.facts:
            array = array + array.T
        if "sign" in leaf.facts:
            array = np.where(array > 0, 1.0, -1.0)
        if leaf.name == "M":
            array = array + 5 * np.eye(shape[0])
        found[leaf.name] = array.astype(dtype)
    return found


def oracle(function, arrays, parameters):
    """(value, gradients) by PyTorch in float64."""
    tensors = {
        name: torch.tensor(a, dtype=torch.float64, requires_grad=name in parameters) for name, a in arrays.items()
    }
    tensors["lam"] = torch.tensor(0.3, dtype=torch.float64)
    value = function(tensors)
    value.backward()
    return value.item(), {name: tensors[name].grad.numpy() for name in parameters}
