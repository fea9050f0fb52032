"""Matrix products over a tile, the examples along its last axis, or along the first where a name says rows.

BLAS copies what it multiplies first, which takes longer than the product where a matrix is narrow. There blocks of the
product are held in registers, up to four rows of the narrow matrix at a time.
"""

from __future__ import annotations

import numpy as np

from symgrad.compile.tiles.compiled import exact, kernel
from symgrad.compile.tiles.registers import LANES, MOST_ROWS, REAL_BYTES, STEPS, add_dots, add_outer
from symgrad.compile.tiles.sharing import LONG, all_finite

# As many rows and columns as BLAS needs to be faster than blocks in registers.
LARGE = 96
# Numbers that the second cache does not hold: of larger arrays, the next tile is fetched while one is multiplied.
FAR = 2**18


@exact
def _rows_together(left):
    """How many rows of the narrow matrix come next: fours and threes, so that the last has company."""
    return 4 if left % 4 == 0 else min(left, 3)


@exact
def _advance(size, blocks, steps):
    """How many bytes further each fetch is, where blocks of sums of so many steps share `size` bytes."""
    turns = blocks * (steps // STEPS)
    return -(-size // turns) if turns else 0


@exact
def _next(X, fetches, part, parts):
    """(where it begins, size) in bytes of a part of the tile that follows X in memory; of size 0 unless that `fetches`."""
    size = X.size * REAL_BYTES // parts if fetches else 0
    return X.size * REAL_BYTES + part * size, size


@kernel
def add_transposed(C, A, B, rows, columns, first, size):
    """C += A Bᵀ for so many rows of B, and columns of A and B.

    Meanwhile `size` bytes of memory are fetched, from `first` bytes behind B's start on.
    """
    k, full = A.shape[0], columns - columns % LANES
    advance = _advance(size, -(-k // MOST_ROWS) * (rows // 3 + rows % 3), full // LANES)
    share = full // LANES // STEPS * advance
    a = 0
    while a < k:
        n = _rows_together(k - a)
        for b in range(0, rows - 2, 3):
            add_dots(C, A, B, a, n, b, 3, full, first, advance)
            first += share
        for b in range(rows - rows % 3, rows):
            add_dots(C, A, B, a, n, b, 1, full, first, advance)
            first += share
        a += n
    for j in range(full, columns):
        for a in range(k):
            for b in range(rows):
                C[a, b] += A[a, j] * B[b, j]


@kernel
def add_product(C, A, B, length, columns, first, size):
    """C += A B for so many columns of A, which are rows of B, and columns of B; memory is fetched as above."""
    k = A.shape[0]
    advance = _advance(size, -(-k // MOST_ROWS) * -(-columns // LANES // 3), length)
    share = length // STEPS * advance
    j = 0
    while j + LANES <= columns:
        left, a = (columns - j) // LANES, 0
        while a < k:
            n = _rows_together(k - a)
            if left >= 3:
                add_outer(C, A, B, a, n, j, 3, length, first, advance)
            elif left == 2:
                add_outer(C, A, B, a, n, j, 2, length, first, advance)
            else:
                add_outer(C, A, B, a, n, j, 1, length, first, advance)
            first += share
            a += n
        j += LANES * min(left, 3)
    for i in range(length):
        for a in range(k):
            for j in range(columns - columns % LANES, columns):
                C[a, j] += A[a, i] * B[i, j]


@kernel
def _add_rows(z, a, X, rows):
    """z += Σ_j a_j X_j for so many columns of X: four rows at a time, each read as it lies in memory."""
    d = X.shape[0]
    for j in range(0, d - 3, 4):
        u0, u1, u2, u3 = a[j], a[j + 1], a[j + 2], a[j + 3]
        for t in range(rows):
            z[t] += u0 * X[j, t] + u1 * X[j + 1, t] + u2 * X[j + 2, t] + u3 * X[j + 3, t]
    for j in range(d - d % 4, d):
        for t in range(rows):
            z[t] += a[j] * X[j, t]


@kernel
def _add_inner(s, g, X, rows):
    """s_j += g·X_j for so many columns of X: four rows at a time."""
    d = X.shape[0]
    for j in range(0, d - 3, 4):
        p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
        for t in range(rows):
            p0 += g[t] * X[j, t]
            p1 += g[t] * X[j + 1, t]
            p2 += g[t] * X[j + 2, t]
            p3 += g[t] * X[j + 3, t]
        s[j] += p0
        s[j + 1] += p1
        s[j + 2] += p2
        s[j + 3] += p3
    for j in range(d - d % 4, d):
        p0 = 0.0
        for t in range(rows):
            p0 += g[t] * X[j, t]
        s[j] += p0


@kernel
def products(A, X, Z, rows, fetches):
    """Z = A X for the examples of a tile; if `fetches`, the next tile is fetched meanwhile."""
    if A.shape[0] >= LARGE and A.shape[1] >= LARGE and rows == Z.shape[1]:
        np.dot(A, X, Z)
        return
    Z[...] = 0.0
    if A.shape[0] == 1:
        _add_rows(Z[0], A[0], X, rows)
    else:
        add_product(Z, A, X, A.shape[1], rows, *_next(X, fetches, 0, 1))


@kernel
def add_products(G, X, S, rows):
    """S += G Xᵀ over the examples of a tile."""
    if S.shape[0] >= LARGE and S.shape[1] >= LARGE and rows == G.shape[1]:
        S += np.dot(G, X.T)
        return
    if G.shape[0] == 1:
        _add_inner(S[0], G[0], X, rows)
    else:
        add_transposed(S, G, X, S.shape[1], rows, 0, 0)


@kernel
def products_of_rows(A, X, Z, rows, fetches):
    """Z = A Xᵀ for the examples of a tile, the rows of X; `fetches` as above, half of it where rows are long."""
    if A.shape[0] >= LARGE and rows == Z.shape[1]:
        np.dot(A, X.T, Z)
        return
    Z[...] = 0.0
    first, size = _next(X, fetches, 0, 2 if X.shape[1] >= LONG else 1)
    add_transposed(Z, A, X, rows, A.shape[1], first, size)


@kernel
def add_products_of_rows(G, X, S, rows, fetches):
    """S += G X over the examples of a tile, the rows of X; if `fetches`, the other half is fetched where rows are long.

    The rows are in the cache by now, and the next tile has room beside them.
    """
    if S.shape[0] >= LARGE and rows == G.shape[1]:
        S += np.dot(G, X)
        return
    first, size = _next(X, fetches and X.shape[1] >= LONG, 1, 2)
    add_product(S, G, X, rows, S.shape[1], first, size)


@kernel
def both_sides(M, B, A, grams):
    """(0 where all is finite, M B, Mᵀ A, BᵀB, AᵀA) in one pass over M; the last two are 0 unless `grams` are asked for.

    Both products multiply some rows of M while the second cache has them.
    """
    n, d = M.shape
    size = max(12, min(96, 2**14 // max(d, 1) // 12 * 12))
    left, right, turned = np.zeros((n, B.shape[1])), np.zeros((A.shape[1], d)), _transposed(B)
    of_b, of_a = np.zeros((B.shape[1], B.shape[1])), np.zeros((A.shape[1], A.shape[1]))
    if grams:
        add_transposed(of_b, turned, turned, B.shape[1], d, 0, 0)
    for start in range(0, n, size):
        stop = min(start + size, n)
        rows, some = M[start:stop], A[start:stop]
        first, half = _next(rows, M.size > FAR, 0, 2)
        add_transposed(left[start:stop].T, turned, rows, stop - start, d, first, half)
        first, half = _next(rows, M.size > FAR, 1, 2)
        add_product(right, some.T, rows, stop - start, d, first, half)
        if grams:
            add_product(of_a, some.T, some, stop - start, A.shape[1], 0, 0)
    finite = all_finite(left) + all_finite(right) + all_finite(of_b) + all_finite(of_a)
    return finite, left, right.T, of_b, of_a


@exact
def _transposed(B):
    """A copy of Bᵀ in rows; NumPy's takes longer."""
    turned = np.empty((B.shape[1], B.shape[0]))
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            turned[j, i] = B[i, j]
    return turned
