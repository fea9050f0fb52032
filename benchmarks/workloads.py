"""The models that are measured: each in symgrad's language, with data, and the sizes at which it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import by_hand
import numpy as np

import symgrad as sg

Arrays = Mapping[str, Any]
n, d, k, h, r = sg.dims("n d k h r")
X, y, Y = sg.data("X", n, d), sg.data("y", n), sg.data("Y", n, k, one_hot=True)
w, b = sg.parameter("w", d), sg.parameter("b")


@dataclass(frozen=True)
class Workload:
    """A model, its hand, what draws its arrays, its parameters; sizes with the goal for the ratio to the hand."""

    name: str
    problem: Callable[[], sg.Problem]
    hand: Callable[..., Any]
    draw: Callable[..., Arrays]
    parameters: tuple[str, ...]
    goals: Mapping[tuple[int, ...], float]
    toy: tuple[int, ...]


def linear():
    residual = X @ w + b - y
    return sg.Problem(sg.mean(residual**2) / 2, names={"r": residual})


def logistic():
    t = sg.data("y", n, binary=True)
    p = sg.sigmoid(X @ w + b)
    return sg.Problem(-sg.mean(t * sg.log(p) + (1 - t) * sg.log(1 - p)), names={"p": p})


def huber():
    residual = X @ w + b - y
    return sg.Problem(sg.mean(sg.huber(residual, 1)), names={"r": residual})


def poisson():
    z = X @ w + b
    return sg.Problem(sg.mean(sg.exp(z) - y * z), names={"z": z})


def softmax():
    W, c = sg.parameter("W", d, k), sg.parameter("b", k)
    Z = X @ W + c
    P = sg.softmax(Z)
    return sg.Problem(-sg.mean(sg.sum(Y * sg.log(P), axis=1)), names={"Z": Z, "P": P})


def network():
    W1, b1, W2, b2 = sg.parameter("W1", d, h), sg.parameter("b1", h), sg.parameter("W2", h, h), sg.parameter("b2", h)
    w3, b3 = sg.parameter("w3", h), sg.parameter("b3")
    H1 = sg.tanh(X @ W1 + b1)
    H2 = sg.tanh(H1 @ W2 + b2)
    residual = H2 @ w3 + b3 - y
    return sg.Problem(sg.mean(residual**2) / 2, names={"H1": H1, "H2": H2, "r": residual})


def factorisation():
    M, U, V = sg.data("M", n, d), sg.parameter("U", n, r), sg.parameter("V", d, r)
    lam = sg.hyperparameter("lam", 0.1)
    R = U @ V.T - M
    return sg.Problem((sg.sum(R**2) + lam * (sg.sum(U**2) + sg.sum(V**2))) / 2, names={"R": R})


def gaussian_process():
    D, s, q = sg.data("D", n, n, symmetric=True), sg.parameter("s"), sg.parameter("q")
    K = sg.exp(2 * s) * sg.exp(-D / 2) + sg.exp(2 * q) * sg.eye(n)
    loss = (y @ sg.solve(K, y) + sg.logdet(K)) / 2
    return sg.Problem(loss, names={"K": K})


def gaussian():
    mu, S = sg.parameter("mu", d), sg.parameter("S", d, d)
    R = X - mu
    loss = sg.sum(R * (R @ sg.inv(S))) / 2 + n * sg.logdet(S) / 2
    return sg.Problem(loss, names={"R": R})


def attention():
    Q, K, V = sg.parameter("Q", n, d), sg.parameter("K", n, d), sg.parameter("V", n, d)
    T = sg.data("T", n, d)
    P = sg.softmax(Q @ K.T / sg.sqrt(d))
    R = P @ V - T
    return sg.Problem(sg.sum(R**2) / 2, names={"P": P, "R": R})


def _rows(random, m, width, **kind):
    x = random.normal(size=(m, width))
    truth = random.normal(size=width) / np.sqrt(width)
    z = x @ truth
    target = {
        "real": lambda: z + random.normal(size=m),
        "binary": lambda: (z + random.logistic(size=m) > 0).astype(float),
        "counts": lambda: random.poisson(np.exp(np.clip(z, -3, 3))).astype(float),
    }[kind["target"]]()
    return {"X": x, "y": target, "w": truth + random.normal(size=width) * 0.1 / np.sqrt(width), "b": np.array(0.1)}


def _rows_of(target):
    return lambda random, m, width: _rows(random, m, width, target=target)


def _classes(random, m, width, classes=10):
    W = random.normal(size=(width, classes)) / np.sqrt(width)
    labels = random.integers(classes, size=m)
    x = random.normal(size=(m, width))
    return {"X": x, "Y": np.eye(classes)[labels], "W": W, "b": random.normal(size=classes) * 0.1}


def _network(random, m, width):
    def weights(*shape):
        return random.normal(size=shape) / np.sqrt(shape[0])

    return {
        "X": random.normal(size=(m, width)), "y": random.normal(size=m), "W1": weights(width, width),
        "b1": weights(width), "W2": weights(width, width), "b2": weights(width), "w3": weights(width), "b3": np.array(0.1),
    }  # fmt: skip


def _factors(random, m, width, rank):
    U, V = random.normal(size=(m, rank)), random.normal(size=(width, rank))
    noise = random.normal(size=(m, width))
    return {
        "M": U @ V.T + noise,
        "U": U + 0.1 * random.normal(size=U.shape),
        "V": V + 0.1 * random.normal(size=V.shape),
    }


def _process(random, m):
    x = random.uniform(0, 10, size=(m, 2))
    D = np.square(x[:, None] - x[None, :]).sum(axis=2)
    return {"D": D, "y": np.sin(x[:, 0]) + 0.1 * random.normal(size=m), "s": np.array(0.1), "q": np.array(-1.0)}


def _normals(random, m, width):
    root = random.normal(size=(width, width)) / np.sqrt(width)
    return {
        "X": random.normal(size=(m, width)),
        "mu": random.normal(size=width) * 0.1,
        "S": root @ root.T + np.eye(width),
    }


def _attention(random, m, width):
    return {name: random.normal(size=(m, width)) for name in "TQKV"}


ROWS = {(100, 13): 0.45, (10_000, 13): 0.70, (10_000, 100): 0.85, (1_000_000, 13): 0.50, (1_000_000, 100): 0.42}

WORKLOADS = (
    Workload(
        "linear regression", linear, by_hand.linear, _rows_of("real"), ("w", "b"),
        {(10_000, 13): 0.07, (1_000_000, 100): 0.07}, (50, 3),
    ),
    Workload("Gaussian likelihood", gaussian, by_hand.gaussian, _normals, ("mu", "S"), {(10_000, 50): 0.07}, (50, 4)),
    Workload("logistic regression", logistic, by_hand.logistic, _rows_of("binary"), ("w", "b"), ROWS, (50, 3)),
    Workload("Huber regression", huber, by_hand.huber, _rows_of("real"), ("w", "b"), ROWS, (50, 3)),
    Workload("Poisson regression", poisson, by_hand.poisson, _rows_of("counts"), ("w", "b"), ROWS, (50, 3)),
    Workload(
        "softmax regression", softmax, by_hand.softmax, _classes, ("W", "b"),
        {(10_000, 64): 0.42, (10_000, 784): 0.42, (100_000, 784): 0.42}, (50, 6),
    ),
    Workload(
        "network 64-64, tanh", network, by_hand.network, _network, ("W1", "b1", "W2", "b2", "w3", "b3"),
        {(128, 64): 1.0, (10_000, 64): 0.80}, (20, 4),
    ),
    Workload(
        "matrix factorisation", factorisation, by_hand.factorisation, _factors, ("U", "V"),
        {(1000, 500, 20): 0.50}, (12, 9, 2),
    ),
    Workload(
        "Gaussian process", gaussian_process, by_hand.gaussian_process, _process, ("s", "q"),
        {(50,): 0.45, (500,): 0.40}, (10,),
    ),
    Workload("attention", attention, by_hand.attention, _attention, ("Q", "K", "V"), {(128, 64): 1.0}, (8, 4)),
)  # fmt: skip
