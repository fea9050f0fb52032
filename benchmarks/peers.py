"""The frameworks that are measured beside symgrad: what each makes of a model, or None where it is not installed or has no way.

JAX, PyTorch and autograd run one formula for each model, written over their NumPy-like module `m`; PyTensor and CasADi compile
their own for the regressions alone. All hold their data as they like it best, before the clock starts.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Call = Callable[[], tuple[Any, Mapping[str, Any]]]


def _linear(m, X, y, w, b):
    return m.mean((X @ w + b - y) ** 2) / 2


def _logistic(m, X, y, w, b):
    z = X @ w + b
    return m.mean(m.softplus(z) - y * z)


def _huber(m, X, y, w, b):
    r = X @ w + b - y
    c = m.clip(r, -1.0, 1.0)
    return m.mean(c * (r - c / 2))


def _poisson(m, X, y, w, b):
    z = X @ w + b
    return m.mean(m.exp(z) - y * z)


def _softmax(m, X, Y, W, b):
    return -m.mean(m.sum(Y * m.log_softmax(X @ W + b), 1))


def _network(m, X, y, W1, b1, W2, b2, w3, b3):
    r = m.tanh(m.tanh(X @ W1 + b1) @ W2 + b2) @ w3 + b3 - y
    return m.mean(r**2) / 2


def _factorisation(m, M, U, V):
    r = U @ V.T - M
    return (m.sum(r**2) + 0.1 * (m.sum(U**2) + m.sum(V**2))) / 2


def _gaussian_process(m, D, y, s, q):
    K = m.exp(2 * s) * m.exp(-D / 2) + m.exp(2 * q) * m.eye(len(y))
    return (y @ m.solve(K, y) + m.logdet(K)) / 2


def _gaussian(m, X, mu, S):
    r = X - mu
    return m.sum(r * m.solve(S, r.T).T) / 2 + len(X) * m.logdet(S) / 2


def _attention(m, T, Q, K, V):
    r = m.softmax(Q @ K.T / math.sqrt(Q.shape[1])) @ V - T
    return m.sum(r**2) / 2


FORMULAS = {
    "linear regression": _linear,
    "Gaussian likelihood": _gaussian,
    "logistic regression": _logistic,
    "Huber regression": _huber,
    "Poisson regression": _poisson,
    "softmax regression": _softmax,
    "network 64-64, tanh": _network,
    "matrix factorisation": _factorisation,
    "Gaussian process": _gaussian_process,
    "attention": _attention,
}


class _Module:
    """NumPy's names, as a framework has them, and the few that each has elsewhere."""

    def __init__(self, base: Any, **others: Any) -> None:
        self._base = base
        self.__dict__.update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _jax(workload, arrays) -> Call | None:
    jax = _installed("jax")
    if jax is None:
        return None
    jax.config.update("jax_enable_x64", True)
    m = _Module(
        jax.numpy, softplus=jax.nn.softplus, log_softmax=lambda z: jax.nn.log_softmax(z, axis=1),
        softmax=lambda z: jax.nn.softmax(z, axis=1), solve=jax.numpy.linalg.solve,
        logdet=lambda a: jax.numpy.linalg.slogdet(a)[1],
    )  # fmt: skip
    names = list(arrays)
    places = tuple(names.index(p) for p in workload.parameters)
    f = jax.jit(
        jax.value_and_grad(lambda *values: FORMULAS[workload.name](m, **dict(zip(names, values, strict=True))), places)
    )
    held = [jax.numpy.asarray(a) for a in arrays.values()]

    def call():
        value, gradients = jax.block_until_ready(f(*held))
        return value, dict(zip(workload.parameters, gradients, strict=True))

    return call


def _torch(workload, arrays) -> Call | None:
    torch = _installed("torch")
    if torch is None:
        return None
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    m = _Module(
        torch, softplus=torch.nn.functional.softplus, log_softmax=lambda z: torch.log_softmax(z, 1),
        softmax=lambda z: torch.softmax(z, 1), solve=torch.linalg.solve, logdet=torch.logdet,
        eye=lambda n: torch.eye(n, dtype=torch.float64),
    )  # fmt: skip
    held = {k: torch.tensor(np.asarray(a), requires_grad=k in workload.parameters) for k, a in arrays.items()}
    wanted = [held[p] for p in workload.parameters]

    def call():
        value = FORMULAS[workload.name](m, **held)
        gradients = torch.autograd.grad(value, wanted)
        return value.detach().numpy(), {p: g.numpy() for p, g in zip(workload.parameters, gradients, strict=True)}

    return call


def _autograd(workload, arrays) -> Call | None:
    autograd = _installed("autograd")
    if autograd is None:
        return None
    anp = importlib.import_module("autograd.numpy")

    def log_softmax(z):
        z = z - anp.max(z, axis=1, keepdims=True)
        return z - anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))

    m = _Module(
        anp, softplus=lambda z: anp.logaddexp(0.0, z), log_softmax=log_softmax,
        softmax=lambda z: anp.exp(log_softmax(z)), solve=anp.linalg.solve, logdet=lambda a: anp.linalg.slogdet(a)[1],
    )  # fmt: skip
    data = {k: a for k, a in arrays.items() if k not in workload.parameters}
    at = {k: arrays[k] for k in workload.parameters}
    f = autograd.value_and_grad(lambda p: FORMULAS[workload.name](m, **data, **p))
    return lambda: f(at)


def _pytensor(workload, arrays) -> Call | None:
    pytensor = _installed("pytensor")
    if pytensor is None or not workload.name.endswith("regression"):
        return None
    pt = importlib.import_module("pytensor.tensor")
    m = _Module(pt, softplus=pt.softplus, log_softmax=lambda z: pt.special.log_softmax(z, axis=1))
    importlib.import_module("pytensor.tensor.special")
    shared = {k: pytensor.shared(np.asarray(a)) for k, a in arrays.items() if k not in workload.parameters}
    free = {k: pt.tensor(k, dtype="float64", shape=(None,) * np.ndim(arrays[k])) for k in workload.parameters}
    value = FORMULAS[workload.name](m, **shared, **free)
    f = pytensor.function(list(free.values()), [value, *pytensor.grad(value, list(free.values()))])
    at = [np.asarray(arrays[k]) for k in free]

    def call():
        value, *gradients = f(*at)
        return value, dict(zip(free, gradients, strict=True))

    return call


def _casadi(workload, arrays) -> Call | None:
    casadi = _installed("casadi")
    if casadi is None or workload.name not in (
        "linear regression",
        "logistic regression",
        "Huber regression",
        "Poisson regression",
    ):
        return None
    n, d = arrays["X"].shape
    # Its matrices are constants of the graph, entry by entry: a million rows do not fit into it.
    if n * d > 200_000:
        return None
    m = _Module(
        casadi, clip=lambda r, a, b: casadi.fmin(casadi.fmax(r, a), b),
        mean=lambda x: casadi.sum1(x) / n,
    )  # fmt: skip
    m.softplus = lambda z: casadi.fmax(z, 0) + casadi.log1p(casadi.exp(-casadi.fabs(z)))
    w, b = casadi.MX.sym("w", d), casadi.MX.sym("b")
    value = FORMULAS[workload.name](m, X=casadi.DM(arrays["X"]), y=casadi.DM(arrays["y"]), w=w, b=b)
    f = casadi.Function("f", [w, b], [value, casadi.gradient(value, w), casadi.gradient(value, b)])
    at = casadi.DM(arrays["w"]), casadi.DM(float(arrays["b"]))

    def call():
        value, by_w, by_b = f(*at)
        return float(value), {"w": np.asarray(by_w).reshape(-1), "b": float(by_b)}

    return call


PEERS = {"jax": _jax, "torch": _torch, "autograd": _autograd, "pytensor": _pytensor, "casadi": _casadi}
