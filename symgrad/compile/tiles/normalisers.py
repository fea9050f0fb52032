"""Normalisers over a tile, the examples along the last axis: softmax and its logarithm, σ(z) beside Σ log(1 + eᶻ)."""

from __future__ import annotations

import numpy as np

from symgrad.compile.tiles.compiled import kernel
from symgrad.compile.tiles.functions import exp, log1p_of_fraction


@kernel
def sigmoid_and_sum(z, s, rows):
    """s = sigmoid(z); the sum of log(1 + exp(z)), by one logarithm of a product where this holds the digits."""
    product, above = 1.0, 0.0
    for t in range(rows):
        e = exp(-abs(z[t]))
        product *= 1.0 + e
        above += 0.0 if z[t] < 0.0 else z[t]
        q = 1.0 / (1.0 + e)
        s[t] = e * q if z[t] < 0.0 else q
    total = above + np.log(product)
    if total < 1e-3 * rows:
        # What lies near log(1) has lost its last digits.
        total = above
        for t in range(rows):
            total += log1p_of_fraction(exp(-abs(z[t])))
    return total


@kernel
def largest(Z, m, rows):
    """The largest of each column."""
    for t in range(rows):
        m[t] = Z[0, t]
    for a in range(1, len(Z)):
        for t in range(rows):
            m[t] = Z[a, t] if Z[a, t] > m[t] or Z[a, t] != Z[a, t] else m[t]


@kernel
def logsumexp(Z, y, rows):
    """y = log of the sum of exp(Z) over each column."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            s[t] += exp(Z[a, t] - m[t])
    for t in range(rows):
        y[t] = m[t] + np.log(s[t])


@kernel
def exponentials(Z, P, rows):
    """P = exp(Z - m), m the largest of each column; (m, the sums of the columns of P)."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] = exp(Z[a, t] - m[t])
            s[t] += P[a, t]
    return m, s


@kernel
def softmax(Z, P, rows):
    """P = softmax of each column."""
    _, s = exponentials(Z, P, rows)
    for t in range(rows):
        s[t] = 1.0 / s[t]
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] *= s[t]


@kernel
def log_softmax(Z, L, rows):
    """L = log of the softmax of each column."""
    m = np.empty(rows)
    logsumexp(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            L[a, t] = Z[a, t] - m[t]


@kernel
def softmax_and_log(Z, P, L, rows):
    """P = softmax of each column, L = log(P)."""
    m, s = exponentials(Z, P, rows)
    for t in range(rows):
        m[t] += np.log(s[t])
        s[t] = 1.0 / s[t]
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] *= s[t]
            L[a, t] = Z[a, t] - m[t]


@kernel
def softmax_and_inner(Z, Y, sums, P, rows):
    """P = softmax of each column; the sum of Y * log(P), where `sums` are those of the columns of Y."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    inner = 0.0
    for a in range(len(Z)):
        for t in range(rows):
            z = Z[a, t] - m[t]
            inner += Y[a, t] * z
            e = exp(z)
            s[t] += e
            P[a, t] = e
    for t in range(rows):
        inner -= sums[t] * np.log(s[t])
        s[t] = 1.0 / s[t]
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] *= s[t]
    return inner
