"""Layers by name: each is its definition in the language, which is what a handout shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import InputError, ShapeError
from symgrad.graph.expression import Expr, coerce, number, power, size, transpose
from symgrad.graph.show import show_shape
from symgrad.primitives.arrays import concatenate, mean, ones, where
from symgrad.primitives.normalisers import SOFTMAX
from symgrad.primitives.triangles import TRIL

__all__ = ["attention", "batch_norm", "dense", "dropout", "layer_norm", "multi_head_attention"]

EPSILON = Fraction(1, 100_000)
# What stands for -∞ before a softmax: e to this power is 0 in double precision.
MASKED = -(10**9)


def dense(x: object, W: object, b: object = None, activation: Callable[[Expr], Expr] | None = None) -> Expr:
    """activation(x W + b).

    >>> from symgrad.primitives.language import data, dims, parameter, tanh
    >>> n, d, h = dims("n d h")
    >>> str(dense(data("X", n, d), parameter("W", d, h), parameter("b", h), tanh))
    'tanh(X @ W + b)'
    """
    z = coerce(x) @ coerce(W)
    if b is not None:
        z = z + b
    return z if activation is None else activation(z)


def _normalised(x: Expr, axis: int, epsilon: Any) -> Expr:
    """(x - μ)/√(v + ε), the mean and the variance taken along the axis, which is the first or the last."""
    back = (slice(None),) * (x.rank - 1) + (None,) if axis else slice(None)
    centred = x - mean(x, axis=axis)[back]
    return centred / power(mean(centred**2, axis=axis) + epsilon, Fraction(1, 2))[back]


def batch_norm(x: object, gamma: object, beta: object, epsilon: Any = EPSILON) -> Expr:
    """γ (x - μ)/√(v + ε) + β, μ and v the mean and the variance of each column. [ioffe2015]"""
    return gamma * _normalised(coerce(x), 0, epsilon) + beta


def layer_norm(x: object, gamma: object, beta: object, epsilon: Any = EPSILON) -> Expr:
    """γ (x - μ)/√(v + ε) + β, μ and v the mean and the variance of each row. [ba2016]"""
    return gamma * _normalised(coerce(x), -1, epsilon) + beta


def dropout(x: object, mask: object, rate: Any) -> Expr:
    """x ⊙ mask / (1 - rate), the mask being data that is 0 or 1. [srivastava2014]"""
    return coerce(x) * mask / (1 - coerce(rate))


def attention(Q: object, K: object, V: object, mask: object = None, causal: bool = False) -> Expr:
    """softmax(Q Kᵀ/√d) V; a score where the mask is 0, or with `causal` one of a later place, counts for nothing. [vaswani2017]

    >>> from symgrad.primitives.language import data, dims
    >>> n, d = dims("n d")
    >>> Q, K, V = (data(c, n, d) for c in "QKV")
    >>> str(attention(Q, K, V))
    'softmax(Q @ K.T / sqrt(d)) @ V'
    """
    q, k, v = coerce(Q), coerce(K), coerce(V)
    if {q.rank, k.rank, v.rank} != {2} or q.shape[1] != k.shape[1] or k.shape[0] != v.shape[0]:
        shapes = ", ".join(show_shape(e.shape) for e in (q, k, v))
        raise ShapeError(f"attention: the shapes are {shapes}; Q and K need the same width, K and V the same length")
    scores = q @ transpose(k) / power(size(q.shape[1]), Fraction(1, 2))
    if causal and mask is not None:
        raise InputError("attention: both causal=True and a mask are given; put the one into the other")
    if causal:
        scores = where(TRIL(ones(*scores.shape)) > 0, scores, number(MASKED))
    if mask is not None:
        scores = where(mask, scores, number(MASKED))
    return SOFTMAX(scores, axis=-1) @ v


def multi_head_attention(
    x: object,
    WQ: Sequence[object],
    WK: Sequence[object],
    WV: Sequence[object],
    WO: object,
    mask: object = None,
    causal: bool = False,
) -> Expr:
    """[head₁ … head_h] W_O, each head attention(x W_Q, x W_K, x W_V) with its own three matrices. [vaswani2017]"""
    e = coerce(x)
    if not len(WQ) == len(WK) == len(WV) or not WQ:
        raise InputError(
            "multi_head_attention: WQ, WK and WV are lists with one matrix for each head; give as many of each"
        )
    heads = [
        attention(e @ coerce(q), e @ coerce(k), e @ coerce(v), mask, causal) for q, k, v in zip(WQ, WK, WV, strict=True)
    ]
    return concatenate(heads, axis=1) @ coerce(WO)
