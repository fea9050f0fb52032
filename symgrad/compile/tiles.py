"""What compiled loops call: functions of a number that vectorise, sums and products over a tile of examples.

numba compiles each to machine code, the long ones once for a machine. Its own `exp` and `tanh` are calls to the C library,
one number at a time; these are a polynomial after a reduction by powers of 2, which the compiler makes vector instructions
of. What is not a number stays none. In a tile the examples lie along the last axis, or along the first where a name says rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

Array = Any
# As many rows and columns as BLAS needs to be faster than the loops below.
LARGE = 32
# Sums may be added in another order, so that they vectorise; functions of a number are kept as they are written.
loop = njit(error_model="numpy", fastmath={"reassoc", "contract"}, nogil=True)
_kernel = njit(error_model="numpy", fastmath={"reassoc", "contract"}, nogil=True, cache=True)
_exact = njit(error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)


def cut(arrays: Sequence[Array], rows: Sequence[bool], width: int) -> tuple[int, int, list[Array]]:
    """(examples in a tile, 1 << k for each array k that lies in rows, copies cut into tiles of examples).

    An array has axes (tile, ..., example), or (tile, example, ...) where `rows` lets it and features are many.

    A call computes `width` numbers for each example besides the data; those of a tile stay in the cache.
    """
    n = arrays[0].shape[-1]
    of_data = sum(a.size for a in arrays) // max(n, 1) + 1
    most = min(256, max(128, 2**13 // width), max(32, 2**15 // of_data))
    size = min(2 ** (most.bit_length() - 1), max(n, 1))
    count = -(-n // size)
    # With few features the examples are the longer axis, with many the features are.
    by_rows = tuple([may_be and a.shape[0] > 24 for a, may_be in zip(arrays, rows, strict=True)])
    found = []
    for a, is_in_rows in zip(arrays, by_rows, strict=True):
        parts = np.zeros((count, size, *a.shape[:-1]))
        parts.reshape(-1, *a.shape[:-1])[:n] = np.moveaxis(a, -1, 0)
        found.append(parts if is_in_rows else np.ascontiguousarray(np.moveaxis(parts, 1, -1)))
    # One number: numba takes longer to read a tuple.
    return size, sum(is_in_rows << k for k, is_in_rows in enumerate(by_rows)), found


def told(finite: float) -> None:
    """NumPy tells of an invalid operation where a sum is not finite."""
    if finite != 0:
        np.subtract(np.inf, np.inf)


@_exact
def all_finite(x):
    """0 where all are finite, else not a number."""
    total = 0.0
    for v in x.ravel():
        total += 0.0 * v
    return total


@_exact
def exp(x):
    """e^x; what would be below 2^-1021 is 0."""
    y = 710.0 if x > 710.0 else -710.0 if x < -710.0 else x
    shifted = y * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = (y - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = np.int64((np.float64(shifted).view(np.int64) + 1022) << 52).view(np.float64)
    e = p * power * 2.0
    return np.inf if x > 709.782712893384 else 0.0 if x < -707.7 else e


@_exact
def tanh(x):
    """(e^2|x| - 1) / (e^2|x| + 1), with the sign of x."""
    a = abs(x)
    y = 44.0 if a > 22.0 else 2.0 * a
    shifted = y * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = (y - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r
    power = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    m = power * p + (power - 1.0)
    t = m / (m + 2.0)
    return -t if x < 0.0 else t


@_exact
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    e = exp(-abs(x))
    q = 1.0 / (1.0 + e)
    return e * q if x < 0.0 else q


@_exact
def softplus(x):
    """log(1 + exp(x))."""
    return (0.0 if x < 0.0 else x) + np.log1p(exp(-abs(x)))


@_exact
def logcosh(x):
    """log(cosh(x)) = |x| + log(1 + exp(-2|x|)) - log 2, and a series in x**2 where that would lose digits."""
    a = abs(x)
    y = x * x
    return y * (0.5 - y / 12.0 + y * y / 45.0) if a < 0.02 else a + np.log1p(exp(-2.0 * a)) - 0.6931471805599453


@_exact
def relu(x):
    """max(x, 0)."""
    return 0.0 if x <= 0.0 else x


@_exact
def sign(x):
    """-1, 0 or 1."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 * x


@_exact
def inverse_or_zero(x):
    """1 / x, and 0 where x is 0."""
    return 0.0 if x == 0.0 else 1.0 / x


@_exact
def maximum(x, y):
    """The larger."""
    return y if y > x or y != y else x


@_exact
def minimum(x, y):
    """The smaller."""
    return y if y < x or y != y else x


@_exact
def clip(x, y, z):
    """x, but not below y nor above z."""
    return z if x > z else y if x < y else x


@_exact
def huber(x, y):
    """x**2 / 2 where abs(x) <= y, else y * (abs(x) - y / 2)."""
    return 0.5 * x * x if abs(x) <= y else y * (abs(x) - 0.5 * y)


@_exact
def leaky_relu(x, y):
    """x where x > 0, else y * x."""
    return x if x > 0.0 else y * x


@_exact
def elu(x, y):
    """x where x > 0, else y * (exp(x) - 1)."""
    return x if x > 0.0 else y * np.expm1(x)


@_kernel
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
            total += np.log1p(exp(-abs(z[t])))
    return total


@_kernel
def largest(Z, m, rows):
    """The largest of each column."""
    for t in range(rows):
        m[t] = Z[0, t]
    for a in range(1, len(Z)):
        for t in range(rows):
            m[t] = Z[a, t] if Z[a, t] > m[t] or Z[a, t] != Z[a, t] else m[t]


@_kernel
def logsumexp(Z, y, rows):
    """y = log of the sum of exp(Z) over each column."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            s[t] += exp(Z[a, t] - m[t])
    for t in range(rows):
        y[t] = m[t] + np.log(s[t])


@_kernel
def softmax(Z, P, rows):
    """P = softmax of each column."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] = exp(Z[a, t] - m[t])
            s[t] += P[a, t]
    for t in range(rows):
        s[t] = 1.0 / s[t]
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] *= s[t]


@_kernel
def log_softmax(Z, L, rows):
    """L = log of the softmax of each column."""
    m = np.empty(rows)
    logsumexp(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            L[a, t] = Z[a, t] - m[t]


@_kernel
def softmax_and_log(Z, P, L, rows):
    """P = softmax of each column, L = log(P)."""
    m, s = np.empty(rows), np.zeros(rows)
    largest(Z, m, rows)
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] = exp(Z[a, t] - m[t])
            s[t] += P[a, t]
    for t in range(rows):
        m[t] += np.log(s[t])
        s[t] = 1.0 / s[t]
    for a in range(len(Z)):
        for t in range(rows):
            P[a, t] *= s[t]
            L[a, t] = Z[a, t] - m[t]


@_kernel
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


@_kernel
def products(A, X, Z, rows):
    """Z = A X for the examples of a tile: by BLAS where both are large, else two rows of A and four of X at a time."""
    k, d = A.shape
    if k >= LARGE and d >= LARGE and rows == Z.shape[1]:
        np.dot(A, X, Z)
        return
    for a in range(k):
        for t in range(rows):
            Z[a, t] = 0.0
    # Sixteen rows of X stay in the fastest cache while all rows of A meet them.
    for first in range(0, d, 16):
        last = min(first + 16, d)
        for a in range(0, k - 1, 2):
            j = first
            while j + 4 <= last:
                u0, u1, u2, u3 = A[a, j], A[a, j + 1], A[a, j + 2], A[a, j + 3]
                v0, v1, v2, v3 = A[a + 1, j], A[a + 1, j + 1], A[a + 1, j + 2], A[a + 1, j + 3]
                for t in range(rows):
                    x0, x1, x2, x3 = X[j, t], X[j + 1, t], X[j + 2, t], X[j + 3, t]
                    Z[a, t] += u0 * x0 + u1 * x1 + u2 * x2 + u3 * x3
                    Z[a + 1, t] += v0 * x0 + v1 * x1 + v2 * x2 + v3 * x3
                j += 4
            while j < last:
                for t in range(rows):
                    Z[a, t] += A[a, j] * X[j, t]
                    Z[a + 1, t] += A[a + 1, j] * X[j, t]
                j += 1
        if k % 2:
            a, j = k - 1, first
            while j + 4 <= last:
                u0, u1, u2, u3 = A[a, j], A[a, j + 1], A[a, j + 2], A[a, j + 3]
                for t in range(rows):
                    Z[a, t] += u0 * X[j, t] + u1 * X[j + 1, t] + u2 * X[j + 2, t] + u3 * X[j + 3, t]
                j += 4
            while j < last:
                for t in range(rows):
                    Z[a, t] += A[a, j] * X[j, t]
                j += 1


@_kernel
def add_products(G, X, S, rows):
    """S += G Xᵀ over the examples of a tile: by BLAS where both are large, else two rows of G and four of X at a time."""
    k, d = S.shape
    if k >= LARGE and d >= LARGE and rows == G.shape[1]:
        S += np.dot(G, X.T)
        return
    j = 0
    while j + 4 <= d:
        for a in range(0, k - 1, 2):
            p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
            q0, q1, q2, q3 = 0.0, 0.0, 0.0, 0.0
            for t in range(rows):
                g, h = G[a, t], G[a + 1, t]
                x0, x1, x2, x3 = X[j, t], X[j + 1, t], X[j + 2, t], X[j + 3, t]
                p0 += g * x0
                p1 += g * x1
                p2 += g * x2
                p3 += g * x3
                q0 += h * x0
                q1 += h * x1
                q2 += h * x2
                q3 += h * x3
            S[a, j] += p0
            S[a, j + 1] += p1
            S[a, j + 2] += p2
            S[a, j + 3] += p3
            S[a + 1, j] += q0
            S[a + 1, j + 1] += q1
            S[a + 1, j + 2] += q2
            S[a + 1, j + 3] += q3
        if k % 2:
            a = k - 1
            p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
            for t in range(rows):
                p0 += G[a, t] * X[j, t]
                p1 += G[a, t] * X[j + 1, t]
                p2 += G[a, t] * X[j + 2, t]
                p3 += G[a, t] * X[j + 3, t]
            S[a, j] += p0
            S[a, j + 1] += p1
            S[a, j + 2] += p2
            S[a, j + 3] += p3
        j += 4
    while j < d:
        for a in range(k):
            p0 = 0.0
            for t in range(rows):
                p0 += G[a, t] * X[j, t]
            S[a, j] += p0
        j += 1


@_kernel
def products_of_rows(A, X, Z, rows):
    """Z = A Xᵀ for the examples of a tile, the rows of X: by BLAS, or four of them and two rows of A at a time."""
    k, d = A.shape
    if k >= LARGE and rows == Z.shape[1]:
        np.dot(A, X.T, Z)
        return
    i = 0
    while i + 4 <= rows:
        for a in range(0, k - 1, 2):
            p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
            q0, q1, q2, q3 = 0.0, 0.0, 0.0, 0.0
            for j in range(d):
                g, h = A[a, j], A[a + 1, j]
                x0, x1, x2, x3 = X[i, j], X[i + 1, j], X[i + 2, j], X[i + 3, j]
                p0 += g * x0
                p1 += g * x1
                p2 += g * x2
                p3 += g * x3
                q0 += h * x0
                q1 += h * x1
                q2 += h * x2
                q3 += h * x3
            Z[a, i], Z[a, i + 1], Z[a, i + 2], Z[a, i + 3] = p0, p1, p2, p3
            Z[a + 1, i], Z[a + 1, i + 1], Z[a + 1, i + 2], Z[a + 1, i + 3] = q0, q1, q2, q3
        if k % 2:
            a = k - 1
            p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
            for j in range(d):
                p0 += A[a, j] * X[i, j]
                p1 += A[a, j] * X[i + 1, j]
                p2 += A[a, j] * X[i + 2, j]
                p3 += A[a, j] * X[i + 3, j]
            Z[a, i], Z[a, i + 1], Z[a, i + 2], Z[a, i + 3] = p0, p1, p2, p3
        i += 4
    while i < rows:
        for a in range(k):
            p0 = 0.0
            for j in range(d):
                p0 += A[a, j] * X[i, j]
            Z[a, i] = p0
        i += 1


@_kernel
def add_products_of_rows(G, X, S, rows):
    """S += G X over the examples of a tile, the rows of X: by BLAS, or four of them and two rows of G at a time."""
    k, d = S.shape
    if k >= LARGE and rows == G.shape[1]:
        S += np.dot(G, X)
        return
    i = 0
    while i + 4 <= rows:
        for a in range(0, k - 1, 2):
            u0, u1, u2, u3 = G[a, i], G[a, i + 1], G[a, i + 2], G[a, i + 3]
            v0, v1, v2, v3 = G[a + 1, i], G[a + 1, i + 1], G[a + 1, i + 2], G[a + 1, i + 3]
            for j in range(d):
                x0, x1, x2, x3 = X[i, j], X[i + 1, j], X[i + 2, j], X[i + 3, j]
                S[a, j] += u0 * x0 + u1 * x1 + u2 * x2 + u3 * x3
                S[a + 1, j] += v0 * x0 + v1 * x1 + v2 * x2 + v3 * x3
        if k % 2:
            a = k - 1
            u0, u1, u2, u3 = G[a, i], G[a, i + 1], G[a, i + 2], G[a, i + 3]
            for j in range(d):
                S[a, j] += u0 * X[i, j] + u1 * X[i + 1, j] + u2 * X[i + 2, j] + u3 * X[i + 3, j]
        i += 4
    while i < rows:
        for a in range(k):
            for j in range(d):
                S[a, j] += G[a, i] * X[i, j]
        i += 1
