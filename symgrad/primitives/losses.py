"""Losses by name: each is its definition in the language, which is what a handout shows.

`reduction` is "mean" over the examples, "sum", or "none": one value for each example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Expr, Leaf, Role, Rows, coerce, elementwise, total
from symgrad.graph.show import show_shape
from symgrad.primitives.arrays import mean
from symgrad.primitives.normalisers import LOG_SOFTMAX, NORM

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_similarity", "cross_entropy", "elastic_net",
    "focal", "gaussian_nll", "hinge", "huber_loss", "kl_divergence", "log_cosh", "mae", "mse", "poisson_nll",
    "squared_hinge", "triplet",
]  # fmt: skip

REDUCTIONS: dict[str, Callable[[Expr], Expr]] = {"mean": mean, "sum": total, "none": lambda e: e}


def _reduced(e: Expr, reduction: str) -> Expr:
    if reduction not in REDUCTIONS:
        raise InputError(f'reduction="{reduction}" is not known; use one of {", ".join(REDUCTIONS)}')
    return REDUCTIONS[reduction](e) if e.rank else e


def _pair(what: str, a: object, b: object) -> tuple[Expr, Expr]:
    """Two arrays of one shape: broadcasting a prediction (n,) against a target (n, 1) would make a matrix of losses."""
    x, y = coerce(a), coerce(b)
    if x.shape != y.shape and x.rank and y.rank:
        raise ShapeError(
            f"{what}: the shapes are {show_shape(x.shape)} and {show_shape(y.shape)}; prediction and target need the same"
        )
    return x, y


def mse(prediction: object, target: object, reduction: str = "mean") -> Expr:
    """(p - y)².

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> str(mse(data("p", n), data("y", n)))
    'sum((p - y)**2) / n'
    """
    p, y = _pair("mse", prediction, target)
    return _reduced((p - y) ** 2, reduction)


def mae(prediction: object, target: object, reduction: str = "mean") -> Expr:
    """|p - y|."""
    p, y = _pair("mae", prediction, target)
    return _reduced(elementwise("absolute", p - y), reduction)


def huber_loss(prediction: object, target: object, delta: Any = 1, reduction: str = "mean") -> Expr:
    """h_δ(p - y): (p - y)²/2 up to δ, then a straight line. [huber1964]"""
    p, y = _pair("huber_loss", prediction, target)
    return _reduced(elementwise("huber", p - y, delta), reduction)


def log_cosh(prediction: object, target: object, reduction: str = "mean") -> Expr:
    """log cosh(p - y)."""
    p, y = _pair("log_cosh", prediction, target)
    return _reduced(elementwise("logcosh", p - y), reduction)


def hinge(score: object, target: object, reduction: str = "mean") -> Expr:
    """max(0, 1 - y s), y being ±1."""
    s, y = _pair("hinge", score, target)
    return _reduced(elementwise("relu", 1 - y * s), reduction)


def squared_hinge(score: object, target: object, reduction: str = "mean") -> Expr:
    """max(0, 1 - y s)², y being ±1."""
    s, y = _pair("squared_hinge", score, target)
    return _reduced(elementwise("relu", 1 - y * s) ** 2, reduction)


def binary_cross_entropy(probability: object, target: object, reduction: str = "mean") -> Expr:
    """-(y log p + (1 - y) log(1 - p)), p the probability of class 1.

    >>> from symgrad.primitives.language import data, dims
    >>> n = dims("n")
    >>> str(binary_cross_entropy(data("p", n), data("y", n), reduction="none"))
    '-y * log(p) - (1 - y) * log(1 - p)'
    """
    p, y = _pair("binary_cross_entropy", probability, target)
    return _reduced(-(y * elementwise("log", p)) - (1 - y) * elementwise("log", 1 - p), reduction)


def binary_cross_entropy_with_logits(logit: object, target: object, reduction: str = "mean") -> Expr:
    """log(1 + e^z) - y z, which is the cross-entropy of σ(z)."""
    z, y = _pair("binary_cross_entropy_with_logits", logit, target)
    return _reduced(elementwise("softplus", z) - y * z, reduction)


def cross_entropy(logits: object, target: object, reduction: str = "mean") -> Expr:
    """-Σⱼ yⱼ log softmax(z)ⱼ for rows of scores z, the target labels or rows of probabilities.

    >>> from symgrad.primitives.language import data, dims, labels
    >>> n, k = dims("n k")
    >>> str(cross_entropy(data("Z", n, k), labels("c", n, k)))
    '-sum(sum(log_softmax(Z) * one_hot(c), axis=1)) / n'
    """
    z, y = coerce(logits), coerce(target)
    if z.rank not in (1, 2):
        raise ShapeError(f"cross_entropy: the shape of the scores is {show_shape(z.shape)}; they are rows, or one row")
    log_p = LOG_SOFTMAX(z, axis=-1)
    if isinstance(y, Leaf) and y.role is Role.LABELS:
        own = log_p[Rows(z.shape[0]), y] if z.rank == 2 else log_p[y]
        return -_reduced(own, reduction)
    log_p, y = _pair("cross_entropy", log_p, y)
    return -_reduced(total(y * log_p, z.rank - 1), reduction)


def focal(probability: object, target: object, gamma: Any = 2, reduction: str = "mean") -> Expr:
    """-y (1 - p)^γ log p - (1 - y) p^γ log(1 - p). [lin2017]"""
    p, y = _pair("focal", probability, target)
    right = y * (1 - p) ** gamma * elementwise("log", p)
    return _reduced(-right - (1 - y) * p**gamma * elementwise("log", 1 - p), reduction)


def poisson_nll(log_rate: object, counts: object, reduction: str = "mean") -> Expr:
    """e^s - y s, the rate being e^s; what does not hold s is left out."""
    s, y = _pair("poisson_nll", log_rate, counts)
    return _reduced(elementwise("exp", s) - y * s, reduction)


def gaussian_nll(location: object, target: object, variance: object, reduction: str = "mean") -> Expr:
    """½ (log v + (y - m)²/v), without the constant ½ log 2π."""
    m, y = _pair("gaussian_nll", location, target)
    v = coerce(variance)
    return _reduced((elementwise("log", v) + (y - m) ** 2 / v) / 2, reduction)


def kl_divergence(p: object, q: object, reduction: str = "mean") -> Expr:
    """Σⱼ pⱼ (log pⱼ - log qⱼ) for rows of probabilities."""
    a, b = _pair("kl_divergence", p, q)
    e = a * (elementwise("log", a) - elementwise("log", b))
    return _reduced(total(e, e.rank - 1), reduction) if e.rank else e


def cosine_similarity(a: object, b: object, axis: int = -1) -> Expr:
    """⟨a, b⟩ / (‖a‖ ‖b‖) along an axis."""
    x, y = _pair("cosine_similarity", a, b)
    return total(x * y, axis) / (NORM(x, axis=axis) * NORM(y, axis=axis))


def triplet(anchor: object, positive: object, negative: object, margin: Any = 1, reduction: str = "mean") -> Expr:
    """max(0, ‖a - p‖² - ‖a - n‖² + margin) for rows. [schroff2015]"""
    a, p = _pair("triplet", anchor, positive)
    _, n = _pair("triplet", anchor, negative)
    gap = total((a - p) ** 2, a.rank - 1) - total((a - n) ** 2, a.rank - 1) + margin
    return _reduced(elementwise("relu", gap), reduction)


def elastic_net(w: object, l1: Any, l2: Any) -> Expr:
    """l1·Σ|w| + l2/2·Σ w². [zou2005]"""
    x = coerce(w)
    return coerce(l1) * total(elementwise("absolute", x)) + coerce(l2) * total(x**2) / 2
