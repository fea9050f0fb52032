"""Matrix products over a tile, the examples along its last axis, or along the first where a name says rows.

BLAS copies what it multiplies first, which takes longer than the product where one matrix is narrow.
"""

from __future__ import annotations

import numpy as np

from symgrad.compile.tiles.compiled import kernel

# As many rows and columns as BLAS needs to be faster than the loops below.
LARGE = 32


@kernel
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


@kernel
def _add_four(G, X, S, rows, a, j):
    """S += G Xᵀ in one row and four columns."""
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


@kernel
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
            _add_four(G, X, S, rows, k - 1, j)
        j += 4
    while j < d:
        for a in range(k):
            p0 = 0.0
            for t in range(rows):
                p0 += G[a, t] * X[j, t]
            S[a, j] += p0
        j += 1


@kernel
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


@kernel
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
