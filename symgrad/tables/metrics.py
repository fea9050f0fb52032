"""How good predictions are, on rows that the fit has not seen."""

from __future__ import annotations

import math

import numpy as np

from symgrad.errors import InputError, ShapeError
from symgrad.tables.table import Array

SUM_SLACK = 1e-5
"""Rows of probabilities may miss 1 by the rounding of float32, no more."""


def mse(y: Array, prediction: Array) -> float:
    """Σ (y − ŷ)² / n: the mean squared error, over all entries of `(n,)` or `(n, k)`.

    >>> mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """
    y, prediction = _pair(y, prediction)
    return float(np.mean((y - prediction) ** 2))


def mae(y: Array, prediction: Array) -> float:
    """Σ |y − ŷ| / n: the mean absolute error, over all entries of `(n,)` or `(n, k)`.

    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    y, prediction = _pair(y, prediction)
    return float(np.mean(np.abs(y - prediction)))


def r2(y: Array, prediction: Array) -> float:
    """1 − Σ (y − ŷ)² / Σ (y − ȳ)²: the share of the variance explained, the mean of the columns of `(n, k)`.

    NaN where a column of y is constant: there is no variance to explain.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.5
    """
    y, prediction = _pair(y, prediction)
    residual = ((y - prediction) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    if np.any(np.ptp(y, axis=0) == 0.0):
        return math.nan
    return float(np.mean(1.0 - residual / total))


def accuracy(y: Array, prediction: Array) -> float:
    """#{i : yᵢ = ŷᵢ} / n: the share of rows whose class is right; classes are codes or text, `(n,)`.

    >>> accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]))
    0.75
    """
    y, prediction = np.asarray(y), np.asarray(prediction)
    if y.ndim != 1:
        raise ShapeError(f"the classes have shape {y.shape}; give one class a row, shape (n,)")
    _check_shapes(y, prediction)
    if (y.dtype.kind == "U") != (prediction.dtype.kind == "U"):
        raise InputError("text is compared with numbers; encode both in the same way")
    return float(np.mean(y == prediction))


def log_loss(codes: Array, probabilities: Array) -> float:
    """−Σ log p(i, yᵢ) / n, with yᵢ the code 0 … k−1 of row i's class; the natural logarithm.

    `probabilities` is `(n, k)`, or `(n,)` for the probability of class 1 of two. Each p is kept ε away from 0
    and 1, as scikit-learn does: a prediction that is certain and wrong costs 36, not ∞.
    Raises `InputError` for numbers that are no probabilities, such as scores before the softmax.

    >>> round(log_loss(np.array([1, 0]), np.array([0.5, 0.5])), 6)
    0.693147
    >>> round(log_loss(np.array([0, 1]), np.array([[0.8, 0.2], [0.4, 0.6]])), 6)
    0.366985
    """
    codes, p = np.asarray(codes), np.asarray(probabilities)
    p = p if p.dtype.kind == "f" else p.astype(np.float64)
    if codes.ndim != 1 or p.ndim not in (1, 2) or p.shape[0] != codes.size:
        raise ShapeError(f"codes {codes.shape} and probabilities {p.shape} do not fit; give (n,) and (n, k)")
    if codes.size == 0:
        raise InputError("there are no rows to evaluate; give at least one")
    if p.ndim == 1:
        p = np.column_stack([1.0 - p, p])
    if not (p >= 0.0).all() or np.abs(p.sum(axis=1) - 1.0).max() > SUM_SLACK:
        raise InputError("these are no probabilities; give numbers from 0 to 1 that sum to 1 in each row")
    if not np.isin(codes, np.arange(p.shape[1])).all():
        raise InputError(f"the codes are not all of 0 to {p.shape[1] - 1}; encode the classes as labels")
    chosen = p[np.arange(codes.size), codes.astype(np.int64)]
    epsilon = np.finfo(chosen.dtype).eps
    return float(-np.mean(np.log(np.clip(chosen, epsilon, 1.0 - epsilon))))


def _pair(y: Array, prediction: Array) -> tuple[Array, Array]:
    y, prediction = np.asarray(y, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    _check_shapes(y, prediction)
    return y, prediction


def _check_shapes(y: Array, prediction: Array) -> None:
    # (n,) against (n, 1) would broadcast to (n, n) and give a plausible wrong number.
    if y.shape != prediction.shape:
        raise ShapeError(f"y has shape {y.shape}, the prediction {prediction.shape}; make them the same")
    if y.size == 0:
        raise InputError("there are no rows to evaluate; give at least one")
